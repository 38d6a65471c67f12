"""Batches for training: shuffled blocks of the packed file, distorted on the way if asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, field

import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.split import Split
from inkfold.elastic import Elastic, chunk_rng
from inkfold.training.machines import Machines

Batch = tuple[NDArray[np.uint8], NDArray[np.int32]]


@dataclass(frozen=True)
class Batches:
    """Shuffled batches of one or more splits, the same for the same seed and epoch.

    Attributes
    ----------
    splits : sequence of Split
        Their rows are mixed.
    size : int
        Pictures in a batch. Fewer than `size` may be left over at the end of an epoch and are not
        shown in it: a batch of its own size would need a compilation of its own.
    seed : int
    elastic : Elastic or None
        Distorts every picture anew in every epoch.
    at_most : int or None
        The most batches of an epoch that are shown; None for all of them.
    machines : Machines
        Each machine makes all batches and gives its own rows of them.
    """

    splits: Sequence[Split]
    size: int
    _: KW_ONLY
    seed: int
    elastic: Elastic | None = None
    at_most: int | None = None
    machines: Machines = field(default_factory=Machines)

    @property
    def steps(self) -> int:
        """Batches of an epoch that are shown."""
        whole = sum(map(len, self.splits)) // self.size
        return whole if self.at_most is None else min(whole, self.at_most)

    def epoch(self, number: int) -> Iterator[Batch]:
        """The batches of one epoch: images uint8 (n, H, W, 1), labels int32 (n,).

        n is `size`, or of several machines this one's share of it.
        """
        own = self.machines.rows(self.size)
        images: list[NDArray[np.uint8]] = []
        labels: list[NDArray[np.int32]] = []
        waiting = 0
        for block_images, block_labels in self._blocks(number):
            images.append(block_images)
            labels.append(block_labels)
            waiting += len(block_labels)
            if waiting < self.size:
                continue
            all_images, all_labels = np.concatenate(images), np.concatenate(labels)
            whole = waiting - waiting % self.size
            for start in range(0, whole, self.size):
                rows = slice(start + own.start, start + own.stop)
                yield all_images[rows, :, :, None], all_labels[rows]
            images, labels = [all_images[whole:]], [all_labels[whole:]]
            waiting -= whole

    def _blocks(self, number: int) -> Iterator[Batch]:
        """Shuffled blocks of all splits, distorted: images uint8 (n, H, W), labels int32 (n,)."""
        rng = np.random.default_rng([self.seed, number])
        streams = [split.blocks(rng) for split in self.splits if len(split)]
        weights = np.array([len(split) for split in self.splits if len(split)], float)
        index = 0
        while streams:
            # draw in proportion to the splits, so that the smaller one is spread over the epoch
            chosen = int(rng.choice(len(streams), p=weights / weights.sum()))
            block = next(streams[chosen], None)
            if block is None:
                del streams[chosen]
                weights = np.delete(weights, chosen)
                continue
            images = block.images
            if self.elastic is not None:
                images = self.elastic.distort(images, chunk_rng(self.seed, number, index))
            index += 1
            yield images, block.labels
