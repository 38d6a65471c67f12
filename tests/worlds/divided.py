"""Labels, contents and writers of pictures to divide, and the counts of a split."""

from __future__ import annotations

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from numpy.typing import NDArray

Fractions = tuple[float, float, float]
USUAL: Fractions = (0.8, 0.1, 0.1)
FRACTIONS = st.sampled_from(
    [USUAL, (0.6, 0.2, 0.2), (0.34, 0.33, 0.33), (0.9, 0.0, 0.1), (0.0, 0.5, 0.5), (0.2, 0.4, 0.4)]
)
COUNTS = st.lists(st.integers(1, 40), min_size=1, max_size=6)
SETTINGS = settings(deadline=None, derandomize=True, max_examples=150)


def pictures(counts: list[int], seed: int = 0) -> tuple[NDArray[np.int32], NDArray[np.uint64]]:
    """Labels (N,) and contents (N,) of so many pictures of each class."""
    labels = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    content = np.random.default_rng(seed).integers(0, 2**64, len(labels), np.uint64)
    return labels, content


def alone(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Leaders of pictures that are all alone."""
    return np.arange(len(labels), dtype=np.int32)


def table(labels: NDArray[np.int32], split: NDArray[np.int8]) -> NDArray[np.int64]:
    """Pictures of each class in each split, (C, 3)."""
    counts = np.zeros((int(labels.max()) + 1, 3), np.int64)
    np.add.at(counts, (labels, split), 1)
    return counts


def uneven_writers(
    writers: int, seed: int
) -> tuple[NDArray[np.int32], NDArray[np.uint64], NDArray[np.int64]]:
    """Labels, contents and writers of the pictures of 5 classes; a writer wrote 0 to 8 of each.

    A writer's pictures do not depend on the number of writers.
    """
    labels, content, writer = [], [], []
    for number in range(writers):
        rng = np.random.default_rng((seed, number))
        own = np.repeat(np.arange(5), rng.integers(0, 9, 5))
        labels.append(own)
        content.append(rng.integers(0, 2**64, len(own), np.uint64))
        writer.append(np.full(len(own), number))
    order = np.argsort(np.concatenate(labels), kind="stable")
    joined = (np.concatenate(parts)[order] for parts in (labels, content, writer))
    all_labels, contents, writers_of = joined
    return all_labels.astype(np.int32), contents, writers_of
