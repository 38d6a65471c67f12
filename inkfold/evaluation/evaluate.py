"""A split answered by a bundle and compared with its labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload

import numpy as np
from numpy.typing import NDArray

from inkfold.bundle.bundle import Bundle
from inkfold.calibration import Bin, RiskCurve, Withheld, keep, reliability, risk_curve, tempered
from inkfold.classifier import Classifier
from inkfold.dataset.originals import groups_of, texts_at
from inkfold.dataset.reader import Dataset
from inkfold.dataset.split import Block, Split
from inkfold.evaluation.calibrate import Calibration, as_stored
from inkfold.evaluation.compatibility import check_match, same_splits
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

# The arrays of `Predictions`, 28 bytes a picture; labels and ranks are below the number of classes.
KINDS = {
    **dict.fromkeys(("labels", "predicted", "rank"), np.int32),
    **dict.fromkeys(("own", "own_of_truth", "probability", "of_truth"), np.float32),
}
TOP = 5  # a picture counts for "top 5" if its class is among so many likeliest


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """What a network answered to the N pictures of a split, in the split's order.

    Attributes
    ----------
    labels : int32 array of shape (N,)
        True classes.
    predicted : int array of shape (N,)
        Answered classes.
    rank : int array of shape (N,)
        Place of the true class among the answers, 0 for the likeliest.
    own, own_of_truth : float32 arrays of shape (N,)
        Probabilities that the network itself gave its answer and the true class.
    probability, of_truth : float32 arrays of shape (N,)
        The same two with the temperature: what ``classify.py`` gives.
    group : sequence of str, optional
        Writer, page or sheet of each picture; None where the dataset has no groups.
    refused : bool array of shape (N,), optional
        Whether ``classify.py`` withholds the label by default, for the picture does not look like
        one character; None where the bundle cannot tell.
    """

    labels: NDArray[np.int32]
    predicted: NDArray[np.integer]
    rank: NDArray[np.integer]
    own: NDArray[np.float32]
    own_of_truth: NDArray[np.float32]
    probability: NDArray[np.float32]
    of_truth: NDArray[np.float32]
    group: Sequence[str] | None = None
    refused: NDArray[np.bool_] | None = None

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """Whether each answer is right."""
        return np.asarray(self.predicted == self.labels)

    @cached_property
    def worst(self) -> NDArray[np.int64]:
        """Rows of the wrong answers, the surest first."""
        wrong = np.flatnonzero(~self.right)
        return wrong[np.argsort(-self.probability[wrong], kind="stable")]


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """One picture that got a wrong answer.

    Attributes
    ----------
    source : str
        Where the picture came from, as in the dataset.
    true, predicted : str
        Its class, and the class that was answered.
    probability, of_truth : float
        What ``classify.py`` gives the answer and the true class: with the temperature, if there
        is one.
    """

    source: str
    true: str
    predicted: str
    probability: float
    of_truth: float


class Mistakes(Sequence[Mistake]):
    """The mistakes among the answers to a split, the surest first; each is made when it is read.

    Parameters
    ----------
    classes : tuple of str
    part : Split
        What was answered.
    predictions : Predictions
    """

    def __init__(self, classes: tuple[str, ...], part: Split, predictions: Predictions) -> None:
        self._classes, self._predictions = classes, predictions
        sources = texts_at(part, "source", predictions.worst)
        # an array takes a third of the memory of texts
        self._sources = np.array([source.encode() for source in sources], np.bytes_)

    def __len__(self) -> int:
        return len(self._predictions.worst)

    def __iter__(self) -> Iterator[Mistake]:
        return map(self._made, range(len(self)))

    @overload
    def __getitem__(self, at: int) -> Mistake: ...
    @overload
    def __getitem__(self, at: slice) -> list[Mistake]: ...
    def __getitem__(self, at: int | slice) -> Mistake | list[Mistake]:
        """The mistake number `at`, or a list of some."""
        if isinstance(at, slice):
            return [self._made(number) for number in range(*at.indices(len(self)))]
        return self._made(range(len(self))[at])

    def _made(self, number: int) -> Mistake:
        row = self._predictions.worst[number]
        return Mistake(
            source=bytes(self._sources[number]).decode(),
            true=self._classes[self._predictions.labels[row]],
            predicted=self._classes[self._predictions.predicted[row]],
            probability=float(self._predictions.probability[row]),
            of_truth=float(self._predictions.of_truth[row]),
        )


class Named(Sequence[str]):
    """A few names, each of which stands for many rows: a number a row, and each name once.

    Parameters
    ----------
    names : iterable of str
        Of each row.
    count : int
        How many rows there are.
    """

    def __init__(self, names: Iterator[str], count: int) -> None:
        numbers: dict[str, int] = {}
        coded = (numbers.setdefault(name, len(numbers)) for name in names)
        self._numbers = np.fromiter(coded, np.int32, count)
        self._names = tuple(numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[str]:
        return (self._names[number] for number in self._numbers)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        """The name of the row number `at`, or a list of some."""
        if isinstance(at, slice):
            return [self._names[number] for number in self._numbers[at]]
        return self._names[int(self._numbers[at])]


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """A bundle's result on one split of a dataset.

    Attributes
    ----------
    bundle : str
        Name of the bundle's folder.
    dataset, fingerprint : str
        Path of the dataset file, and its fingerprint.
    split : {"train", "validation", "test"}
    classes : tuple of str
        In label order.
    accuracy, top5 : Rate
        Pictures whose class was the likeliest, or among the five likeliest.
    majority : str
        The commonest class of the train split; of the measured split where train is empty.
    baseline : Rate
        What always answering `majority` would give.
    loss : float
        Mean cross-entropy of the network's own probabilities, in nats.
    confusion : int64 array of shape (C, C)
        Rows are true classes, columns answers.
    mistakes : sequence of Mistake
        The surest wrong answer first.
    predictions : Predictions
        The answer to every picture, in the split's order.
    calibration : Calibration
        The temperature that the answers are given with, and the thresholds chosen for them.
    training_counts : int64 array of shape (C,), optional
        Training pictures of each class, distorted copies left out; None where the bundle was
        trained on another dataset.
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
    mistakes: Sequence[Mistake]
    predictions: Predictions
    calibration: Calibration
    training_counts: NDArray[np.int64] | None = None

    @cached_property
    def scores(self) -> tuple[ClassScore, ...]:
        """Precision and recall of every class, in label order."""
        return class_scores(self.confusion)

    @cached_property
    def pairs(self) -> tuple[Confusion, ...]:
        """Every confusion that occurred, the most frequent first."""
        return confused_pairs(self.confusion)

    @cached_property
    def bins(self) -> tuple[Bin, ...]:
        """Reliability of the network's own probabilities."""
        return reliability(self.predictions.own, self.predictions.right)

    @cached_property
    def bins_after(self) -> tuple[Bin, ...]:
        """Reliability with the temperature; equal to `bins` where there is none."""
        return reliability(self.predictions.probability, self.predictions.right)

    @property
    def loss_after(self) -> float:
        """Mean cross-entropy with the temperature, in nats."""
        return cross_entropy(self.predictions.of_truth)

    @cached_property
    def curve(self) -> RiskCurve:
        """Risk against coverage, with the probabilities that ``classify.py`` gives."""
        return risk_curve(self.predictions.probability, self.predictions.right)

    def withheld(self, reject: float) -> Withheld:
        """What ``classify.py --reject`` would keep of this split."""
        return keep(self.predictions.probability, self.predictions.right, reject)

    @property
    def refused(self) -> Rate | None:
        """Pictures whose label is withheld by default; None where the bundle cannot tell."""
        refused = self.predictions.refused
        return None if refused is None else Rate(int(refused.sum()), len(refused))

    @cached_property
    def groups(self) -> tuple[GroupScore, ...]:
        """The score of every group of the split, the weakest first; empty where none is known."""
        if self.predictions.group is None:
            return ()
        return group_scores(self.predictions.group, self.predictions.right)


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
        From `calibrate`; without it the bundle's stored temperature is applied.
    advance : callable
        Called with the number of pictures answered since the last call.

    Raises
    ------
    InkfoldError
        If the bundle cannot be measured on the split, as `check_match` says.
    """
    bundle, part = classifier.bundle, dataset.split(split)
    check_match(bundle, dataset, split)
    calibration = calibration or as_stored(bundle)
    predictions = predict_split(classifier, part, calibration.temperature, advance)
    classes, labels = dataset.classes, part.labels
    known = dataset.train if len(dataset.train) else part
    commonest, baseline = majority(known.counts(len(classes)), labels)
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
        mistakes=Mistakes(classes, part, predictions),
        predictions=predictions,
        calibration=calibration,
        training_counts=_training_counts(bundle, dataset),
    )


def _training_counts(bundle: Bundle, dataset: Dataset) -> NDArray[np.int64] | None:
    """The originals of each class that the bundle was trained on; None where they are unknown."""
    train = dataset.train
    if not same_splits(bundle, dataset) or not len(train):
        return None
    return train.counts(len(dataset.classes), originals=True)


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
        Without it `probability` and `of_truth` are the network's own.
    advance : callable
        Called with the number of pictures answered since the last call.
    """
    count = len(part)
    columns = {name: np.empty(count, kind) for name, kind in KINDS.items()}
    refused = np.zeros(count, bool)
    for block in part.blocks():
        own, flags = classifier.answers_and_flags(block.images)
        reduced = _reduced(own, block, temperature)
        rows = slice(int(block.rows[0]), int(block.rows[0]) + len(block.rows))
        for name, column in columns.items():
            column[rows] = getattr(reduced, name)
        refused[rows] = [flag is not None for flag in flags]
        advance(len(block.labels))
    return Predictions(
        **columns,
        group=Named(groups_of(part), count) if part.has_groups else None,
        refused=refused if classifier.knows_characters else None,
    )


def _reduced(own: NDArray[np.float32], block: Block, temperature: float | None) -> Predictions:
    """What is kept of a block's probabilities, float32 (n, C)."""
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


def weakest(result: Evaluation, count: int) -> list[tuple[str, Rate]]:
    """Up to `count` classes with a recall below 1, the lowest first.

    Of classes with equal recall the one with more pictures comes first.
    """
    recalls = zip(result.classes, (score.recall for score in result.scores), strict=True)
    missed = [(name, recall) for name, recall in recalls if recall.correct < recall.total]
    return sorted(missed, key=lambda item: (item[1].share, -item[1].total))[:count]
