"""Pictures of every class, a hundred classes to a sprite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from inkfold.audit.audit import Audit, findings
from inkfold.augmentation.augment import Augmentation
from inkfold.augmentation.preview import Example, chosen_rows, draw_tile, example_of
from inkfold.dataset.reader import Dataset, pictures
from inkfold.explore.scan import Scan, Stored
from inkfold.pages.page import CELLS, cells, data_uri, png, sprites
from inkfold.picture import shrunk
from inkfold.workers import one_thread

BUDGET = 5_000_000  # pixels of all cells; half a byte each on the page
SIDES = (64, 32, 16)  # to which larger pictures are averaged where the budget asks for it
FEW = 100  # classes, up to which pictures keep all their greys
GAP = 2  # pixels between pictures of a strip
SHOWN = 12  # pictures of a finding
PAIRS = 6  # of classes that look alike
SIDE = 64  # larger pictures are averaged down to it


@dataclass(frozen=True)
class Sprite:
    """Classes that share two sprites, `first` to `last` in label order.

    `examples` holds some pictures of each, `moments` its mean picture and its variability.
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
    """All groups, and how large a cell of `examples` and one of `moments` is shown."""

    groups: tuple[Sprite, ...]
    examples: Size
    moments: Size


def examples_wanted(classes: int) -> int:
    """How many pictures of each class there is room for."""
    return 12 if classes <= FEW else 4


def class_cards(examples: NDArray[np.uint8], scan: Scan) -> Cards:
    """Lay out examples uint8 (C, K, H, W) and the moments of a scan."""
    classes, wanted, size, _ = examples.shape
    side = tile_side(classes, wanted, size)
    bits = 8 if classes <= FEW else 4
    laid = cells(shrunk(examples, side), 4)
    moments = np.stack([scan.mean, 2 * scan.deviation], axis=1)  # at most 255 and 127.5
    shown = cells(shrunk(np.rint(moments).clip(0, 255).astype(np.uint8), side), 2)
    groups = tuple(
        Sprite(number * CELLS, min((number + 1) * CELLS, classes) - 1, first, second)
        for number, (first, second) in enumerate(
            zip(sprites(laid, bits=bits), sprites(shown, bits=bits), strict=True)
        )
    )
    times = magnification(side, classes)
    return Cards(groups, _size(laid, times), _size(shown, times))


def _size(cells: NDArray[np.uint8], times: int) -> Size:
    return Size(cells.shape[2] * times, cells.shape[1] * times)


def tile_side(classes: int, examples: int, size: int) -> int:
    """The largest side, no larger than the pictures', with which all cells keep to the budget."""
    sides = [side for side in SIDES if classes * (examples + 2) * side**2 <= BUDGET]
    return min(size, max(sides, default=SIDES[-1]))


def magnification(side: int, classes: int) -> int:
    """A whole number, so that pixels stay square: a tile is about 64 wide on the page, or 32."""
    wanted = 64 if classes <= FEW else 32
    return max(1, round(wanted / side))


@dataclass(frozen=True)
class Strip:
    """An original and `copies` of it, side by side in one picture; `uri` holds its PNG file."""

    label: int
    copies: int
    uri: str


def drawn_strips(dataset: Dataset, augmentation: Augmentation) -> list[Strip]:
    """What `augmentation` would write, each with the grid that moved along."""
    with one_thread():
        rows = chosen_rows(dataset.train.labels) if len(dataset.train) else []
        examples = [example_of(dataset, augmentation, row) for row in rows]
    return [_strip(one.label, len(one.copies), _with_grid(one)) for one in examples]


def stored_strips(stored: Sequence[Stored]) -> list[Strip]:
    """The copies that stand in an augmented file; how they were displaced it does not say."""
    strips = []
    for one in stored:
        tiles = np.stack([one.original, *one.copies])
        row = np.hstack(list(np.pad(tiles, ((0, 0), (0, 0), (0, GAP)))))[:, :-GAP]
        strips.append(_strip(one.label, len(one.copies), png(row)))
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


@dataclass(frozen=True)
class Shown:
    """A finding: its words, how many pictures, and some of them side by side in one PNG file.

    `labels` are those of the pictures in it, left to right; `uri` is empty where there is none.
    """

    words: str
    count: int
    labels: tuple[int, ...]
    uri: str


@dataclass(frozen=True)
class AuditSection:
    """What a page says of an audit.

    Attributes
    ----------
    total : int
        Pictures that were looked at, of all splits.
    leaks : int
        Those of validation and test whose very pixels are in another split too.
    torn : int or None
        Groups with pictures in two splits.
    shown : tuple of Shown
        Every kind of finding, also those without a picture.
    alike : tuple of (int, int, float)
        The classes that look most alike, and how many spreads their means are apart.
    """

    total: int
    leaks: int
    torn: int | None
    shown: tuple[Shown, ...]
    alike: tuple[tuple[int, int, float], ...]


def audit_section(dataset: Dataset, audit: Audit) -> AuditSection:
    """Choose what to show; the pictures of all findings are read together."""
    found = findings(audit)
    firsts = [each.places[:SHOWN] for each in found]
    images = shrunk(pictures(dataset, np.concatenate(firsts)), SIDE)
    parts = np.split(images, np.cumsum([len(first) for first in firsts])[:-1])
    shown = (
        Shown(each.words, len(each.places), tuple(audit.originals.label[first].tolist()), row(part))
        for each, first, part in zip(found, firsts, parts, strict=True)
    )
    alike = tuple((*pair.labels, pair.distance) for pair in audit.alike[:PAIRS])
    total = int(audit.counts.sum())
    return AuditSection(total, audit.leaks, audit.torn, tuple(shown), alike)


def row(images: NDArray[np.uint8]) -> str:
    """Pictures uint8 (n, H, W) side by side, as a data URI; empty where there is none."""
    if not len(images):
        return ""
    return data_uri(png(cells(images[None], len(images))[0]), "image/png")
