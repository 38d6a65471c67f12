"""Mixup: pictures blended in pairs, and what a network is to answer to a blend."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Mixup:
    """Blends each picture of a batch with another one of it.

    Zhang, Cisse, Dauphin and Lopez-Paz, "mixup: beyond empirical risk minimization", arXiv
    1710.09412; here every picture draws a share of its own.

    Parameters
    ----------
    strength : float above 0
        Shares are drawn from Beta(strength, strength): at 0.2 most blends are nearly one of their
        two pictures, at 1 every share is as likely.
    classes : int
    """

    strength: float
    classes: int

    def mix(
        self, images: NDArray[np.uint8], labels: NDArray[np.int32], rng: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Blend a batch.

        Parameters
        ----------
        images : uint8 (n, H, W, 1)
        labels : int32 (n,)
        rng : numpy.random.Generator

        Returns
        -------
        images : uint8 (n, H, W, 1)
        targets : float32 (n, classes)
            The share of each class in each blend; a row's sum is 1.
        """
        count = len(labels)
        shares = rng.beta(self.strength, self.strength, count).astype(np.float32)
        others = rng.permutation(count)
        weights = shares[:, None, None, None]
        blends = np.rint(weights * images + (1 - weights) * images[others])
        targets = self.whole(labels) * shares[:, None]
        targets[np.arange(count), labels[others]] += 1 - shares  # of one class, they add up
        return blends.astype(np.uint8), targets

    def whole(self, labels: NDArray[np.int32]) -> NDArray[np.float32]:
        """The targets of pictures that are not blended, float32 (n, classes): 1 at the label."""
        return np.eye(self.classes, dtype=np.float32)[labels]
