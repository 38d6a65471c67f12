"""Where the chunks of an augmented train split stand, and the order in which one file has them.

A copy of a whole chunk of originals is a chunk of the new file, and these are permuted by the seed:
a reader that shuffles a pool of chunks then meets many originals, not many copies of a few. A last
chunk of fewer originals, with its copies, is cut into chunks that stand together at the end: only
the last of them is short.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.split import CHUNK
from inkfold.elastic import chunk_rng


@dataclass(frozen=True, kw_only=True)
class Places:
    """The law of places of one augmented train split.

    Attributes
    ----------
    originals : int
        Rows of the split that was augmented.
    copies : int
        Of each original.
    seed : int
    """

    originals: int
    copies: int
    seed: int

    @property
    def kinds(self) -> int:
        """The original and its copies."""
        return self.copies + 1

    @property
    def rows(self) -> int:
        """Rows of the augmented split."""
        return self.originals * self.kinds

    def of_chunks(self) -> Iterator[list[int]]:
        """For each chunk of originals, the rows at which it and its copies begin.

        One file gets its chunks in this order.
        """
        order = _order(self)
        for chunks in order:
            yield (chunks * CHUNK).tolist()
        if self.originals % CHUNK:
            yield list(range(order.size * CHUNK, self.rows, CHUNK))

    def in_order(self) -> Iterator[int]:
        """The rows at which chunks begin, in the order in which one file has them written."""
        return chain.from_iterable(self.of_chunks())

    def content(self, chunk: int) -> tuple[int, int]:
        """What stands in chunk number `chunk` of the augmented split.

        Returns
        -------
        originals : int
            The number of the chunk of originals.
        number : int
            Which of the chunks that are made of it: of a whole chunk 0 is the originals, 1 their
            first copies, and so on.
        """
        inverse = _inverse(self)
        if chunk >= len(inverse):
            return self.originals // CHUNK, chunk - len(inverse)
        originals, number = divmod(int(inverse[chunk]), self.kinds)
        return originals, number


def _order(places: Places) -> NDArray[np.int64]:
    """For each whole chunk of originals the chunks of the new file: int64 (whole, kinds)."""
    whole, kinds = places.originals // CHUNK, places.kinds
    return chunk_rng(places.seed, 0, 0).permutation(whole * kinds).reshape(whole, kinds)


@lru_cache(maxsize=1)  # a worker asks for all chunks of a shard
def _inverse(places: Places) -> NDArray[np.int64]:
    order = _order(places).reshape(-1)
    inverse = np.empty_like(order)
    inverse[order] = np.arange(len(order))
    return inverse


def places_of(provenance: Mapping[str, Any], rows: int) -> Places | None:
    """The law of places that an augmented file's record tells; None where it does not fit.

    Parameters
    ----------
    provenance : mapping
        As ``Dataset.provenance``.
    rows : int
        Rows of the train split.
    """
    try:
        places = Places(
            originals=int(provenance["counts"]["originals"]),
            copies=int(provenance["options"]["copies"]),
            seed=int(provenance["seed"]),
        )
    except (KeyError, TypeError, ValueError):
        return None
    return places if places.rows == rows and places.copies > 0 else None
