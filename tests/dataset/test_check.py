"""The thorough check reads all of a dataset, and names what opening it does not see."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from inkfold.augmentation.augment import Augmentation, augment_dataset
from inkfold.crew import Crew
from inkfold.dataset.check import check_dataset
from inkfold.dataset.reader import open_dataset
from inkfold.errors import InkfoldError
from inkfold.recipe import Distortion
from inkfold.workers import InProcess
from tests.worlds.packed_strokes import write_packed


@pytest.fixture
def augmented(tmp_path: Path) -> Path:
    """An augmented dataset: 300 originals with a copy each."""
    source, target = write_packed(tmp_path / "packed.h5", (300, 20, 0)), tmp_path / "d.h5"
    plan = Augmentation(Distortion(sigma=4, alpha=30), copies=1)
    with open_dataset(source) as packed:
        augment_dataset(packed, target, plan, crew=Crew(InProcess(), lambda: 1))
    return target


def test_a_whole_dataset_is_counted(augmented: Path) -> None:
    """Packed and augmented files are whole, and every row is read once."""
    rows: list[int] = []

    assert check_dataset(augmented, rows.append) == {
        "classes": 4,
        "train": 600,
        "validation": 20,
        "test": 0,
    }
    assert sum(rows) == 620
    assert check_dataset(augmented.with_name("packed.h5"))["train"] == 300


def one_pixel(file: h5py.File) -> None:
    """Change one pixel of row 5."""
    file["train/images"][5, 3, 3] ^= 1


def other_label(file: h5py.File) -> None:
    """Give an original and its copy another label of those that there are."""
    rows = np.flatnonzero(file["train/origin"][:] == 9)
    for row in rows.tolist():
        file["train/labels"][row] = (file["train/labels"][row] + 1) % 4


def other_class(file: h5py.File) -> None:
    """Give a class another name."""
    file["classes"][0] = b"z"


def margin(file: h5py.File) -> None:
    """Let the pictures have been prepared with a margin."""
    file.attrs["spec"] = file.attrs["spec"].replace('"margin": 0.0', '"margin": 0.1')


def hole(file: h5py.File) -> None:
    """Let a chunk of pictures never have been written."""
    del file["validation/images"]
    file["validation"].create_dataset(
        "images", (20, 16, 16), np.uint8, chunks=(256, 16, 16), maxshape=(None, 16, 16)
    )


def setting(name: str, row: int, value: object) -> Callable[[h5py.File], None]:
    """Put a value into a row of an array."""
    return lambda file: file[name].__setitem__(row, value)


CASES: dict[str, tuple[Callable[[h5py.File], None], str]] = {
    "pixel": (one_pixel, "/train/images: the pixels of row 5 differ from their digest"),
    "label": (other_label, "its attribute provenance: fingerprint"),
    "one label": (setting("train/labels", 0, 3), "/train/labels: row .* differs from its original"),
    "source": (setting("train/source", 0, b"x"), "/train/source: row .* differs from its original"),
    "class": (other_class, "its attribute provenance: fingerprint"),
    "margin": (margin, "its attribute provenance: fingerprint"),
    "hole": (hole, "/validation/images: 0 chunks are stored, expected 1"),
    "origin": (setting("train/origin", 0, 10**9), "/train/"),
    "copy": (setting("train/copy", 0, -1), "/train/copy: not one original"),
}


@pytest.mark.parametrize("case", CASES)
def test_damage_that_hdf5_does_not_see_is_named(augmented: Path, case: str) -> None:
    """The file opens as if it were whole, and the check names the place that is wrong."""
    damage, message = CASES[case]
    with h5py.File(augmented, "r+") as file:
        damage(file)
    open_dataset(augmented).close()

    with pytest.raises(InkfoldError, match=message) as caught:
        check_dataset(augmented)
    assert str(caught.value).startswith(f"{augmented}: ")
    assert str(caught.value).endswith("inkfold create_dataset FOLDER")
