"""A picture in, an answer out, with everything that a canvas shows of the answer."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inkfold.classifier import Classifier
from inkfold.picture import is_blank, prepare

SHOWN = 5  # classes in an answer


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a bundle says of a picture.

    Attributes
    ----------
    labels : tuple of str
        Names of the likeliest classes, best first; empty for a blank picture.
    probabilities : tuple of float
        The probability of each of `labels`.
    sure : bool
        Whether the first probability reaches the threshold; False for a blank picture.
    seen : uint8 array of shape (size, size)
        The prepared image that the network classified, 0 = paper, 255 = ink.
    """

    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    sure: bool
    seen: NDArray[np.uint8]


@dataclass(frozen=True)
class Recogniser:
    """A classifier that answers one picture at a time, from any number of threads.

    Parameters
    ----------
    classifier : Classifier
    reject : float
        The threshold: an answer with a lower probability is not sure.
    """

    classifier: Classifier
    reject: float = 0.5

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes that may be answered, in label order."""
        return self.classifier.classes

    def answer(
        self, pixels: NDArray[np.uint8] | NDArray[np.uint16], *, drawn: bool = False
    ) -> Answer:
        """The answer to a picture, which is first prepared as the bundle's spec says.

        What was `drawn` on a canvas is never taken for a photograph.

        Raises
        ------
        PictureError
            If `pixels` is not a picture.
        """
        spec = self.classifier.bundle.spec
        seen = prepare(pixels, replace(spec, capture="scan") if drawn else spec)
        if is_blank(seen[None])[0]:
            return Answer(labels=(), probabilities=(), sure=False, seen=seen)
        ((labels, probabilities),) = self.classifier.likeliest(seen[None], SHOWN)
        sure = probabilities[0] >= self.reject
        return Answer(labels=labels, probabilities=probabilities, sure=sure, seen=seen)
