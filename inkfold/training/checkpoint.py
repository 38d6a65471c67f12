"""A training run's whole state in one file, replaced at the end of each epoch."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from inkfold.bundle.history import Row
from inkfold.errors import InkfoldError
from inkfold.output import new_file
from inkfold.recipe import Stage

Arrays = list[NDArray[Any]]


@dataclass(frozen=True)
class Position:
    """How far a run has come.

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
        """The progress after one more epoch.

        Parameters
        ----------
        loss : float or None
            Validation loss; None where nothing is validated, and then the newest weights count as
            the best. A loss that is not a number never counts as an improvement.
        """
        epoch, stage_epoch = self.epoch + 1, self.stage_epoch + 1
        better_in_stage = loss is None or loss < self.stage_best
        progress = replace(
            self,
            epoch=epoch,
            stage_epoch=stage_epoch,
            waited=0 if better_in_stage else self.waited + 1,
            stage_best=self.stage_best if loss is None or not better_in_stage else loss,
        )
        if loss is not None and not loss < self.best:
            return progress
        earlier = (*self.path, *([0] * self.stage))[: self.stage]
        return replace(
            progress,
            best=self.best if loss is None else loss,
            best_epoch=epoch,
            path=(*earlier, stage_epoch),
        )

    def stage_is_over(self, stages: Sequence[Stage]) -> bool:
        """Whether the current stage has run its epochs or out of patience."""
        stage = stages[self.stage]
        return self.stage_epoch >= stage.epochs or self.waited >= stage.patience

    def next_stage(self) -> Self:
        """The progress at the beginning of the next stage."""
        return replace(self, stage=self.stage + 1, stage_epoch=0, waited=0, stage_best=math.inf)


@dataclass(frozen=True)
class Checkpoint:
    """Everything that the next epoch depends on.

    Attributes
    ----------
    config : dict
        What the run is: network, recipe, options, dataset. A run is gone on with only as itself.
    found : tuple of int
        Epochs of each stage that a refit repeats; empty while validation decides.
    calibration : dict or None
        What the search's network said of validation, where a refit follows it.
    progress : Position
    history : list of dict
        One row an epoch.
    variables, best : list of arrays
        The model's and the optimizer's variables, with the state of the random generators; and
        the weights of the best epoch.
    """

    config: dict[str, Any]
    found: tuple[int, ...]
    progress: Position
    history: list[Row]
    variables: Arrays
    best: Arrays
    calibration: dict[str, Any] | None = None

    def save(self, path: Path) -> None:
        """Write beside and rename: a run that is killed here keeps its last epoch."""
        state = {
            "config": self.config,
            "found": self.found,
            "calibration": self.calibration,
            "progress": asdict(self.progress),
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
            If there is no checkpoint, it cannot be read, or it is of another run: the first field
            that differs is named.
        """
        if not path.exists():
            raise InkfoldError(f"{path}: no stopped run to go on with; leave --resume out")
        try:
            with path.open("rb") as raw, np.load(raw) as file:
                state = json.loads(str(file["state"]))
                groups = {name: _group(file, name) for name in ("variables", "best")}
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise InkfoldError(
                f"{path}: not a checkpoint ({error}); remove it and train again"
            ) from None
        _same_run(path, state["config"], config)
        progress = state["progress"] | {"path": tuple(state["progress"]["path"])}
        return cls(
            config=config,
            found=tuple(state["found"]),
            progress=Position(**progress),
            history=state["history"],
            calibration=state.get("calibration"),
            **groups,
        )


def _group(file: Any, name: str) -> Arrays:  # noqa: ANN401, numpy's NpzFile has no item type
    keys: Sequence[str] = [key for key in file.files if key.startswith(f"{name}/")]
    return [file[f"{name}/{i}"] for i in range(len(keys))]


def _same_run(path: Path, found: dict[str, Any], expected: dict[str, Any]) -> None:
    expected = json.loads(json.dumps(expected))  # tuples become lists, as in the file
    for name in sorted(found.keys() | expected.keys()):
        if found.get(name) != expected.get(name):
            raise InkfoldError(
                f"{path}: the stopped run has {name} {found.get(name)!r}, this one has "
                f"{expected.get(name)!r}; give the same options to go on with it, "
                "or start again with --overwrite"
            )
