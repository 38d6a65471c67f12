"""cnn32_wide: cnn32 with more filters and wider hidden layers, for the tenfold dataset.

The predecessor's network for its augmented dataset: 100 classes, 98.5 % on validation and test
together.

Run: inkfold train cnn32_wide datasets/characters_elastic.h5
Expect: 32 minutes on two busy cores with --epochs 6 (30 were not tried); on the tenfold file
    of the 314 kanji of docs/log.md (2026-11-20) 2,087 of 2,198 right on validation,
    1,813 of 1,884 (96.23 %) on test.

Mistakes of the original are corrected as in cnn32, and the best weights are kept, not the last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from inkfold.layers import convolution_block, dense_block
from inkfold.recipe import Recipe, Stage

if TYPE_CHECKING:
    import keras

RECIPE = Recipe(
    name="cnn32_wide",
    size=32,
    stages=(
        Stage(1e-2, epochs=10, patience=4),
        Stage(1e-3, epochs=10, patience=4),
        Stage(1e-4, epochs=10, patience=4),
    ),
    batch=100,
    dataset="datasets/characters_elastic.h5",
)


def build(classes: int) -> keras.Model:
    """Build the untrained network; ``build(100)`` has 17,490,180 parameters."""
    from keras import Input, Sequential, layers

    return Sequential(
        [
            Input((32, 32, 1)),
            layers.Rescaling(1 / 255),
            *convolution_block(40, dropout=0.1),  # 16x16x40
            *convolution_block(80, dropout=0.2),  # 8x8x80
            *convolution_block(160, dropout=0.3),  # 4x4x160
            layers.Flatten(),  # 2560
            *dense_block(3000),
            *dense_block(3000),
            layers.Dense(classes, activation="softmax", dtype="float32"),
        ],
        name=RECIPE.name,
    )
