"""The training loop: one phase of a training, epoch by epoch.

There is one loop for every network, written against Keras 3 alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from inkfold.bundle.history import Row
from inkfold.dataset.split import Split
from inkfold.errors import InkfoldError
from inkfold.keras_backend import import_keras
from inkfold.recipe import Stage
from inkfold.training.batches import Batch, Batches
from inkfold.training.checkpoint import Arrays, Checkpoint, Position, check_fits
from inkfold.training.compile import variables
from inkfold.training.plan import Plan
from inkfold.training.scoring import Score, score
from inkfold.workers import one_thread

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, kw_only=True)
class State:
    """What a phase saves in its checkpoints beside its own numbers.

    Attributes
    ----------
    checkpoint : Path
    config : dict
    plan : Plan
        As in `Checkpoint`.
    seconds : float or None
        The time for the epochs of this phase: when another epoch would not fit, the phase ends.
    refit_epochs : tuple of int
        Epochs of each stage that a refit repeats; empty during the search.
    history : sequence of dict
        Rows of the search, where this phase is a refit.
    calibration : dict or None
        During a refit, what the search's network said of validation.
    """

    checkpoint: Path
    config: dict[str, Any]
    plan: Plan = field(default_factory=Plan)
    seconds: float | None = None
    refit_epochs: tuple[int, ...] = ()
    history: Sequence[Row] = ()
    calibration: dict[str, Any] | None = None


@dataclass(frozen=True)
class Watcher:
    """What a run calls to report.

    Attributes
    ----------
    built : callable
        Takes the Keras summary of the network, once a phase.
    planned : callable
        Takes the plan and the pictures that will pass through the network at most in this run,
        once, before its first epoch.
    batch_done : callable
        Takes the number of pictures of a batch after each batch.
    epoch_done : callable
        Takes the history after each epoch.
    """

    built: Callable[[str], None]
    planned: Callable[[Plan, int], None]
    batch_done: Callable[[int], None]
    epoch_done: Callable[[list[Row]], None]


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A finished phase.

    Attributes
    ----------
    model : keras.Model
        With its best weights.
    history : list of dict
        One row for each epoch.
    epochs : tuple of int
        Epochs of each stage that led to the best weights.
    plan : Plan
        What the run decided by its first steps.
    calibration : dict or None
        After a refit, what the search's network said of validation.
    """

    model: keras.Model
    history: list[Row]
    epochs: tuple[int, ...]
    plan: Plan
    calibration: dict[str, Any] | None = None


class Run:
    """One phase of training: a recipe over some batches.

    Parameters
    ----------
    model : keras.Model
        The untrained network, compiled.
    batches : Batches
    stages : sequence of Stage
    validation : Split or None
        Decides when a stage ends and which weights are the best. With None every stage runs all of
        its epochs and the last weights are the best.
    state : State
        Where the run's state is saved after each epoch, and what came before this phase.
    watcher : Watcher
    answers : keras.Model or None
        Where devices share the batches: a network of the same layers on one device of this machine.
        It takes over the weights and answers the pictures of validation.
    """

    def __init__(
        self,
        model: keras.Model,
        batches: Batches,
        stages: Sequence[Stage],
        validation: Split | None,
        *,
        state: State,
        watcher: Watcher,
        answers: keras.Model | None = None,
    ) -> None:
        self.model = model
        self._batches, self._stages, self._validation = batches, stages, validation
        self._state, self._watcher = state, watcher
        self._answers, self._machines = answers, batches.machines
        self._keras = import_keras()
        watcher.built(_summary(self.model))
        self.position = Position()
        self.history = list(state.history)
        self._best: Arrays = self.model.get_weights()

    def restore(self, saved: Checkpoint) -> None:
        """Put the phase where it stood when `saved` was saved.

        Raises
        ------
        InkfoldError
            If the checkpoint's arrays or its stage are not those of this network and recipe.
        """
        path = self._state.checkpoint
        check_fits(path, saved.variables, variables(self.model))
        check_fits(path, saved.best, self._best)
        if saved.position.stage > len(self._stages):
            raise InkfoldError(
                f"{path}: stage {saved.position.stage}, the recipe has {len(self._stages)}; "
                "remove it and train again"
            )
        for variable, value in zip(variables(self.model), saved.variables, strict=True):
            variable.assign(value)
        self.position, self.history = saved.position, list(saved.history)
        self._best = saved.best

    def finish(self) -> Fitted:
        """Train until the last stage is over; the model then has its best weights.

        Raises
        ------
        InkfoldError
            If a loss is not a finite number: the training diverged.
        """
        while self.position.stage < len(self._stages):
            if self.position.stage_epoch == 0:
                self._begin_stage()
            self._epoch()
        return Fitted(
            model=self.model,
            history=self.history,
            epochs=self.position.path,
            plan=self._state.plan,
            calibration=self._state.calibration,
        )

    def _begin_stage(self) -> None:
        """Reset the optimizer: its moments belong to weights that the stage does not start from."""
        for variable in self.model.optimizer.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))

    def _epoch(self) -> None:
        """Train one epoch, validate it, and save where the run stands."""
        began = time.perf_counter()
        loss, accuracy = self._train_once()
        validation = self._validate()
        if not np.isfinite([loss, 0.0 if validation is None else validation.loss]).all():
            self._raise_diverged(loss)
        row = self._row(loss, accuracy, validation)
        keeps_last = self._stages[self.position.stage].keeps_last and self._state.seconds is None
        judged_by = None if validation is None or keeps_last else validation.loss
        self.position = self.position.after_epoch(judged_by)
        best = self.position.best_epoch == self.position.epoch
        seconds = self._machines.of_first(round(time.perf_counter() - began, 2))
        self.history.append(row | {"best": int(best), "seconds": seconds})
        if best:
            self._best = self.model.get_weights()
        late = self._is_late()
        if late or self.position.stage_is_over(self._stages):
            self.model.set_weights(self._best)  # the next stage begins, or the run ends, with these
            self.position = self.position.at_stage(
                len(self._stages) if late else self.position.stage + 1
            )
        self._save()
        self._watcher.epoch_done(self.history)

    def _is_late(self) -> bool:
        """Whether another epoch like the last one would not fit into the time of the phase."""
        if self._state.seconds is None:
            return False
        spent = sum(row["seconds"] for row in self.history[len(self._state.history) :])
        return bool(spent + self.history[-1]["seconds"] > self._state.seconds)

    def _row(self, loss: float, accuracy: float, validation: Score | None) -> Row:
        """The history's row of the epoch that was just trained, without `best` and `seconds`."""
        row = {
            "epoch": len(self.history) + 1,
            "phase": "refit" if self._state.refit_epochs else "search",
            "stage": self.position.stage + 1,
            "learning_rate": self._rate(self._batches.steps // 2),
            "loss": loss,
            "accuracy": accuracy,
            "pictures": self._batches.steps * self._batches.size,
        }
        if validation is None:
            return row
        return row | {
            "validation_loss": validation.loss,
            "validation_correct": validation.correct,
            "validation_total": validation.total,
        }

    def _rate(self, step: int) -> float:
        """The learning rate of a step of this epoch."""
        stage = self._stages[self.position.stage]
        done = self.position.stage_epoch + step / self._batches.steps
        return stage.rate_at(done / stage.epochs)

    def _train_once(self) -> tuple[float, float]:
        """Train one epoch; gives its loss, in nats, and its accuracy, from 0 to 1."""
        batches = islice(self._batches.epoch(self.position.epoch), self._batches.steps)
        # of NumPy's threads a second one waits in a loop for the next small product
        with one_thread(), self._machines.sharing():
            if self._keras.backend.backend() == "tensorflow":
                return self._train_by_steps(batches)
            return self._train_by_fit(batches)

    def _train_by_steps(self, batches: Iterator[Batch]) -> tuple[float, float]:
        """Train step by step (docs/decisions/0017-steps.md)."""
        totals = np.zeros(2)
        for step, (images, labels) in enumerate(batches):
            self.model.optimizer.learning_rate = self._rate(step)
            totals += self.model.train_on_batch(images, labels)
            self._watcher.batch_done(len(labels))
        loss, accuracy = totals / self._batches.steps
        return float(loss), float(accuracy)

    def _train_by_fit(self, batches: Iterator[Batch]) -> tuple[float, float]:
        """Train by Keras' own loop: step by step JAX would hand all weights to and fro."""
        size = self._batches.size
        callback: keras.callbacks.Callback = self._keras.callbacks.LambdaCallback(
            on_train_batch_begin=lambda batch, logs: self._set_rate(callback, batch),  # noqa: ARG005, Keras names them
            on_train_batch_end=lambda batch, logs: self._watcher.batch_done(size),  # noqa: ARG005, Keras names them
        )
        self.model.optimizer.learning_rate = self._rate(0)
        fitted = self.model.fit(
            (batch for batch in batches),  # Keras takes a generator, and no other iterator
            steps_per_epoch=self._batches.steps,
            verbose=0,
            shuffle=False,  # the batches come shuffled
            callbacks=[callback],
        )
        return fitted.history["loss"][0], fitted.history["accuracy"][0]

    def _set_rate(self, callback: keras.callbacks.Callback, step: int) -> None:
        """Set the learning rate of a step of Keras' loop, if it is not that of the step before.

        On JAX the loop holds the optimizer's variables itself. It takes them up again after someone
        has asked a callback for its model, as is done here.
        """
        if step and self._rate(step) != self._rate(step - 1):
            callback.model.optimizer.learning_rate = self._rate(step)

    def _validate(self) -> Score | None:
        if self._validation is None:
            return None
        answers = self.model if self._answers is None else self._answers
        if self._answers is not None:
            self._answers.set_weights(self.model.get_weights())
        return score(answers, self._validation, self._batches.size, self._machines)

    def _save(self) -> None:
        if not self._machines.is_first:
            return
        Checkpoint(
            config=self._state.config,
            position=self.position,
            plan=self._state.plan,
            history=self.history,
            variables=[np.asarray(variable.numpy()) for variable in variables(self.model)],
            best=self._best,
            refit_epochs=self._state.refit_epochs,
            calibration=self._state.calibration,
        ).save(self._state.checkpoint)

    def _raise_diverged(self, loss: float) -> NoReturn:
        rate = self._stages[self.position.stage].learning_rate
        raise InkfoldError(
            f"training diverged in epoch {self.position.epoch + 1}: the loss is {loss}; "
            f"lower the learning rate ({rate}) in the recipe or take --precision float32"
        )


def _summary(model: keras.Model) -> str:
    """The network's layers and parameters as Keras prints them."""
    lines: list[str] = []
    model.summary(line_length=100, print_fn=lambda line, **_: lines.append(line))
    return "\n".join(lines)
