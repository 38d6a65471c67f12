"""The stages of a training run, by hand-computed examples."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkfold.recipe import Stage, in_epochs, rate_at
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


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [(300, [150, 150]), (100, [50, 50]), (10, [5, 5]), (7, [4, 3]), (2, [1, 1]), (1, [1])],
)
def test_epochs_are_shared_among_the_stages(epochs: int, expected: list[int]) -> None:
    """As in the recipe, at least one each; stages that find no room are left out."""
    stages = (Stage(1e-2, 50, 5), Stage(1e-3, 50, 5))

    assert [stage.epochs for stage in in_epochs(stages, epochs)] == expected


@pytest.mark.parametrize("done", [0, 0.3, 0.99])
def test_a_stage_without_decay_keeps_its_rate(done: float) -> None:
    """Whatever share of it is over."""
    assert rate_at(Stage(3e-2, epochs=5, patience=2), done) == 3e-2


@pytest.mark.parametrize(
    ("done", "expected"), [(0, 0), (0.1, 0.5), (0.2, 1), (0.4, 0.853553), (0.6, 0.5), (1, 0)]
)
def test_a_cosine_stage_rises_and_falls(done: float, expected: float) -> None:
    """Half way up the warm-up half the rate; then (1 + cos pi t) / 2 of it."""
    stage = Stage.cosine(1.0, epochs=10, warmup=0.2)

    assert rate_at(stage, done) == pytest.approx(expected, abs=1e-6)
    assert stage.patience == stage.epochs  # nothing ends it early


@settings(deadline=None, derandomize=True)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=5), st.integers(1, 200))
def test_stages_use_up_the_epochs_that_they_are_given(lengths: list[int], epochs: int) -> None:
    """Not one more or fewer, and each of the stages that are left has one at least."""
    stages = [Stage(1e-2, length, 3) for length in lengths]

    result = in_epochs(stages, epochs)

    assert sum(stage.epochs for stage in result) == epochs
    assert len(result) == min(epochs, len(stages))
    assert all(stage.epochs >= 1 for stage in result)


@pytest.mark.parametrize("epochs", [3, 30, 60])
def test_a_cosine_runs_all_the_epochs_that_it_is_given(epochs: int) -> None:
    """Asked for 60 where the recipe has 30 it is stretched, and its patience with it."""
    assert in_epochs([Stage.cosine(3e-3, epochs=30)], epochs) == (Stage.cosine(3e-3, epochs),)


def test_patience_stays_where_a_stage_may_end_early() -> None:
    """More epochs at most are no reason to wait longer for a lower loss."""
    (stage,) = in_epochs([Stage(1e-2, 50, 5)], 100)

    assert (stage.epochs, stage.patience) == (100, 5)
