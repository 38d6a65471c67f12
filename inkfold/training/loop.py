"""The training loop: one for every network, written against Keras 3 alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from inkfold.bundle.history import Row
from inkfold.dataset.reader import Split
from inkfold.errors import InkfoldError
from inkfold.keras_backend import import_keras
from inkfold.metrics import SMALLEST
from inkfold.recipe import Recipe
from inkfold.training.batches import Batches, feed
from inkfold.training.checkpoint import Arrays, Checkpoint, Position
from inkfold.training.compile import compiled
from inkfold.workers import one_thread

if TYPE_CHECKING:
    import keras

Build = Callable[[int], "keras.Model"]


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


@dataclass(frozen=True)
class Score:
    """Counts over a split: pictures answered rightly, all pictures, summed loss in nats."""

    correct: int
    total: int
    loss_sum: float

    @property
    def loss(self) -> float:
        """Mean cross-entropy."""
        return self.loss_sum / self.total


def score(model: keras.Model, split: Split, batch: int) -> Score:
    """Count what `model` gets right on every row of `split`.

    The last batch is filled up with blank pictures that are not counted: one batch shape, one
    compilation.
    """
    correct, loss_sum = 0, 0.0
    for block in split.blocks():
        for start in range(0, len(block.labels), batch):
            labels = block.labels[start : start + batch]
            images = np.zeros((batch, *block.images.shape[1:], 1), np.uint8)
            images[: len(labels), :, :, 0] = block.images[start : start + batch]
            answers = np.asarray(model.predict_on_batch(images), np.float64)[: len(labels)]
            correct += int((answers.argmax(axis=1) == labels).sum())
            right = np.clip(answers[np.arange(len(labels)), labels], SMALLEST, 1.0)
            loss_sum -= float(np.log(right).sum())
    return Score(correct, len(split), loss_sum)


class Run:
    """One phase of training: a recipe over some batches.

    Parameters
    ----------
    build : callable
        ``build(classes)`` gives the untrained network.
    classes : int
    batches : Batches
    recipe : Recipe
        Its stages, label smoothing and weight decay; its batch is that of `batches`.
    validation : Split or None
        Decides when a stage ends and which weights are the best. With None every stage runs all of
        its epochs and the last weights are the best.
    seed : int
        Gives the initial weights and the dropout masks.
    state : State
        Where the run's state is kept after each epoch, and what came before this phase.
    watcher : Watcher
    """

    def __init__(
        self,
        build: Build,
        classes: int,
        batches: Batches,
        recipe: Recipe,
        validation: Split | None,
        *,
        seed: int,
        state: State,
        watcher: Watcher,
    ) -> None:
        self._batches, self._stages, self._validation = batches, recipe.stages, validation
        self._state, self._watcher = state, watcher
        self._keras = import_keras()
        self._keras.utils.set_random_seed(seed % 2**32)
        self.model = compiled(build(classes), recipe)
        watcher.built(_summary(self.model))
        self.progress = Position()
        self.history = list(state.history)
        self._best: Arrays = self.model.get_weights()

    def restore(self, kept: Checkpoint) -> None:
        """Go on where `kept` was kept."""
        for variable, value in zip(self._variables(), kept.variables, strict=True):
            variable.assign(value)
        self.progress, self.history, self._best = kept.progress, list(kept.history), kept.best

    def finish(self) -> Fitted:
        """Train until the last stage is over; the model then has its best weights.

        Raises
        ------
        InkfoldError
            If a loss is no number: the training diverged.
        """
        while self.progress.stage < len(self._stages):
            if self.progress.stage_epoch == 0:
                self._begin_stage()
            self._epoch()
        return Fitted(self.model, self.history, self.progress.path, self._state.calibration)

    def _begin_stage(self) -> None:
        """A fresh optimizer: its moments belong to weights that are gone."""
        for variable in self.model.optimizer.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))

    def _epoch(self) -> None:
        began = time.perf_counter()
        loss, accuracy = self._train_once()
        found = self._validate()
        if not np.isfinite([loss, 0.0 if found is None else found.loss]).all():
            self._diverged(loss)
        row = self._row(loss, accuracy) | ({} if found is None else _validation_row(found))
        last = self._stages[self.progress.stage].keeps_last
        self.progress = self.progress.after_epoch(None if found is None or last else found.loss)
        best = self.progress.best_epoch == self.progress.epoch
        seconds = round(time.perf_counter() - began, 2)
        self.history.append(row | {"best": int(best), "seconds": seconds})
        if best:
            self._best = self.model.get_weights()
        if self.progress.stage_is_over(self._stages):
            self.model.set_weights(self._best)  # for the next stage, or for good
            self.progress = self.progress.next_stage()
        self._keep()
        self._watcher.epoch_done(self.history)

    def _row(self, loss: float, accuracy: float) -> Row:
        return {
            "epoch": len(self.history) + 1,
            "phase": "refit" if self._state.found else "search",
            "stage": self.progress.stage + 1,
            "learning_rate": self._rate(self._batches.steps // 2),
            "loss": loss,
            "accuracy": accuracy,
            "pictures": self._batches.steps * self._batches.size,
        }

    def _rate(self, step: int) -> float:
        """The learning rate of a step of this epoch."""
        stage = self._stages[self.progress.stage]
        done = self.progress.stage_epoch + step / self._batches.steps
        return stage.rate_at(done / stage.epochs)

    def _train_once(self) -> tuple[float, float]:
        size, optimizer = self._batches.size, self.model.optimizer
        watching = self._keras.callbacks.LambdaCallback(
            on_train_batch_begin=lambda batch, logs: setattr(  # noqa: ARG005, Keras names them
                optimizer, "learning_rate", self._rate(batch)
            ),
            on_train_batch_end=lambda batch, logs: self._watcher.batch_done(size),  # noqa: ARG005, Keras names them
        )
        batches: Any = self._batches.epoch(self.progress.epoch)
        if self._keras.backend.backend() == "tensorflow":
            batches = feed(batches)
        with one_thread():  # of NumPy's: a second one waits in a loop for the next small product
            fitted = self.model.fit(
                batches,
                steps_per_epoch=self._batches.steps,
                verbose=0,
                shuffle=False,  # the batches come shuffled
                callbacks=[watching],
            )
        return fitted.history["loss"][0], fitted.history["accuracy"][0]

    def _validate(self) -> Score | None:
        if self._validation is None:
            return None
        return score(self.model, self._validation, self._batches.size)

    def _variables(self) -> list[keras.Variable]:
        """Weights, states of the random generators, and the optimizer's variables."""
        return [*self.model.variables, *self.model.optimizer.variables]

    def _keep(self) -> None:
        Checkpoint(
            config=self._state.config,
            found=self._state.found,
            calibration=self._state.calibration,
            progress=self.progress,
            history=self.history,
            variables=[np.asarray(variable.numpy()) for variable in self._variables()],
            best=self._best,
        ).save(self._state.checkpoint)

    def _diverged(self, loss: float) -> None:
        rate = self._stages[self.progress.stage].learning_rate
        raise InkfoldError(
            f"training diverged in epoch {self.progress.epoch + 1}: the loss is {loss}; "
            f"lower the learning rate ({rate}) in the recipe or take --precision float32"
        )


def _validation_row(found: Score) -> Row:
    return {
        "validation_loss": found.loss,
        "validation_correct": found.correct,
        "validation_total": found.total,
    }


def _summary(model: keras.Model) -> str:
    lines: list[str] = []
    model.summary(line_length=100, print_fn=lambda line, **_: lines.append(line))
    return "\n".join(lines)
