"""The split depends on seed and content, not on names or order; new pictures move few others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from inkfold.packing.split import assign, hashed, leaders_of, targets
from tests.worlds.divided import (
    FRACTIONS,
    SETTINGS,
    USUAL,
    Fractions,
    alone,
    pictures,
    table,
    uneven_writers,
)


def test_another_seed_gives_another_split() -> None:
    """Two seeds draw different pictures for test, in equal numbers."""
    labels, content = pictures([100, 100])

    first, second = (assign(labels, content, alone(labels), USUAL, seed) for seed in (0, 1))

    assert np.array_equal(table(labels, first), table(labels, second))
    # of 20 pictures drawn for test at random from 200, twice, about 2 are the same
    assert ((first == 2) & (second == 2)).sum() < 8


def test_the_split_follows_the_content_and_not_the_names() -> None:
    """Renamed pictures, in another order, stay in the splits that they were in."""
    labels, content = pictures([50, 50])
    shuffled = np.concatenate([np.random.default_rng(0).permutation(50), np.arange(50, 100)])

    split = assign(labels, content, alone(labels), USUAL, 0)

    assert np.array_equal(
        assign(labels, content[shuffled], alone(labels), USUAL, 0), split[shuffled]
    )


def test_the_order_of_a_group_s_pictures_does_not_matter() -> None:
    """Groups are looked at in the same order after the pictures in a group were renamed."""
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
    """Each picture added to a class moves at most 2 single pictures, and rounding 2 more."""
    _, content = pictures([count + more], seed)

    def split(number: int) -> NDArray[np.int8]:
        labels = np.zeros(number, np.int32)
        return assign(labels, content[:number], alone(labels), fractions, seed)

    moved = int((split(count) != split(count + more)[:count]).sum())

    assert moved <= 2 * more + 2


@pytest.mark.parametrize("seed", range(5))
def test_a_writer_more_moves_few_of_the_others(seed: int) -> None:
    """One more writer moves at most 15 of 200 writers."""
    places = []
    for writers in (200, 201):
        labels, content, writer = uneven_writers(writers, seed)
        split = assign(labels, content, leaders_of(writer), USUAL, 0)
        places.append(dict(zip(writer.tolist(), split.tolist(), strict=True)))

    assert sum(places[0][writer] != places[1][writer] for writer in range(200)) <= 15


def test_uneven_writers_leave_the_classes_near_their_targets() -> None:
    """Validation and test are at most 20 pictures off their targets of some 80, 4 on average."""
    off = []
    for seed in range(5):
        labels, content, writer = uneven_writers(200, seed)
        split = assign(labels, content, leaders_of(writer), USUAL, 0)
        off.append(table(labels, split)[:, 1:] - targets(np.bincount(labels), USUAL)[:, 1:])

    assert np.abs(off).max() <= 20
    assert np.abs(off).mean() <= 4


def test_pictures_of_other_classes_move_nothing() -> None:
    """A new class leaves the split of the old classes as it was."""
    labels, content = pictures([30, 40, 50])

    small = assign(labels[:70], content[:70], alone(labels[:70]), USUAL, 0)

    assert np.array_equal(assign(labels, content, alone(labels), USUAL, 0)[:70], small)


def test_the_hash_is_one_to_one_and_differs_by_seed_and_purpose() -> None:
    """Different contents never share a key, and each seed and purpose orders them differently."""
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
    """The hash gives the published first number of SplitMix64 for the seed 1234567.

    That number is the last step applied to the seed plus the golden ratio.
    """
    import hashlib

    offset = int.from_bytes(hashlib.blake2b(b"split 0", digest_size=8).digest(), "little")
    state = 1234567 + 0x9E3779B97F4A7C15

    mixed = hashed(np.array([state ^ offset], np.uint64), 0, "split")

    assert int(mixed[0]) == 6457827717110365317  # SplitMix64(1234567), first number


def test_ten_thousand_classes_are_split_at_once() -> None:
    """Ten thousand classes of three to five pictures are all in every split."""
    counts = (3 + np.arange(10_000) % 3).tolist()
    labels, content = pictures(counts)

    split = assign(labels, content, alone(labels), USUAL, 0)

    assert (table(labels, split) > 0).all()
