"""The small frozen things that a training run takes, keeps and gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from inkfold.bundle.history import Row
from inkfold.keras_backend import Precision

if TYPE_CHECKING:
    import keras

Build = Callable[[int], "keras.Model"]
Augment = Literal["online", "none"]


@dataclass(frozen=True)
class Options:
    """What a user chooses beside the recipe.

    `augment` "online" distorts every picture anew in every epoch with the recipe's distortion;
    `refit` trains once more on train + validation for the epochs found.
    """

    seed: int = 0
    augment: Augment = "none"
    precision: Precision = "auto"
    refit: bool = False


@dataclass(frozen=True)
class Trained:
    """A finished training: where its bundle lies, one row of history an epoch, its record."""

    path: Path
    history: list[Row]
    record: dict[str, Any]


@dataclass(frozen=True)
class State:
    """What a phase keeps beside its own numbers.

    Attributes
    ----------
    checkpoint : Path
    config : dict
        What the run is; a checkpoint is gone on with only by the same run.
    found : tuple of int
        Epochs of each stage that a refit repeats; empty while validation decides.
    history : sequence of dict
        Rows of the phase before.
    calibration : dict or None
        What its network said of validation.
    """

    checkpoint: Path
    config: dict[str, Any]
    found: tuple[int, ...] = ()
    history: Sequence[Row] = ()
    calibration: dict[str, Any] | None = None


@dataclass(frozen=True)
class Watcher:
    """Whom a run tells: the Keras summary, pictures per batch, the history after each epoch."""

    built: Callable[[str], None]
    batch_done: Callable[[int], None]
    epoch_done: Callable[[list[Row]], None]


@dataclass(frozen=True)
class Fitted:
    """A finished phase: the model with its best weights, and one row of history an epoch.

    `path` holds the epochs of each stage that led to the best weights, `calibration` what the
    network of the phase before said of validation.
    """

    model: keras.Model
    history: list[Row]
    path: tuple[int, ...]
    calibration: dict[str, Any] | None = None
