"""Which pictures belong together."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from inkfold.grouping import BATCH, joined, leaders_of, named_groups, repeated

IDS = st.lists(st.integers(-3, 6), min_size=1, max_size=25)


def test_the_leader_is_the_first_with_the_same_id() -> None:
    """By hand."""
    assert leaders_of(np.array([7, 3, 7, 5, 3, 7])).tolist() == [0, 1, 0, 3, 1, 0]


def test_a_chain_of_shared_ids_joins() -> None:
    """0 and 1 share a writer, 1 and 2 pixels, 2 and 3 a writer; 4 is alone."""
    writer = leaders_of(np.array([1, 1, 2, 2, 3]))
    pixels = leaders_of(np.array([1, 2, 2, 3, 4]))

    assert joined(writer, pixels).tolist() == [0, 0, 0, 0, 4]


def _reached(start: int, one: list[int], other: list[int]) -> set[int]:
    """The slow way: walk from picture to picture over whatever they share."""
    reached = {start}
    while True:
        more = {
            there
            for there in range(len(one))
            for here in reached
            if one[here] == one[there] or other[here] == other[there]
        }
        if more == reached:
            return reached
        reached = more


@settings(deadline=None, derandomize=True, max_examples=100)
@given(IDS, st.data())
def test_joining_is_reachability(one: list[int], data: st.DataObject) -> None:
    """Two pictures have one leader exactly when a walk leads from one to the other."""
    other = data.draw(st.lists(st.integers(0, 12), min_size=len(one), max_size=len(one)))

    leaders = joined(leaders_of(np.array(one)), leaders_of(np.array(other)))

    for picture in range(len(one)):
        assert set(np.flatnonzero(leaders == leaders[picture])) == _reached(picture, one, other)
    assert np.array_equal(leaders[leaders], leaders), "a leader leads itself"


@settings(deadline=None, derandomize=True, max_examples=100)
@given(IDS)
def test_repeated_values_are_found(ids: list[int]) -> None:
    """All places of values that come more than once."""
    found = repeated(np.array(ids).astype(np.uint64))

    assert found.tolist() == [place for place, value in enumerate(ids) if ids.count(value) > 1]


def test_repeated_values_are_found_across_batches() -> None:
    """The last value of all equals the first."""
    words = np.arange(BATCH * 2 + 3, dtype=np.uint64)
    words[-1] = words[0]

    assert repeated(words).tolist() == [0, BATCH * 2 + 2]


def test_a_pattern_groups_by_its_first_parenthesis() -> None:
    """Or by all of its match; what does not match is alone, and told."""
    paths = ["a/w1_x.png", "b/w1_y.png", "b/w2_x.png", "b/other.png", "c/other.png"]

    by_writer, matched = named_groups(paths, r"w(\d+)_")
    by_match, _ = named_groups(paths, r"[xy]\.png")

    assert leaders_of(by_writer).tolist() == [0, 0, 2, 3, 4]
    assert matched.tolist() == [True, True, True, False, False]
    assert leaders_of(by_match).tolist() == [0, 1, 0, 3, 4]


def test_a_parenthesis_that_took_no_part_is_no_group() -> None:
    """The pattern matches, but not what was to be the group."""
    numbers, matched = named_groups(["a/1", "a/2"], r"a(b)?")

    assert matched.tolist() == [False, False]
    assert numbers[0] != numbers[1]
