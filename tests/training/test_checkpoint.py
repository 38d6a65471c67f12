"""A checkpoint gives back what it was saved with, to the run that saved it and to no other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inkfold.dataset.reader import Dataset, open_dataset
from inkfold.errors import InkfoldError
from inkfold.training.checkpoint import Checkpoint, Position, check_fits
from inkfold.training.plan import Plan
from tests.worlds import tiny_network
from tests.worlds.packed_strokes import write_packed
from tests.worlds.trained import SILENT, training

# four epochs are done, the last one of them in the second stage
POSITION = Position(stage=1, epoch=4, stage_epoch=1, best=0.5, best_epoch=2, path=(2,))
PLAN = Plan(kernels="keras", epochs=9, steps=7, told="as told before")


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[Dataset]:
    """A few hundred drawn strokes of four classes."""
    with open_dataset(write_packed(tmp_path / "d.h5")) as opened:
        yield opened


def write_checkpoint(path: Path, config: dict[str, Any], variables: int = 3) -> None:
    """A checkpoint at `POSITION` with a variable of so many zeros and a best weight of two ones."""
    Checkpoint(
        config=config,
        plan=PLAN,
        position=POSITION,
        history=[],
        variables=[np.zeros(variables)],
        best=[np.ones(2)],
    ).save(path)


def test_a_checkpoint_gives_back_position_variables_and_best_weights(
    dataset: Dataset, tmp_path: Path
) -> None:
    """A run with the same config loads what was saved."""
    path, config = tmp_path / "c.npz", training(dataset, tmp_path / "b").config
    write_checkpoint(path, config)

    loaded = Checkpoint.load(path, config)

    assert loaded.position == POSITION
    assert loaded.plan == PLAN
    assert np.array_equal(loaded.variables[0], np.zeros(3))
    assert np.array_equal(loaded.best[0], np.ones(2))


def test_a_checkpoint_of_another_run_is_refused_by_the_field_that_differs(
    dataset: Dataset, tmp_path: Path
) -> None:
    """A run with seed 1 cannot resume a run with seed 0; the error names both seeds."""
    path, config = tmp_path / "c.npz", training(dataset, tmp_path / "b").config
    write_checkpoint(path, config)
    other_seed = training(dataset, tmp_path / "b", seed=1).config

    with pytest.raises(InkfoldError, match="started with seed 0, but now seed is 1"):
        Checkpoint.load(path, other_seed)


def test_a_changed_recipe_is_refused_by_the_field_of_the_recipe(
    dataset: Dataset, tmp_path: Path
) -> None:
    """The error names the recipe's batch alone, not the whole recipe."""
    path, config = tmp_path / "c.npz", training(dataset, tmp_path / "b").config
    write_checkpoint(path, config)
    recipe = replace(tiny_network.RECIPE, batch=64)
    larger_batch = training(dataset, tmp_path / "b", recipe).config

    with pytest.raises(InkfoldError, match="started with recipe batch 32, but now recipe batch is"):
        Checkpoint.load(path, larger_batch)


def test_the_file_has_the_keys_of_earlier_versions(tmp_path: Path) -> None:
    """A run that an earlier version stopped can be resumed, and the other way round."""
    write_checkpoint(tmp_path / "c.npz", {})

    with np.load(tmp_path / "c.npz") as file:
        state = json.loads(str(file["state"]))

    assert state.keys() - {"plan"} == {"config", "found", "calibration", "progress", "history"}
    assert state["progress"]["best_epoch"] == 2


@pytest.mark.parametrize("damage", ["text", "empty", "torn", "no state"])
def test_a_file_that_is_not_a_checkpoint_is_refused(
    dataset: Dataset, tmp_path: Path, damage: str
) -> None:
    """The error names the file, whether it is text, empty, cut short, or another archive."""
    path, config = tmp_path / "c.npz", training(dataset, tmp_path / "b").config
    write_checkpoint(path, config, variables=3000)
    whole = path.read_bytes()
    contents = {"text": b"not a checkpoint", "empty": b"", "torn": whole[: len(whole) // 2]}
    if damage == "no state":
        np.savez(path, other=np.zeros(3))
    else:
        path.write_bytes(contents[damage])

    with pytest.raises(InkfoldError, match=r"c\.npz: not a checkpoint"):
        Checkpoint.load(path, config)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"progress": {}}, "'progress.stage' is missing"),
        ({"progress": []}, r"'progress' is \[\], expected an object"),
        ({"found": ["a"]}, "'found' is .*, expected a list, each of it a whole number"),
        ({"history": [{"epoch": "one"}]}, "its history: 'stage' is missing"),
        ({"config": None}, "'config' is None, expected an object"),
        ({"calibration": 3}, "'calibration' is 3, expected an object, or null"),
    ],
)
def test_a_state_of_another_kind_is_refused_by_its_field(
    dataset: Dataset, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    """An archive that is whole, with a state that no run has, is told in one line."""
    path, config = tmp_path / "c.npz", training(dataset, tmp_path / "b").config
    write_checkpoint(path, config)
    with np.load(path) as file:
        state, arrays = json.loads(str(file["state"])), {n: file[n] for n in file.files}
    np.savez(path, **arrays | {"state": np.array(json.dumps(state | change))})

    with pytest.raises(InkfoldError, match=message) as caught:
        Checkpoint.load(path, config)
    assert str(caught.value).startswith(f"{path}: ")
    assert str(caught.value).endswith("remove it and train again")


class Trap:
    """An object that writes a file when it is unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str, str]]:
        """Have `open` called while the object is loaded."""
        return open, ("ran.txt", "w")


def test_an_object_in_a_checkpoint_is_not_loaded(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pickled object among the arrays is refused, and what it would call is not called."""
    monkeypatch.chdir(tmp_path)
    path, config = tmp_path / "c.npz", training(dataset, tmp_path / "b").config
    write_checkpoint(path, config)
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    np.savez(path, **arrays | {"best/0": np.array([Trap()], dtype=object)})

    with pytest.raises(InkfoldError, match=r"c\.npz: not a checkpoint"):
        Checkpoint.load(path, config)
    assert not (tmp_path / "ran.txt").exists()


def test_arrays_of_another_network_do_not_fit(tmp_path: Path) -> None:
    """The error gives number and shape of the first array that differs."""
    path, network = tmp_path / "c.npz", [np.zeros(3), np.zeros((2, 2))]

    check_fits(path, network, network)
    with pytest.raises(InkfoldError, match=r"2 arrays, number 1 of shape \[\(4,\)\]; the network"):
        check_fits(path, [np.zeros(3), np.zeros(4)], network)
    with pytest.raises(InkfoldError, match="1 arrays"):
        check_fits(path, network[:1], network)


@pytest.mark.slow
def test_a_run_that_starts_again_removes_the_checkpoint_of_the_run_before(
    dataset: Dataset, tmp_path: Path
) -> None:
    """Stopped before its first epoch is done, the new run leaves nothing to resume."""
    run = training(dataset, tmp_path / "b")
    run.checkpoint.write_text("of an earlier run")

    def stop(_summary: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.run(replace(SILENT, built=stop), resume=False, overwrite=True)

    assert not run.checkpoint.exists()
