"""Boxes on pages become pictures: cut out with a margin, with the page as their group."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from inkfold.errors import InkfoldError, PictureError
from inkfold.identity import Identity
from inkfold.importers.collection import Collection, Glyph, Official
from inkfold.importers.files import as_text, side_of, words_of
from inkfold.picture import as_grey, read
from inkfold.tally import Tally

MARGIN = 0.1  # around a box, as a share of its longer side
ROUNDING = 0.01  # pixels by which shares with six digits may miss a whole pixel
DRIVE = re.compile(r"[A-Za-z]:")  # of Windows


@dataclass(frozen=True, kw_only=True)
class Box:
    """A character on a page.

    Attributes
    ----------
    top, left, bottom, right : float
        In pixels from the page's upper left corner, or in shares of its height and width.
    name : str
        The class.
    """

    top: float
    left: float
    bottom: float
    right: float
    name: str


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page and its boxes.

    Attributes
    ----------
    name : str
        The picture's path under the source, by which the page is known in messages and groups.
    picture : Path
    boxes : tuple of Box
    left_out : tuple of str
        Why each of the boxes that the file describes and that are not in `boxes` was left out.
    size : (H, W), optional
        Of the page, in pixels, as the file says it.
    shares : bool
        Whether boxes are in shares of the page.
    split : {"train", "validation", "test"}, optional
    """

    name: str
    picture: Path
    boxes: tuple[Box, ...]
    left_out: tuple[str, ...] = ()
    size: tuple[int, int] | None = None
    shares: bool = False
    split: Official | None = None


@dataclass(frozen=True)
class Unread:
    """A page that cannot be read, while others can.

    Attributes
    ----------
    name, reason : str
    """

    name: str
    reason: str


Pages = Callable[[], Iterator[Page | Unread]]


def crops(pages: Pages, margin: float, *, source: Path, files: Iterable[Identity]) -> Collection:
    """Make a set of the boxes on pages, which has the source's name.

    Parameters
    ----------
    pages : callable
        Begins to read: gives page after page, twice the same.
    margin : float
        Around each box, as a share of its longer side.
    source : Path
    files : iterable of Identity

    Raises
    ------
    InkfoldError
        If no page has a box, or all boxes have one class.
    """
    sizes: Counter[str] = Counter()
    reasons = Tally()
    for page in pages():
        if isinstance(page, Unread):
            reasons.add(page.name, page.reason)
        else:
            sizes.update(box.name for box in page.boxes)
            for reason in page.left_out:
                reasons.add(page.name, reason)
    if len(sizes) < 2:
        found = f"all {sizes.total():,} boxes are {next(iter(sizes))!r}" if sizes else "no box"
        first = "".join(
            f"; left out: {reasons.count:,}, the first is {at!r} ({why})"
            for at, why in reasons.first[:1]
        )
        raise InkfoldError(f"{source}: {found}, expected two classes at least{first}")
    classes = tuple(sorted(sizes))
    unreadable, ignored = Tally(), Tally()
    return Collection(
        name=(source.stem if source.is_file() else source.absolute().name).lower(),
        classes=classes,
        ink="auto",
        count=sizes.total(),
        glyphs=partial(_glyphs, pages, classes, margin, unreadable, ignored),
        files=tuple(files),
        unreadable=unreadable,
        ignored=ignored,
    )


def _glyphs(
    pages: Pages, classes: Sequence[str], margin: float, unreadable: Tally, ignored: Tally
) -> Iterator[Glyph]:
    unreadable.clear()
    ignored.clear()
    labels = {name: label for label, name in enumerate(classes)}
    for page in pages():
        if isinstance(page, Unread):
            unreadable.add(page.name, page.reason)
            continue
        for reason in page.left_out:
            ignored.add(page.name, reason)
        try:
            pixels = _pixels(page) if page.boxes else None
        except PictureError as error:
            unreadable.add(page.name, str(error))
            continue
        for at, box in enumerate(page.boxes):
            source = f"{page.name}:{at}"
            crop = _cut(pixels, box, margin, shares=page.shares) if pixels is not None else ""
            if isinstance(crop, str):
                ignored.add(source, f"{box.name!r}: {crop}")
                continue
            yield Glyph(
                pixels=crop,
                label=labels[box.name],
                source=source,
                split=page.split,
                group=page.name,
            )


def _pixels(page: Page) -> NDArray[np.uint8]:
    """The page in grey; raises PictureError if it is no picture or of another size than said."""
    pixels = as_grey(read(page.picture))
    if page.size is not None and pixels.shape != page.size:
        found, said = (f"{rows} x {columns}" for rows, columns in (pixels.shape, page.size))
        raise PictureError(
            f"the picture has {found} pixels (rows x columns), its boxes are for {said}"
        )
    return pixels


def _cut(
    pixels: NDArray[np.uint8], box: Box, margin: float, *, shares: bool
) -> NDArray[np.uint8] | str:
    """The picture of a box with its margin, clipped at the page; the reason if there is none."""
    rows, columns = pixels.shape
    tall, wide = (rows, columns) if shares else (1, 1)
    top, bottom = box.top * tall, box.bottom * tall
    left, right = box.left * wide, box.right * wide
    if not all(map(math.isfinite, (top, left, bottom, right))):
        return "a box without end"
    if bottom - top <= 0 or right - left <= 0:
        return "an empty box"
    if bottom <= 0 or right <= 0 or top >= rows or left >= columns:
        return "a box outside the page"
    around = margin * max(bottom - top, right - left)
    first = max(0, math.floor(top - around + ROUNDING))
    last = min(rows, math.ceil(bottom + around - ROUNDING))
    begin = max(0, math.floor(left - around + ROUNDING))
    end = min(columns, math.ceil(right + around - ROUNDING))
    if last <= first or end <= begin:
        return "a box smaller than a pixel"
    return pixels[first:last, begin:end].copy()  # a view would keep the whole page in memory


def picture_at(folders: Iterable[Path], name: str) -> Path:
    """The picture that an annotation calls `name`, in the only one of the folders that has it.

    A name that leads out of a folder is another machine's, and is looked for by its last part.

    Raises
    ------
    PictureError
        If no folder has it, or two have different files of that name.
    """
    given = PurePosixPath(name.replace("\\", "/"))
    leads_out = given.is_absolute() or ".." in given.parts or DRIVE.match(name)
    inside = given.name if leads_out else given
    found = {path.resolve(): path for folder in folders if (path := folder / inside).is_file()}
    if not given.name or not found:
        raise PictureError(f"its picture {name!r} is not there; put it beside the boxes")
    if len(found) > 1:
        shown = " and ".join(sorted(as_text(Path(*path.parts[-2:])) for path in found))
        raise PictureError(f"{shown} may each be its picture; keep the one that belongs to it")
    return next(iter(found.values()))


def name_under(source: Path, path: Path) -> str:
    """A path under the source, as messages and groups have it."""
    folder = source if source.is_dir() else source.parent
    try:
        return as_text(path.resolve().relative_to(folder.resolve()))
    except ValueError:  # beside the folder, as pictures of boxes in a folder of their own are
        return as_text(Path(*path.resolve().parts[-2:]))


def side_under(source: Path, path: Path) -> Official | None:
    """The side that the folders between the source and a file name."""
    try:
        parts = path.parent.relative_to(source if source.is_dir() else source.parent).parts
    except ValueError:
        return None
    return side_of(word.rstrip("0123456789") for part in parts for word in words_of(part))
