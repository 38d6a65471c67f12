"""Training before it begins: what it refuses, and what it is given."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inkfold.commands.cli import run
from inkfold.commands.train import command, load_script, train_command
from inkfold.dataset.reader import Dataset, open_dataset
from inkfold.errors import InkfoldError
from inkfold.keras_backend import policy
from inkfold.training.checkpoint import Checkpoint, Position
from inkfold.training.engine import Training
from tests.worlds import tiny_network
from tests.worlds.packed_strokes import write_packed
from tests.worlds.trained import SILENT, training

TINY = Path(tiny_network.__file__)


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[Dataset]:
    """A few hundred drawn strokes of four classes."""
    with open_dataset(write_packed(tmp_path / "d.h5")) as opened:
        yield opened


def test_a_dataset_of_another_size_is_refused_with_the_command_that_packs_the_right_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, before Keras is asked for anything."""
    data = write_packed(tmp_path / "d.h5", size=20)

    code = run(command, [str(TINY), str(data), "-o", str(tmp_path / "b")])

    assert code == 2
    told = capsys.readouterr().err
    assert "tiny reads 16x16" in told
    assert "holds 20x20" in told
    assert "create_dataset.py FOLDER --size 16" in told


@pytest.mark.parametrize(
    ("counts", "classes", "message"),
    [
        ((20, 4, 4), ("a",), "needs at least 2"),
        ((20, 0, 4), ("a", "b"), "validation split is empty"),
        ((0, 4, 4), ("a", "b"), "train split is empty"),
    ],
)
def test_a_dataset_that_cannot_be_learned_from_is_refused(
    tmp_path: Path, counts: tuple[int, int, int], classes: tuple[str, ...], message: str
) -> None:
    """One class, nothing to validate with, or nothing to train on."""
    data = write_packed(tmp_path / "d.h5", counts, classes=classes)

    with open_dataset(data) as opened, pytest.raises(InkfoldError, match=message):
        training(opened, tmp_path / "b").check(resume=False, overwrite=False)


def test_an_existing_bundle_is_refused_without_overwrite(dataset: Dataset, tmp_path: Path) -> None:
    """And the checkpoint of a stopped run is neither lost nor taken up unasked."""
    run_ = training(dataset, tmp_path / "b")
    (tmp_path / "b").mkdir()
    with pytest.raises(InkfoldError, match="already exists; add --overwrite"):
        run_.check(resume=False, overwrite=False)
    (tmp_path / "b").rmdir()
    with pytest.raises(InkfoldError, match="no stopped run"):
        run_.check(resume=True, overwrite=False)
    run_.checkpoint.touch()
    with pytest.raises(InkfoldError, match="go on with it with --resume, or start again"):
        run_.check(resume=False, overwrite=False)
    run_.check(resume=True, overwrite=False)


def test_a_checkpoint_of_another_run_is_refused_by_the_field_that_differs(
    dataset: Dataset, tmp_path: Path
) -> None:
    """Seed 0 cannot be gone on with as seed 1."""
    path, config = tmp_path / "c.npz", training(dataset, tmp_path / "b").config
    Checkpoint(config, (), tiny_progress(), [], [np.zeros(3)], [np.ones(2)]).save(path)
    other = training(dataset, tmp_path / "b", seed=1).config

    with pytest.raises(InkfoldError, match="seed 0, this one has 1"):
        Checkpoint.load(path, other)
    loaded = Checkpoint.load(path, config)

    assert loaded.progress == tiny_progress()
    assert np.array_equal(loaded.variables[0], np.zeros(3))
    assert np.array_equal(loaded.best[0], np.ones(2))


@pytest.mark.slow
def test_a_run_that_begins_anew_leaves_nothing_of_the_one_before(
    dataset: Dataset, tmp_path: Path
) -> None:
    """Stopped before its first epoch is done, it has nothing that --resume could go on with."""
    run_ = training(dataset, tmp_path / "b")
    run_.checkpoint.write_text("of an earlier run")

    def stop(_summary: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_.run(replace(SILENT, built=stop), resume=False, overwrite=True)

    assert not run_.checkpoint.exists()


def test_the_line_that_goes_on_repeats_what_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --overwrite where that was given: the old bundle is still there."""
    told: list[str] = []
    monkeypatch.setattr(
        "inkfold.commands.train.run_training", lambda _training, again, **_: told.append(again)
    )
    data, output = write_packed(tmp_path / "d.h5"), tmp_path / "a b"
    line = [str(data), "-o", str(output), "--overwrite", "--seed", "3", "--refit"]

    assert run(train_command(tiny_network.build, tiny_network.RECIPE, program="tiny"), line) == 0

    program, *words = shlex.split(told[0])
    assert program == "tiny"
    assert words == [
        *(str(data), "--output", str(output), "--seed", "3", "--refit", "--overwrite"),
        "--resume",
    ]


def test_the_distortion_is_the_recipes_unless_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each amount by itself: the others keep what the recipe says."""
    told: list[Training] = []
    monkeypatch.setattr(
        "inkfold.commands.train.run_training", lambda training, _again, **_: told.append(training)
    )
    tiny = train_command(tiny_network.build, tiny_network.RECIPE, program="tiny")
    line = [str(write_packed(tmp_path / "d.h5")), "-o", str(tmp_path / "b")]

    assert run(tiny, line) == 0
    assert run(tiny, [*line, "--rotate", "10", "--alpha", "0"]) == 0

    plain, turned = (training.recipe.distortion for training in told)
    assert plain == tiny_network.RECIPE.distortion
    assert turned == replace(plain, rotate=10, alpha=0)


def tiny_progress() -> Position:
    """Some epochs into the second stage."""
    return Position(stage=1, epoch=4, stage_epoch=1, best=0.5, best_epoch=2, path=(2,))


@pytest.mark.parametrize("damage", ["text", "empty", "torn", "no state"])
def test_a_file_that_is_no_checkpoint_is_refused(
    dataset: Dataset, tmp_path: Path, damage: str
) -> None:
    """It is named, with what to do."""
    path, config = tmp_path / "c.npz", training(dataset, tmp_path / "b").config
    Checkpoint(config, (), tiny_progress(), [], [np.zeros(3000)], [np.ones(2)]).save(path)
    whole = path.read_bytes()
    contents = {"text": b"not a checkpoint", "empty": b"", "torn": whole[: len(whole) // 2]}
    if damage == "no state":
        np.savez(path, other=np.zeros(3))
    else:
        path.write_bytes(contents[damage])

    with pytest.raises(InkfoldError, match=r"c\.npz: not a checkpoint"):
        Checkpoint.load(path, config)


@pytest.mark.parametrize(
    ("asked", "flags", "expected"),
    [
        ("auto", {"avx512_bf16"}, "mixed_bfloat16"),
        ("auto", {"amx_bf16"}, "mixed_bfloat16"),
        ("auto", {"avx2", "avx512f"}, "float32"),
        ("float32", {"avx512_bf16"}, "float32"),
        ("bfloat16", set(), "mixed_bfloat16"),
    ],
)
def test_auto_takes_bfloat16_where_the_processor_has_it(
    asked: Any,  # noqa: ANN401, a Precision
    flags: set[str],
    expected: str,
) -> None:
    """What is asked for by name is taken as it is."""
    assert policy(asked, flags) == expected


def test_a_script_without_a_network_is_refused(tmp_path: Path) -> None:
    """So is one that is not there."""
    (tmp_path / "empty.py").write_text("RECIPE = 3\n")

    with pytest.raises(InkfoldError, match=r"holds RECIPE and build\(classes\)"):
        load_script(tmp_path / "empty.py")
    with pytest.raises(InkfoldError, match="no such model script"):
        load_script(tmp_path / "none.py")
