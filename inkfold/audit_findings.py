"""What an audit found, and the words for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkfold.audit.checks import Faults
from inkfold.audit.near_duplicates import Near
from inkfold.audit.suspects import Suspects
from inkfold.dataset.reader import Originals, Places
from inkfold.lookalikes import Alike
from inkfold.repeats import Repeats

MOST = 0.5  # share of pictures with ink at the border from which it is the set's way


@dataclass(frozen=True)
class Audit:
    """What was found in the dataset at `path`.

    `counts` int64 (3, C) originals by split and class; `copies` distorted copies, which are not
    looked at; `noted` what packing counted, such as unreadable files; `torn` groups with pictures
    in two splits, None where the set has no groups; `near` and `suspects` None where they were left
    out or there is nothing to compare.
    """

    path: Path
    classes: tuple[str, ...]
    counts: NDArray[np.int64]
    copies: int
    noted: dict[str, int]
    originals: Originals
    faults: Faults
    repeats: Repeats
    torn: int | None
    alike: tuple[Alike, ...]
    near: Near | None
    suspects: Suspects | None

    @property
    def leaks(self) -> int:
        """Pictures of validation and test whose very pixels are in another split too."""
        return int((self.repeats.across & (self.originals.split > 0)).sum())

    @property
    def largest_and_smallest(self) -> tuple[int, int]:
        """The classes (numbers) with the most and the fewest pictures."""
        size = self.counts.sum(axis=0)
        return int(size.argmax()), int(size.argmin())


@dataclass(frozen=True)
class Finding:
    """One kind of thing that was found: a short name, words for it, and the pictures' places."""

    name: str
    words: str
    places: Places


def findings(audit: Audit) -> tuple[Finding, ...]:
    """Everything that is said of single pictures, but for near duplicates and suspected labels."""
    faults, repeats = audit.faults, audit.repeats
    return tuple(
        Finding(name, words, np.flatnonzero(mask))
        for name, words, mask in (
            ("blank", "blank", faults.blank),
            ("nearly_blank", "nearly blank: under a tenth of their class's ink", faults.faint),
            (
                "wrong_polarity",
                "perhaps inside out: ink on the border or everywhere",
                faults.inverted,
            ),
            ("at_border", _border_words(faults.cut), faults.cut),
            ("duplicates", "repeats of a picture of the same split", repeats.again),
            ("leaks", "with the very pixels of a picture in another split", repeats.across),
            (
                "conflicts",
                "with the very pixels of a picture under another label",
                repeats.conflicting,
            ),
        )
    )


def _border_words(cut: NDArray[np.bool_]) -> str:
    """Pictures that fill their frame were cropped tightly, all of a set alike."""
    own_way = cut.mean() > MOST if len(cut) else False
    return f"ink at the border: {'the way of this set' if own_way else 'perhaps cut off'}"
