"""A small network for a quick opinion about labels: two convolutions, a few epochs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras

FOLDS = 5
BATCH = 128
EPOCHS, MOST_EPOCHS = 5, 60
STEPS = 1500  # at least, for small sets: then there are more epochs
LARGEST = 32  # side of the pictures that the network reads
ANSWERED = 1024  # pictures at once
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Lesson:
    """What to learn: the pictures at some places of `images`, uint8 (N, H, W), and their labels."""

    images: NDArray[np.uint8]
    places: Places
    labels: Places
    classes: int


def shrunk(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pictures with sides of 32 pixels at most."""
    if images.shape[1] <= LARGEST:
        return images
    size = (LARGEST, LARGEST)
    return np.stack([cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in images])


def epochs_of(count: int) -> int:
    """Epochs for a set of so many pictures: fewer pictures, more of them."""
    steps = max(1, count * (FOLDS - 1) // FOLDS // BATCH)
    return int(np.clip(-(-STEPS // steps), EPOCHS, MOST_EPOCHS))


def _network(side: int, classes: int) -> keras.Model:
    """Two convolutions, for speed."""
    from inkfold.keras_backend import import_keras

    layers = (keras := import_keras()).layers
    network = keras.Sequential(
        [
            keras.Input((side, side, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(max(64, min(classes, 512)), activation="relu"),
            layers.Dense(classes, activation="softmax"),
        ]
    )
    network.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy")
    return network


def trained(
    lesson: Lesson, *, epochs: int, seed: int, advance: Callable[[int], None]
) -> keras.Model:
    """A network that has seen these pictures; `advance` is told 1 after each epoch."""
    from inkfold.keras_backend import import_keras

    keras = import_keras()
    keras.utils.set_random_seed(seed % 2**32)
    network = _network(lesson.images.shape[1], lesson.classes)
    told = keras.callbacks.LambdaCallback(on_epoch_end=lambda _epoch, _logs: advance(1))
    network.fit(
        lesson.images[lesson.places][..., None],
        lesson.labels,
        batch_size=BATCH,
        epochs=epochs,
        verbose=0,
        callbacks=[told],
    )
    return network


def ask(network: keras.Model, images: NDArray[np.uint8], places: Places) -> NDArray[np.float32]:
    """Probabilities, float32 (n, C)."""
    return np.asarray(network.predict(images[places][..., None], batch_size=ANSWERED, verbose=0))
