"""IDX: MNIST, Fashion-MNIST and KMNIST as they are published, compressed with gzip or not.

Pairs of files with other names are read by `idx_pairs`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from inkfold.errors import InkfoldError
from inkfold.importers import idx_pairs
from inkfold.importers.arrays import Part, labelled
from inkfold.importers.class_maps import map_beside
from inkfold.importers.collection import Collection
from inkfold.importers.files import SideFiles, find, identities, one_set
from inkfold.importers.idx_files import LABELS, PICTURES, idx_stream, looks_like

NAMES = re.compile(
    r"(?P<name>.*?)(?:(?:^|[-_])(?P<split>train|validation|t10k|test))?[-_.]?(?P<kind>images|labels)"
    r"[-._]idx[13][-._]ubyte(\.gz)?",
    re.IGNORECASE,
)
EXPECTED = "train-images-idx3-ubyte and train-labels-idx1-ubyte, t10k-... too, each may end in .gz"


def recognise(source: Path) -> str | None:
    """Why `source` seems to be IDX, but not EMNIST's; None if it does not."""
    sides = find(source, NAMES)
    for side in sides:
        images = side.files.get("images")
        if images and not _is_emnist(side.name) and looks_like(images, PICTURES):
            return f"{images.name} begins as an IDX file of pictures does"
    return None if sides else idx_pairs.recognise(source)


def read(source: Path) -> Collection:
    """Make a set of the pairs of files at `source`.

    Raises
    ------
    InkfoldError
        If there are no such files or those of several sets, or a file is torn or does not hold what
        its name says.
    """
    sides = find(source, NAMES)
    if not sides and (pairs := idx_pairs.pairs_at(source)):
        return idx_pairs.read(source, pairs)
    name = one_set(source, sides, ("images", "labels"), EXPECTED)
    if any(_is_emnist(side.name) for side in sides):
        raise InkfoldError(
            f"{source}: EMNIST's files hold their pictures transposed, and their classes in a "
            "mapping; import them as emnist"
        )
    files = identities(sides)
    parts = idx_parts(sides)
    folder = parts[0].images.path.parent
    names = map_beside(folder, "kmnist_classmap.csv", "classmap.csv")
    return labelled(name, parts, names, files=files)


def _is_emnist(name: str) -> bool:
    return name.lower().startswith("emnist")


def idx_parts(sides: Sequence[SideFiles]) -> list[Part]:
    """The pictures and labels of each side; raises what `idx_stream` raises."""
    return [
        Part(
            images=idx_stream(side.files["images"], PICTURES),
            labels=idx_stream(side.files["labels"], LABELS),
            split=side.split,
        )
        for side in sides
    ]
