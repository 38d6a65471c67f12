"""One picture, one answer, with everything that a canvas shows of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkfold.classifier import Classifier
from inkfold.picture import prepare

SHOWN = 5


@dataclass(frozen=True)
class Answer:
    """What a bundle says of a picture.

    Attributes
    ----------
    labels : tuple of str
        The likeliest classes, best first; empty for a blank picture.
    probabilities : tuple of float
        Of those.
    sure : bool
        Whether the first probability reaches the threshold.
    seen : uint8 array of shape (size, size)
        The very bytes that were classified, 0 = paper.
    """

    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    sure: bool
    seen: NDArray[np.uint8]


@dataclass(frozen=True)
class Recogniser:
    """A classifier that answers pictures one at a time; safe to be called from several threads.

    Parameters
    ----------
    classifier : Classifier
    reject : float
        Below this probability an answer is not sure.
    """

    classifier: Classifier
    reject: float = 0.5

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in label order."""
        return self.classifier.bundle.classes

    def answer(self, pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> Answer:
        """Prepare a picture as the bundle's spec says, and classify what came out.

        Raises
        ------
        PictureError
            If `pixels` is no picture.
        """
        seen = prepare(pixels, self.classifier.bundle.spec)
        if not seen.any():
            return Answer((), (), sure=False, seen=seen)
        ((labels, probabilities),) = self.classifier.likeliest(seen[None], SHOWN)
        return Answer(labels, probabilities, probabilities[0] >= self.reject, seen)
