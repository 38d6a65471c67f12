"""What a run decides by its first steps: kernels, epochs that fit, and what the log says of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkfold.training.pace import Pace
from inkfold.training.plan import Work, in_words, planned

WORK = Work(epochs=20, steps=100, answers=10, refit=False)
PACE = Pace(step=0.1, answer=0.05)  # an epoch takes 10.5 s
TIMES = st.floats(0.001, 10)


def test_without_a_limit_all_epochs_are_trained_and_their_time_is_told() -> None:
    """Twenty epochs of 10.5 s are three and a half minutes."""
    plan = planned({"fused": PACE}, WORK, None)

    assert (plan.kernels, plan.epochs, plan.steps) == ("fused", None, None)
    assert plan.told == "at most 20 epochs of 10 s: 4 min; fused kernels, 100 ms a step"


def test_a_time_that_is_enough_shortens_nothing() -> None:
    """With a tenth to spare the plan is that of a run without a limit."""
    assert planned({"fused": PACE}, WORK, 210 * 1.1 + 1) == planned({"fused": PACE}, WORK, None)


def test_a_time_that_is_short_leaves_the_epochs_that_fit() -> None:
    """A minute and a tenth of it to spare are enough for five epochs of 10.5 s."""
    plan = planned({"fused": PACE}, WORK, 60)

    assert (plan.epochs, plan.steps) == (5, None)
    assert plan.told.startswith("60 s are enough for 5 epochs, of the recipe's 20 epochs (")


def test_less_than_an_epoch_leaves_some_of_its_steps() -> None:
    """Half the time of an epoch, with a tenth to spare, is enough for 45 of its 100 steps."""
    plan = planned({"fused": PACE}, WORK, 10.5 / 2)

    assert (plan.epochs, plan.steps) == (1, 45)
    assert "5.2 s are enough for 45 of the 100 steps of an epoch" in plan.told


@given(step=TIMES, answer=TIMES, seconds=st.floats(0.01, 1e5), refit=st.booleans())
def test_what_is_planned_fits_or_is_the_least(
    step: float, answer: float, seconds: float, refit: bool
) -> None:
    """Planned epochs take no longer than the time, and one epoch more would not fit."""
    work, pace = Work(epochs=20, steps=100, answers=10, refit=refit), Pace(step, answer)
    epoch = work.epoch_seconds(pace)

    plan = planned({"fused": pace}, work, seconds)

    if plan.epochs is None:
        assert work.seconds(pace) <= seconds
    elif plan.steps is None:
        assert plan.epochs * epoch <= seconds
        assert plan.epochs == work.epochs or (plan.epochs + 1) * epoch * 1.1 > seconds
    else:
        assert plan.epochs == 1
        assert epoch * 1.1 > seconds


def test_a_refit_costs_as_much_again() -> None:
    """With a refit an epoch stands for itself and for one on train and validation together."""
    refit = Work(epochs=20, steps=100, answers=10, refit=True)

    assert refit.epoch_seconds(PACE) == pytest.approx(10.5 + 11.0)


@pytest.mark.parametrize(
    ("fused", "keras", "chosen"), [(1.0, 2.0, "fused"), (1.04, 1.0, "fused"), (1.1, 1.0, "keras")]
)
def test_the_faster_kernels_are_taken_and_the_fused_ones_where_they_are_close(
    fused: float, keras: float, chosen: str
) -> None:
    """Keras' own layers are taken if the fused ones need over 5 % more time; both are told."""
    plan = planned({"fused": Pace(fused, 0.1), "keras": Pace(keras, 0.1)}, WORK, None)

    assert plan.kernels == chosen
    assert f"{chosen} kernels, " in plan.told
    assert "ms a step, " in plan.told


def test_times_are_told_in_the_units_that_one_plans_by() -> None:
    """Seconds up to a minute and a half, then minutes, then hours and minutes."""
    seconds = (0.42, 40, 89, 91, 5_000, 12_000)

    assert [in_words(each) for each in seconds] == [
        *("0.4 s", "40 s", "89 s", "2 min", "83 min", "3 h 20 min"),
    ]
