"""plain28: two convolutions and nothing else on 28x28 pictures.

Predecessor 001's first network, for 36 digits and capitals, 1,000 pictures of each; its accuracy
was never published.

Run: inkfold create_dataset FOLDER --size 28 --per-class 1000 -o datasets/characters28.h5
     inkfold train plain28 datasets/characters28.h5
Expect: 2 minutes on two busy cores, 6 epochs of EMNIST-47 (docs/results.md);
    101,045 of 116,323 (86.87 %) right on its test split.

The original was measured on its validation pictures; here the test split stays unseen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from inkfold.recipe import Recipe, Stage

if TYPE_CHECKING:
    import keras

RECIPE = Recipe(
    name="plain28",
    size=28,
    stages=(Stage(1e-3, epochs=10, patience=10),),
    batch=512,
    dataset="datasets/characters28.h5",
)


def build(classes: int) -> keras.Model:
    """Build the untrained network; ``build(36)`` has 159,556 parameters."""
    from keras import Input, Sequential, layers

    return Sequential(
        [
            Input((28, 28, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(64, 5, activation="relu"),  # 24x24x64
            layers.Conv2D(32, 3, activation="relu"),  # 22x22x32
            layers.MaxPooling2D(),  # 11x11x32
            layers.Flatten(),  # 3,872
            layers.Dense(classes, activation="softmax", dtype="float32"),
        ],
        name=RECIPE.name,
    )
