"""What is said of a picture: its likeliest classes, its flag, and when the label is withheld."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from inkfold.novelty import Flag


class Likeliest(NamedTuple):
    """What a classifier says of an image.

    Attributes
    ----------
    labels : tuple of str
        The likeliest classes, the likeliest first.
    probabilities : tuple of float
    flag : {"several", "not writing", "unlike"}, optional
        Why it does not look like one character.
    """

    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    flag: Flag | None


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A classifier's answer about one picture.

    Attributes
    ----------
    path : Path or str
        The picture's path as it was given; for one that was given as pixels ``"array N"``, with N
        its place among all pictures that were given, from 0.
    labels : tuple of str
        The names of the likeliest classes, the likeliest first; empty where there is an error.
    probabilities : tuple of float
        The probabilities of these classes, from 0 to 1; empty where there is an error.
    error : str, optional
        Why the picture could not be read, or that it is blank.
    blank : bool
        Whether the picture was read, and nothing is written in it: all paper, all ink, or fully
        transparent.
    further : bool
        Whether the file has further frames or pages, of which none was read but the first.
    photograph : bool
        Whether the picture was taken for a photograph, and prepared as one.
    flag : {"blank", "several", "not writing", "unlike"}, optional
        Why the picture does not look like one character: nothing is written in it, there are
        several bodies of ink side by side, the ink is not that of writing, or it is unlike all that
        was learned. None for a picture that looks like one; labels are given in either case.
    """

    path: Path | str
    labels: tuple[str, ...] = ()
    probabilities: tuple[float, ...] = ()
    error: str | None = None
    blank: bool = False
    further: bool = False
    photograph: bool = False
    flag: Flag | None = None


@dataclass(frozen=True)
class Refusal:
    """Which labels are withheld.

    Attributes
    ----------
    below : float
        Labels with a probability below this are withheld.
    flagged : bool
        Whether the labels of pictures with a flag are withheld.
    """

    below: float = 0.0
    flagged: bool = True

    @classmethod
    def of(cls, reject: float | None, *, strict: bool) -> Refusal:
        """What ``--reject`` and ``--strict`` mean; None stands for ``--reject auto``.

        A number withholds by the probability alone, `strict` by the flag whatever the number is.
        """
        return cls(reject or 0.0, flagged=strict or reject is None)

    def withholds(self, flag: Flag | None, probability: float) -> bool:
        """Whether a label is withheld that has this probability and this flag."""
        return probability < self.below or (self.flagged and flag is not None)
