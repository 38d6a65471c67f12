"""lenet64: two convolutions and one wide hidden layer on black and white 64x64 pictures.

Predecessor 000's network, made for 27 ancient Hebrew characters: 91.8 % on its validation pictures.

Run: inkfold create_dataset FOLDER --size 64 --fit stretch --threshold otsu -o datasets/bw64.h5
     inkfold train lenet64 datasets/bw64.h5
Expect: 4 minutes on two busy cores, 1 epoch of EMNIST-47 (docs/results.md);
    100,449 of 116,323 (86.35 %) right on its test split.

The original trained for a given number of epochs and kept the last weights, although its validation
loss was lowest after the first epoch; here the validation split decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from inkfold.recipe import Distortion, Recipe, Stage

if TYPE_CHECKING:
    import keras

RECIPE = Recipe(
    name="lenet64",
    size=64,
    stages=(Stage(1e-3, epochs=50, patience=5),),
    batch=32,
    dataset="datasets/bw64.h5",
    distortion=Distortion(sigma=12, alpha=188),  # the same share of the side as 6 and 47 at 32
)


def build(classes: int) -> keras.Model:
    """Build the untrained network; ``build(27)`` has 17,014,107 parameters."""
    from keras import Input, Sequential, layers

    return Sequential(
        [
            Input((64, 64, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(128, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(),  # 32x32x128
            layers.Conv2D(64, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(),  # 16x16x64
            layers.Flatten(),  # 16,384
            layers.Dense(1024, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(classes, activation="softmax", dtype="float32"),
        ],
        name=RECIPE.name,
    )
