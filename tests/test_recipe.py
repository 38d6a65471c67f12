"""Recipes by hand: the learning rate within a stage, and a recipe in another number of epochs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkfold.recipe import Recipe, Stage


def in_epochs(epochs: int, *stages: Stage) -> tuple[Stage, ...]:
    """The stages of a recipe in so many epochs."""
    return Recipe(name="any", size=32, stages=stages).in_epochs(epochs).stages


@pytest.mark.parametrize("done", [0, 0.3, 0.99])
def test_a_stage_without_decay_keeps_its_rate(done: float) -> None:
    """Without decay the learning rate is the same whatever share of the stage is over."""
    assert Stage(3e-2, epochs=5, patience=2).rate_at(done) == 3e-2


@pytest.mark.parametrize(
    ("done", "expected"), [(0, 0), (0.1, 0.5), (0.2, 1), (0.4, 0.853553), (0.6, 0.5), (1, 0)]
)
def test_a_cosine_stage_rises_and_falls(done: float, expected: float) -> None:
    """The rate rises in a straight line during the warm-up, then falls as (1 + cos pi t) / 2."""
    stage = Stage.cosine(1.0, epochs=10, warmup=0.2)

    assert stage.rate_at(done) == pytest.approx(expected, abs=1e-6)
    assert stage.patience == stage.epochs, "nothing ends it early"


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [(300, [150, 150]), (100, [50, 50]), (10, [5, 5]), (7, [4, 3]), (2, [1, 1]), (1, [1])],
)
def test_epochs_are_shared_among_the_stages(epochs: int, expected: list[int]) -> None:
    """Stages keep their proportion and get at least one epoch each; the last may be left out."""
    stages = in_epochs(epochs, Stage(1e-2, 50, 5), Stage(1e-3, 50, 5))

    assert [stage.epochs for stage in stages] == expected


@settings(deadline=None, derandomize=True)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=5), st.integers(1, 200))
def test_stages_use_up_the_epochs_that_they_are_given(lengths: list[int], epochs: int) -> None:
    """The stages' epochs add up to the number asked for, and each remaining stage has one."""
    stages = in_epochs(epochs, *(Stage(1e-2, length, 3) for length in lengths))

    assert sum(stage.epochs for stage in stages) == epochs
    assert len(stages) == min(epochs, len(lengths))
    assert all(stage.epochs >= 1 for stage in stages)


@pytest.mark.parametrize("epochs", [3, 30, 60])
def test_a_cosine_runs_all_the_epochs_that_it_is_given(epochs: int) -> None:
    """A cosine of 30 epochs is stretched or shortened, and its patience with it."""
    assert in_epochs(epochs, Stage.cosine(3e-3, epochs=30)) == (Stage.cosine(3e-3, epochs),)


def test_patience_stays_where_a_stage_may_end_early() -> None:
    """A stage that may end early gets more epochs at most, and waits no longer for a lower loss."""
    (stage,) = in_epochs(100, Stage(1e-2, 50, 5))

    assert (stage.epochs, stage.patience) == (100, 5)


def test_everything_but_the_stages_stays_in_another_number_of_epochs() -> None:
    """Only the stages of a recipe change when it is to run in another number of epochs."""
    recipe = Recipe(name="any", size=28, stages=(Stage(1e-2, 50, 5),), batch=7, weight_decay=0.1)

    shorter = recipe.in_epochs(3)

    assert (shorter.name, shorter.size, shorter.batch, shorter.weight_decay) == ("any", 28, 7, 0.1)
    assert shorter.stages == (Stage(1e-2, 3, 5),)
