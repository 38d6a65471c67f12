"""Which split each picture goes to: per class, by a hash, what belongs together undivided.

Units are the pictures that must stay together: one picture, or the pictures of one group and all
that are pixel-identical to one of them. The law is described in docs/packing.md.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from inkfold.placing import TEST, TRAIN, VALIDATION, Parts, place

Ids = NDArray[np.int64]


def hashed(content: NDArray[np.uint64], seed: int, purpose: str) -> NDArray[np.uint64]:
    """Scramble `content` in a way that is another for every `seed` and `purpose`.

    The last step of SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
    Generators", OOPSLA 2014): one to one, so that different contents never get the same key.
    """
    offset = hashlib.blake2b(f"{purpose} {seed}".encode(), digest_size=8).digest()
    bits = content ^ np.uint64(int.from_bytes(offset, "little"))
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def components(first: Ids, second: Ids) -> Ids:
    """Number the pictures so that two share a number when a chain of shared ids joins them.

    Parameters
    ----------
    first, second : int64 arrays of shape (N,)
        Two ids of each picture, say its group and its pixels.

    Returns
    -------
    units : int64 array of shape (N,)
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    left, right = (np.unique(ids, return_inverse=True)[1] for ids in (first, second))
    nodes = int(left.max(initial=-1) + right.max(initial=-1)) + 2
    right += nodes - int(right.max(initial=-1)) - 1
    edges = coo_array((np.ones(len(left), np.int8), (left, right)), shape=(nodes, nodes))
    node = connected_components(edges, directed=False)[1]
    return node[left].astype(np.int64)


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
    quotas = (counts[:, None] * np.array(fractions)).round(9)  # 0.29 * 100 is not quite 29
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
    groups: Ids,
    fractions: tuple[float, float, float],
    seed: int,
) -> NDArray[np.int8]:
    """Give every picture to one split.

    Parameters
    ----------
    labels : int32 array of shape (N,)
    content : uint64 array of shape (N,)
        A digest of each picture's file: the same picture is treated alike among any others.
    groups : int64 array of shape (N,)
        Pictures with the same number stay together.
    fractions : three numbers from 0 that add up to 1
        For train, validation and test; a split with fraction 0 stays empty.
    seed : int

    Returns
    -------
    split : int8 array of shape (N,)
        0 train, 1 validation, 2 test.
    """
    unit, size = np.unique(groups, return_inverse=True, return_counts=True)[1:]
    order = np.lexsort((content, unit))
    key = hashed(content[order[np.cumsum(size) - size]], seed, "split")  # of the smallest content
    del order  # this is the moment when packing needs most memory
    wanted = targets(np.bincount(labels), fractions)
    allowed = [split for split in range(3) if fractions[split] > 0]
    home = place(Parts.of(unit, labels), key, wanted, allowed)
    return home[unit]
