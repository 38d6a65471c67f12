"""Suspected wrong labels: those that a quick network, trained on other pictures, contradicts.

Five networks are each trained on four fifths of the pictures and asked about the last fifth, so
that none is asked about a picture that it has learnt by heart; cleanlab ranks the answers.
docs/audit.md has the comparison with logistic regression, neighbours and a perceptron.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.originals import Places
from inkfold.extras import need

if TYPE_CHECKING:
    import keras

FOLDS = 5  # networks, each trained without a fifth of the pictures
FEW = 10  # a class with fewer pictures is not judged: the network has hardly seen it
LARGEST = 32  # side of the images that the network reads, in pixels
BATCH = 128  # pictures in a training step
EPOCHS, MOST_EPOCHS = 5, 60  # least and most epochs
STEPS = 1500  # wanted in all: small sets are trained for more epochs
RATE = 2e-3  # of Adam
ANSWERED = 1024  # pictures answered at once


@dataclass(frozen=True, kw_only=True)
class Suspects:
    """Every judged picture, the most suspect first.

    Attributes
    ----------
    places : int64 array of shape (n,)
        The pictures.
    score : float32 array of shape (n,)
        From 0, surely wrong, to 1.
    suggested : int64 array of shape (n,)
        The network's class, by its label.
    probability : float32 array of shape (n,)
        What the network gave this class.
    issues : int
        Labels that cleanlab holds for wrong.
    right : int
        Pictures of which the network gave the label.
    unjudged : int
        Pictures of classes with fewer than ten.
    """

    places: Places
    score: NDArray[np.float32]
    suggested: NDArray[np.int64]
    probability: NDArray[np.float32]
    issues: int
    right: int
    unjudged: int


def check_cleanlab() -> None:
    """Refuse before any work is done where cleanlab or Keras is not installed."""
    from inkfold.keras_backend import keras_libraries

    need(
        "the search for wrong labels",
        "cleanlab",
        *keras_libraries(),
        otherwise=", or leave it out with --quick",
    )


def suspects_of(
    images: NDArray[np.uint8],
    labels: NDArray[np.int32],
    digest: NDArray[np.uint64],
    counted: NDArray[np.bool_],
    *,
    classes: int,
    seed: int = 0,
    advance: Callable[[int], None] = lambda _count: None,
) -> Suspects | None:
    """Rank the labels; None where fewer than two classes have ten pictures: nothing to compare.

    Parameters
    ----------
    images : uint8 array of shape (N, H, W)
        H and W are equal and at most `LARGEST`.
    labels : int32 array of shape (N,)
    digest : uint64 array of shape (N, 2)
        Decides which fifth a picture is in: equal pixels are in the same fifth.
    counted : bool array of shape (N,)
        The others are not judged, and not learnt from.
    classes : int
    seed : int
        Draws the first weights and the order of the pictures.
    advance : callable
        Called with 1 after each epoch of each network: `epochs_of` the counted pictures, times 5.

    Raises
    ------
    InkfoldError
        If cleanlab is not installed.
    """
    check_cleanlab()
    enough = np.bincount(labels[counted], minlength=classes) >= FEW
    judged = np.flatnonzero(counted & enough[labels])
    known = np.flatnonzero(enough)
    if len(known) < 2:
        return None
    number = np.cumsum(enough) - 1
    own = number[labels[judged]]
    fold = (digest[judged, 0] % np.uint64(FOLDS)).astype(np.int64)
    epochs = epochs_of(int(counted.sum()))
    whole = Lesson(images=images, places=judged, labels=own, classes=len(known))
    issues, answers = _out_of_fold(whole, fold, epochs=epochs, seed=seed, advance=advance)
    order = np.argsort(answers[0], kind="stable")
    score, suggested, probability = answers[:, order]
    return Suspects(
        places=judged[order],
        score=score.astype(np.float32),
        suggested=known[suggested.astype(np.int64)],
        probability=probability.astype(np.float32),
        issues=issues,
        right=int((answers[1] == own).sum()),
        unjudged=int(counted.sum()) - len(judged),
    )


def epochs_of(count: int) -> int:
    """How many epochs to train on a set of `count` pictures: the smaller the set, the more."""
    steps = max(1, count * (FOLDS - 1) // FOLDS // BATCH)
    return int(np.clip(-(-STEPS // steps), EPOCHS, MOST_EPOCHS))


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What a network is to learn.

    Attributes
    ----------
    images : uint8 array of shape (N, H, W)
    places : int64 array of shape (n,)
        Which of the images to learn.
    labels : int64 array of shape (n,)
        Their labels, below `classes`.
    classes : int
    """

    images: NDArray[np.uint8]
    places: Places
    labels: NDArray[np.int64]
    classes: int


def _out_of_fold(
    whole: Lesson,
    fold: NDArray[np.int64],
    *,
    epochs: int,
    seed: int,
    advance: Callable[[int], None],
) -> tuple[int, NDArray[np.float64]]:
    """What `_rank` says of each picture, by a network that was trained without its fold."""
    places, labels = whole.places, whole.labels
    answers = np.empty((3, len(places)))
    issues = 0
    network = compiled(whole.images.shape[1], whole.classes)
    for number in range(FOLDS):
        asked = np.flatnonzero(fold == number)
        rest = np.flatnonzero(fold != number)
        if not len(asked):
            continue
        lesson = replace(whole, places=places[rest], labels=labels[rest])
        train(network, lesson, epochs=epochs, seed=seed + number, advance=advance)
        probability = ask(network, whole.images, places[asked])
        wrong, answers[:, asked] = _rank(labels[asked], probability)
        issues += wrong
    return issues, answers


def _rank(
    labels: NDArray[np.int64], probability: NDArray[np.float32]
) -> tuple[int, NDArray[np.float64]]:
    """How many labels cleanlab holds for wrong; score, answer and its probability, (3, n)."""
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    score = get_label_quality_scores(labels, probability, method="self_confidence")
    issues = find_label_issues(labels, probability, filter_by="confident_learning", n_jobs=1)
    return int(issues.sum()), np.stack([score, probability.argmax(axis=1), probability.max(axis=1)])


def _network(side: int, classes: int) -> keras.Model:
    """An untrained network of only two convolutions, for speed."""
    from inkfold.keras_backend import import_keras

    layers = (keras := import_keras()).layers
    return keras.Sequential(
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


def compiled(side: int, classes: int) -> keras.Model:
    """The network with its loss and optimizer, whose steps are compiled once for all folds."""
    from inkfold.keras_backend import import_keras

    keras = import_keras()
    network = _network(side, classes)
    network.compile(keras.optimizers.Adam(RATE), "sparse_categorical_crossentropy")
    network.optimizer.build(network.trainable_variables)
    return network


def train(
    network: keras.Model,
    lesson: Lesson,
    *,
    epochs: int,
    seed: int,
    advance: Callable[[int], None],
) -> None:
    """Let a network forget all that it has learnt, and learn a lesson.

    Parameters
    ----------
    network : keras.Model
        Made by `compiled`; nothing of it counts but its shape.
    lesson : Lesson
    epochs, seed : int
    advance : callable
        Called with 1 after each epoch.
    """
    from inkfold.keras_backend import import_keras

    keras = import_keras()
    keras.utils.set_random_seed(seed % 2**32)
    fresh = _network(lesson.images.shape[1], lesson.classes)
    for variable, first in zip(network.variables, fresh.variables, strict=True):
        variable.assign(first)
    for variable in network.optimizer.variables:
        if variable is not network.optimizer.learning_rate:
            variable.assign(np.zeros(variable.shape, variable.dtype))  # Adam begins with zeros
    counting = keras.callbacks.LambdaCallback(on_epoch_end=lambda _epoch, _logs: advance(1))
    network.fit(
        lesson.images[lesson.places][..., None],
        lesson.labels,
        batch_size=BATCH,
        epochs=epochs,
        verbose=0,
        callbacks=[counting],
    )


def ask(network: keras.Model, images: NDArray[np.uint8], places: Places) -> NDArray[np.float32]:
    """The network's probabilities for the images at some places, float32 (n, C)."""
    return np.asarray(network.predict(images[places][..., None], batch_size=ANSWERED, verbose=0))
