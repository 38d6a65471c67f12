"""How good a bundle is on one split of a dataset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from inkfold.classifier import Classifier
from inkfold.dataset import Dataset, Split
from inkfold.matching import check_match, split_of
from inkfold.metrics import (
    ClassScore,
    Confusion,
    Rate,
    class_scores,
    confused_pairs,
    confusion_matrix,
    cross_entropy,
    majority,
    ranks,
)

TOP = 5


@dataclass(frozen=True)
class Mistake:
    """One picture that got a wrong answer; `probability` is what the wrong answer was given."""

    source: str
    true: str
    predicted: str
    probability: float
    of_truth: float


@dataclass(frozen=True)
class Evaluation:
    """A bundle's result on one split of a dataset.

    Attributes
    ----------
    bundle, dataset, fingerprint, split : str
        What was measured on what: the bundle folder's name, the dataset file and its fingerprint.
    classes : tuple of str
        In label order.
    accuracy, top5 : Rate
        Pictures whose class was the likeliest, or among the five likeliest.
    baseline : Rate
        What answering `majority`, the train split's commonest class, would give.
    loss : float
        Mean cross-entropy, in nats.
    confusion : int64 array of shape (C, C)
        Rows are true classes, columns answers.
    mistakes : tuple of Mistake
        The surest wrong answer first.
    """

    bundle: str
    dataset: str
    fingerprint: str
    split: str
    classes: tuple[str, ...]
    accuracy: Rate
    top5: Rate
    majority: str
    baseline: Rate
    loss: float
    confusion: NDArray[np.int64]
    mistakes: tuple[Mistake, ...]

    @cached_property
    def scores(self) -> tuple[ClassScore, ...]:
        """Of every class, in label order."""
        return class_scores(self.confusion)

    @cached_property
    def pairs(self) -> tuple[Confusion, ...]:
        """The most frequent confusion first."""
        return confused_pairs(self.confusion)


@dataclass(frozen=True)
class _Answers:
    """What is kept of each picture's probabilities: arrays of shape (N,)."""

    predicted: NDArray[np.int64]
    probability: NDArray[np.float32]
    of_truth: NDArray[np.float32]
    rank: NDArray[np.int64]


def evaluate(
    classifier: Classifier,
    dataset: Dataset,
    split: str = "test",
    *,
    advance: Callable[[int], None] = lambda _count: None,
) -> Evaluation:
    """Answer every picture of a split and compare with its label.

    Parameters
    ----------
    classifier : Classifier
    dataset : Dataset
    split : {"test", "validation", "train"}
    advance : callable
        Told the number of pictures answered since the last call.

    Raises
    ------
    InkfoldError
        As `check_match`.
    """
    bundle, part = classifier.bundle, split_of(dataset, split)
    check_match(bundle, dataset, split)
    answers = _answer(classifier, part, advance)
    classes, labels = dataset.classes, part.labels
    known = dataset.train.labels if len(dataset.train) else labels
    commonest, baseline = majority(known, labels)
    return Evaluation(
        bundle=bundle.path.resolve().name,
        dataset=str(dataset.path),
        fingerprint=dataset.fingerprint,
        split=split,
        classes=classes,
        accuracy=Rate(int((answers.rank == 0).sum()), len(labels)),
        top5=Rate(int((answers.rank < TOP).sum()), len(labels)),
        majority=classes[commonest],
        baseline=baseline,
        loss=cross_entropy(answers.of_truth),
        confusion=confusion_matrix(labels, answers.predicted, len(classes)),
        mistakes=_mistakes(classes, part, answers),
    )


def _answer(classifier: Classifier, part: Split, advance: Callable[[int], None]) -> _Answers:
    """Block by block: memory holds one block's probabilities and four numbers a picture."""
    kept = []
    for block in part.blocks():
        probabilities = classifier.predict(block.images)
        predicted = probabilities.argmax(axis=1)
        at = np.arange(len(predicted))
        kept.append(
            _Answers(
                predicted,
                probabilities[at, predicted],
                probabilities[at, block.labels],
                ranks(probabilities, block.labels),
            )
        )
        advance(len(predicted))
    names = [field.name for field in fields(_Answers)]
    return _Answers(*(np.concatenate([getattr(one, name) for one in kept]) for name in names))


def _mistakes(classes: tuple[str, ...], part: Split, answers: _Answers) -> tuple[Mistake, ...]:
    wrong = np.flatnonzero(answers.predicted != part.labels)
    worst_first = wrong[np.argsort(-answers.probability[wrong], kind="stable")]
    source = part.source
    return tuple(
        Mistake(
            source[row],
            classes[part.labels[row]],
            classes[answers.predicted[row]],
            float(answers.probability[row]),
            float(answers.of_truth[row]),
        )
        for row in worst_first.tolist()
    )
