"""Writes that HDF5 lost: h5py prints the error of one that fails while an object is freed.

HDF5 keeps small arrays in memory until they are closed, and h5py closes an array when Python frees
it, where no error can be raised: the file is then whole but for that array. A disk that fails once
is enough for it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from inkfold.errors import InkfoldError

FREEING = "h5py."  # how the name of h5py's function begins in which an object is freed
# The blocks of all threads of this process: a worker of a cluster may write two files at a time.
_LOCK = Lock()
_watching: list[list[BaseException | None]] = []
_before: list[Callable[[sys.UnraisableHookArgs], object]] = []


@contextmanager
def no_write_lost(path: Path) -> Iterator[None]:
    """A block that writes an HDF5 file and closes it, and in which no error is only printed.

    Parameters
    ----------
    path : Path
        The output that an error names.

    Raises
    ------
    InkfoldError
        If a write failed within the block, whether h5py raised its error or not.
    """
    lost: list[BaseException | None] = []
    _watch(lost)
    try:
        yield
    except RuntimeError as error:
        if "errno = " not in str(error):  # no error of the disk
            raise
        raise _refused(path, error) from None
    finally:
        _leave(lost)
    if lost:
        raise _refused(path, lost[0])


def _watch(lost: list[BaseException | None]) -> None:
    """Begin to collect errors in a list; the first of several blocks sets the hook."""
    with _LOCK:
        if not _watching:
            _before.append(sys.unraisablehook)
            sys.unraisablehook = _hook
        _watching.append(lost)


def _leave(lost: list[BaseException | None]) -> None:
    """End to collect errors in a list; the last of several blocks puts the hook back."""
    with _LOCK:
        _watching[:] = [each for each in _watching if each is not lost]
        if not _watching:
            sys.unraisablehook = _before.pop()


def _hook(error: sys.UnraisableHookArgs) -> None:
    """Keep an error of freeing for every block: an object may be freed by any thread."""
    if isinstance(error.object, str) and error.object.startswith(FREEING):
        for lost in tuple(_watching):
            lost.append(error.exc_value)
    else:
        _before[-1](error)


def _refused(path: Path, error: BaseException | None) -> InkfoldError:
    first = " ".join(str(error).split("\n")[0].split())
    return InkfoldError(
        f"{path}: HDF5 cannot finish it ({first}); is the disk full? free it or choose another "
        "place with -o"
    )
