"""Groups (writers, pages, sheets) in the packed file, and a set's own split."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from inkfold.augmentation.augment import Augmentation, augment_dataset
from inkfold.dataset.reader import open_dataset
from inkfold.errors import InkfoldError
from inkfold.packing.plan import NO_SIDE, Official, divide, missing_splits, on_both_sides
from inkfold.recipe import Distortion
from inkfold.spec import SPLITS, TEST, TRAIN
from inkfold.workers import InProcess
from tests.worlds.drawn_pictures import write_classes
from tests.worlds.packing_run import SMALL, packed

FRACTIONS = (0.8, 0.1, 0.1)


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

    augment_dataset(grouped, target, augmentation, executor=InProcess(), in_flight=2)

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

    with pytest.raises(InkfoldError, match="/train/group is not of fixed length"):
        augment_dataset(grouped, tmp_path / "a.h5", augmentation, executor=InProcess(), in_flight=2)


def test_a_set_s_own_test_stays_and_its_train_is_divided() -> None:
    """Test pictures stay test, train is divided, and pictures on neither side go to all splits.

    Twins stay together unless the set has put them on both sides.
    """
    labels = np.repeat([0, 1, 2], [40, 40, 20]).astype(np.int32)
    content = np.random.default_rng(0).integers(0, 1 << 60, 100).astype(np.uint64)
    side = np.tile([TRAIN, TEST], 50).astype(np.int8)
    side[80:] = NO_SIDE  # class 2 is on neither side
    leaders = np.arange(100, dtype=np.int32)
    leaders[[1, 2, 4, 6]] = 0  # 1 is test, the others train

    official = Official(side, (0.5, 0.5, 0.0))
    split = divide(labels, content, leaders, FRACTIONS, 0, official=official)

    assert ((split == TEST) == (side == TEST))[:80].all()
    assert np.bincount(split[:40][side[:40] == TRAIN], minlength=3).tolist() == [10, 10, 0]
    assert np.bincount(split[80:], minlength=3).tolist() == [16, 2, 2]
    assert split[0] == split[2] == split[4] == split[6] != TEST
    assert on_both_sides(leaders, split).tolist() == [0]


def test_a_set_of_test_pictures_alone_is_test() -> None:
    """A set that holds only test pictures gets empty train and validation splits."""
    rows = np.arange(5, dtype=np.int32)
    official = Official(np.full(5, TEST, np.int8), (0.9, 0.1, 0.0))

    split = divide(rows, rows.astype(np.uint64), rows, FRACTIONS, 0, official=official)

    assert (split == TEST).all()


def test_classes_that_miss_a_wanted_split_are_listed() -> None:
    """A class without a test picture is listed; a split that was not asked for is not missed."""
    labels, split = np.array([0, 0, 1], np.int32), np.array([0, 2, 0], np.int8)

    missing = missing_splits(("a", "b"), labels, split, np.array([True, False, True]))

    assert missing == (("b", ("test",)),)
