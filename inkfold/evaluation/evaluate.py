"""How good a bundle is on one split of a dataset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from inkfold.answered import Answers, answer
from inkfold.calibration import Bin, Kept, RiskCurve, keep, reliability, risk_curve
from inkfold.classifier import Classifier
from inkfold.dataset.reader import Dataset, Split, split_of
from inkfold.evaluation.calibrate import Calibration, as_stored
from inkfold.evaluation.compatibility import check_match
from inkfold.metrics import (
    ClassScore,
    Confusion,
    GroupScore,
    Rate,
    class_scores,
    confused_pairs,
    confusion_matrix,
    cross_entropy,
    group_scores,
    majority,
)

TOP = 5


@dataclass(frozen=True)
class Mistake:
    """One picture that got a wrong answer; `probability` is what the wrong answer was given.

    Probabilities are those that ``classify.py`` gives, with the temperature if there is one.
    """

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
    answers : Answers
        Of every picture, in the split's order.
    calibration : Calibration
        The temperature that the answers are given with, and the thresholds chosen for them.
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
    answers: Answers
    calibration: Calibration

    @cached_property
    def scores(self) -> tuple[ClassScore, ...]:
        """Of every class, in label order."""
        return class_scores(self.confusion)

    @cached_property
    def pairs(self) -> tuple[Confusion, ...]:
        """The most frequent confusion first."""
        return confused_pairs(self.confusion)

    @cached_property
    def bins(self) -> tuple[Bin, ...]:
        """Reliability of the network's own probabilities."""
        return reliability(self.answers.own, self.answers.right)

    @cached_property
    def bins_after(self) -> tuple[Bin, ...]:
        """Reliability with the temperature; the same as `bins` where there is none."""
        return reliability(self.answers.probability, self.answers.right)

    @property
    def loss_after(self) -> float:
        """Mean cross-entropy with the temperature, in nats."""
        return cross_entropy(self.answers.of_truth)

    @cached_property
    def curve(self) -> RiskCurve:
        """Risk against coverage, with the probabilities that ``classify.py`` gives."""
        return risk_curve(self.answers.probability, self.answers.right)

    def kept(self, reject: float) -> Kept:
        """What ``classify.py --reject`` would keep of this split."""
        return keep(self.answers.probability, self.answers.right, reject)

    @cached_property
    def groups(self) -> tuple[GroupScore, ...]:
        """Of every group of the split, the weakest first; empty where groups are not known."""
        return group_scores(
            self.answers.group or [""] * len(self.answers.labels), self.answers.right
        )


def evaluate(
    classifier: Classifier,
    dataset: Dataset,
    split: str = "test",
    *,
    calibration: Calibration | None = None,
    advance: Callable[[int], None] = lambda _count: None,
) -> Evaluation:
    """Answer every picture of a split and compare with its label.

    Parameters
    ----------
    classifier : Classifier
    dataset : Dataset
    split : {"test", "validation", "train"}
    calibration : Calibration, optional
        From `calibrate`; else the temperature that the bundle holds.
    advance : callable
        Told the number of pictures answered since the last call.

    Raises
    ------
    InkfoldError
        As `check_match`.
    """
    bundle, part = classifier.bundle, split_of(dataset, split)
    check_match(bundle, dataset, split)
    calibration = calibration or as_stored(bundle)
    answers = answer(classifier, part, calibration.temperature, advance)
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
        loss=cross_entropy(answers.own_of_truth),
        confusion=confusion_matrix(labels, answers.predicted, len(classes)),
        mistakes=_mistakes(classes, part, answers),
        answers=answers,
        calibration=calibration,
    )


def _mistakes(classes: tuple[str, ...], part: Split, answers: Answers) -> tuple[Mistake, ...]:
    source = part.source
    return tuple(
        Mistake(
            source[row],
            classes[answers.labels[row]],
            classes[answers.predicted[row]],
            float(answers.probability[row]),
            float(answers.of_truth[row]),
        )
        for row in answers.worst.tolist()
    )
