"""The family of users' mistakes; every other exception is a bug and keeps its traceback."""

from __future__ import annotations

import errno

# what a full or failing disk or a missing permission raises, as opposed to a bug
DISK = {
    errno.EACCES,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EIO,
    errno.ENAMETOOLONG,
    errno.ENOSPC,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
}


class InkfoldError(Exception):
    """A mistake that a user can correct.

    The message says in one line what is wrong with which thing, what was expected, and what to do
    next. The commands print it after ``error:`` and exit with code 2.

    Examples
    --------
    >>> from inkfold import InkfoldError, open_dataset
    >>> try:
    ...     dataset = open_dataset("nowhere.h5")
    ... except InkfoldError as error:
    ...     print(error)
    nowhere.h5: no such dataset; ...
    """


class PictureError(InkfoldError):
    """A picture that cannot be used, while others can.

    The message is the reason alone ("truncated or not a picture"): the caller, who may read many
    pictures, puts the path before it.
    """


class PictureTooLargeError(PictureError):
    """A picture with more pixels than `inkfold.picture` decodes."""
