"""What may be given to a classifier: paths and pixels, each with the name that its answer bears."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inkfold.picture import Pixels


@dataclass(frozen=True)
class Deferred:
    """A picture file that lies in another one, an archive for example.

    Attributes
    ----------
    path : str
        The name that its prediction bears.
    load : callable
        Gives the file's bytes; raises PictureError if they cannot be read. Called in any thread.
    """

    path: str
    load: Callable[[], bytes]


# a picture file, or pixels as `picture.read` gives them
Given = Path | str | Deferred | Pixels
Item = tuple[Path | str, Given]  # a picture and the name that its prediction bears as `path`


def named(pictures: Given | Iterable[Given]) -> Iterator[Item]:
    """Each picture with its name; raises TypeError at once if `pictures` has another type."""
    if isinstance(pictures, str | Path):
        return iter([(pictures, pictures)])
    if isinstance(pictures, np.ndarray):
        stacked = pictures.ndim == 3 and pictures.shape[2] not in (3, 4)
        return map(_item, enumerate(pictures if stacked else [pictures]))
    if isinstance(pictures, bytes) or not isinstance(pictures, Iterable):
        raise TypeError(_not_a_picture(pictures))
    return map(_item, enumerate(pictures))


def _item(numbered: tuple[int, Given]) -> Item:
    """The picture at a place, from 0, with its name; raises TypeError if it has another type."""
    place, given = numbered
    if isinstance(given, str | Path):
        return given, given
    if isinstance(given, Deferred):
        return given.path, given
    if not isinstance(given, np.ndarray):
        raise TypeError(f"picture {place}: {_not_a_picture(given)}")
    return f"array {place}", given  # `prepare` says what is wrong with its pixels


def _not_a_picture(given: object) -> str:
    """The message about a value that is neither a path nor pixels."""
    return (
        f"{type(given).__name__} found, expected the path of a picture file, or its pixels as an "
        "array of shape (rows, columns), (rows, columns, 3) or (rows, columns, 4)"
    )
