"""Groups (writers, pages, sheets) in the packed file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from inkfold.augmentation.augment import Augmentation, augment_dataset
from inkfold.crew import Crew
from inkfold.dataset.reader import open_dataset
from inkfold.errors import InkfoldError
from inkfold.recipe import Distortion
from inkfold.spec import SPLITS
from inkfold.workers import InProcess
from tests.worlds.drawn_pictures import write_classes
from tests.worlds.packing_run import SMALL, packed


@pytest.fixture
def grouped(tmp_path: Path) -> Path:
    """A dataset of 300 pictures by nine writers, `Ж0` to `Ж8`, and by one without a name.

    The last digit of a picture's number says who wrote it; 9 is the writer without a name.
    """
    folder = write_classes(tmp_path / "in", {"a": 290, "b": 10})
    for path in list(folder.glob("*/*.png")):
        digit = path.stem[-1]
        path.rename(path.with_name(f"{path.stem}_{'x' if digit == '9' else 'Ж' + digit}.png"))
    packed(folder, tmp_path / "packed.h5", replace(SMALL, group_by=r"_(Ж\d)"))
    return tmp_path / "packed.h5"


def test_packing_keeps_the_names_of_the_groups(grouped: Path) -> None:
    """Every row has its group's name, which is empty where the pattern does not match."""
    writers: dict[str, set[str]] = {}
    with open_dataset(grouped) as dataset:
        for name in SPLITS:
            split = dataset.split(name)
            assert split.group is not None
            for source, group in zip(split.source, split.group, strict=True):
                assert group == ("" if source.endswith("_x.png") else source[-6:-4])
                writers.setdefault(group, set()).add(name)
    assert set(writers) == {"", *(f"Ж{digit}" for digit in range(9))}
    assert all(len(homes) == 1 for group, homes in writers.items() if group)


def test_without_groups_there_is_no_such_array(tmp_path: Path) -> None:
    """A dataset packed without --group-by has no array of groups, and reads as having none."""
    packed(write_classes(tmp_path / "in", {"a": 20}), tmp_path / "packed.h5")

    with h5py.File(tmp_path / "packed.h5") as file:
        assert [set(file[name]) for name in SPLITS] == [
            {"images", "labels", "source", "digest"}
        ] * 3
    with open_dataset(tmp_path / "packed.h5") as dataset:
        assert dataset.train.group is dataset.test.group is None


def test_augmenting_carries_the_groups(grouped: Path, tmp_path: Path) -> None:
    """A distorted copy has the group of its original, in whole chunks and in the last one."""
    augmentation = Augmentation(Distortion(sigma=3.0, alpha=5.0), copies=2)
    target = tmp_path / "augmented.h5"
    with open_dataset(grouped) as dataset:
        before = {split.name: split.group or [] for split in dataset.splits}
        augment_dataset(dataset, target, augmentation, crew=Crew(InProcess(), lambda: 1))

    with open_dataset(target) as dataset:
        assert dataset.train.origin is not None
        group = dataset.train.group
        assert group == [before["train"][row] for row in dataset.train.origin]
        assert (dataset.validation.group, dataset.test.group) == (
            before["validation"],
            before["test"],
        )


def test_groups_of_another_type_are_refused(grouped: Path, tmp_path: Path) -> None:
    """Groups stored as strings of any length are refused: format 1 has them of fixed length."""
    with h5py.File(grouped, "a") as file:
        count = len(file["train/group"])
        del file["train/group"]
        file["train/group"] = np.array(["x"] * count, h5py.string_dtype())
    augmentation = Augmentation(Distortion(), copies=1)

    with (
        open_dataset(grouped) as dataset,
        pytest.raises(InkfoldError, match="/train/group is not of fixed length"),
    ):
        augment_dataset(dataset, tmp_path / "a.h5", augmentation, crew=Crew(InProcess(), lambda: 1))
