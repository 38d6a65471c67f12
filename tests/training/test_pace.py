"""The first steps of a run are measured without a trace in it, and decide what the run does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inkfold.dataset.reader import Dataset, open_dataset
from inkfold.recipe import Stage
from inkfold.training.checkpoint import Checkpoint
from inkfold.training.compile import fresh_network
from inkfold.training.pace import measured
from inkfold.training.plan import Plan
from tests.worlds import tiny_network
from tests.worlds.packed_strokes import write_packed
from tests.worlds.trained import SILENT, history, training, weights

pytestmark = pytest.mark.slow


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[Dataset]:
    """A few hundred drawn strokes of four classes."""
    with open_dataset(write_packed(tmp_path / "d.h5")) as opened:
        yield opened


def test_measuring_leaves_a_network_as_it_was() -> None:
    """Weights, running statistics, dropout's random state and Adam's variables are unchanged."""
    model = fresh_network(tiny_network.build, 4, tiny_network.RECIPE, seed=1, kernels="fused")
    variables = [*model.variables, *model.optimizer.variables]
    before = [np.array(variable.numpy()) for variable in variables]

    paces = measured({"fused": model}, 8)

    assert all(np.array_equal(old, v.numpy()) for old, v in zip(before, variables, strict=True))
    assert paces["fused"].answer > 0
    assert paces["fused"].step > 0


def test_a_limit_of_time_shortens_the_run_and_keeps_its_best_epoch(
    dataset: Dataset, tmp_path: Path
) -> None:
    """In 1.2 s fit fewer than 500 epochs; the best one by validation is kept, of a cosine too."""
    recipe = replace(tiny_network.RECIPE, stages=(Stage.cosine(3e-2, epochs=500),))
    plans: list[Plan] = []
    watcher = replace(SILENT, planned=lambda plan, _pictures: plans.append(plan))

    trained = training(dataset, tmp_path / "b", recipe, minutes=0.02).run(
        watcher, resume=False, overwrite=False
    )

    losses = [row["validation_loss"] for row in trained.history]
    assert 0 < len(losses) < 500
    assert "1.2 s are enough for " in plans[0].told
    assert trained.record["scores"]["validation"]["epoch"] == 1 + int(np.argmin(losses))
    assert trained.record["recipe"]["stages"][0]["epochs"] == plans[0].epochs


def test_a_resumed_run_keeps_the_plan_of_its_first_steps(dataset: Dataset, tmp_path: Path) -> None:
    """Kernels, epochs and steps come from the checkpoint; nothing is measured again."""
    run = training(dataset, tmp_path / "b", minutes=60.0, kernels="auto")
    plan = Plan(kernels="keras", epochs=3, steps=2, told="as the first run said")
    plans: list[Plan] = []

    def stop(_history: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.run(replace(SILENT, epoch_done=stop), resume=False, overwrite=False)
    saved = Checkpoint.load(run.checkpoint, run.config)
    replace(saved, plan=plan).save(run.checkpoint)
    watcher = replace(SILENT, planned=lambda plan, _pictures: plans.append(plan))
    trained = run.run(watcher, resume=True, overwrite=False)

    assert plans == [plan]
    assert [row["pictures"] for row in history(tmp_path / "b")] == ["320", "64", "64"]
    assert trained.record["options"]["kernels"] == "keras"


def test_a_resumed_run_tells_of_its_own_pictures(dataset: Dataset, tmp_path: Path) -> None:
    """Of three epochs of 320 pictures, two are left to a run that resumes after the first one."""
    recipe = replace(tiny_network.RECIPE, stages=(Stage(1e-2, 3, 3),))
    run, told = training(dataset, tmp_path / "b", recipe), list[int]()

    def stop(_history: object) -> None:
        raise KeyboardInterrupt

    watcher = replace(SILENT, planned=lambda _plan, pictures: told.append(pictures))
    with pytest.raises(KeyboardInterrupt):
        run.run(replace(watcher, epoch_done=stop), resume=False, overwrite=False)
    run.run(watcher, resume=True, overwrite=False)

    assert told == [960, 640]


@pytest.mark.long
@pytest.mark.parametrize("kernels", ["keras", "fused"])
def test_kernels_can_be_chosen_and_are_recorded(
    dataset: Dataset, tmp_path: Path, kernels: str
) -> None:
    """Each choice trains the network that is asked for, the same in two runs."""
    recipe = replace(tiny_network.RECIPE, stages=(Stage(1e-2, 1, 1),))
    for name in "ab":
        training(dataset, tmp_path / name, recipe, kernels=kernels).run(
            SILENT, resume=False, overwrite=False
        )

    pairs = zip(weights(tmp_path / "a"), weights(tmp_path / "b"), strict=True)
    assert all(np.array_equal(one, other) for one, other in pairs)
    record = json.loads((tmp_path / "a" / "bundle.json").read_text())
    assert record["options"]["kernels"] == kernels
