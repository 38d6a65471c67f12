"""blocks28: three blocks of convolution and normalisation, one hidden layer, on 28x28 pictures.

Predecessor 004's network, for the 47 classes of EMNIST Balanced: 89.61 % of the test pictures, the
only honest public figure of the five predecessors.

Run: inkfold create_dataset FOLDER --size 28 -o datasets/characters28.h5
     inkfold train blocks28 datasets/characters28.h5
Expect: 4 minutes on two busy cores, 7 epochs of EMNIST-47 (docs/results.md);
    104,192 of 116,323 (89.57 %) right on its test split.

The original lowered its rate to a tenth after three epochs without a lower loss on the test split;
here the validation split decides, and each new stage begins with the best weights so far.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from inkfold.layers import pooled_block
from inkfold.recipe import Recipe, Stage

if TYPE_CHECKING:
    import keras

RECIPE = Recipe(
    name="blocks28",
    size=28,
    stages=(Stage(1e-3, 12, patience=3), Stage(1e-4, 5, patience=3), Stage(1e-5, 3, patience=3)),
    batch=64,
    dataset="datasets/characters28.h5",
)


def build(classes: int) -> keras.Model:
    """Build the untrained network; ``build(47)`` has 400,815 parameters.

    PyTorch does not count the 448 running statistics among them, and gives 400,367.
    """
    from keras import Input, Sequential, layers

    return Sequential(
        [
            Input((28, 28, 1)),
            layers.Rescaling(1 / 255),
            *pooled_block(32),  # 14x14x32
            *pooled_block(64),  # 7x7x64
            *pooled_block(128),  # 3x3x128
            layers.Flatten(),  # 1,152
            layers.Dense(256, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(classes, activation="softmax", dtype="float32"),
        ],
        name=RECIPE.name,
    )
