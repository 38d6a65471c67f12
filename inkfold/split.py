"""Which split each picture goes to: per class, by a hash, what belongs together undivided.

The law is described in docs/packing.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from inkfold.packing.split import Groups, Table, place_groups, place_singles, repair
from inkfold.spec import TEST, TRAIN, VALIDATION

Ids = NDArray[np.int64]


def hashed(content: NDArray[np.uint64], seed: int, purpose: str) -> NDArray[np.uint64]:
    """Scramble `content` in a way that is another for every `seed` and `purpose`.

    The last step of SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
    Generators", OOPSLA 2014): one to one, so that different contents never get the same key.
    """
    offset = hashlib.blake2b(f"{purpose} {seed}".encode(), digest_size=8).digest()
    bits = content ^ np.uint64(int.from_bytes(offset, "little"))
    bits ^= bits >> np.uint64(30)
    bits *= np.uint64(0xBF58476D1CE4E5B9)
    bits ^= bits >> np.uint64(27)
    bits *= np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
    return bits


def targets(counts: Ids, fractions: tuple[float, float, float]) -> Ids:
    """How many pictures of each class each split should get.

    Largest remainder; then a split with a positive fraction that would get none takes one from the
    largest: validation and test when the class has 3 pictures or more, train always.

    Parameters
    ----------
    counts : int64 array of shape (C,)
        Pictures of each class.
    fractions : three numbers from 0 that add up to 1

    Returns
    -------
    targets : int64 array of shape (C, 3)
        Each row adds up to the class's count.
    """
    quotas = counts[:, None] * np.array(fractions)
    wanted: Ids = np.floor(quotas).astype(np.int64)
    by_remainder = np.argsort(wanted - quotas, axis=1, kind="stable")
    rank = np.argsort(by_remainder, axis=1, kind="stable")
    wanted += rank < (counts - wanted.sum(axis=1))[:, None]
    for split, enough in ((TRAIN, 1), (VALIDATION, 3), (TEST, 3)):
        rows = np.flatnonzero((wanted[:, split] == 0) & (counts >= enough))
        if fractions[split] > 0:
            wanted[rows, wanted[rows].argmax(axis=1)] -= 1
            wanted[rows, split] += 1
    return wanted


def assign(
    labels: NDArray[np.int32],
    content: NDArray[np.uint64],
    leaders: NDArray[np.int32],
    fractions: tuple[float, float, float],
    seed: int,
) -> NDArray[np.int8]:
    """Give every picture to one split.

    Groups come first, for they are the hardest to fit in; single pictures then fill what room is
    left; at last a class that misses a split gets a group or picture moved there if that is fair.

    Parameters
    ----------
    labels : int32 array of shape (N,)
        Ascending, every label from 0 to C - 1 is there.
    content : uint64 array of shape (N,)
        A digest of each picture's file: the same picture is treated alike among any others.
    leaders : int32 array of shape (N,)
        The first of the pictures that each picture has to stay with; its own number when alone.
    fractions : three numbers from 0 that add up to 1
        For train, validation and test; a split with fraction 0 stays empty.
    seed : int

    Returns
    -------
    split : int8 array of shape (N,)
        0 train, 1 validation, 2 test.
    """

    def key(rows: Ids) -> NDArray[np.uint64]:
        return hashed(content[rows], seed, "split")

    starts = np.searchsorted(labels, np.arange(labels[-1] + 2, dtype=labels.dtype))
    wanted = targets(np.diff(starts), fractions)
    nowhere = np.full(len(labels), -1, np.int8)
    allowed = [split for split in range(3) if fractions[split] > 0]
    table = Table(labels, starts, nowhere, wanted, np.zeros_like(wanted), allowed)
    groups = _groups(content, leaders, key)
    place_groups(table, groups)
    for label, (start, stop) in enumerate(pairwise(starts)):
        rows = start + np.flatnonzero(table.split[start:stop] < 0)
        place_singles(table, label, rows[np.argsort(key(rows), kind="stable")])
    repair(table, groups, key)
    return table.split


def _groups(
    content: NDArray[np.uint64],
    leaders: NDArray[np.int32],
    key: Callable[[Ids], NDArray[np.uint64]],
) -> Groups:
    """The pictures that are not alone; the key of a group is that of its smallest content."""
    follows = leaders != np.arange(len(leaders), dtype=leaders.dtype)
    several = follows.copy()
    several[leaders[follows]] = True
    rows = np.flatnonzero(several)
    rows = rows[np.lexsort((content[rows], leaders[rows]))]
    starts = np.flatnonzero(np.diff(leaders[rows], prepend=-1))
    return Groups(rows, starts, key(rows[starts]))
