"""Which pictures belong together: those with the same pixels, and those that a pattern groups.

Belonging is told by leaders: for each picture the number of the first that it belongs with, its own
where there is none. That takes 4 bytes a picture, and most are alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Leaders = NDArray[np.int32]
BATCH = 1 << 16


@dataclass(frozen=True)
class Groups:
    """Which group each picture is of: `numbers` int64 (N,); `named` bool (N,), or it is alone."""

    numbers: NDArray[np.int64]
    named: NDArray[np.bool_]


def leaders_of(ids: NDArray[np.int32] | NDArray[np.int64]) -> Leaders:
    """Leaders of pictures that belong together where their ids, of shape (N,), are equal."""
    order = np.argsort(ids, kind="stable")
    ids = ids[order]
    new = np.ones(len(ids), bool)
    new[1:] = ids[1:] != ids[:-1]
    starts = np.flatnonzero(new)
    leaders = np.empty(len(ids), np.int32)
    leaders[order] = np.repeat(order[starts].astype(np.int32), np.diff(starts, append=len(ids)))
    return leaders


def joined(one: Leaders, other: Leaders) -> Leaders:
    """Leaders of pictures that belong together by a chain of one kind or the other."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    follows = np.flatnonzero(other != np.arange(len(other), dtype=other.dtype))
    ends = np.concatenate([one[follows], one[other[follows]]])
    nodes, number = np.unique(ends, return_inverse=True)  # the groups that `other` ties together
    links = (np.ones(len(follows), np.int8), tuple(number.reshape(2, -1)))
    graph = coo_array(links, shape=(len(nodes), len(nodes)))
    part = connected_components(graph, directed=False)[1]
    leaders = np.arange(len(one), dtype=np.int32)
    leaders[nodes] = nodes[leaders_of(part)]
    return leaders[one]


def repeated(words: NDArray[np.uint64]) -> NDArray[np.int64]:
    """The places of values that come more than once: uint64 (N,) -> int64 (few,), ascending."""
    values = np.sort(words)
    values = np.unique(values[1:][values[1:] == values[:-1]])
    if not len(values):
        return np.empty(0, np.int64)
    found = []
    for start in range(0, len(words), BATCH):
        here = words[start : start + BATCH]
        nearest = values[np.minimum(np.searchsorted(values, here), len(values) - 1)]
        found.append(start + np.flatnonzero(nearest == here))
    return np.concatenate(found)


def group_name(path: str, search: re.Pattern[str]) -> str:
    """The pattern's first parenthesis, or the whole match when it has none; "" for no match."""
    match = search.search(path)
    return (match[1 if search.groups else 0] or "") if match else ""


def numbered(names: Iterable[bytes]) -> Groups:
    """The groups of pictures by their names; a picture without one is a group of its own."""
    numbers, named = bytearray(), bytearray()
    for row, name in enumerate(names):
        text = b"group " + name if name else b"alone %d" % row
        numbers += hashlib.blake2b(text, digest_size=8).digest()
        named.append(bool(name))
    return Groups(np.frombuffer(numbers, np.int64), np.frombuffer(named, bool))
