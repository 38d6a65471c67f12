"""Arrays with an element for each picture: worked on in little memory beside them.

NumPy turns row numbers into 8 bytes each before it takes rows by them, and an argsort answers in as
many. What is here does the same in batches, so that what is held beside the arrays does not grow
with the number of pictures, or is a small part of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

BATCH = 1 << 16
WORD = 64  # bits of a number that is sorted
PARTS = 16  # of an order, found one after another
MOST = np.iinfo(np.int32).max  # rows that are numbered by 4 bytes each

Scalar = TypeVar("Scalar", bound=np.generic)
Rows = NDArray[np.integer[Any]]  # int32, or int64 where there are more rows than it can number


def row_type(count: int) -> type[np.int32] | type[np.int64]:
    """The type that numbers `count` rows: int32, or int64 where that is too small."""
    return np.int32 if count <= MOST else np.int64


def batches(count: int) -> Iterator[slice]:
    """The parts of an array of `count` elements, in order."""
    for start in range(0, count, BATCH):
        yield slice(start, min(start + BATCH, count))


def places_of(mask: NDArray[np.bool_], start: int = 0) -> Rows:
    """Where a mask that begins at row `start` is true, ascending: bool (N,) -> rows (n,)."""
    found = np.empty(np.count_nonzero(mask), row_type(start + len(mask)))
    at = 0
    for part in batches(len(mask)):
        some = np.flatnonzero(mask[part])
        found[at : at + len(some)] = some + (start + part.start)
        at += len(some)
    return found


def taken(values: NDArray[Scalar], rows: Rows) -> NDArray[Scalar]:
    """``values[rows]``: (N, ...), (n,) -> (n, ...)."""
    some = np.empty((len(rows), *values.shape[1:]), values.dtype)
    for part in batches(len(rows)):
        some[part] = values[rows[part]]
    return some


def chosen(values: NDArray[Scalar], rows: Rows) -> NDArray[Scalar]:
    """``values[rows]`` for rows that ascend; `values` itself, not copied, where that is all."""
    return values if len(rows) == len(values) else taken(values, rows)


def ordered(keys: NDArray[np.uint64]) -> Rows:
    """``np.argsort(keys, kind="stable")`` in a sixteenth of its memory, for keys spread evenly."""
    order = np.empty(len(keys), row_type(len(keys)))
    at = 0
    step = (1 << 64) // PARTS
    for number in range(PARTS):
        low, high = np.uint64(number * step), np.uint64((number + 1) * step - 1)
        found = [
            part.start + np.flatnonzero((keys[part] >= low) & (keys[part] <= high))
            for part in batches(len(keys))
        ]
        places = np.concatenate(found).astype(order.dtype) if found else order[:0]
        del found
        some = np.argsort(keys[places], kind="stable")
        order[at : at + len(some)] = places[some]
        at += len(some)
    return order


def followers(leaders: Rows) -> NDArray[np.bool_]:
    """Which pictures have another picture as their leader: rows (N,) -> bool (N,)."""
    follow = np.empty(len(leaders), bool)
    for part in batches(len(leaders)):
        follow[part] = leaders[part] != np.arange(part.start, part.stop)
    return follow


def gathered(ids: Rows, which: NDArray[np.bool_]) -> tuple[Rows, Rows]:
    """The rows that `which` marks, id by id and ascending, and where in these each id begins.

    Ids are numbers from 0 to N - 1. An id and a row are one number of 64 bits, which is sorted
    where it lies; ids too large for that come in further rounds.
    """
    rows = np.empty(np.count_nonzero(which), row_type(len(ids)))
    starts = [rows[:0]]
    bits = max(len(ids) - 1, 1).bit_length()
    at = 0
    for low in range(0, len(ids), 1 << (WORD - bits)):
        pairs = _pairs(ids, which, low, bits)
        pairs.sort()
        for part in batches(len(pairs)):
            rows[at + part.start : at + part.stop] = pairs[part] & np.uint64((1 << bits) - 1)
        pairs >>= np.uint64(bits)
        new = np.ones(len(pairs), bool)
        np.not_equal(pairs[1:], pairs[:-1], out=new[1:])
        starts.append((places_of(new) + at).astype(rows.dtype))
        at += len(pairs)
    return rows, np.concatenate(starts)


def _pairs(ids: Rows, which: NDArray[np.bool_], low: int, bits: int) -> NDArray[np.uint64]:
    """Id, counted from `low`, and row as one number each; of the ids that fit in."""
    within, high = which.copy(), low + (1 << (WORD - bits))
    for part in batches(len(ids)):
        within[part] &= (ids[part] >= low) & (ids[part] < high)
    pairs = np.empty(np.count_nonzero(within), np.uint64)
    at = 0
    for part in batches(len(ids)):
        some = np.flatnonzero(within[part])
        pair = (ids[part][some] - low).astype(np.uint64) << np.uint64(bits)
        pairs[at : at + len(some)] = pair | (some + part.start).astype(np.uint64)
        at += len(some)
    return pairs
