"""The one family of users' mistakes; whatever else is raised is a bug and keeps its traceback."""

from __future__ import annotations


class InkfoldError(Exception):
    """A mistake that a user can mend.

    The message says which thing, what was found, what was expected and what to do next, in one
    line. The commands print it after ``error:`` and exit with code 2.
    """


class PictureError(InkfoldError):
    """One picture that cannot be used; the others can.

    The message is the reason alone ("truncated or not a picture"): whoever reads many pictures
    puts the path before it.
    """


class PictureTooLargeError(PictureError):
    """A picture of more pixels than are decoded."""
