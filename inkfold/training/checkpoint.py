"""Where a training run stands, and the file that keeps its whole state after each epoch.

`Position` counts epochs and stages and decides when a stage ends. `Checkpoint` adds everything else
that the next epoch depends on; a run that was stopped resumes from it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from inkfold.bundle.history import Row
from inkfold.errors import InkfoldError
from inkfold.output import new_file
from inkfold.recipe import Stage
from inkfold.records import (
    COUNT,
    NUMBER,
    OBJECT,
    TEXT,
    Kind,
    Schema,
    check_fields,
    differences,
    parsed,
)
from inkfold.training.plan import Plan

Arrays = list[NDArray[Any]]
ADVICE = "remove it and train again"
LOSS = Kind("a number or Infinity", lambda value: value == math.inf or NUMBER.fits(value))
SCHEMA: Schema = {
    "config": OBJECT,
    "plan?": {
        "kernels": Kind("keras or fused", lambda value: value in ("keras", "fused")),
        **dict.fromkeys(("epochs", "steps"), COUNT.or_null()),
        "told": TEXT,
    },
    "found": COUNT.list(),
    "calibration?": OBJECT.or_null(),
    "progress": {
        **dict.fromkeys(("stage", "epoch", "stage_epoch", "waited", "best_epoch"), COUNT),
        **dict.fromkeys(("stage_best", "best"), LOSS),
        "path": COUNT.list(),
    },
    "history": OBJECT.list(),
}
ROW: Schema = {
    **dict.fromkeys(("epoch", "stage", "best"), COUNT),
    **dict.fromkeys(("learning_rate", "loss", "accuracy", "seconds"), NUMBER),
    **dict.fromkeys(("validation_correct?", "validation_total?"), COUNT),
    "phase": TEXT,
    "validation_loss?": LOSS,
}


@dataclass(frozen=True, kw_only=True)
class Position:
    """Where a run stands between two epochs.

    Attributes
    ----------
    stage : int
        Index of the stage that the next epoch belongs to.
    epoch, stage_epoch : int
        Epochs done, in all and in this stage.
    waited : int
        Epochs since this stage's lowest validation loss.
    stage_best, best : float
        Lowest validation loss in this stage and in the run.
    best_epoch : int
        The epoch (counted from 1) that reached `best`; its weights are the ones that are kept.
    path : tuple of int
        Epochs of each stage that led to the kept weights: what a refit repeats.
    """

    stage: int = 0
    epoch: int = 0
    stage_epoch: int = 0
    waited: int = 0
    stage_best: float = math.inf
    best: float = math.inf
    best_epoch: int = 0
    path: tuple[int, ...] = ()

    def after_epoch(self, loss: float | None) -> Self:
        """The position after one more epoch.

        Parameters
        ----------
        loss : float or None
            Validation loss; None where nothing is validated, and then the newest weights count as
            the best. A loss that is not a number never counts as an improvement.
        """
        epoch, stage_epoch = self.epoch + 1, self.stage_epoch + 1
        better_in_stage = loss is None or loss < self.stage_best
        position = replace(
            self,
            epoch=epoch,
            stage_epoch=stage_epoch,
            waited=0 if better_in_stage else self.waited + 1,
            stage_best=self.stage_best if loss is None or not better_in_stage else loss,
        )
        if loss is not None and not loss < self.best:
            return position
        earlier = (*self.path, *([0] * self.stage))[: self.stage]
        return replace(
            position,
            best=self.best if loss is None else loss,
            best_epoch=epoch,
            path=(*earlier, stage_epoch),
        )

    def stage_is_over(self, stages: Sequence[Stage]) -> bool:
        """Whether the current stage has run all its epochs or is out of patience."""
        stage = stages[self.stage]
        return self.stage_epoch >= stage.epochs or self.waited >= stage.patience

    def at_stage(self, stage: int) -> Self:
        """The position at the beginning of a later stage; behind the last one the run is over."""
        return replace(self, stage=stage, stage_epoch=0, waited=0, stage_best=math.inf)


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Everything that the next epoch depends on.

    Attributes
    ----------
    config : dict
        Recipe, dataset and options: a run resumes only from a checkpoint in which they are equal.
    plan : Plan
        What the run decided by its first steps.
    position : Position
    history : list of dict
        One row for each epoch.
    variables : list of arrays
        The model's and the optimizer's variables, with the state of the random generators.
    best : list of arrays
        The weights of the best epoch.
    refit_epochs : tuple of int
        Epochs of each stage that a refit repeats; empty during the search.
    calibration : dict or None
        During a refit, what the search's network said of validation.
    """

    config: dict[str, Any]
    plan: Plan
    position: Position
    history: list[Row]
    variables: Arrays
    best: Arrays
    refit_epochs: tuple[int, ...] = ()
    calibration: dict[str, Any] | None = None

    def save(self, path: Path) -> None:
        """Write beside and rename: a run that is killed while saving keeps its last epoch."""
        state = {
            "config": self.config,
            "plan": asdict(self.plan),
            "found": self.refit_epochs,
            "calibration": self.calibration,
            "progress": asdict(self.position),
            "history": self.history,
        }
        groups = {"variables": self.variables, "best": self.best}
        arrays = {f"{name}/{i}": a for name, group in groups.items() for i, a in enumerate(group)}
        with new_file(path, overwrite=True) as part, part.open("wb") as file:
            np.savez(file, state=np.array(json.dumps(state)), **arrays)  # type: ignore[arg-type]  # numpy's stub takes `allow_pickle` for one of ours

    @classmethod
    def load(cls, path: Path, config: dict[str, Any]) -> Checkpoint:
        """Read the state of the run that `config` describes.

        Raises
        ------
        InkfoldError
            If the file is missing or damaged, or was written by a run whose config differs: the
            first field that differs is named.
        """
        if not path.exists():
            raise InkfoldError(f"{path}: no stopped run to resume; leave --resume out")
        try:
            with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                text = str(file["state"])
                groups = {name: _group(file, name) for name in ("variables", "best")}
        except Exception as error:  # zipfile and NumPy answer damage with errors of many types
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise InkfoldError(f"{path}: not a checkpoint ({reason}); {ADVICE}") from None
        state = parsed(text, f"{path}: its state", ADVICE)
        check_fields(state, SCHEMA, place=f"{path}: its state", advice=ADVICE)
        for row in state["history"]:
            check_fields(row, ROW, place=f"{path}: its history", advice=ADVICE)
        _check_same_run(path, state["config"], config)
        names = Position.__dataclass_fields__
        position = {name: value for name, value in state["progress"].items() if name in names}
        position["path"] = tuple(position["path"])
        return cls(
            config=config,
            plan=Plan(**state.get("plan", {})),
            position=Position(**position),
            history=state["history"],
            refit_epochs=tuple(state["found"]),
            calibration=state.get("calibration"),
            **groups,
        )


def _group(file: Any, name: str) -> Arrays:  # noqa: ANN401, numpy's NpzFile has no item type
    """The arrays that `Checkpoint.save` stored as ``NAME/0``, ``NAME/1``, ..."""
    keys: Sequence[str] = [key for key in file.files if key.startswith(f"{name}/")]
    return [file[f"{name}/{i}"] for i in range(len(keys))]


def check_fits(path: Path, found: Sequence[NDArray[Any]], expected: Sequence[Any]) -> None:
    """Refuse the arrays of a checkpoint that do not fit the network's variables.

    Raises
    ------
    InkfoldError
        If their number or a shape differs, or one is no array of numbers.
    """
    shapes = [tuple(each.shape) for each in found]
    wanted = [tuple(each.shape) for each in expected]
    if shapes != wanted or any(each.dtype.kind not in "fiubV" for each in found):
        pairs = enumerate(zip(shapes, wanted, strict=False))
        at = next((number for number, (a, b) in pairs if a != b), 0)
        raise InkfoldError(
            f"{path}: {len(shapes)} arrays, number {at} of shape {shapes[at : at + 1]}; the "
            f"network has {len(wanted)}, number {at} of shape {wanted[at : at + 1]}; {ADVICE}"
        )


def _check_same_run(path: Path, stopped: dict[str, Any], config: dict[str, Any]) -> None:
    """Refuse a checkpoint whose config differs from that of the run which is to resume from it."""
    config = json.loads(json.dumps(config))  # tuples become lists, as in the file
    difference = next(differences(stopped, config), None)
    if difference is not None:
        name, before, now = difference
        raise InkfoldError(
            f"{path}: the stopped run was started with {name} {before!r}, but now {name} is "
            f"{now!r}; give the same options to resume it, or start again with --overwrite"
        )
