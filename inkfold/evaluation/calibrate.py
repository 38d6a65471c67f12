"""Choosing a bundle's temperature and thresholds on the validation split."""

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
from inkfold.dataset.reader import Dataset, Split
from inkfold.evaluation.compatibility import same_splits
from inkfold.metrics import Rate, cross_entropy

if TYPE_CHECKING:
    import keras

MOST = 2**24  # probabilities held in memory at a time: 50,000 pictures of 335 classes
BATCH = 256  # pictures that Keras is asked at a time
NOTHING = Rate(0, 0)
SEARCH = "search"  # the network of the search, not the bundle's own


@dataclass(frozen=True)
class Quality:
    """Validation pictures with one temperature: their loss in nats, and calibration error."""

    loss: float
    error: float | None


@dataclass(frozen=True)
class Calibration:
    """What the validation split says about a network's probabilities.

    Attributes
    ----------
    temperature : float or None
        What ``classify.py`` applies; None where it gives the network's own probabilities.
    how : str
        Where the temperature comes from, or that there is none, for people.
    why : str
        What kept the validation split from being used; empty where it was.
    right : Rate
        Of the validation pictures that were looked at; out of 0 where none could be.
    before, after : Quality or None
        What the temperature did to them.
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


def as_stored(bundle: Bundle, why: str = "it was not looked at") -> Calibration:
    """What the bundle holds; `why` says what keeps validation from being used.

    A network of ``--refit`` has what its search found (`searched`), and is looked at with that.
    """
    kept = bundle.record.get("calibration") or {}
    if kept.get("by") == SEARCH:
        right = Rate(kept["correct"], kept["total"])
        how = f"of the network before --refit, {_fitted(bundle.temperature, right)}"
        thresholds = tuple(_threshold(one, right.total) for one in kept["thresholds"])
        return Calibration(bundle.temperature, how, right=right, thresholds=thresholds)
    how = "none was fitted" if bundle.temperature is None else "the bundle's own"
    return Calibration(bundle.temperature, how, why)


def calibrate(
    classifier: Classifier,
    dataset: Dataset,
    *,
    advance: Callable[[int], None] = lambda _count: None,
) -> Calibration:
    """Fit the temperature and choose thresholds on the validation split.

    Only where that split was kept from training; else the bundle's stored temperature stands and
    no thresholds are chosen. Of a validation split with more than 2**24 probabilities the first
    pictures are taken: rows stand in random order.

    Parameters
    ----------
    classifier : Classifier
    dataset : Dataset
    advance : callable
        Told the number of pictures answered since the last call.
    """
    why = unusable(classifier.bundle, dataset)
    if why:
        return as_stored(classifier.bundle, why)
    most = max(1, MOST // len(dataset.classes))
    return chosen(*_gather(classifier.network_answers, dataset.validation, most, advance))


def searched(model: keras.Model, dataset: Dataset) -> dict[str, Any]:
    """What a bundle keeps of the network that ``--refit`` is about to train anew.

    The search's network has not seen the validation split, the refitted one has; both learned in
    the same way for as long, so that what was chosen with the first is the best there is for the
    second.

    Parameters
    ----------
    model : keras.Model
        In float32, with the weights that the search ends with.
    dataset : Dataset
    """
    most = max(1, MOST // len(dataset.classes))

    def answers(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(model.predict(images[..., None], batch_size=BATCH, verbose=0))

    found = chosen(*_gather(answers, dataset.validation, most, lambda _count: None))
    thresholds = [
        {"wanted": one.wanted, "reject": one.reject, **_counts(one.chosen)}
        for one in found.thresholds
    ]
    return record_of(found, dataset.fingerprint) | {"by": SEARCH, "thresholds": thresholds}


def chosen(probabilities: NDArray[np.float32], labels: NDArray[np.int32]) -> Calibration:
    """The temperature and the thresholds for a network's answers to validation pictures.

    Parameters
    ----------
    probabilities : float32 array of shape (n, C)
        Its own, of pictures that it was not trained on.
    labels : int32 array of shape (n,)
    """
    temperature = fit_temperature(probabilities, labels)
    own = _fit(probabilities, labels)
    after = probabilities if temperature is None else tempered(probabilities, temperature)
    right = probabilities.argmax(axis=1) == labels
    counts = Rate(int(right.sum()), len(labels))
    curve = risk_curve(after.max(axis=1), right)
    return Calibration(
        temperature,
        _fitted(temperature, counts),
        right=counts,
        before=own,
        after=own if temperature is None else _fit(after, labels),
        thresholds=tuple(choose_threshold(curve, wanted) for wanted in WANTED),
    )


def unusable(bundle: Bundle, dataset: Dataset) -> str:
    """Why nothing can be chosen on the dataset's validation split; empty if it can."""
    if not same_splits(bundle, dataset):
        return f"the validation split of {dataset.path} is not the one kept from the training"
    if bundle.record.get("refit"):
        return "after --refit the network has been trained on the validation split"
    if not len(dataset.validation):
        return f"the validation split of {dataset.path} is empty"
    return ""


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
    some = f"{right.total:,} validation pictures, {right.total - right.correct:,} of them wrong"
    return f"none fits {some}" if temperature is None else f"fitted on {some}"


def _counts(kept: Withheld) -> dict[str, int]:
    return {"answered": kept.answered, "wrong": kept.wrong}


def _threshold(stored: dict[str, Any], total: int) -> RejectThreshold:
    kept = Withheld(stored["wrong"], stored["answered"], total)
    return RejectThreshold(stored["wanted"], stored["reject"], kept)


def _gather(
    answers: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
    split: Split,
    most: int,
    advance: Callable[[int], None],
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """A network's own probabilities (n, C) of the first `most` pictures, and their labels (n,)."""
    kept, labels, count = [], [], 0
    for block in split.blocks():
        kept.append(answers(block.images)[: most - count])
        labels.append(block.labels[: most - count])
        count += len(labels[-1])
        advance(len(block.labels))
        if count == most:
            break
    return np.concatenate(kept), np.concatenate(labels)


def _fit(probabilities: NDArray[np.float32], labels: NDArray[np.int32]) -> Quality:
    right = probabilities.argmax(axis=1) == labels
    of_truth = probabilities[np.arange(len(labels)), labels]
    bins = reliability(probabilities.max(axis=1), right)
    return Quality(cross_entropy(of_truth), calibration_error(bins))
