"""IDX: MNIST, Fashion-MNIST and KMNIST as they are published, compressed or not."""

from __future__ import annotations

import re
from pathlib import Path

from inkfold.errors import InkfoldError
from inkfold.importers.class_maps import map_beside
from inkfold.importers.collection import Collection
from inkfold.importers.files import find, one_set
from inkfold.importers.idx_stream import LABELS, PICTURES, idx_stream, looks_like
from inkfold.importers.labelled import Part, labelled

NAMES = re.compile(
    r"(?P<name>.*?)(?:(?:^|[-_])(?P<split>train|t10k|test))?[-_.]?(?P<kind>images|labels)"
    r"[-._]idx[13][-._]ubyte(\.gz)?",
    re.IGNORECASE,
)
EXPECTED = "train-images-idx3-ubyte and train-labels-idx1-ubyte, t10k-... too, each may end in .gz"


def recognise(source: Path) -> str | None:
    """Why `source` seems to be IDX, but not EMNIST's; None where it does not."""
    for side in find(source, NAMES):
        images = side.files.get("images")
        if images and not _is_emnist(side.name) and looks_like(images, PICTURES):
            return f"{images.name} begins as an IDX file of pictures does"
    return None


def read(source: Path) -> Collection:
    """Make a set of the pairs of files at `source`.

    Raises
    ------
    InkfoldError
        If there are none, or a file is torn or another than its name says.
    """
    found = find(source, NAMES)
    name = one_set(source, found, ("images", "labels"), EXPECTED)
    if any(_is_emnist(side.name) for side in found):
        raise InkfoldError(
            f"{source}: EMNIST's files hold their pictures transposed, and their classes in a "
            "mapping; import them as emnist"
        )
    parts = [
        Part(
            idx_stream(side.files["images"], PICTURES),
            idx_stream(side.files["labels"], LABELS),
            side.split,
        )
        for side in found
    ]
    folder = parts[0].images.path.parent
    return labelled(name, parts, map_beside(folder, "kmnist_classmap.csv", "classmap.csv"))


def _is_emnist(name: str) -> bool:
    return name.lower().startswith("emnist")
