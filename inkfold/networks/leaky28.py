"""leaky28: two convolutions and one hidden layer with leaky rectifiers on 28x28 pictures.

Predecessor 003's network, for the 47 classes of EMNIST Balanced. Its published accuracy, 98.39 %,
is that on the pictures that it was trained on; there is no figure for other pictures.

Run: inkfold create_dataset FOLDER --size 28 -o datasets/characters28.h5
     inkfold train leaky28 datasets/characters28.h5
Expect: 2 minutes on two busy cores, 8 epochs of EMNIST-47 (docs/results.md);
    103,453 of 116,323 (88.94 %) right on its test split.

The original ran all of its 75 epochs without validation; here validation decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from inkfold.recipe import Recipe, Stage

if TYPE_CHECKING:
    import keras

RECIPE = Recipe(
    name="leaky28",
    size=28,
    stages=(Stage(1e-3, epochs=75, patience=5),),
    batch=64,
    dataset="datasets/characters28.h5",
)


def build(classes: int) -> keras.Model:
    """Build the untrained network; ``build(47)`` has 393,983 parameters."""
    from keras import Input, Sequential, layers

    return Sequential(
        [
            Input((28, 28, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(36, 5),  # 24x24x36
            layers.LeakyReLU(0.01),
            layers.MaxPooling2D(),  # 12x12x36
            layers.Conv2D(72, 3),  # 10x10x72
            layers.LeakyReLU(0.01),
            layers.MaxPooling2D(),  # 5x5x72
            layers.Flatten(),  # 1,800
            layers.Dense(200),
            layers.LeakyReLU(0.01),
            layers.Dropout(0.4),
            layers.Dense(classes, activation="softmax", dtype="float32"),
        ],
        name=RECIPE.name,
    )
