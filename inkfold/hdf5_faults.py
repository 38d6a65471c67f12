"""Writes that HDF5 lost: h5py prints the error of one that fails while an object is freed.

HDF5 keeps small arrays in memory until they are closed, and h5py closes an array when Python frees
it, where no error can be raised: the file is then whole but for that array. A disk that fails once
is enough for it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inkfold.errors import InkfoldError

FREEING = "h5py."  # how the name of h5py's function begins in which an object is freed


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
    usual = sys.unraisablehook

    def hook(error: sys.UnraisableHookArgs) -> None:
        if isinstance(error.object, str) and error.object.startswith(FREEING):
            lost.append(error.exc_value)
        else:
            usual(error)

    sys.unraisablehook = hook
    try:
        yield
    except RuntimeError as error:
        if "errno = " not in str(error):  # no error of the disk
            raise
        raise _refused(path, error) from None
    finally:
        sys.unraisablehook = usual
    if lost:
        raise _refused(path, lost[0])


def _refused(path: Path, error: BaseException | None) -> InkfoldError:
    first = " ".join(str(error).split("\n")[0].split())
    return InkfoldError(
        f"{path}: HDF5 cannot finish it ({first}); is the disk full? free it or choose another "
        "place with -o"
    )
