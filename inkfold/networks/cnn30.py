"""cnn30: cnn32 for 30x30 pictures, with a rim of zeros before the second pooling.

The predecessor's smaller network: 100 classes, 97.2 % on validation and test together.

Run: inkfold create_dataset FOLDER --size 30 -o datasets/characters30.h5
     inkfold train cnn30 datasets/characters30.h5
Expect: 9 minutes on two busy cores, 25 epochs; on the 314 kanji of docs/log.md (2026-11-20)
    2,033 of 2,198 right on validation, 1,766 of 1,884 (93.74 %) on test.

The mistakes of the original are corrected as in cnn32.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from inkfold.layers import convolution_block, dense_block
from inkfold.recipe import Recipe, Stage

if TYPE_CHECKING:
    import keras

RECIPE = Recipe(
    name="cnn30",
    size=30,
    stages=(Stage(1e-2, epochs=50, patience=5), Stage(1e-3, epochs=50, patience=5)),
    batch=100,
)


def build(classes: int) -> keras.Model:
    """Build the untrained network; ``build(100)`` has 8,339,080 parameters."""
    from keras import Input, Sequential, layers

    return Sequential(
        [
            Input((30, 30, 1)),
            layers.Rescaling(1 / 255),
            *convolution_block(30, dropout=0.1),  # 15x15x30
            *convolution_block(60, dropout=0.2, pad_before_pooling=1),  # 17x17x60, then 8x8x60
            *convolution_block(120, dropout=0.3),  # 4x4x120
            layers.Flatten(),  # 1920
            *dense_block(2000),
            *dense_block(2000),
            layers.Dense(classes, activation="softmax", dtype="float32"),
        ],
        name=RECIPE.name,
    )
