"""Arrays as long as the pictures are many: the same answers as NumPy's, in batches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkfold.packing import large_arrays
from inkfold.packing.large_arrays import (
    chosen,
    followers,
    gathered,
    ordered,
    places_of,
    row_type,
    taken,
)
from inkfold.packing.split import leaders_of, repeated, smallest

SETTINGS = settings(deadline=None, derandomize=True, max_examples=100)
KEYS = st.lists(st.one_of(st.integers(0, 3), st.integers(0, 2**64 - 1)), max_size=30)
SMALL_IDS = st.integers(1, 30).flatmap(
    lambda count: st.lists(st.integers(0, count - 1), min_size=count, max_size=count)
)


@pytest.fixture(autouse=True)
def batches_of_four(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lower the size of a batch, so that small arrays have several."""
    monkeypatch.setattr(large_arrays, "BATCH", 4)


@SETTINGS
@given(KEYS)
def test_an_order_in_parts_is_that_of_a_stable_sort(values: list[int]) -> None:
    """Keys are put in ascending order, and equal keys stay in the order of their places."""
    keys = np.array(values, np.uint64)

    assert ordered(keys).tolist() == np.argsort(keys, kind="stable").tolist()


@SETTINGS
@given(KEYS, st.integers(-1, 32))
def test_the_smallest_keys_are_the_first_of_a_stable_sort(values: list[int], count: int) -> None:
    """Among equal keys the first ones are taken; no key where the count is 0 or less."""
    keys = np.array(values, np.uint64)
    first = np.argsort(keys, kind="stable")[: max(count, 0)]

    assert np.flatnonzero(smallest(keys, count)).tolist() == sorted(first.tolist())


@SETTINGS
@given(SMALL_IDS, st.data())
def test_rows_are_gathered_by_id(values: list[int], data: st.DataObject) -> None:
    """Marked rows come id by id, ascending inside of an id, with the place where each id begins."""
    ids = np.array(values)
    marks = data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values)))

    rows, starts = gathered(ids, np.array(marks, bool))

    expected = sorted((values[row], row) for row in range(len(values)) if marks[row])
    assert rows.tolist() == [row for _, row in expected]
    firsts = [at for at in range(len(expected)) if expected[at][0] != expected[at - 1][0] or not at]
    assert starts.tolist() == firsts


@SETTINGS
@given(st.lists(st.integers(-2, 9), min_size=1, max_size=40))
def test_leaders_and_repeated_values_do_not_depend_on_batches(values: list[int]) -> None:
    """The first picture with an id may lie in another batch than the last one."""
    assert leaders_of(np.array(values)).tolist() == [values.index(value) for value in values]
    places = [place for place, value in enumerate(values) if values.count(value) > 1]
    assert repeated(np.array(values).astype(np.uint64)).tolist() == places


@SETTINGS
@given(st.lists(st.booleans(), max_size=20), st.integers(0, 5))
def test_rows_are_taken_as_numpy_takes_them(marks: list[bool], start: int) -> None:
    """Places of a mask, values by rows, and values by all rows are those of plain indexing."""
    mask = np.array(marks, bool)
    values = np.arange(len(marks) * 2, dtype=np.int16).reshape(-1, 2) * 7
    rows = places_of(mask)

    assert places_of(mask, start).tolist() == (np.flatnonzero(mask) + start).tolist()
    assert taken(values, rows[::-1]).tolist() == values[mask][::-1].tolist()
    assert chosen(values, rows).tolist() == values[mask].tolist()
    assert followers(np.minimum(np.arange(len(marks)), 2)).tolist() == [
        place > 2 for place in range(len(marks))
    ]


def test_rows_take_eight_bytes_where_four_cannot_number_them() -> None:
    """2,147,483,647 rows are numbered by int32, one more by int64; a part of them likewise."""
    assert row_type(2**31 - 1) is np.int32
    assert row_type(2**31) is np.int64
    assert places_of(np.ones(5, bool), 2**31 - 1).tolist() == list(range(2**31 - 1, 2**31 + 4))


def test_ids_that_do_not_fit_beside_their_rows_come_in_rounds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rounds of a few ids each gather the same rows as one round of all ids."""
    ids = np.array([5, 0, 5, 3, 9, 0, 7, 9, 5, 1])
    expected = gathered(ids, np.ones(10, bool))
    monkeypatch.setattr(large_arrays, "WORD", 6)  # bits: four for a row, two for an id

    rows, starts = gathered(ids, np.ones(10, bool))

    assert rows.tolist() == expected[0].tolist() == [1, 5, 9, 3, 0, 2, 8, 6, 4, 7]
    assert starts.tolist() == expected[1].tolist() == [0, 2, 3, 4, 7, 8]
