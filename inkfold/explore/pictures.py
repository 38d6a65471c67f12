"""The page's pictures: a card of every class, strips of distorted copies, and the findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from inkfold.audit.audit import Audit, findings
from inkfold.augmentation.augment import Augmentation
from inkfold.augmentation.preview import Example, chosen_rows, draw_tile, example_of
from inkfold.dataset.originals import pictures
from inkfold.dataset.reader import Dataset
from inkfold.explore.scan import Scan, Stored
from inkfold.pages.page import CELLS, cells, data_uri, png, sprites
from inkfold.picture import shrunk
from inkfold.workers import one_thread

BUDGET = 5_000_000  # pixels of all cells; half a byte each on the page
SIDES = (64, 32, 16)  # of a tile, in pixels: the largest is taken that keeps to the budget
FEW = 100  # classes, up to which pictures keep all their greys
GAP = 2  # pixels between the pictures of a strip
SHOWN = 12  # pictures of a finding
PAIRS = 6  # pairs of classes that look alike
SIDE = 64  # of the pictures of a finding, in pixels; larger ones are averaged down to it


@dataclass(frozen=True, kw_only=True)
class Sprite:
    """The cards of up to a hundred classes.

    Attributes
    ----------
    first, last : int
        Labels of the first and of the last class.
    examples : str
        Address of the PNG file with some pictures of each class.
    moments : str
        Address of the PNG file with the mean picture of each class, and its variability.
    """

    first: int
    last: int
    examples: str
    moments: str


@dataclass(frozen=True)
class Size:
    """How large a cell is shown, in the page's pixels."""

    width: int
    height: int


@dataclass(frozen=True)
class Cards:
    """The cards of all classes.

    Attributes
    ----------
    groups : tuple of Sprite
        In label order, a hundred classes in each.
    examples, moments : Size
        How large a cell of either kind is shown.
    """

    groups: tuple[Sprite, ...]
    examples: Size
    moments: Size


def examples_wanted(classes: int) -> int:
    """How many pictures of each class there is room for."""
    return 12 if classes <= FEW else 4


def class_cards(examples: NDArray[np.uint8], scan: Scan) -> Cards:
    """Lay out examples, uint8 (C, K, H, W), and the mean and deviation of a scan."""
    classes, wanted, size, _ = examples.shape
    side = tile_side(classes, wanted, size)
    bits = 8 if classes <= FEW else 4
    laid = cells(shrunk(examples, side), 4)
    moments = np.stack([scan.mean, 2 * scan.deviation], axis=1)  # a deviation is 127.5 at most
    shown = cells(shrunk(np.rint(moments).clip(0, 255).astype(np.uint8), side), 2)
    groups = tuple(
        Sprite(first=first, last=min(first + CELLS, classes) - 1, examples=sheet, moments=means)
        for first, sheet, means in zip(
            range(0, classes, CELLS),
            sprites(laid, bits=bits),
            sprites(shown, bits=bits),
            strict=True,
        )
    )
    times = magnification(side, classes)
    return Cards(groups, _size(laid, times), _size(shown, times))


def _size(cells: NDArray[np.uint8], times: int) -> Size:
    """How large cells, uint8 (n, h, w), are shown if each pixel is `times` as wide."""
    return Size(cells.shape[2] * times, cells.shape[1] * times)


def tile_side(classes: int, examples: int, size: int) -> int:
    """The largest side of a tile with which all cells keep to the budget; at most `size`."""
    sides = [side for side in SIDES if classes * (examples + 2) * side**2 <= BUDGET]
    return min(size, max(sides, default=SIDES[-1]))


def magnification(side: int, classes: int) -> int:
    """How many times as large a tile is shown: about 64 pixels wide, or 32 of many classes.

    A whole number, so that all pixels are shown equally large.
    """
    wanted = 64 if classes <= FEW else 32
    return max(1, round(wanted / side))


@dataclass(frozen=True)
class Strip:
    """An original and its copies, side by side in one picture.

    Attributes
    ----------
    label : int
    copies : int
        How many copies there are.
    uri : str
        Address of the PNG file.
    """

    label: int
    copies: int
    uri: str


def drawn_strips(dataset: Dataset, augmentation: Augmentation) -> list[Strip]:
    """Originals beside the copies that `augmentation` would write, with a grid that moved along."""
    with one_thread():
        rows = chosen_rows(dataset.train.labels) if len(dataset.train) else []
        examples = [example_of(dataset, augmentation, row) for row in rows]
    return [_strip(each.label, len(each.copies), _with_grid(each)) for each in examples]


def stored_strips(stored: Sequence[Stored]) -> list[Strip]:
    """Originals beside the copies in an augmented file, which does not say how pixels moved."""
    strips = []
    for family in stored:
        tiles = np.stack([family.original, *family.copies])
        joined = np.hstack(list(np.pad(tiles, ((0, 0), (0, 0), (0, GAP)))))[:, :-GAP]
        strips.append(_strip(family.label, len(family.copies), png(joined)))
    return strips


def _strip(label: int, copies: int, picture: bytes) -> Strip:
    return Strip(label, copies, data_uri(picture, "image/png"))


def _with_grid(example: Example) -> bytes:
    from matplotlib.figure import Figure

    count = 1 + len(example.copies)
    figure = Figure(figsize=(count, 1), dpi=110)
    tiles = figure.subplots(1, count, squeeze=False)[0]
    figure.subplots_adjust(left=0.004, right=0.996, bottom=0.02, top=0.98, wspace=0.04)
    draw_tile(tiles[0], example.original, np.zeros_like(example.fields[0]))
    for tile, copy, field in zip(tiles[1:], example.copies, example.fields, strict=True):
        draw_tile(tile, copy, field)
    file = BytesIO()
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A finding with some of its pictures.

    Attributes
    ----------
    words : str
        What was found.
    count : int
        How many pictures have it.
    labels : tuple of int
        Of the pictures that are shown, left to right.
    uri : str
        Address of the PNG file with these pictures; empty where there is none.
    """

    words: str
    count: int
    labels: tuple[int, ...]
    uri: str


@dataclass(frozen=True, kw_only=True)
class AuditSection:
    """What the page says of an audit.

    Attributes
    ----------
    total : int
        Pictures that were looked at, of all splits.
    leaks : int
        Pictures of validation and test whose very pixels are in another split too.
    torn : int or None
        Groups with pictures in two or more splits; None where the set has no groups.
    shown : tuple of Shown
        Every kind of finding, also one that no picture has.
    alike : tuple of (int, int, float)
        Labels of classes that look most alike, and how many spreads their means are apart.
    """

    total: int
    leaks: int
    torn: int | None
    shown: tuple[Shown, ...]
    alike: tuple[tuple[int, int, float], ...]


def audit_section(dataset: Dataset, audit: Audit) -> AuditSection:
    """Choose what to show; the pictures of all findings are read together."""
    kinds = findings(audit)
    firsts = [finding.places[:SHOWN] for finding in kinds]
    images = shrunk(pictures(dataset, np.concatenate(firsts)), SIDE)
    parts = np.split(images, np.cumsum([len(first) for first in firsts])[:-1])
    shown = (
        Shown(
            words=finding.words,
            count=len(finding.places),
            labels=tuple(audit.originals.label[first].tolist()),
            uri=_side_by_side(part),
        )
        for finding, first, part in zip(kinds, firsts, parts, strict=True)
    )
    alike = tuple((*pair.labels, pair.distance) for pair in audit.alike[:PAIRS])
    return AuditSection(
        total=int(audit.counts.sum()),
        leaks=audit.leaks,
        torn=audit.torn,
        shown=tuple(shown),
        alike=alike,
    )


def _side_by_side(images: NDArray[np.uint8]) -> str:
    """Pictures, uint8 (n, H, W), side by side, as a ``data:`` address; empty where n is 0."""
    if not len(images):
        return ""
    return data_uri(png(cells(images[None], len(images))[0]), "image/png")
