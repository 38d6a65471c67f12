"""Which pictures belong together: groups by name, twins by pixels, and chains of both."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from inkfold.packing.large_arrays import BATCH
from inkfold.packing.split import (
    components,
    group_name,
    joined,
    leaders_of,
    numbered,
    repeated,
)

IDS = st.lists(st.integers(-3, 6), min_size=1, max_size=25)


def test_the_leader_is_the_first_with_the_same_id() -> None:
    """Every picture is led by the first picture with its id."""
    assert leaders_of(np.array([7, 3, 7, 5, 3, 7])).tolist() == [0, 1, 0, 3, 1, 0]


def test_a_chain_of_shared_ids_joins() -> None:
    """Pictures tied by writer, then by pixels, then by writer again have one leader.

    0 and 1 share a writer, 1 and 2 pixels, 2 and 3 a writer; 4 is alone.
    """
    writer = leaders_of(np.array([1, 1, 2, 2, 3]))
    pixels = leaders_of(np.array([1, 2, 2, 3, 4]))

    assert joined(writer, pixels).tolist() == [0, 0, 0, 0, 4]


def _reached(start: int, writers: list[int], pixels: list[int]) -> set[int]:
    """The slow way: walk from picture to picture over the writers and pixels that they share."""
    reached = {start}
    while True:
        more = {
            picture
            for picture in range(len(writers))
            for known in reached
            if writers[known] == writers[picture] or pixels[known] == pixels[picture]
        }
        if more == reached:
            return reached
        reached = more


@settings(deadline=None, derandomize=True, max_examples=100)
@given(IDS, st.data())
def test_joining_is_reachability(writers: list[int], data: st.DataObject) -> None:
    """Two pictures have the same leader exactly if a chain of shared ids links them."""
    count = len(writers)
    pixels = data.draw(st.lists(st.integers(0, 12), min_size=count, max_size=count))

    leaders = joined(leaders_of(np.array(writers)), leaders_of(np.array(pixels)))

    for picture in range(count):
        unit = set(np.flatnonzero(leaders == leaders[picture]))
        assert unit == _reached(picture, writers, pixels)
    assert np.array_equal(leaders[leaders], leaders), "a leader leads itself"


@settings(deadline=None, derandomize=True, max_examples=100)
@given(st.integers(1, 40), st.lists(st.tuples(st.integers(0, 39), st.integers(0, 39))))
def test_components_are_those_of_scipy(count: int, pairs: list[tuple[int, int]]) -> None:
    """The least node of each component, where SciPy numbers the components."""
    links = np.array([pair for pair in pairs if max(pair) < count], np.intp).reshape(-1, 2).T
    graph = coo_array((np.ones(links.shape[1]), tuple(links)), shape=(count, count))

    expected = leaders_of(connected_components(graph, directed=False)[1])

    assert components(links, count).tolist() == expected.tolist()


def test_a_long_chain_is_one_component() -> None:
    """100,000 nodes in any order, each tied to the next, are tied to the first."""
    nodes = np.random.default_rng(1).permutation(100_000)

    assert not components(np.stack([nodes[:-1], nodes[1:]]), len(nodes)).any()


@settings(deadline=None, derandomize=True, max_examples=100)
@given(IDS)
def test_repeated_values_are_found(ids: list[int]) -> None:
    """The places of all values that occur more than once are returned, in ascending order."""
    places = repeated(np.array(ids).astype(np.uint64))

    assert places.tolist() == [place for place, value in enumerate(ids) if ids.count(value) > 1]


def test_repeated_values_are_found_across_batches() -> None:
    """A value repeats even where its two places are in different batches."""
    words = np.arange(BATCH * 2 + 3, dtype=np.uint64)
    words[-1] = words[0]

    assert repeated(words).tolist() == [0, BATCH * 2 + 2]


def test_a_pattern_groups_by_its_first_parenthesis() -> None:
    """Without a parenthesis the whole match is the name; without a match there is no name."""
    by_writer, by_match = re.compile(r"w(\d+)_"), re.compile(r"[xy]\.png")
    paths = ["a/w1_x.png", "b/w1_y.png", "b/w2_x.png", "b/other.png"]

    assert [group_name(path, by_writer) for path in paths] == ["1", "1", "2", ""]
    assert [group_name(path, by_match) for path in paths] == ["x.png", "y.png", "x.png", ""]


def test_a_parenthesis_that_took_no_part_is_no_group() -> None:
    """A match whose parenthesis matched nothing, or an empty match, gives no name."""
    assert group_name("a/1", re.compile(r"a(b)?")) == ""
    assert group_name("a/1", re.compile(r"x*")) == ""


def test_pictures_with_a_name_are_grouped_and_the_others_alone() -> None:
    """Pictures share a group if they share a name; a picture without a name shares it with none.

    No name is mistaken for the number of another picture, not even "alone 3".
    """
    groups = numbered([b"1", b"2", b"1", b"", b"", b"3", b"alone 3"])

    assert leaders_of(groups.numbers).tolist() == [0, 1, 0, 3, 4, 5, 6]
    assert groups.named.tolist() == [True, True, True, False, False, True, True]
