"""Pictures that cannot be what they should: blank, nearly blank, inside out, cut off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkfold.picture import CONTRAST, Mask

FAINT = 0.1  # of the median ink of the class
INK = 128  # a pixel from here on is ink
MUCH = 0.5  # share of ink from which a picture may be inside out
MORE = 2.0  # times the median ink of the class


@dataclass(frozen=True)
class Ink:
    """Where the ink is in some pictures.

    `share` float32 (n,) mean of the pixels over 255; `contrast` uint8 (n,) largest less smallest
    pixel; `frame` and `edge` uint8 (n,) median and largest of the outermost rows and columns.
    """

    share: NDArray[np.float32]
    contrast: NDArray[np.uint8]
    frame: NDArray[np.uint8]
    edge: NDArray[np.uint8]


@dataclass(frozen=True)
class Faults:
    """Which pictures have what fault, bool (N,) each; a blank one has no other."""

    blank: Mask
    faint: Mask
    inverted: Mask
    cut: Mask


def measure(images: NDArray[np.uint8]) -> Ink:
    """Measure pictures, uint8 (n, H, W)."""
    frame = np.concatenate(
        [images[:, 0], images[:, -1], images[:, 1:-1, 0], images[:, 1:-1, -1]], axis=1
    )
    middle = frame.shape[1] // 2
    return Ink(
        images.mean(axis=(1, 2), dtype=np.float32) / 255,
        np.ptp(images, axis=(1, 2)),
        np.partition(frame, middle, axis=1)[:, middle],
        frame.max(axis=1),
    )


def joined_ink(parts: list[Ink]) -> Ink:
    """The measures of several blocks as one."""
    names = ("share", "contrast", "frame", "edge")
    return Ink(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def faults_of(ink: Ink, labels: NDArray[np.int32]) -> Faults:
    """Find the faults; how much ink is usual is the median of the picture's own class.

    Parameters
    ----------
    ink : Ink
    labels : int32 array of shape (N,)
    """
    blank = ink.contrast < CONTRAST
    usual = _medians(ink.share, labels, ~blank)
    heavy = (ink.share > MUCH) & (ink.share > MORE * usual)
    inverted = ~blank & ((ink.frame >= INK) | heavy)
    faint = ~blank & (ink.share < FAINT * usual)
    return Faults(blank, faint, inverted, ~blank & ~inverted & (ink.edge >= INK))


def _medians(
    share: NDArray[np.float32], labels: NDArray[np.int32], counted: Mask
) -> NDArray[np.float32]:
    """For each picture the median of its class over the counted ones; 0 where there are none."""
    order = np.flatnonzero(counted)
    order = order[np.argsort(labels[order], kind="stable")]
    present, starts = np.unique(labels[order], return_index=True)
    found = np.zeros(int(labels.max(initial=0)) + 1, np.float32)
    for label, values in zip(present, np.split(share[order], starts[1:]), strict=False):
        found[label] = np.median(values)
    return found[labels]
