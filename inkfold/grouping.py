"""Which pictures belong together: those with the same pixels, and those that a pattern groups."""

from __future__ import annotations

import hashlib
import re

import numpy as np
from numpy.typing import NDArray

from inkfold.folders import readable
from inkfold.spool import Spool


def identical(
    digest: NDArray[np.uint8], labels: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number the pictures by their pixels; and pair each with the one before that has the same.

    The pairs (p, 2) go through the pictures of the same pixels by label: two labels are one pair.
    """
    words = digest.view(np.uint64)
    order = np.lexsort((labels, words[:, 1], words[:, 0]))
    new = np.ones(len(order), bool)
    new[1:] = False
    for word in words.T:
        new[1:] |= word[order[1:]] != word[order[:-1]]
    number = np.empty(len(order), np.int64)
    number[order] = np.cumsum(new)
    again = np.flatnonzero(~new)
    return number, np.stack([order[again - 1], order[again]], axis=1)


def named_groups(paths: Spool, pattern: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """A number for each path's group, and whether the pattern matched; else it is its own."""
    search = re.compile(pattern)
    number = np.empty(len(paths), np.int64)
    matched = np.zeros(len(paths), bool)
    for row, path in enumerate(paths):
        match = search.search(readable(path))
        group = match[1 if search.groups else 0] if match else None
        matched[row] = group is not None
        name = b"alone " + path if group is None else b"group " + group.encode()
        digest = hashlib.blake2b(name, digest_size=8).digest()
        number[row] = int.from_bytes(digest, "little", signed=True)
    return number, matched
