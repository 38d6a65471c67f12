"""scikit-learn's 1,797 real handwritten digits as class folders of picture files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

LEVELS = 16  # the set counts ink from 0 to 16


def write_digits(folder: Path, advance: Callable[[int], None]) -> int:
    """Write ``folder/DIGIT/NNNN.png``, 8x8 pixels, dark ink on white paper.

    The digits are those of the "Optical Recognition of Handwritten Digits" set (Alpaydin and
    Kaynak, 1998) that scikit-learn ships.

    Returns
    -------
    count : int
        Pictures written.
    """
    import cv2
    from sklearn.datasets import load_digits

    digits = load_digits()
    for number, (picture, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        path = folder / str(label) / f"{number:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        paper = np.rint(255 - picture * (255 / LEVELS)).astype(np.uint8)
        path.write_bytes(cv2.imencode(".png", paper)[1].tobytes())
        advance(1)
    return len(digits.images)
