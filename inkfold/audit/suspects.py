"""Suspected wrong labels: what a quick network, trained on the other pictures, does not believe.

Five networks are each trained on four fifths of the pictures and asked about the last fifth, so
that none is asked about what it has learnt by heart; cleanlab ranks the answers. Measured against
logistic regression, neighbours and a perceptron: docs/audit.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inkfold.errors import InkfoldError

if TYPE_CHECKING:
    import keras

FOLDS = 5
BATCH = 128
EPOCHS, MOST_EPOCHS = 5, 60
STEPS = 1500  # at least, for small sets: then there are more epochs
LARGEST = 32  # side of the pictures that the network reads
ANSWERED = 1024  # pictures at once
Places = NDArray[np.int64]
FEW = 10  # a class with fewer pictures is not judged: the network has hardly seen it


@dataclass(frozen=True)
class Lesson:
    """What to learn: the pictures at some places of `images`, uint8 (N, H, W), and their labels."""

    images: NDArray[np.uint8]
    places: Places
    labels: Places
    classes: int


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


@dataclass(frozen=True)
class Suspects:
    """Every judged picture, the most suspect first.

    `places` int64 (n,); `score` float32 (n,) from 0, surely wrong, to 1; `suggested` int64 (n,) the
    network's class and `probability` float32 (n,) what it gave it; `issues` how many labels
    cleanlab holds for wrong; `right` how many of the answers agreed with the label; `unjudged`
    pictures of classes with fewer than ten.
    """

    places: Places
    score: NDArray[np.float32]
    suggested: NDArray[np.int64]
    probability: NDArray[np.float32]
    issues: int
    right: int
    unjudged: int


def check_cleanlab() -> None:
    """Refuse before any work where cleanlab is not installed."""
    if find_spec("cleanlab") is None:
        raise InkfoldError(
            "suspected wrong labels are ranked by cleanlab, which is not installed; install the "
            "extra with: pip install 'inkfold[audit]', or leave them out with --quick"
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
    """Rank the labels; None where there is nothing to compare: fewer than two classes of ten.

    Parameters
    ----------
    images : uint8 array of shape (N, H, W)
        H and W are equal and at most `LARGEST`.
    labels : int32 array of shape (N,)
    digest : uint64 array of shape (N, 2)
        Says which fifth a picture is in: the same pixels, the same fifth.
    counted : bool array of shape (N,)
        The others are not judged, and not learnt from.
    classes : int
    seed : int
    advance : callable
        Told 1 after each epoch of each network: `epochs_of` the counted pictures, times 5.

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
    everything = Lesson(images, judged, own, len(known))
    issues, answers = _out_of_fold(everything, fold, epochs=epochs, seed=seed, advance=advance)
    order = np.argsort(answers[0], kind="stable")
    score, suggested, likely = answers[:, order]
    right = int((answers[1] == own).sum())
    return Suspects(
        judged[order],
        score.astype(np.float32),
        known[suggested.astype(np.int64)],
        likely.astype(np.float32),
        issues,
        right,
        int(counted.sum()) - len(judged),
    )


def _out_of_fold(
    everything: Lesson,
    fold: NDArray[np.int64],
    *,
    epochs: int,
    seed: int,
    advance: Callable[[int], None],
) -> tuple[int, NDArray[np.float64]]:
    """What `_rank` says of each picture, by a network that has not seen its fold."""
    images, places, labels = everything.images, everything.places, everything.labels
    answers = np.empty((3, len(places)))
    issues = 0
    for one in range(FOLDS):
        asked = np.flatnonzero(fold == one)
        rest = np.flatnonzero(fold != one)
        if not len(asked):
            continue
        lesson = Lesson(images, places[rest], labels[rest], everything.classes)
        network = trained(lesson, epochs=epochs, seed=seed + one, advance=advance)
        probability = ask(network, images, places[asked])
        wrong, answers[:, asked] = _rank(labels[asked], probability)
        issues += wrong
    return issues, answers


def _rank(labels: Places, probability: NDArray[np.float32]) -> tuple[int, NDArray[np.float64]]:
    """How many labels cleanlab holds for wrong; score, answer and its probability, (3, n)."""
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    score = get_label_quality_scores(labels, probability, method="self_confidence")
    issues = find_label_issues(labels, probability, filter_by="confident_learning", n_jobs=1)
    return int(issues.sum()), np.stack([score, probability.argmax(axis=1), probability.max(axis=1)])
