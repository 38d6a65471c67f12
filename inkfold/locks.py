"""A lock on an output, so that one process at a time writes it.

The lock is the system's own on an open file (``flock``): it is free again when its process ends,
however it ends. Only then is the file that it lies on without meaning, and may be left behind.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from inkfold.errors import InkfoldError
from inkfold.output import make_folder, naming, place_of


@contextmanager
def only_writer(path: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold the lock of an output within the block.

    Parameters
    ----------
    path : Path
        The output; it need not exist.
    wait : bool
        Whether to wait while another process holds the lock.

    Raises
    ------
    InkfoldError
        If another process holds the lock, and `wait` is false; its number is named.
    """
    place = place_of(path)
    make_folder(place.parent)
    lock = place.with_name(f".{place.name}.lock")
    file = _locked(lock, path, wait=wait)
    try:
        with naming(lock):
            os.ftruncate(file, 0)
            os.pwrite(file, str(os.getpid()).encode(), 0)
        yield
    finally:
        with suppress(OSError):
            lock.unlink()  # before it is free, or it could be another's
        with naming(lock):
            os.close(file)


def _locked(lock: Path, path: Path, *, wait: bool) -> int:
    """An open file that `lock` names and that this process alone has locked."""
    import fcntl  # loaded by a command that needs it

    while True:
        file = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_named(file, lock):  # else its last holder removed it after it was opened here
                return file
        except BlockingIOError:
            owner = os.pread(file, 32, 0).decode(errors="replace") or "of unknown number"
            os.close(file)
            raise InkfoldError(
                f"{path}: process {owner} is writing it; wait for its end or choose another with -o"
            ) from None
        except OSError as error:
            os.close(file)
            raise InkfoldError(
                f"{lock}: no lock can be taken ({error.strerror}); choose another place with -o"
            ) from None
        os.close(file)


def _is_named(file: int, path: Path) -> bool:
    """Whether an open file is the one that has the name `path` now."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False
