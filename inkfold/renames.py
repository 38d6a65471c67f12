"""Renames in one step: a new name that replaces nothing, and two paths that exchange names.

Linux does both with ``renameat2``. Where the system or the file system lacks it, a new name is
looked up first, and an exchange is two renames: a process killed between them leaves the old
output under its hidden name, from which `inkfold.output` puts it back.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

NO_REPLACE, EXCHANGE = 1, 2  # flags of renameat2, from <linux/fs.h>
AT_FDCWD = -100  # a relative path begins in the working folder
LACKING = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EXDEV, errno.EPERM}


def rename_new(source: Path, target: Path) -> None:
    """Rename `source` to `target`, which must not exist.

    Raises
    ------
    FileExistsError
        If `target` exists.
    """
    if _renameat2(source, target, NO_REPLACE):
        return
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    source.rename(target)


def exchange(new: Path, place: Path, old: Path) -> Path:
    """Give `new` the name `place`, and what was there a hidden name, in one step if possible.

    Parameters
    ----------
    new, place : Path
        Two folders.
    old : Path
        A free path beside them, the hidden name where two renames are needed.

    Returns
    -------
    hidden : Path
        Where that which was at `place` lies now: `new` after one step, `old` after two.
    """
    if _renameat2(new, place, EXCHANGE):
        return new
    place.rename(old)
    try:
        new.rename(place)
    except BaseException:
        with suppress(OSError):  # a signal may have come after the second rename
            old.rename(place)
        raise
    return old


def _renameat2(source: Path, target: Path, flag: int) -> bool:
    """Rename by the system call; False where system or file system lacks it."""
    call = _system_call()
    if call is None:
        return False
    if call(AT_FDCWD, os.fsencode(source), AT_FDCWD, os.fsencode(target), flag) == 0:
        return True
    import ctypes

    number = ctypes.get_errno()
    if number in LACKING:
        return False
    raise OSError(number, os.strerror(number), str(source), None, str(target))


@cache
def _system_call() -> Callable[[int, bytes, int, bytes, int], int] | None:
    """The C library's ``renameat2``; None where it has none."""
    import ctypes  # only a command that writes needs it

    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):  # another library, no library by that name
        return None
    call.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    call.restype = ctypes.c_int
    typed: Callable[[int, bytes, int, bytes, int], int] = call
    return typed
