"""MATLAB files with an array of pictures and a vector of labels, as SVHN's are."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from inkfold.errors import InkfoldError
from inkfold.identity import Identity
from inkfold.importers.array_pairs import Member, Pair, pairs_of
from inkfold.importers.arrays import ink_of
from inkfold.importers.collection import Collection, Official
from inkfold.importers.files import (
    SIDE_ORDER,
    nothing_at,
    side_of,
    words_but_sides,
    words_of,
)
from inkfold.importers.labels import Labels, sides_of
from inkfold.importers.mat_files import NUMBERS, Variable, is_mat, variables_of
from inkfold.importers.picture_arrays import CHANNELS, LEAST, Pictures, factor_of, glyphs_of, grey

EXPECTED = "a MATLAB file with an array of pictures (H, W, N) and a vector of N labels"
SVHN = re.compile(r"(train|test|extra)_32x32\.mat")  # label 10 is the digit 0 in these files


@dataclass(frozen=True)
class Stack:
    """A variable that holds pictures.

    Attributes
    ----------
    variable : Variable
    axis : int
        Along which the pictures lie: the first or the last.
    """

    variable: Variable
    axis: int


def recognise(source: Path) -> str | None:
    """Why `source` seems to be MATLAB files of pictures and labels; None if it does not."""
    for path in _files(source)[:20]:
        try:
            variables = variables_of(path)
        except InkfoldError:
            continue
        counts = {length for one in variables if (length := _length(one))}
        stacks = [one for one in variables if _axes(one, counts)]
        if stacks:
            return f"{path.name} is a MATLAB file with pictures in {stacks[0]}, and labels"
    return None


def read(source: Path, label_column: str | None = None) -> Collection:
    """Make a set of the MATLAB files at `source`; one file at a time is in memory.

    Parameters
    ----------
    source : Path
    label_column : str, optional
        The variable of the labels, where more than one may be.

    Raises
    ------
    InkfoldError
        If there is no such file, the pictures may lie along two axes, they have no labels or more
        than one variable of them, or a file is torn.
    """
    paths = _files(source)
    if not paths:
        raise nothing_at(source, "no MATLAB file here", EXPECTED)
    name = _one_name(source, paths)
    files = tuple(map(Identity.of, paths))
    parts, labels, places, notes, inks = [], [], [], [], []
    for path in paths:
        variables = {one.name: one for one in variables_of(path)}
        stacks = _stacks(path, list(variables.values()))
        pairs, said = pairs_of(path, _members(variables, stacks), label_column)
        notes += said
        for pair in pairs:
            place = f"{path}: {pair.labels.name}"
            labels.append(_labels(path, variables[pair.labels.name], place))
            places.append(place)
            part, first = _pictures(path, stacks[pair.pictures.name], pair)
            parts.append(part)
            inks.append(ink_of(grey(first, part.factor)))
            notes.append(_note(path, pair, stacks[pair.pictures.name], part.factor))
    classes, numbers = sides_of(labels, places)
    return Collection(
        name=name,
        classes=classes,
        ink=inks[0],
        count=sum(map(len, labels)),
        glyphs=partial(glyphs_of, parts, numbers),
        files=files,
        notes=tuple(notes),
    )


def _files(source: Path) -> list[Path]:
    """The MATLAB files at a source, train before test."""
    try:
        paths = [source] if source.is_file() else sorted(source.glob("*.mat"))
        found = [path for path in paths if path.suffix.lower() == ".mat" and is_mat(path)]
    except OSError:
        return []
    return sorted(found, key=lambda path: SIDE_ORDER[_side(path)])


def _side(path: Path) -> Official | None:
    """The side that a file's name says; SVHN's extra pictures are for training."""
    words = words_of(path.stem)
    return "train" if SVHN.fullmatch(path.name) and "extra" in words else side_of(words)


def _one_name(source: Path, paths: Sequence[Path]) -> str:
    """The name of the set that the files belong to; raises InkfoldError if they are of several."""
    if all(SVHN.fullmatch(path.name) for path in paths):
        return "svhn"
    stems = {"-".join(words_but_sides(path.stem)) for path in paths}
    if len(stems) > 1 or (len(paths) > 1 and not all(map(_side, paths))):
        names = ", ".join(path.name for path in paths[:5])
        raise InkfoldError(f"{source} holds {len(paths)} sets: {names}; name one of the files")
    return stems.pop() or source.absolute().name.lower()


def _length(variable: Variable) -> int:
    """How many labels a variable may hold; 0 if it can hold none."""
    if variable.kind == "char":
        return variable.shape[0] if variable.shape else 0
    if variable.kind != "cell" and variable.kind not in NUMBERS:
        return 0
    return math.prod(variable.shape) if sum(side > 1 for side in variable.shape) <= 1 else 0


def _axes(variable: Variable, counts: set[int]) -> list[int]:
    """The axes along which a variable may hold pictures, of which there are `counts` labels."""
    shape = variable.shape
    if variable.kind not in NUMBERS or len(shape) not in (3, 4):
        return []
    axes = []
    for axis in (0, len(shape) - 1):
        rest = shape[1:] if axis == 0 else shape[:-1]
        picture = min(rest[:2]) >= LEAST and (len(rest) == 2 or rest[2] in CHANNELS)
        if picture and shape[axis] in counts:
            axes.append(axis)
    return axes


def _stacks(path: Path, variables: Sequence[Variable]) -> dict[str, Stack]:
    """The variables that hold pictures, by name.

    Raises
    ------
    InkfoldError
        If one may hold them along two axes, or holds each as a line of pixels.
    """
    counts = {length for one in variables if (length := _length(one))}
    stacks = {}
    for one in variables:
        axes = _axes(one, counts)
        if len(axes) > 1:
            raise InkfoldError(
                f"{path}: {one} may hold its pictures along the first axis or along the last, "
                f"both {one.shape[0]} long as the labels are; save a part of them, so that the "
                "numbers differ"
            )
        if axes:
            stacks[one.name] = Stack(one, axes[0])
    flat = [one for one in variables if _is_flat(one, counts)]
    if flat and not stacks:
        raise InkfoldError(
            f"{path}: {flat[0]} holds each picture as a line of pixels, row by row or column by "
            "column, which cannot be told; reshape it to height, width and number, and save it "
            "again"
        )
    return stacks


def _is_flat(variable: Variable, counts: set[int]) -> bool:
    """Whether a variable may hold square pictures, each as a line."""
    if variable.kind not in NUMBERS or len(variable.shape) != 2:
        return False
    sides = zip(variable.shape, reversed(variable.shape), strict=True)
    return any(
        count in counts and line >= LEAST**2 and math.isqrt(line) ** 2 == line
        for count, line in sides
    )


def _members(variables: dict[str, Variable], stacks: dict[str, Stack]) -> list[Member]:
    """What each variable may be."""
    return [
        Member(
            name=name,
            shape=one.shape,
            dtype=one.kind,
            pictures=one.shape[stacks[name].axis] if name in stacks else None,
            labels=_length(one) or None,
        )
        for name, one in variables.items()
    ]


def _labels(path: Path, variable: Variable, place: str) -> Labels:
    """The labels in a variable; SVHN's 10 becomes the digit 0."""
    labels = Labels.of_array(variable.vector(), place)
    if SVHN.fullmatch(path.name) and "10" in labels.texts and "0" not in labels.texts:
        texts = tuple("0" if text == "10" else text for text in labels.texts)
        return Labels(texts, labels.places)
    return labels


def _pictures(path: Path, stack: Stack, pair: Pair) -> tuple[Pictures, NDArray[Any]]:
    """The pictures of a pair, and their first block."""
    blocks = partial(stack.variable.blocks, stack.axis)
    rest = blocks()
    first = next(rest)
    part = Pictures(
        blocks=blocks,
        factor=factor_of(chain([first], rest), f"{path}: {pair.pictures.name}"),
        split=pair.split or _side(path),
        source=f"{path.name}:{pair.pictures.name}",
    )
    return part, first


def _note(path: Path, pair: Pair, stack: Stack, factor: float) -> str:
    """What was taken for pictures and labels."""
    along = "first" if stack.axis == 0 else "last"
    scale = ", times 255" if factor != 1 else ""
    return (
        f"{path.name}: pictures {pair.pictures}, along its {along} axis{scale}, "
        f"labels {pair.labels}"
    )
