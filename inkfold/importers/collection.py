"""What every importer gives: a set of characters, picture by picture, as its files hold them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from inkfold.spec import Ink

Official = Literal["train", "test"]


@dataclass(frozen=True)
class Glyph:
    """One picture of a set.

    Parameters
    ----------
    pixels : uint8 array of shape (H, W)
        Upright, as a reader sees it; polarity as in the file.
    label : int
        Place of its class in `Collection.classes`.
    source : str
        Where it comes from: "FILE:INDEX" with the index from 0, or a path under the set's folder.
    split : {"train", "test"} or None
        The set's own split; None where it has none.
    group : str or None
        Writer, page or sheet; pictures of a group stay in one split.
    """

    pixels: NDArray[np.uint8]
    label: int
    source: str
    split: Official | None = None
    group: str | None = None


@dataclass(frozen=True)
class Collection:
    """A set that is ready to be read.

    Parameters
    ----------
    name : str
        Of the format and variant: "emnist-balanced".
    classes : tuple of str
        In label order; any text, also "/".
    ink : {"dark", "light"}
        What the format says of its polarity.
    count : int
        How many pictures there are, for progress.
    glyphs : callable
        Begins to read: gives the pictures one by one, in the order of the files; memory holds one
        file's worth at most. May be called again.
    """

    name: str
    classes: tuple[str, ...]
    ink: Ink
    count: int
    glyphs: Callable[[], Iterator[Glyph]]
