"""The plan of a dataset: a set's own split, and the classes that miss a split."""

from __future__ import annotations

import numpy as np

from inkfold.packing.given_split import Official, divide, in_several, leaks
from inkfold.packing.listing import NO_SIDE
from inkfold.packing.plan import missing_splits
from inkfold.spec import TEST, TRAIN, VALIDATION

FRACTIONS = (0.8, 0.1, 0.1)


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
    assert in_several(leaders, split).tolist() == [0]


def test_a_given_validation_stays_and_train_is_then_not_divided() -> None:
    """Every picture keeps the split that it came with; twins in two of them are counted."""
    side = np.array([TRAIN, VALIDATION, TEST, TRAIN, TEST], np.int8)
    rows = np.arange(5, dtype=np.int32)
    twins = np.array([0, 0, 2, 3, 3], np.int32)

    given = Official(side, (0.5, 0.5, 0.0))
    split = divide(
        np.zeros(5, np.int32), rows.astype(np.uint64), rows, FRACTIONS, 0, official=given
    )

    assert np.array_equal(split, side)
    assert leaks(twins, split) == 2


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
