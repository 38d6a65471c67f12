"""Suspected wrong labels: what a quick network, trained on the other pictures, does not believe.

Five networks are each trained on four fifths of the pictures and asked about the last fifth, so
that none is asked about what it has learnt by heart; cleanlab ranks the answers. Measured against
logistic regression, neighbours and a perceptron: docs/audit.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from inkfold.errors import InkfoldError
from inkfold.quick_network import FOLDS, Lesson, ask, epochs_of, trained

FEW = 10  # a class with fewer pictures is not judged: the network has hardly seen it
Places = NDArray[np.int64]


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
        Of any side up to 32; `shrunk` makes them.
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
