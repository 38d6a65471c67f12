"""IDX files of any names: their magic numbers and counts say which belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from inkfold.errors import InkfoldError
from inkfold.identity import Identity
from inkfold.importers.arrays import head
from inkfold.importers.collection import Collection, Official
from inkfold.importers.files import (
    SIDE_ORDER,
    side_of,
    words_but_sides,
    words_of,
)
from inkfold.importers.idx_files import TYPES, idx_stream
from inkfold.importers.labels import Labels, sides_of
from inkfold.importers.picture_arrays import Pictures, arrangement, factor_of, glyphs_of, ink_in

MOST = 1000  # files of a folder that are looked into
KINDS = {1: "labels", 3: "pictures", 4: "pictures"}  # by the number of dimensions


@dataclass(frozen=True)
class IdxPair:
    """A file of pictures and one of labels.

    Attributes
    ----------
    split : {"train", "validation", "test"}, optional
    pictures, labels : Path
    """

    split: Official | None
    pictures: Path
    labels: Path


def recognise(source: Path) -> str | None:
    """Why `source` seems to be a pair of IDX files; None if it does not."""
    try:
        pairs = pairs_at(source)
    except InkfoldError:  # reading the files says which of them do not belong together
        return "it holds IDX files of pictures and of labels"
    for pair in pairs:
        return f"{pair.pictures.name} and {pair.labels.name} begin as IDX files do"
    return None


def pairs_at(source: Path) -> list[IdxPair]:
    """The pairs of IDX files at `source`, train before test; empty if there are none.

    Raises
    ------
    InkfoldError
        If a side has files of pictures and labels that cannot be paired in one way, or the header
        of a file is torn.
    """
    folder = source if source.is_dir() else source.parent
    try:
        paths = sorted(path for path in islice(folder.iterdir(), MOST) if path.is_file())
    except OSError:
        return []
    if not (source.is_dir() or source in paths):
        return []
    sides: dict[Official | None, dict[str, list[Path]]] = {}
    for path in paths:
        kind = _kind(path)
        packed = path.suffix == ".gz" and path.with_suffix("") in paths  # a copy of it
        if kind and not packed:
            part = side_of(words_of(path.name))
            found = sides.setdefault(part, {"pictures": [], "labels": []})
            found[kind].append(path)
    pairs = [
        IdxPair(side, *_pair(found["pictures"], found["labels"]))
        for side, found in sides.items()
        if found["pictures"] and found["labels"]
        if source.is_dir() or source in found["pictures"] + found["labels"]
    ]
    return sorted(pairs, key=lambda pair: SIDE_ORDER[pair.split])


def _kind(path: Path) -> str | None:
    """What a file holds by its magic number; None if it is no IDX file."""
    magic = head(path, 4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in TYPES:
        return None
    return KINDS.get(magic[3])


def _pair(pictures: Sequence[Path], labels: Sequence[Path]) -> tuple[Path, Path]:
    """The file of pictures and that of labels with as many records."""
    counts = {path: len(idx_stream(path, _magic(path))) for path in (*pictures, *labels)}
    pairs = [
        (image, label) for image in pictures for label in labels if counts[image] == counts[label]
    ]
    if len(pairs) == 1:
        return pairs[0]
    shown = ", ".join(f"{path.name} holds {count:,}" for path, count in list(counts.items())[:6])
    lack = "no file of pictures has one of as many labels" if not pairs else "more than one reading"
    raise InkfoldError(
        f"{pictures[0].parent}: {lack}: {shown}; keep the two files that belong together in a "
        "folder of their own, or name train and test in their names"
    )


def _magic(path: Path) -> int:
    return int.from_bytes(head(path, 4), "big")


def read(source: Path, pairs: Sequence[IdxPair]) -> Collection:
    """Make a set of pairs of files.

    Raises
    ------
    InkfoldError
        If a file is torn, or its values are no pixels or no labels.
    """
    files = tuple(Identity.of(path) for pair in pairs for path in (pair.pictures, pair.labels))
    labels = [
        Labels.of_array(idx_stream(pair.labels, _magic(pair.labels)).whole(), str(pair.labels))
        for pair in pairs
    ]
    classes, numbers = sides_of(labels, [str(pair.labels) for pair in pairs])
    parts = [_pictures(pair) for pair in pairs]
    folder = source if source.is_dir() else source.parent
    words = words_but_sides(pairs[0].pictures.stem)
    return Collection(
        name=folder.absolute().name.lower() if source.is_dir() else "-".join(words) or "idx",
        classes=classes,
        ink=ink_in(parts),
        count=sum(map(len, labels)),
        glyphs=partial(glyphs_of, parts, numbers),
        files=files,
        notes=(
            *(
                f"{pair.pictures.name}: the labels are those of {pair.labels.name}"
                for pair in pairs
            ),
        ),
    )


def _pictures(pair: IdxPair) -> Pictures:
    """The pictures of a pair; raises InkfoldError if they are none."""
    stream = idx_stream(pair.pictures, _magic(pair.pictures))
    if arrangement(stream.shape) is None:
        raise InkfoldError(
            f"{pair.pictures}: an array of shape {stream.shape}, expected pictures (N, H, W), "
            "(N, H, W, 1 or 3) or (N, 1 or 3, H, W)"
        )
    return Pictures(
        blocks=stream.blocks,
        factor=factor_of(stream.blocks(), str(pair.pictures)),
        split=pair.split,
        source=pair.pictures.name,
    )
