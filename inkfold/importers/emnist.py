"""EMNIST as IDX files, all six variants: pictures transposed, labels not their characters."""

from __future__ import annotations

from pathlib import Path

from inkfold.importers.arrays import labelled
from inkfold.importers.class_maps import emnist_classes
from inkfold.importers.collection import Collection
from inkfold.importers.files import SideFiles, find, identities, one_set
from inkfold.importers.idx import NAMES, idx_parts
from inkfold.importers.idx_files import PICTURES, looks_like

EXPECTED = "emnist-X-train-images-idx3-ubyte, ...-labels-idx1-ubyte, each may end in .gz"


def recognise(source: Path) -> str | None:
    """Why `source` seems to be EMNIST's IDX files; None if it does not."""
    for side in _find(source):
        images = side.files.get("images")
        if images and looks_like(images, PICTURES):
            return f"{images.name} is named as EMNIST's files are and begins as an IDX file does"
    return None


def read(source: Path) -> Collection:
    """Make a set of the files of one variant at `source`.

    Raises
    ------
    InkfoldError
        If there are no such files or those of several variants, the variant is unknown and its
        mapping missing, or a file is torn.
    """
    sides = _find(source)
    name = one_set(source, sides, ("images", "labels"), EXPECTED)
    files = identities(sides)
    parts = idx_parts(sides)
    names = emnist_classes(parts[0].images.path.parent, name)
    return labelled(name.lower(), parts, names, files=files, transposed=True)


def _find(source: Path) -> list[SideFiles]:
    """The sides of EMNIST's variants at `source`."""
    return [side for side in find(source, NAMES) if side.name.lower().startswith("emnist-")]
