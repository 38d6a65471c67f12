"""EMNIST as MATLAB files, version 5: the only form of EMNIST that names the writers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkfold.errors import InkfoldError
from inkfold.extras import need
from inkfold.importers.arrays import AGAIN, head
from inkfold.importers.collection import Collection, Glyph, Official
from inkfold.importers.files import find, one_set

NAMES = re.compile(r"(?P<name>emnist-[a-z]+)(?P<split>)\.mat", re.IGNORECASE)
MAGIC = b"MATLAB 5.0 MAT-file"
SIDE = 28


@dataclass(frozen=True, kw_only=True)
class Side:
    """Train or test.

    Attributes
    ----------
    split : {"train", "test"}
    images : uint8 array of shape (N, 784)
        Each picture column by column.
    labels : int64 array of shape (N,)
    writers : int64 array of shape (N,), optional
        The writer's number, if the file has it.
    """

    split: Official
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    writers: NDArray[np.int64] | None


def recognise(source: Path) -> str | None:
    """Why `source` seems to be EMNIST's MATLAB files; None if it does not."""
    for side in find(source, NAMES):
        path = side.files["pictures"]
        if head(path, len(MAGIC)) == MAGIC:
            return f"{path.name} is named as EMNIST's files are and begins as MATLAB 5 does"
    return None


def read(source: Path) -> Collection:
    """Make a set of one file, which is read into memory as a whole: 640 MB for the largest.

    Raises
    ------
    InkfoldError
        If there is no such file or there are several, it is torn, or is not built as EMNIST's are.
    """
    files = find(source, NAMES)
    name = one_set(source, files, ("pictures",), "a file like emnist-balanced.mat")
    path = files[0].files["pictures"]
    parts = _loaded(path)
    try:
        sides = [_side(parts[split], split) for split in ("train", "test") if split in parts]
        names = {int(label): chr(int(code)) for label, code, *_ in parts["mapping"]}
        whole = bool(sides) and all(_fits(side) for side in sides)
    except (KeyError, IndexError, ValueError, TypeError, OverflowError):
        whole = False
    if not whole:
        raise InkfoldError(
            f"{path}: not built as EMNIST's files are: expected dataset.train and dataset.test "
            f"with images (N, 784) and labels (N, 1), and dataset.mapping; {AGAIN}"
        )
    places = {label: place for place, label in enumerate(sorted(names))}
    for side in sides:
        _check_labels(path, side, names)
    return Collection(
        name=name.lower(),
        classes=tuple(names[label] for label in sorted(names)),
        ink="light",
        count=sum(len(side.labels) for side in sides),
        glyphs=partial(_glyphs, path.name, sides, places),
    )


def _loaded(path: Path) -> dict[str, Any]:
    """The parts of the struct called `dataset`, by name."""
    need(f"{path}: a MATLAB 5 file", "scipy")
    from scipy.io import loadmat

    try:
        struct = loadmat(path, variable_names=["dataset"])["dataset"][0, 0]
        return {part: struct[part] for part in struct.dtype.names}
    except Exception as error:  # a torn file raises whatever its bytes happen to lead to
        reason = " ".join(str(error).split())[:80] or type(error).__name__
        raise InkfoldError(
            f"{path}: cannot be read as a MATLAB 5 file with a struct `dataset` ({reason}); {AGAIN}"
        ) from None


def _side(struct: NDArray[Any], split: Official) -> Side:
    """One side as the struct of its name holds it."""
    parts = struct[0, 0]
    writers = parts["writers"].ravel().astype(np.int64) if "writers" in parts.dtype.names else None
    return Side(
        split=split,
        images=parts["images"],
        labels=parts["labels"].ravel().astype(np.int64),
        writers=writers,
    )


def _fits(side: Side) -> bool:
    """Whether a side has a picture of 784 pixels, and a writer if any, for each label."""
    count = len(side.labels)
    writers = count if side.writers is None else len(side.writers)
    return (
        side.images.shape == (count, SIDE**2)
        and side.images.dtype == np.uint8
        and (writers == count)
    )


def _check_labels(path: Path, side: Side, names: dict[int, str]) -> None:
    """Refuse a label without a class, and name its picture."""
    outside = np.flatnonzero(~np.isin(side.labels, list(names)))
    if len(outside):
        at = int(outside[0])
        raise InkfoldError(
            f"{path}: label {side.labels[at]} of picture {at:,} in dataset.{side.split}, expected "
            f"one of the {len(names)} from {min(names)} to {max(names)} of dataset.mapping"
        )


def _glyphs(file: str, sides: list[Side], places: dict[int, int]) -> Iterator[Glyph]:
    for side in sides:
        upright = side.images.reshape(-1, SIDE, SIDE).transpose(0, 2, 1)  # MATLAB goes by columns
        for at, (pixels, label) in enumerate(zip(upright, side.labels.tolist(), strict=True)):
            yield Glyph(
                pixels=pixels,
                label=places[label],
                source=f"{file}:{side.split}:{at}",
                split=side.split,
                group=None if side.writers is None else str(side.writers[at]),
            )
