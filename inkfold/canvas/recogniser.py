"""A picture in, an answer out, with everything that a canvas shows of the answer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from inkfold.classifier import Classifier
from inkfold.novelty import Flag
from inkfold.picture import is_blank, prepare
from inkfold.prediction import Refusal

UNSURE = 0.5  # a lower probability is "not sure" where no other is asked for
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
        Whether the first label is given: its probability reaches the threshold, and its picture is
        not withheld for its flag. False for a blank picture.
    flag : {"blank", "several", "not writing", "unlike"}, optional
        Why the picture does not look like one character.
    seen : uint8 array of shape (size, size)
        The prepared image that the network classified, 0 = paper, 255 = ink.
    """

    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    sure: bool
    flag: Flag | None
    seen: NDArray[np.uint8]


@dataclass(frozen=True)
class Recogniser:
    """A classifier that answers one picture at a time, from any number of threads.

    Parameters
    ----------
    classifier : Classifier
    refusal : Refusal
        Which answers are not sure; by default those with a probability below 0.5, and those to
        pictures that do not look like one character.
    """

    classifier: Classifier
    refusal: Refusal = field(default_factory=partial(Refusal, UNSURE))

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
            return Answer(labels=(), probabilities=(), sure=False, flag="blank", seen=seen)
        ((labels, probabilities, flag),) = self.classifier.likeliest(seen[None], SHOWN)
        sure = not self.refusal.withholds(flag, probabilities[0])
        return Answer(labels=labels, probabilities=probabilities, sure=sure, flag=flag, seen=seen)
