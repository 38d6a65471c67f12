"""npz of any names: arrays of pictures and of labels, of one side or of both in a file."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from inkfold.errors import InkfoldError
from inkfold.identity import Identity
from inkfold.importers.array_pairs import Member, Pair, pairs_of
from inkfold.importers.arrays import Stream
from inkfold.importers.collection import Collection, Official
from inkfold.importers.files import (
    SIDE_ORDER,
    nothing_at,
    side_of,
    words_but_sides,
    words_of,
)
from inkfold.importers.labels import Labels, is_one_hot, sides_of
from inkfold.importers.npy import npy_names, npy_stream
from inkfold.importers.picture_arrays import (
    Pictures,
    arrangement,
    factor_of,
    glyphs_of,
    ink_in,
)

EXPECTED = "an npz file with an array of pictures and an array of as many labels"


def recognise(source: Path) -> str | None:
    """Why `source` seems to be npz with pictures and labels; None if it does not."""
    for path in files_at(source):
        try:
            names = npy_names(path)
            shapes = {name.removesuffix(".npy"): npy_stream(path, name).shape for name in names}
        except InkfoldError:
            continue
        pictures = [name for name, shape in shapes.items() if arrangement(shape)]
        counts = {shapes[name][0] for name in pictures}
        others = [name for name, shape in shapes.items() if shape and shape[0] in counts]
        if pictures and len(others) > 1:
            found = ", ".join(f"{name} {shapes[name]}" for name in others[:4])
            return f"{path.name} holds arrays of pictures and labels: {found}"
    return None


def files_at(source: Path) -> list[Path]:
    """The npz files at a source, sorted."""
    if source.is_file():
        return [source] if source.suffix.lower() == ".npz" else []
    try:
        paths = sorted(path for path in source.iterdir() if path.suffix.lower() == ".npz")
    except OSError:
        return []
    return [path for path in paths if path.is_file() and zipfile.is_zipfile(path)]


def read(source: Path, label_column: str | None) -> Collection:
    """Make a set of the arrays in the files at `source`.

    Parameters
    ----------
    source : Path
    label_column : str, optional
        The array of the labels, where more than one may be.

    Raises
    ------
    InkfoldError
        If there is no such file or those of several sets, no array of pictures has one of labels,
        more than one has, or the values are no pixels or labels.
    """
    paths = files_at(source)
    if not paths:
        raise nothing_at(source, "no npz file here", EXPECTED)
    name = _one_name(source, paths)
    files = tuple(map(Identity.of, paths))
    sides: list[tuple[Path, Pair]] = []
    notes: list[str] = []
    for path in sorted(paths, key=_side_order):
        pairs, said = pairs_of(path, _members(path), label_column)
        sides += [(path, pair) for pair in pairs]
        notes += said
    places = [f"{path}: {pair.labels.name}" for path, pair in sides]
    labels = [
        Labels.of_array(_stream(path, pair.labels).whole(), place)
        for (path, pair), place in zip(sides, places, strict=True)
    ]
    classes, numbers = sides_of(labels, places)
    parts = [_pictures(path, pair) for path, pair in sides]
    notes += [_note(*side, part.factor) for side, part in zip(sides, parts, strict=True)]
    return Collection(
        name=name,
        classes=classes,
        ink=ink_in(parts),
        count=sum(map(len, labels)),
        glyphs=partial(glyphs_of, parts, numbers),
        files=files,
        notes=tuple(notes),
    )


def _one_name(source: Path, paths: Sequence[Path]) -> str:
    """The name of the set that the files belong to; raises InkfoldError if they are of several."""
    stems = {"-".join(words_but_sides(path.stem)) for path in paths}
    if len(stems) > 1 or (len(paths) > 1 and not all(map(_side, paths))):
        names = ", ".join(path.name for path in paths[:5])
        raise InkfoldError(f"{source} holds {len(paths)} sets: {names}; name one of the files")
    return stems.pop() or source.absolute().name.lower()


def _side(path: Path) -> Official | None:
    return side_of(words_of(path.stem))


def _side_order(path: Path) -> int:
    return SIDE_ORDER[_side(path)]


def _members(path: Path) -> list[Member]:
    """The arrays in a file, and what each may be."""
    members = []
    for inside in npy_names(path):
        stream = npy_stream(path, inside)
        shape, kind = stream.shape, stream.dtype.kind
        if stream.dtype.hasobject:
            raise InkfoldError(
                f"{path}: {inside} holds Python objects, which are not loaded; save numbers or "
                "texts of one length"
            )
        whole = kind in "iubf" or (kind in "US" and stream.dtype.itemsize > 0)
        labels = whole and (len(shape) == 1 or shape[1:] == (1,))
        if kind in "iubf" and len(shape) == 2 and shape[1] > 1:
            labels = shape[0] > 0 and all(map(is_one_hot, stream.blocks()))
        pictures = not labels and kind in "iubf" and arrangement(shape) is not None
        members.append(
            Member(
                name=inside.removesuffix(".npy"),
                shape=shape,
                dtype=str(stream.dtype),
                pictures=shape[0] if pictures else None,
                labels=shape[0] if labels else None,
            )
        )
    return members


def _stream(path: Path, member: Member) -> Stream:
    return npy_stream(path, f"{member.name}.npy")


def _pictures(path: Path, pair: Pair) -> Pictures:
    """The pictures of a pair; raises InkfoldError if its values are no pixels."""
    stream = _stream(path, pair.pictures)
    return Pictures(
        blocks=stream.blocks,
        factor=factor_of(stream.blocks(), f"{path}: {pair.pictures.name}"),
        split=pair.split or _side(path),
        source=f"{path.name}:{pair.pictures.name}",
    )


def _note(path: Path, pair: Pair, factor: float) -> str:
    """What was taken for pictures and labels."""
    scale = " times 255" if factor != 1 else ""
    return f"{path.name}: pictures {pair.pictures}{scale}, labels {pair.labels}"
