"""Where a training stands: when a stage ends and which epoch is kept, by hand-made examples."""

from __future__ import annotations

import math

from inkfold.recipe import Stage
from inkfold.training.checkpoint import Position

STAGES = (Stage(1e-2, epochs=4, patience=2), Stage(1e-3, epochs=3, patience=2))


def run(losses: list[float]) -> tuple[Position, list[int]]:
    """The position after epochs with these validation losses, and the stage of each epoch."""
    position, stages = Position(), []
    for loss in losses:
        if position.stage == len(STAGES):
            break
        stages.append(position.stage)
        position = position.after_epoch(loss)
        if position.stage_is_over(STAGES):
            position = position.at_stage(position.stage + 1)
    return position, stages


def test_a_stage_ends_after_patience_epochs_without_a_lower_loss() -> None:
    """After 0.9 and two higher losses, patience 2 ends the stage with its third epoch."""
    _, stages = run([0.9, 1.0, 1.1, 0.5])

    assert stages == [0, 0, 0, 1]


def test_a_stage_ends_after_its_epochs() -> None:
    """A loss that always falls does not keep the first stage beyond its four epochs."""
    _, stages = run([0.9, 0.8, 0.7, 0.6, 0.5])

    assert stages == [0, 0, 0, 0, 1]


def test_patience_begins_anew_in_each_stage() -> None:
    """The second stage may begin above the first one's best and still gets its own patience."""
    _, stages = run([0.1, 0.5, 0.5, 0.9, 0.8, 0.7])

    assert stages == [0, 0, 0, 1, 1, 1]


def test_the_path_counts_the_epochs_that_led_to_the_best_weights() -> None:
    """Two epochs of stage one led to its best loss, and one of stage two to the run's best."""
    position, _ = run([0.9, 0.5, 0.6, 0.7, 0.4, 0.6, 0.6])

    assert (position.best, position.best_epoch, position.path) == (0.4, 5, (2, 1))


def test_a_stage_that_improves_nothing_is_not_in_the_path() -> None:
    """If stage two never beats stage one, a refit repeats stage one only."""
    position, _ = run([0.9, 0.5, 0.6, 0.7, 0.6, 0.6, 0.6])

    assert position.path == (2,)


def test_a_first_stage_without_a_best_counts_zero_epochs() -> None:
    """Losses that are not numbers never count as the best, so the path begins with 0 epochs."""
    position, _ = run([math.nan, math.nan, 0.5])

    assert (position.best_epoch, position.path) == (3, (0, 1))


def test_without_validation_the_newest_weights_are_the_best() -> None:
    """Each epoch of a refit, which validates nothing, counts as the best so far."""
    position = Position().after_epoch(None).after_epoch(None)

    assert (position.best_epoch, position.waited) == (2, 0)
