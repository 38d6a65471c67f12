"""Where a training run stands in its stages: plain numbers, so that a run can be gone on with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from inkfold.recipe import Stage


@dataclass(frozen=True)
class Progress:
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
