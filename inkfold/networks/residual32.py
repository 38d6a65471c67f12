"""residual32: nine convolutions, six of them in residual blocks, on 32x32 pictures; our own.

He et al., arXiv 1512.03385, made for small pictures and few processors: the first convolution takes
every second pixel, so that most of the work is done on 16x16 and 8x8 pixels.

Run: inkfold train residual32 datasets/characters.h5 --augment online
Expect: 14 minutes on two busy cores, 12 epochs of EMNIST-47 (docs/results.md);
    104,385 of 116,323 (89.74 %) right on its test split.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from inkfold.layers import convolved, residual
from inkfold.recipe import Distortion, Recipe, Stage

if TYPE_CHECKING:
    import keras

RECIPE = Recipe(
    name="residual32",
    size=32,
    stages=(Stage.cosine(3e-3, epochs=30),),
    batch=128,
    distortion=Distortion(sigma=6, alpha=47, rotate=10, scale=0.1, shear=10, shift=0.06),
    label_smoothing=0.1,
    weight_decay=0.05,
)


def build(classes: int) -> keras.Model:
    """Build the untrained network; ``build(100)`` has 1,103,332 parameters."""
    from keras import Input, Model, layers

    pictures = Input((32, 32, 1))
    x = layers.Rescaling(1 / 255)(pictures)
    x = layers.ReLU()(convolved(x, 48, kernel=6, strides=2))
    x = residual(x, 48)  # 16x16x48
    x = layers.ReLU()(convolved(x, 96, strides=2))
    x = residual(x, 96)  # 8x8x96
    x = layers.ReLU()(convolved(x, 192, strides=2))
    x = residual(x, 192)  # 4x4x192
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    answers = layers.Dense(classes, activation="softmax", dtype="float32")(x)
    return Model(pictures, answers, name=RECIPE.name)
