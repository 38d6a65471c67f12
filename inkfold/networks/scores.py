"""What each network had right on EMNIST-47, the smallest network first.

A row is what the record of a bundle has that was trained as its docs/results.md row says: without
distortion, for so many epochs, measured once on ByMerge's official test split. A test compares
them with those records.
"""

from __future__ import annotations

from dataclasses import dataclass

CLASSES = 47
TOTAL = 116_323  # pictures of the test split


@dataclass(frozen=True, kw_only=True)
class Score:
    """One network's row.

    Attributes
    ----------
    size : int
        Height and width of the images that it takes, in pixels.
    parameters : int
        With `CLASSES` classes.
    epochs : int
        For which it was trained.
    right : int
        Of `TOTAL` pictures.
    """

    size: int
    parameters: int
    epochs: int
    right: int


SCORES = {
    "plain28": Score(size=28, parameters=202_159, epochs=6, right=101_045),
    "strided28": Score(size=28, parameters=332_015, epochs=5, right=103_725),
    "leaky28": Score(size=28, parameters=393_983, epochs=8, right=103_453),
    "blocks28": Score(size=28, parameters=400_815, epochs=7, right=104_192),
    "residual32": Score(size=32, parameters=1_093_103, epochs=5, right=104_774),
    "cnn30": Score(size=30, parameters=8_233_027, epochs=4, right=104_169),
    "cnn32": Score(size=32, parameters=8_238_607, epochs=4, right=104_038),
    "lenet64": Score(size=64, parameters=17_034_607, epochs=1, right=100_449),
    "cnn32_wide": Score(size=32, parameters=17_331_127, epochs=3, right=104_172),
}
