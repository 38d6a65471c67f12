"""What is written in a photograph, as ink on even paper."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from inkfold.photograph.paper import contrasts, ink_is_dark
from inkfold.photograph.ruling import without_rulings
from inkfold.photograph.sheet import sheet_of
from inkfold.photograph.writing import writing

Grey = NDArray[np.uint8]

SIDE = 640  # pixels along the longer side of what is worked on
INK = 0.12  # contrast of what may be writing, before the pen is known


def written(grey: Grey, side: Literal["auto", "dark", "light"]) -> Grey:
    """The writing in a photograph, whatever the paper, the light and what lies around it.

    Parameters
    ----------
    grey : uint8 array of shape (H, W)
    side : {"auto", "dark", "light"}
        Whether the ink is darker or lighter than its paper.

    Returns
    -------
    ink : uint8 array of shape (h, w)
        0 = paper, 255 = ink; the longer side is 640 pixels at most. Zeros where nothing is written.
    """
    grey = shrunk(grey)
    dark = side == "dark" if side != "auto" else ink_is_dark(grey)
    contrast, paper = contrasts(grey if dark else 255 - grey)
    sheet = sheet_of(paper, contrast > INK)
    contrast, ruling = without_rulings(contrast, sheet)
    contrast -= np.median(contrast[sheet]) if sheet.any() else 0
    return writing(np.maximum(contrast, 0), sheet, ruling)


def shrunk(grey: Grey) -> Grey:
    """The picture averaged down to 640 pixels along its longer side; a smaller one as it is."""
    scale = SIDE / max(grey.shape)
    if scale >= 1:
        return grey
    rows, columns = (max(1, round(n * scale)) for n in grey.shape)
    return np.asarray(cv2.resize(grey, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
