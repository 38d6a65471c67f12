"""The stages of a training run, by hand-computed examples."""

from __future__ import annotations

import math

from inkfold.recipe import Stage
from inkfold.training.checkpoint import Position

STAGES = (Stage(1e-2, epochs=4, patience=2), Stage(1e-3, epochs=3, patience=2))


def run(losses: list[float]) -> tuple[Position, list[int]]:
    """Walk through `losses`; the stage of each epoch comes back too."""
    progress, stages = Position(), []
    for loss in losses:
        if progress.stage == len(STAGES):
            break
        stages.append(progress.stage)
        progress = progress.after_epoch(loss)
        if progress.stage_is_over(STAGES):
            progress = progress.next_stage()
    return progress, stages


def test_a_stage_ends_after_patience_epochs_without_a_lower_loss() -> None:
    """0.9, then twice worse: the third epoch is the stage's last at patience 2."""
    _, stages = run([0.9, 1.0, 1.1, 0.5])

    assert stages == [0, 0, 0, 1]


def test_a_stage_ends_after_its_epochs() -> None:
    """A loss that falls for ever does not keep the first stage beyond its four epochs."""
    _, stages = run([0.9, 0.8, 0.7, 0.6, 0.5])

    assert stages == [0, 0, 0, 0, 1]


def test_patience_begins_anew_in_each_stage() -> None:
    """The second stage may begin above the first one's best and still gets its own patience."""
    _, stages = run([0.1, 0.5, 0.5, 0.9, 0.8, 0.7])

    assert stages == [0, 0, 0, 1, 1, 1]


def test_the_path_counts_the_epochs_that_led_to_the_best_weights() -> None:
    """Best of stage one in its second epoch, of the run in the first epoch of stage two."""
    progress, _ = run([0.9, 0.5, 0.6, 0.7, 0.4, 0.6, 0.6])

    assert (progress.best, progress.best_epoch, progress.path) == (0.4, 5, (2, 1))


def test_a_stage_that_brings_nothing_is_not_in_the_path() -> None:
    """Stage two never beats stage one: a refit repeats stage one only."""
    progress, _ = run([0.9, 0.5, 0.6, 0.7, 0.6, 0.6, 0.6])

    assert progress.path == (2,)


def test_a_first_stage_without_a_best_counts_zero_epochs() -> None:
    """Losses that are not numbers never count as the best."""
    progress, _ = run([math.nan, math.nan, 0.5])

    assert (progress.best_epoch, progress.path) == (3, (0, 1))


def test_without_validation_the_newest_weights_are_the_best() -> None:
    """A refit has nothing to choose by."""
    progress = Position().after_epoch(None).after_epoch(None)

    assert (progress.best_epoch, progress.waited) == (2, 0)
