"""How good a bundle is on one split of a dataset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from inkfold.calibration import Bin, RiskCurve, Withheld, keep, reliability, risk_curve, tempered
from inkfold.classifier import Classifier
from inkfold.dataset.reader import Block, Dataset, Split
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
    ranks,
)

TOP = 5


@dataclass(frozen=True)
class Predictions:
    """Arrays of shape (N,), in the split's order.

    Attributes
    ----------
    labels, predicted : int arrays
        True and answered class.
    rank : int64 array
        Place of the true class among the answers, 0 for the likeliest.
    own, own_of_truth : float32 arrays
        What the network itself gave its answer and the true class.
    probability, of_truth : float32 arrays
        The same with the temperature: what ``classify.py`` gives.
    group : list of str, optional
        Writer, page or sheet of each picture.
    """

    labels: NDArray[np.int32]
    predicted: NDArray[np.int64]
    rank: NDArray[np.int64]
    own: NDArray[np.float32]
    own_of_truth: NDArray[np.float32]
    probability: NDArray[np.float32]
    of_truth: NDArray[np.float32]
    group: list[str] | None = None

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """Whether each answer is right."""
        return np.asarray(self.predicted == self.labels)

    @cached_property
    def worst(self) -> NDArray[np.int64]:
        """Rows of the wrong answers, the surest first."""
        wrong = np.flatnonzero(~self.right)
        return wrong[np.argsort(-self.probability[wrong], kind="stable")]


def predict_split(
    classifier: Classifier,
    part: Split,
    temperature: float | None,
    advance: Callable[[int], None],
) -> Predictions:
    """Answer a split block by block: memory holds the probabilities of one block.

    Parameters
    ----------
    classifier : Classifier
    part : Split
        Not empty.
    temperature : float, optional
    advance : callable
        Told the number of pictures answered since the last call.
    """
    kept = []
    for block in part.blocks():
        kept.append(_reduced(classifier.network_answers(block.images), block, temperature))
        advance(len(block.labels))
    names = [field.name for field in fields(Predictions) if field.name != "group"]
    columns = {name: np.concatenate([getattr(one, name) for one in kept]) for name in names}
    return Predictions(**columns, group=part.group)


def _reduced(own: NDArray[np.float32], block: Block, temperature: float | None) -> Predictions:
    predicted, labels = own.argmax(axis=1), block.labels
    given = own if temperature is None else tempered(own, temperature)
    at = np.arange(len(labels))
    return Predictions(
        labels=labels,
        predicted=predicted,
        rank=ranks(own, labels),
        own=own[at, predicted],
        own_of_truth=own[at, labels],
        probability=given[at, predicted],
        of_truth=given[at, labels],
    )


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
    predictions : Predictions
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
    predictions: Predictions
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
        return reliability(self.predictions.own, self.predictions.right)

    @cached_property
    def bins_after(self) -> tuple[Bin, ...]:
        """Reliability with the temperature; the same as `bins` where there is none."""
        return reliability(self.predictions.probability, self.predictions.right)

    @property
    def loss_after(self) -> float:
        """Mean cross-entropy with the temperature, in nats."""
        return cross_entropy(self.predictions.of_truth)

    @cached_property
    def curve(self) -> RiskCurve:
        """Risk against coverage, with the probabilities that ``classify.py`` gives."""
        return risk_curve(self.predictions.probability, self.predictions.right)

    def kept(self, reject: float) -> Withheld:
        """What ``classify.py --reject`` would keep of this split."""
        return keep(self.predictions.probability, self.predictions.right, reject)

    @cached_property
    def groups(self) -> tuple[GroupScore, ...]:
        """Of every group of the split, the weakest first; empty where groups are not known."""
        return group_scores(
            self.predictions.group or [""] * len(self.predictions.labels), self.predictions.right
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
    bundle, part = classifier.bundle, dataset.split(split)
    check_match(bundle, dataset, split)
    calibration = calibration or as_stored(bundle)
    predictions = predict_split(classifier, part, calibration.temperature, advance)
    classes, labels = dataset.classes, part.labels
    known = dataset.train.labels if len(dataset.train) else labels
    commonest, baseline = majority(known, labels)
    return Evaluation(
        bundle=bundle.path.resolve().name,
        dataset=str(dataset.path),
        fingerprint=dataset.fingerprint,
        split=split,
        classes=classes,
        accuracy=Rate(int((predictions.rank == 0).sum()), len(labels)),
        top5=Rate(int((predictions.rank < TOP).sum()), len(labels)),
        majority=classes[commonest],
        baseline=baseline,
        loss=cross_entropy(predictions.own_of_truth),
        confusion=confusion_matrix(labels, predictions.predicted, len(classes)),
        mistakes=_mistakes(classes, part, predictions),
        predictions=predictions,
        calibration=calibration,
    )


def _mistakes(
    classes: tuple[str, ...], part: Split, predictions: Predictions
) -> tuple[Mistake, ...]:
    source = part.source
    return tuple(
        Mistake(
            source[row],
            classes[predictions.labels[row]],
            classes[predictions.predicted[row]],
            float(predictions.probability[row]),
            float(predictions.of_truth[row]),
        )
        for row in predictions.worst.tolist()
    )


def weakest(result: Evaluation, count: int) -> list[tuple[str, Rate]]:
    """The classes with the lowest recall below 1; of equal ones that with more pictures first."""
    recalls = zip(result.classes, (score.recall for score in result.scores), strict=True)
    missed = [(name, recall) for name, recall in recalls if recall.correct < recall.total]
    return sorted(missed, key=lambda item: (item[1].share, -item[1].total))[:count]
