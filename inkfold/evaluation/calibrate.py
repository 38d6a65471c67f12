"""A bundle's temperature and its thresholds, chosen on the validation split."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inkfold.bundle.bundle import Bundle
from inkfold.calibration import (
    WANTED,
    RejectThreshold,
    Withheld,
    calibration_error,
    choose_threshold,
    fit_temperature,
    reliability,
    risk_curve,
    tempered,
)
from inkfold.classifier import Classifier
from inkfold.dataset.reader import Dataset
from inkfold.dataset.split import Split
from inkfold.evaluation.compatibility import same_splits
from inkfold.metrics import Rate, cross_entropy

if TYPE_CHECKING:
    import keras

MOST = 2**24  # probabilities held in memory: those of 50,000 pictures, if there are 335 classes
BATCH = 256  # pictures that Keras answers at a time
NOTHING = Rate(0, 0)
SEARCH = "search"  # marks the figures of the network before --refit, which is not the bundle's own


@dataclass(frozen=True)
class Quality:
    """How good probabilities are.

    Attributes
    ----------
    loss : float
        Mean cross-entropy, in nats.
    error : float or None
        Expected calibration error, from 0 to 1; None where there are no answers.
    """

    loss: float
    error: float | None


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What the validation split says about a network's probabilities.

    Attributes
    ----------
    temperature : float or None
        What ``classify.py`` applies; None where it gives the network's own probabilities.
    how : str
        Where the temperature comes from, or that there is none, for people.
    why : str
        What kept the validation split from being used; empty where it was used.
    right : Rate
        Right answers among the validation pictures; out of 0 where none was answered.
    before, after : Quality or None
        The quality of the probabilities without and with the temperature.
    thresholds : tuple of RejectThreshold
        For ``--reject``, chosen on these pictures.
    """

    temperature: float | None
    how: str
    why: str = ""
    right: Rate = NOTHING
    before: Quality | None = None
    after: Quality | None = None
    thresholds: tuple[RejectThreshold, ...] = ()

    @property
    def fitted(self) -> bool:
        """Whether the temperature was found now, on the bundle's own validation split."""
        return self.temperature is not None and self.before is not None


def calibrate(
    classifier: Classifier,
    dataset: Dataset,
    *,
    advance: Callable[[int], None] = lambda _count: None,
) -> Calibration:
    """Fit the temperature and choose thresholds on the validation split.

    This is done only where that split was kept from training; otherwise the bundle's stored
    temperature stands and no thresholds are chosen. Of a validation split with more than 2**24
    probabilities the first pictures are taken: rows stand in random order.

    Parameters
    ----------
    classifier : Classifier
    dataset : Dataset
    advance : callable
        Called with the number of pictures answered since the last call.
    """
    why = unusable(classifier.bundle, dataset)
    if why:
        return as_stored(classifier.bundle, why)
    most = max(1, MOST // len(dataset.classes))
    return calibration_of(*_answers(classifier.network_answers, dataset.validation, most, advance))


def unusable(bundle: Bundle, dataset: Dataset) -> str:
    """Why nothing can be chosen on the dataset's validation split; empty where it can."""
    if not same_splits(bundle, dataset):
        return f"the validation split of {dataset.path} is not the one kept from the training"
    if bundle.record.get("refit"):
        return "after --refit the network has been trained on the validation split"
    if not len(dataset.validation):
        return f"the validation split of {dataset.path} is empty"
    return ""


def as_stored(bundle: Bundle, why: str = "it was not looked at") -> Calibration:
    """The calibration that the bundle holds; `why` says what keeps validation from being used.

    The bundle of a ``--refit`` holds what was chosen with the network before it (`search_record`).
    """
    stored = bundle.record.get("calibration") or {}
    if stored.get("by") == SEARCH:
        right = Rate(stored["correct"], stored["total"])
        return Calibration(
            temperature=bundle.temperature,
            how=f"of the network before --refit, {_fitted(bundle.temperature, right)}",
            right=right,
            thresholds=tuple(_threshold(record, right.total) for record in stored["thresholds"]),
        )
    how = "none was fitted" if bundle.temperature is None else "the bundle's own"
    return Calibration(temperature=bundle.temperature, how=how, why=why)


def search_record(model: keras.Model, dataset: Dataset) -> dict[str, Any]:
    """What a bundle keeps of the network that ``--refit`` is about to train anew.

    The network of the search has not seen the validation split, the refitted one has. Both are
    trained in the same way and for as many epochs, so what is chosen with the first is the best
    there is for the second.

    Parameters
    ----------
    model : keras.Model
        In float32, with the weights that the search ends with.
    dataset : Dataset
    """
    most = max(1, MOST // len(dataset.classes))

    def answer(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(model.predict(images[..., None], batch_size=BATCH, verbose=0))

    calibration = calibration_of(*_answers(answer, dataset.validation, most, lambda _count: None))
    thresholds = [
        {"wanted": threshold.wanted, "reject": threshold.reject, **_counts(threshold.chosen)}
        for threshold in calibration.thresholds
    ]
    record = record_of(calibration, dataset.fingerprint)
    return record | {"by": SEARCH, "thresholds": thresholds}


def calibration_of(probabilities: NDArray[np.float32], labels: NDArray[np.int32]) -> Calibration:
    """The temperature and the thresholds for a network's answers to validation pictures.

    Parameters
    ----------
    probabilities : float32 array of shape (n, C)
        The network's own, of pictures that it was not trained on.
    labels : int32 array of shape (n,)
    """
    temperature = fit_temperature(probabilities, labels)
    before = _quality(probabilities, labels)
    after = probabilities if temperature is None else tempered(probabilities, temperature)
    right = probabilities.argmax(axis=1) == labels
    counts = Rate(int(right.sum()), len(labels))
    curve = risk_curve(after.max(axis=1), right)
    return Calibration(
        temperature=temperature,
        how=_fitted(temperature, counts),
        right=counts,
        before=before,
        after=before if temperature is None else _quality(after, labels),
        thresholds=tuple(choose_threshold(curve, wanted) for wanted in WANTED),
    )


def record_of(calibration: Calibration, fingerprint: str) -> dict[str, Any]:
    """What a bundle keeps of a fitted calibration (docs/formats.md)."""
    before, after = calibration.before, calibration.after
    return {
        "temperature": calibration.temperature,
        "correct": calibration.right.correct,
        "total": calibration.right.total,
        "loss": [before.loss, after.loss] if before and after else None,
        "error": [before.error, after.error] if before and after else None,
        "dataset_fingerprint": fingerprint,
    }


def _fitted(temperature: float | None, right: Rate) -> str:
    pictures = f"{right.total:,} validation pictures, {right.total - right.correct:,} of them wrong"
    return f"none fits {pictures}" if temperature is None else f"fitted on {pictures}"


def _counts(withheld: Withheld) -> dict[str, int]:
    return {"answered": withheld.answered, "wrong": withheld.wrong}


def _threshold(record: dict[str, Any], total: int) -> RejectThreshold:
    """A threshold read back from a bundle's record."""
    withheld = Withheld(record["wrong"], record["answered"], total)
    return RejectThreshold(record["wanted"], record["reject"], withheld)


def _answers(
    answer: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
    split: Split,
    most: int,
    advance: Callable[[int], None],
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """A network's own probabilities (n, C) of the first `most` pictures, and their labels (n,)."""
    probabilities, labels, count = [], [], 0
    for block in split.blocks():
        probabilities.append(answer(block.images)[: most - count])
        labels.append(block.labels[: most - count])
        count += len(labels[-1])
        advance(len(block.labels))
        if count == most:
            break
    return np.concatenate(probabilities), np.concatenate(labels)


def _quality(probabilities: NDArray[np.float32], labels: NDArray[np.int32]) -> Quality:
    right = probabilities.argmax(axis=1) == labels
    of_truth = probabilities[np.arange(len(labels)), labels]
    bins = reliability(probabilities.max(axis=1), right)
    return Quality(cross_entropy(of_truth), calibration_error(bins))
