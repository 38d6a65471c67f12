"""Pictures in one file and their labels in another: what IDX, EMNIST and npz have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from inkfold.errors import InkfoldError
from inkfold.importers.arrays import AGAIN, Stream
from inkfold.importers.collection import Collection, Glyph, Official


@dataclass(frozen=True)
class Part:
    """One side of a set: pictures (N, H, W) and labels (N,) in files, and which side it is."""

    images: Stream
    labels: Stream
    split: Official | None


def labelled(
    name: str,
    parts: Sequence[Part],
    names: Mapping[int, str] | None,
    *,
    transposed: bool = False,
) -> Collection:
    """A set of light ink on dark ground.

    Parameters
    ----------
    name : str
    parts : sequence of Part
    names : mapping of int to str, optional
        The class of each label, in label order. Without it the labels' numbers are the names, from
        0 to the largest that there is.
    transposed : bool
        Whether the files hold columns where rows should be.

    Raises
    ------
    InkfoldError
        If the numbers of pictures and labels differ, a label has no name, or a label file is torn.
    """
    labels = [_labels(part) for part in parts]
    if names is None:
        last = max((int(some.max()) for some in labels if len(some)), default=0)
        names = {number: str(number) for number in range(last + 1)}
    places = np.full(256, -1, np.int64)
    places[list(names)] = range(len(names))
    for part, some in zip(parts, labels, strict=True):
        _check_labels(part.labels, some, places, names)
    numbers = [places[some] for some in labels]
    glyphs = partial(_glyphs, tuple(parts), numbers, transposed)
    count = sum(map(len, labels))
    return Collection(name, tuple(names.values()), "light", count, glyphs)


def _labels(part: Part) -> NDArray[np.uint8]:
    images, labels = part.images, part.labels
    if len(images) != len(labels):
        raise InkfoldError(
            f"{images.path} holds {len(images):,} pictures, {labels.path.name} holds "
            f"{len(labels):,} labels; expected as many: do they belong together?"
        )
    return labels.whole()


def _check_labels(
    stream: Stream, labels: NDArray[np.uint8], places: NDArray[np.int64], names: Mapping[int, str]
) -> None:
    """Refuse a label without a name, and say at which byte it stands."""
    outside = np.flatnonzero(places[labels] < 0)
    if len(outside):
        at = int(outside[0])
        raise InkfoldError(
            f"{stream.path}: label {labels[at]} at byte {stream.start + at:,} of its content "
            f"(picture {at:,}), expected one of the {len(names)} from {min(names)} to {max(names)} "
            f"of the class map; {AGAIN}, or the map that belongs to it"
        )


def _glyphs(
    parts: tuple[Part, ...], numbers: list[NDArray[np.int64]], transposed: bool
) -> Iterator[Glyph]:
    for part, labels in zip(parts, numbers, strict=True):
        file, at = part.images.path.name, 0
        for block in part.images.blocks():
            upright = block.transpose(0, 2, 1) if transposed else block
            for pixels, label in zip(upright, labels[at : at + len(block)].tolist(), strict=True):
                yield Glyph(pixels, label, f"{file}:{at}", part.split)
                at += 1
