"""A network small enough for tests, with layers that keep state: dropout and normalisation."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from inkfold.commands import train
from inkfold.recipe import Distortion, Recipe, Stage

if TYPE_CHECKING:
    import keras

RECIPE = Recipe(
    name="tiny",
    size=16,
    stages=(Stage(3e-2, epochs=5, patience=2), Stage(3e-3, epochs=5, patience=2)),
    batch=32,
    distortion=Distortion(sigma=3, alpha=12),
)


def build(classes: int) -> keras.Model:
    """Build the untrained network."""
    from keras import Input, Sequential, layers

    return Sequential(
        [
            Input((16, 16, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3, strides=2, activation="relu"),  # 7x7x4
            layers.BatchNormalization(momentum=0.8),
            layers.Flatten(),  # 196
            layers.Dropout(0.25),
            layers.Dense(classes, activation="softmax", dtype="float32"),
        ]
    )


if __name__ == "__main__":
    sys.exit(train.main(build, RECIPE))
