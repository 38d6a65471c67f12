"""strided28: seven convolutions, two of them with strides in place of pooling, on 28x28 pictures.

Predecessor 001's second network, for 36 digits and capitals; its accuracy was never published. Its
pictures were always distorted online, and repeated their edge where ours have paper.

Run: inkfold create_dataset FOLDER --size 28 -o datasets/characters28.h5
     inkfold train strided28 datasets/characters28.h5 --augment online
Expect: 3 minutes on two busy cores, 5 epochs of EMNIST-47 (docs/results.md);
    103,359 of 116,323 (88.86 %) right on its test split.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from inkfold.layers import rectified_block
from inkfold.recipe import Distortion, Recipe, Stage

if TYPE_CHECKING:
    import keras

RECIPE = Recipe(
    name="strided28",
    size=28,
    stages=(Stage(1e-3, epochs=30, patience=30),),
    batch=64,
    dataset="datasets/characters28.h5",
    distortion=Distortion(alpha=0, rotate=10, scale=0.1, shift=0.1),
)


def build(classes: int) -> keras.Model:
    """Build the untrained network; ``build(36)`` has 330,596 parameters."""
    from keras import Input, Sequential, layers

    return Sequential(
        [
            Input((28, 28, 1)),
            layers.Rescaling(1 / 255),
            *rectified_block(32, 3),
            *rectified_block(32, 3),
            *rectified_block(32, 5, strides=2, padding="same"),  # 12x12x32
            layers.Dropout(0.4),
            *rectified_block(64, 3),
            *rectified_block(64, 3),
            *rectified_block(64, 5, strides=2, padding="same"),  # 4x4x64
            layers.Dropout(0.4),
            *rectified_block(128, 4),  # 1x1x128
            layers.Flatten(),
            layers.Dropout(0.4),
            layers.Dense(classes, activation="softmax", dtype="float32"),
        ],
        name=RECIPE.name,
    )
