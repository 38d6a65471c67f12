"""Originals beside their distorted copies as strips of pictures for a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np

from inkfold.augmentation.augment import Plan
from inkfold.augmentation.preview import Example, chosen_rows, draw_tile, example_of
from inkfold.dataset.reader import Dataset
from inkfold.explore.scan import Stored
from inkfold.pages.page import data_uri, png
from inkfold.workers import one_thread

GAP = 2  # pixels between pictures of a strip


@dataclass(frozen=True)
class Strip:
    """An original and `copies` of it, side by side in one picture; `uri` holds its PNG file."""

    label: int
    copies: int
    uri: str


def drawn_strips(dataset: Dataset, plan: Plan) -> list[Strip]:
    """What augmenting by `plan` would write, each with the grid that moved along."""
    with one_thread():
        rows = chosen_rows(dataset.train.labels) if len(dataset.train) else []
        examples = [example_of(dataset, plan, row) for row in rows]
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
