"""What every importer gives: a public set of characters, picture by picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from inkfold.identity import Identity
from inkfold.spec import Ink
from inkfold.tally import Tally

Official = Literal["train", "validation", "test"]


@dataclass(frozen=True, kw_only=True)
class Glyph:
    """One picture of a set, as the set's files hold it.

    Attributes
    ----------
    pixels : uint8 array of shape (H, W)
        Upright, as a reader sees it; ink dark or light as in the file.
    label : int
        Place of the picture's class in `Collection.classes`.
    source : str
        "FILE:INDEX" with the index from 0, or the picture's path under the set's folder.
    split : {"train", "validation", "test"}, optional
        The side of the set's own split, if the set has one.
    group : str, optional
        Writer, page or sheet, if known; pictures of a group stay in one split.
    """

    pixels: NDArray[np.uint8]
    label: int
    source: str
    split: Official | None = None
    group: str | None = None


@dataclass(frozen=True, kw_only=True)
class Collection:
    """A public set that is ready to be read.

    Attributes
    ----------
    name : str
        Format and variant: "emnist-balanced".
    classes : tuple of str
        In label order; any text, also "/".
    ink : {"dark", "light", "auto"}
        Whether the pictures are dark on light or light on dark; "auto" if each may differ.
    count : int
        How many pictures there are, for progress; fewer come where some are left out.
    glyphs : callable
        Begins to read: gives the pictures one by one, in the order of the files, with at most one
        file of them in memory. May be called again.
    files : tuple of Identity
        The files that were read to make this object and that `glyphs` reads again; empty if there
        are none.
    notes : tuple of str
        How the files were read where they leave it open, a phrase each, for the user.
    unreadable, ignored : Tally
        Pictures and pages that cannot be read, and what else was left out and why; `glyphs` counts
        them anew each time.
    """

    name: str
    classes: tuple[str, ...]
    ink: Ink
    count: int
    glyphs: Callable[[], Iterator[Glyph]]
    files: tuple[Identity, ...] = ()
    notes: tuple[str, ...] = ()
    unreadable: Tally = field(default_factory=Tally)
    ignored: Tally = field(default_factory=Tally)
