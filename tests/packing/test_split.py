"""Which split each picture gets: targets, whole units and repairs, by hand and by property."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkfold.packing.split import assign, hashed, leaders_of, targets
from tests.worlds.divided import (
    COUNTS,
    FRACTIONS,
    SETTINGS,
    USUAL,
    Fractions,
    alone,
    pictures,
    table,
)


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, (1, 0, 0)),  # a single picture is for training
        (2, (2, 0, 0)),  # 1.6 / 0.2 / 0.2
        (3, (1, 1, 1)),  # 2.4 / 0.3 / 0.3, but from 3 on no split goes without
        (4, (2, 1, 1)),
        (10, (8, 1, 1)),
        (14, (11, 2, 1)),  # 11.2 / 1.4 / 1.4: the first of the two equal remainders
        (64, (51, 7, 6)),
        (1000, (800, 100, 100)),
    ],
)
def test_targets_by_hand(count: int, expected: tuple[int, int, int]) -> None:
    """Targets are largest remainders of 0.8, 0.1, 0.1; from 3 pictures on no split wants 0."""
    assert targets(np.array([count]), USUAL)[0].tolist() == list(expected)


def test_a_split_of_fraction_zero_wants_nothing() -> None:
    """A split with fraction 0 has the target 0, even of a class that is large enough."""
    assert targets(np.array([3, 100]), (0.5, 0.0, 0.5)).tolist() == [[2, 0, 1], [50, 0, 50]]
    assert targets(np.array([1, 2]), (0.0, 0.0, 1.0)).tolist() == [[0, 0, 1], [0, 0, 2]]


def test_a_class_of_one_or_two_is_always_there_for_training() -> None:
    """A class of one or two pictures has one for train, even where its share of train is less.

    The quotas are 0.2 / 0.4 / 0.4 of one picture, and 0.4 / 0.8 / 0.8 of two.
    """
    assert targets(np.array([1, 2]), (0.2, 0.4, 0.4)).tolist() == [[1, 0, 0], [1, 0, 1]]


def test_fractions_that_floating_point_cannot_hold_are_exact() -> None:
    """A rounding error, as 0.29 x 100 = 28.999999999999996, does not change a target."""
    assert targets(np.array([100]), (0.29, 0.57, 0.14)).tolist() == [[29, 57, 14]]


@SETTINGS
@given(COUNTS, FRACTIONS)
def test_targets_add_up_and_are_near_the_fractions(counts: list[int], fractions: Fractions) -> None:
    """Targets add up to the class; those of a large class are within one picture of its quotas."""
    wanted = targets(np.array(counts), fractions)
    quotas = np.array(counts)[:, None] * np.array(fractions)
    positive = np.array(fractions) > 0
    large = (quotas[:, positive] >= 1).all(axis=1)

    assert wanted.sum(axis=1).tolist() == counts
    assert (wanted >= 0).all()
    assert wanted[:, ~positive].sum() == 0
    assert (np.abs(wanted - quotas)[large] < 1).all()
    assert (wanted[np.array(counts) >= 3][:, positive] > 0).all()


@SETTINGS
@given(COUNTS, FRACTIONS, st.integers(0, 99))
def test_single_pictures_meet_the_targets_exactly(
    counts: list[int], fractions: Fractions, seed: int
) -> None:
    """Without groups and twins each class gets exactly its targets."""
    labels, content = pictures(counts)

    split = assign(labels, content, alone(labels), fractions, seed)

    assert set(split.tolist()) <= {0, 1, 2}
    assert np.array_equal(table(labels, split), targets(np.array(counts), fractions))


@SETTINGS
@given(COUNTS, FRACTIONS, st.integers(0, 99), st.integers(1, 30))
def test_a_group_is_never_divided(
    counts: list[int], fractions: Fractions, seed: int, groups: int
) -> None:
    """Groups of any size, across any classes, stay whole; splits with fraction 0 stay empty."""
    labels, content = pictures(counts, seed)
    number = np.random.default_rng(seed).integers(0, groups, len(labels))

    split = assign(labels, content, leaders_of(number), fractions, seed)

    for group in range(groups):
        assert len(set(split[number == group].tolist())) <= 1
    assert all(fractions[place] > 0 for place in set(split.tolist()))


@SETTINGS
@given(st.lists(st.integers(20, 60), min_size=1, max_size=5), st.integers(0, 99))
def test_a_few_twins_leave_every_class_within_one_of_its_target(
    counts: list[int], seed: int
) -> None:
    """Single pictures make up for pairs of twins, so each class is within one of its targets."""
    labels, content = pictures(counts, seed)
    number = np.arange(len(labels))
    starts = np.cumsum(counts) - counts
    for start in starts:
        number[start + 1] = number[start]
        number[start + 3] = number[start + 2]

    split = assign(labels, content, leaders_of(number), USUAL, seed)

    assert np.abs(table(labels, split) - targets(np.array(counts), USUAL)).max() <= 1


@SETTINGS
@given(st.integers(1, 4), st.integers(12, 40), st.integers(0, 99))
def test_classes_of_many_groups_are_in_every_split(classes: int, writers: int, seed: int) -> None:
    """With 12 writers or more, each of whom wrote every class, no class misses a split."""
    labels, content = pictures([writers * 4] * classes, seed)
    writer = np.tile(np.repeat(np.arange(writers), 4), classes)

    split = assign(labels, content, leaders_of(writer), USUAL, seed)

    counts = table(labels, split)
    assert (counts > 0).all()
    # the greedy step ends within one writer's pictures of every target
    assert np.abs(counts - targets(np.array([writers * 4] * classes), USUAL)).max() <= 4


def test_three_groups_are_given_to_three_splits() -> None:
    """Of three groups, all too large for test and validation, the repair moves one to each."""
    labels, content = pictures([300])

    split = assign(labels, content, leaders_of(np.arange(300) // 100), USUAL, 0)

    assert np.bincount(split, minlength=3).tolist() == [100, 100, 100]


def test_a_repair_takes_no_other_class_s_last_pictures() -> None:
    """A group that holds all pictures of a second class stays in train.

    Class 0 has three groups, one of which holds all of class 1.
    """
    labels = np.repeat(np.array([0, 1], np.int32), [300, 2])
    content = np.random.default_rng(1).integers(0, 2**64, 302, np.uint64)
    number = np.concatenate([np.arange(300) // 100, [0, 0]])

    for seed in range(20):
        split = assign(labels, content, leaders_of(number), USUAL, seed)

        assert set(split[:300].tolist()) == {0, 1, 2}
        assert set(split[300:].tolist()) == {0}


def test_two_groups_cannot_be_in_three_splits() -> None:
    """A class of two groups stays in train, rather than have a group divided."""
    labels, content = pictures([20])

    split = assign(labels, content, leaders_of(np.arange(20) // 10), USUAL, 0)

    assert np.bincount(split, minlength=3).tolist() == [20, 0, 0]


def test_single_pictures_make_up_for_a_large_group() -> None:
    """With a writer of 60 of 100 pictures in train, single pictures fill test and validation."""
    labels, content = pictures([100])
    number = np.maximum(np.arange(100), 59)

    split = assign(labels, content, leaders_of(number), USUAL, 3)

    assert np.bincount(split, minlength=3).tolist() == [80, 10, 10]
    assert set(split[:60].tolist()) == {0}


def test_twins_go_to_train_if_they_bring_no_split_nearer_to_its_target() -> None:
    """Where test wants one picture, twins would be as far off as no picture, so they train."""
    labels, content = pictures([10])
    number = np.maximum(np.arange(10), 1)

    split = assign(labels, content, leaders_of(np.where(number > 1, number, 0)), USUAL, 0)

    assert np.bincount(split, minlength=3).tolist() == [8, 1, 1]
    assert split[:2].tolist() == [0, 0]


def test_the_group_with_the_smallest_key_is_for_testing() -> None:
    """Groups fill test first, then validation, then train, in the order of their keys."""
    labels, content = pictures([80])
    writer = np.arange(80) // 4
    key = hashed(content.reshape(20, 4).min(axis=1), 7, "split")

    split = assign(labels, content, leaders_of(writer), USUAL, 7)

    assert (
        split.reshape(20, 4)[np.argsort(key)].max(axis=1).tolist() == [2] * 2 + [1] * 2 + [0] * 16
    )


def test_a_group_that_fits_nowhere_goes_to_an_allowed_split() -> None:
    """A group of all pictures goes to validation if train has fraction 0."""
    labels, content = pictures([20])

    split = assign(labels, content, leaders_of(np.zeros(20, int)), (0.0, 0.5, 0.5), 0)

    assert set(split.tolist()) == {1}


def test_a_group_over_its_target_takes_no_room_from_the_others() -> None:
    """A group that overfills test leaves single pictures to validation, up to its target.

    10 of 13 pictures go to test, which wants 8; validation gets 2 of the 3 single pictures.
    """
    labels, content = pictures([13])
    number = np.maximum(np.arange(13), 9)

    split = assign(labels, content, leaders_of(number), (0.2, 0.2, 0.6), 0)

    assert np.bincount(split, minlength=3).tolist() == [1, 2, 10]


def test_a_repair_moves_no_more_than_it_must() -> None:
    """One writer is moved to test, which gives both classes of five writers test pictures."""
    labels, content = pictures([50, 50])
    writer = np.tile(np.arange(50) // 10, 2)

    split = assign(labels, content, leaders_of(writer), USUAL, 0)

    assert table(labels, split).tolist() == [[30, 10, 10]] * 2


def test_a_repair_counts_what_it_moved() -> None:
    """A class in two groups keeps one of them in train, whatever class the repair is for.

    Class 1 is in two of class 0's three groups.
    """
    labels = np.repeat(np.array([0, 1], np.int32), [300, 2])
    content = np.random.default_rng(2).integers(0, 2**64, 302, np.uint64)
    number = np.concatenate([np.arange(300) // 100, [0, 1]])

    for seed in range(20):
        split = assign(labels, content, leaders_of(number), USUAL, seed)

        assert set(split[:300].tolist()) == {0, 1, 2}
        assert 0 in split[300:]


def test_a_group_over_its_targets_leaves_the_rest_to_the_allowed_splits() -> None:
    """With train at fraction 0 nothing goes there, even where validation and test are full."""
    labels = np.repeat(np.array([0, 1], np.int32), [6, 41])
    content = np.random.default_rng(1).integers(0, 2**64, 47, np.uint64)
    number = np.concatenate([[0, 0, 0, 0, 4, 5], np.zeros(40, int), [100]])

    split = assign(labels, content, leaders_of(number), (0.0, 0.5, 0.5), 0)

    assert 0 not in split
