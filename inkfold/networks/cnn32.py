"""cnn32: three convolutions and two wide hidden layers on 32x32 pictures.

The predecessor's network for its plain dataset: 100 classes, 97.4 % on validation and test
together.

Run: inkfold train cnn32 datasets/characters.h5
Expect: 10 minutes on two busy cores, 20 epochs; on the 314 kanji of docs/log.md (2026-11-20)
    2,023 of 2,198 right on validation, 1,753 of 1,884 (93.05 %) on test.

Two mistakes of the original are corrected: batch normalisation works on channels, not on columns of
pixels, and epochs are chosen on the validation split alone, so that the test split stays unseen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from inkfold.layers import convolution_block, dense_block
from inkfold.recipe import Recipe, Stage

if TYPE_CHECKING:
    import keras

RECIPE = Recipe(
    name="cnn32",
    size=32,
    stages=(Stage(1e-2, epochs=50, patience=5), Stage(1e-3, epochs=50, patience=5)),
    batch=100,
)


def build(classes: int) -> keras.Model:
    """Build the untrained network; ``build(100)`` has 8,344,660 parameters."""
    from keras import Input, Sequential, layers

    return Sequential(
        [
            Input((32, 32, 1)),
            layers.Rescaling(1 / 255),
            *convolution_block(30, dropout=0.1),  # 16x16x30
            *convolution_block(60, dropout=0.2),  # 8x8x60
            *convolution_block(120, dropout=0.3),  # 4x4x120
            layers.Flatten(),  # 1920
            *dense_block(2000),
            *dense_block(2000),
            layers.Dense(classes, activation="softmax", dtype="float32"),
        ],
        name=RECIPE.name,
    )
