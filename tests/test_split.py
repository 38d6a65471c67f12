"""The law of the split, by hand and by property."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inkfold.grouping import leaders_of
from inkfold.split import assign, hashed, targets

Fractions = tuple[float, float, float]
USUAL: Fractions = (0.8, 0.1, 0.1)
FRACTIONS = st.sampled_from(
    [USUAL, (0.6, 0.2, 0.2), (0.34, 0.33, 0.33), (0.9, 0.0, 0.1), (0.0, 0.5, 0.5), (0.2, 0.4, 0.4)]
)
COUNTS = st.lists(st.integers(1, 40), min_size=1, max_size=6)
SETTINGS = settings(deadline=None, derandomize=True, max_examples=150)


def pictures(counts: list[int], seed: int = 0) -> tuple[NDArray[np.int32], NDArray[np.uint64]]:
    """Labels and contents of so many pictures of each class."""
    labels = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    content = np.random.default_rng(seed).integers(0, 2**64, len(labels), np.uint64)
    return labels, content


def alone(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Every picture its own leader."""
    return np.arange(len(labels), dtype=np.int32)


def table(labels: NDArray[np.int32], split: NDArray[np.int8]) -> NDArray[np.int64]:
    """Pictures of each class in each split, (C, 3)."""
    counts = np.zeros((int(labels.max()) + 1, 3), np.int64)
    np.add.at(counts, (labels, split), 1)
    return counts


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
    """Largest remainder of 0.8, 0.1, 0.1, with validation and test never empty from 3 on."""
    assert targets(np.array([count]), USUAL)[0].tolist() == list(expected)


def test_a_split_of_fraction_zero_wants_nothing() -> None:
    """Not even of a class that is large enough."""
    assert targets(np.array([3, 100]), (0.5, 0.0, 0.5)).tolist() == [[2, 0, 1], [50, 0, 50]]
    assert targets(np.array([1, 2]), (0.0, 0.0, 1.0)).tolist() == [[0, 0, 1], [0, 0, 2]]


def test_a_class_of_one_or_two_is_always_there_for_training() -> None:
    """Though the others want more: 0.2 / 0.4 / 0.4 of one, and 0.4 / 0.8 / 0.8 of two."""
    assert targets(np.array([1, 2]), (0.2, 0.4, 0.4)).tolist() == [[1, 0, 0], [1, 0, 1]]


def test_fractions_that_floating_point_cannot_hold_are_exact() -> None:
    """0.29 x 100 is 28.999999999999996."""
    assert targets(np.array([100]), (0.29, 0.57, 0.14)).tolist() == [[29, 57, 14]]


@SETTINGS
@given(COUNTS, FRACTIONS)
def test_targets_add_up_and_are_near_the_fractions(counts: list[int], fractions: Fractions) -> None:
    """Within one picture where the class is large enough for each split to get its own."""
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
    """Every picture is in exactly one split, and each class has what it should have."""
    labels, content = pictures(counts)

    split = assign(labels, content, alone(labels), fractions, seed)

    assert set(split.tolist()) <= {0, 1, 2}
    assert np.array_equal(table(labels, split), targets(np.array(counts), fractions))


@SETTINGS
@given(COUNTS, FRACTIONS, st.integers(0, 99), st.integers(1, 30))
def test_a_group_is_never_divided(
    counts: list[int], fractions: Fractions, seed: int, groups: int
) -> None:
    """Groups of any size, across any classes; no picture goes to a split of fraction 0."""
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
    """Pairs of identical pictures in a class: the single ones make up for them."""
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
    """Each writer wrote each class four times; from 12 writers on no class misses a split."""
    labels, content = pictures([writers * 4] * classes, seed)
    writer = np.tile(np.repeat(np.arange(writers), 4), classes)

    split = assign(labels, content, leaders_of(writer), USUAL, seed)

    counts = table(labels, split)
    assert (counts > 0).all()
    # the greedy step ends within one writer's pictures of every target
    assert np.abs(counts - targets(np.array([writers * 4] * classes), USUAL)).max() <= 4


def test_three_groups_are_given_to_three_splits() -> None:
    """By size alone all three would be for training: the repair moves two of them."""
    labels, content = pictures([300])

    split = assign(labels, content, leaders_of(np.arange(300) // 100), USUAL, 0)

    assert np.bincount(split, minlength=3).tolist() == [100, 100, 100]


def test_a_repair_takes_no_other_class_s_last_group() -> None:
    """Class 0 has three groups; the one that class 1 lives in alone stays where it is."""
    labels = np.repeat(np.array([0, 1], np.int32), [300, 2])
    content = np.random.default_rng(1).integers(0, 2**64, 302, np.uint64)
    number = np.concatenate([np.arange(300) // 100, [0, 0]])

    for seed in range(20):
        split = assign(labels, content, leaders_of(number), USUAL, seed)

        assert set(split[:300].tolist()) == {0, 1, 2}
        assert set(split[300:].tolist()) == {0}


def test_two_groups_cannot_be_in_three_splits() -> None:
    """Nothing is divided to make a split come out: the caller tells the user."""
    labels, content = pictures([20])

    split = assign(labels, content, leaders_of(np.arange(20) // 10), USUAL, 0)

    assert np.bincount(split, minlength=3).tolist() == [20, 0, 0]


def test_single_pictures_make_up_for_a_large_group() -> None:
    """One writer of 60 of 100 pictures goes to train; test and validation are full all the same."""
    labels, content = pictures([100])
    number = np.maximum(np.arange(100), 59)

    split = assign(labels, content, leaders_of(number), USUAL, 3)

    assert np.bincount(split, minlength=3).tolist() == [80, 10, 10]
    assert set(split[:60].tolist()) == {0}


def test_twins_go_to_train_where_they_would_fit_test_no_better_than_nothing() -> None:
    """Of 10 pictures test wants one: two are as far off as none, and single ones are there."""
    labels, content = pictures([10])
    number = np.maximum(np.arange(10), 1)

    split = assign(labels, content, leaders_of(np.where(number > 1, number, 0)), USUAL, 0)

    assert np.bincount(split, minlength=3).tolist() == [8, 1, 1]
    assert split[:2].tolist() == [0, 0]


def test_the_group_with_the_smallest_key_is_for_testing() -> None:
    """As with single pictures: test is filled first, then validation, in the order of the keys."""
    labels, content = pictures([80])
    writer = np.arange(80) // 4
    key = hashed(content.reshape(20, 4).min(axis=1), 7, "split")

    split = assign(labels, content, leaders_of(writer), USUAL, 7)

    assert (
        split.reshape(20, 4)[np.argsort(key)].max(axis=1).tolist() == [2] * 2 + [1] * 2 + [0] * 16
    )


def test_a_group_that_fits_nowhere_goes_where_pictures_may_go() -> None:
    """All pictures are one group, and train has fraction 0."""
    labels, content = pictures([20])

    split = assign(labels, content, leaders_of(np.zeros(20, int)), (0.0, 0.5, 0.5), 0)

    assert set(split.tolist()) == {1}


def test_a_group_over_its_target_takes_no_room_from_the_others() -> None:
    """10 of 13 go to test, where 8 are wanted; of 3 single ones validation gets its 2."""
    labels, content = pictures([13])
    number = np.maximum(np.arange(13), 9)

    split = assign(labels, content, leaders_of(number), (0.2, 0.2, 0.6), 0)

    assert np.bincount(split, minlength=3).tolist() == [1, 2, 10]


def test_a_repair_moves_no_more_than_it_must() -> None:
    """Five writers of both classes: 4 / 1 / 0 by size, and one move gives both classes a test."""
    labels, content = pictures([50, 50])
    writer = np.tile(np.arange(50) // 10, 2)

    split = assign(labels, content, leaders_of(writer), USUAL, 0)

    assert table(labels, split).tolist() == [[30, 10, 10]] * 2


def test_a_repair_counts_what_it_moved() -> None:
    """Class 1 is in two of class 0's three groups: one of the two stays for training."""
    labels = np.repeat(np.array([0, 1], np.int32), [300, 2])
    content = np.random.default_rng(2).integers(0, 2**64, 302, np.uint64)
    number = np.concatenate([np.arange(300) // 100, [0, 1]])

    for seed in range(20):
        split = assign(labels, content, leaders_of(number), USUAL, seed)

        assert set(split[:300].tolist()) == {0, 1, 2}
        assert 0 in split[300:]


def test_a_group_over_its_targets_leaves_the_rest_to_the_allowed_splits() -> None:
    """Train has fraction 0, and validation and test are both full: still nothing goes to train."""
    labels = np.repeat(np.array([0, 1], np.int32), [6, 41])
    content = np.random.default_rng(1).integers(0, 2**64, 47, np.uint64)
    number = np.concatenate([[0, 0, 0, 0, 4, 5], np.zeros(40, int), [100]])

    split = assign(labels, content, leaders_of(number), (0.0, 0.5, 0.5), 0)

    assert 0 not in split


def test_another_seed_gives_another_split() -> None:
    """Of the same sizes."""
    labels, content = pictures([100, 100])

    one, other = (assign(labels, content, alone(labels), USUAL, seed) for seed in (0, 1))

    assert np.array_equal(table(labels, one), table(labels, other))
    # of 20 pictures drawn for test at random from 200, twice, about 2 are the same
    assert ((one == 2) & (other == 2)).sum() < 8


def test_the_split_follows_the_content_and_not_the_names() -> None:
    """Renamed pictures, in another order, stay in the splits that they were in."""
    labels, content = pictures([50, 50])
    shuffled = np.concatenate([np.random.default_rng(0).permutation(50), np.arange(50, 100)])

    split = assign(labels, content, alone(labels), USUAL, 0)

    assert np.array_equal(
        assign(labels, content[shuffled], alone(labels), USUAL, 0), split[shuffled]
    )


def test_the_order_of_a_group_s_pictures_does_not_matter() -> None:
    """A writer's pages were renamed: the groups are looked at in the same order as before."""
    labels, content = pictures([60])
    number = np.arange(60) // 2
    turned = np.arange(60).reshape(-1, 2)[:, ::-1].ravel()

    split = assign(labels, content, leaders_of(number), USUAL, 0)

    assert np.array_equal(assign(labels, content[turned], leaders_of(number), USUAL, 0), split)


@SETTINGS
@given(st.integers(3, 200), st.integers(1, 20), FRACTIONS, st.integers(0, 99))
def test_adding_pictures_moves_few_of_the_others(
    count: int, more: int, fractions: Fractions, seed: int
) -> None:
    """Of single pictures in a class at most 2 move for each one added, and 2 more by rounding."""
    _, content = pictures([count + more], seed)

    def split(number: int) -> NDArray[np.int8]:
        labels = np.zeros(number, np.int32)
        return assign(labels, content[:number], alone(labels), fractions, seed)

    moved = int((split(count) != split(count + more)[:count]).sum())

    assert moved <= 2 * more + 2


def uneven_writers(
    writers: int, seed: int
) -> tuple[NDArray[np.int32], NDArray[np.uint64], NDArray[np.int64]]:
    """Labels, contents and writers of 5 classes; a writer wrote 0 to 8 of each.

    What a writer wrote does not depend on how many others there are.
    """
    labels, content, writer = [], [], []
    for number in range(writers):
        rng = np.random.default_rng((seed, number))
        own = np.repeat(np.arange(5), rng.integers(0, 9, 5))
        labels.append(own)
        content.append(rng.integers(0, 2**64, len(own), np.uint64))
        writer.append(np.full(len(own), number))
    order = np.argsort(np.concatenate(labels), kind="stable")
    joined = (np.concatenate(parts)[order] for parts in (labels, content, writer))
    label, contents, who = joined
    return label.astype(np.int32), contents, who


@pytest.mark.parametrize("seed", range(5))
def test_a_writer_more_moves_few_of_the_others(seed: int) -> None:
    """Of 200 writers at most 15."""
    places = []
    for writers in (200, 201):
        labels, content, writer = uneven_writers(writers, seed)
        split = assign(labels, content, leaders_of(writer), USUAL, 0)
        places.append(dict(zip(writer.tolist(), split.tolist(), strict=True)))

    assert sum(places[0][writer] != places[1][writer] for writer in range(200)) <= 15


def test_uneven_writers_leave_the_classes_near_their_targets() -> None:
    """Validation and test want some 80 of each class and are 4 off on average, 20 at most."""
    off = []
    for seed in range(5):
        labels, content, writer = uneven_writers(200, seed)
        split = assign(labels, content, leaders_of(writer), USUAL, 0)
        off.append(table(labels, split)[:, 1:] - targets(np.bincount(labels), USUAL)[:, 1:])

    assert np.abs(off).max() <= 20
    assert np.abs(off).mean() <= 4


def test_pictures_of_other_classes_move_nothing() -> None:
    """A new class leaves the old ones as they were."""
    labels, content = pictures([30, 40, 50])

    small = assign(labels[:70], content[:70], alone(labels[:70]), USUAL, 0)

    assert np.array_equal(assign(labels, content, alone(labels), USUAL, 0)[:70], small)


def test_the_hash_is_one_to_one_and_differs_by_seed_and_purpose() -> None:
    """Different contents never share a key; each use of the hash has its own order."""
    content = np.arange(5000, dtype=np.uint64)
    orders = [
        np.argsort(hashed(content, seed, purpose)).tolist()
        for seed, purpose in ((0, "split"), (1, "split"), (0, "rows"))
    ]

    assert len(np.unique(hashed(content, 0, "split"))) == 5000
    assert orders[0] != orders[1]
    assert orders[0] != orders[2]
    assert np.array_equal(content, np.arange(5000)), "the contents are left as they were"


def test_the_hash_is_splitmix64() -> None:
    """Against the published recurrence: its first output for state s is mix(s + golden ratio)."""
    import hashlib

    offset = int.from_bytes(hashlib.blake2b(b"split 0", digest_size=8).digest(), "little")
    state = 1234567 + 0x9E3779B97F4A7C15

    mixed = hashed(np.array([state ^ offset], np.uint64), 0, "split")

    assert int(mixed[0]) == 6457827717110365317  # SplitMix64(1234567), first number


def test_ten_thousand_classes_are_split_at_once() -> None:
    """Three to five pictures each: all in every split."""
    counts = (3 + np.arange(10_000) % 3).tolist()
    labels, content = pictures(counts)

    split = assign(labels, content, alone(labels), USUAL, 0)

    assert (table(labels, split) > 0).all()
