"""The command line of a network: what it refuses, and what it hands to the training."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from inkfold.commands.cli import run
from inkfold.commands.network_files import load_script
from inkfold.commands.next_lines import after_training
from inkfold.commands.train import command, train_command
from inkfold.dataset.reader import open_dataset
from inkfold.errors import InkfoldError
from inkfold.training.engine import Training
from tests.worlds import tiny_network
from tests.worlds.packed_strokes import write_packed

SCRIPT = Path(tiny_network.__file__)
TINY = train_command(tiny_network.build, tiny_network.RECIPE, program="tiny")


def test_a_dataset_of_another_size_is_refused_with_the_command_that_packs_the_right_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error names both sizes and create_dataset.py's option, with exit code 2."""
    data = write_packed(tmp_path / "d.h5", size=20)

    code = run(command, [str(SCRIPT), str(data), "-o", str(tmp_path / "b")])

    error = capsys.readouterr().err
    assert code == 2
    assert "tiny reads 16x16" in error
    assert "holds 20x20" in error
    assert "create_dataset FOLDER --size 16" in error


def test_the_line_that_resumes_a_run_repeats_the_options_that_were_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line has every argument that was typed, --overwrite too, and ends with --resume."""
    lines: list[str] = []
    monkeypatch.setattr(
        "inkfold.commands.train.run_training", lambda _training, line, **_: lines.append(line)
    )
    data, output = write_packed(tmp_path / "d.h5"), tmp_path / "a b"
    arguments = [str(data), "-o", str(output), "--overwrite", "--seed", "3", "--refit"]

    assert run(TINY, arguments) == 0

    program, *words = shlex.split(lines[0])
    assert program == "tiny"
    assert words == [
        *(str(data), "--output", str(output), "--seed", "3", "--refit", "--overwrite"),
        "--resume",
    ]


def test_the_distortion_is_the_recipes_unless_an_option_changes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each option changes one amount of the distortion; the others stay as the recipe has them."""
    trainings: list[Training] = []
    monkeypatch.setattr(
        "inkfold.commands.train.run_training",
        lambda training, _line, **_: trainings.append(training),
    )
    arguments = [str(write_packed(tmp_path / "d.h5")), "-o", str(tmp_path / "b")]

    assert run(TINY, arguments) == 0
    assert run(TINY, [*arguments, "--rotate", "10", "--alpha", "0"]) == 0

    plain, changed = (training.recipe.distortion for training in trainings)
    assert plain == tiny_network.RECIPE.distortion
    assert changed == replace(plain, rotate=10, alpha=0)


def test_a_bundle_is_measured_next_on_pictures_that_there_are(tmp_path: Path) -> None:
    """The line after a training is quoted, and asks for another dataset where test is empty."""
    for counts, line in (
        ((20, 5, 5), f"next: inkfold evaluate 'a b' {tmp_path}/d.h5"),
        ((20, 5, 0), f"nothing to measure on: no picture of {tmp_path}/d.h5 is in test; next: "),
    ):
        with open_dataset(write_packed(tmp_path / "d.h5", counts)) as dataset:
            assert after_training(Path("a b"), dataset).startswith(line)


def test_a_script_without_a_network_is_refused(tmp_path: Path) -> None:
    """A script that lacks build(), and a script that does not exist, are errors."""
    (tmp_path / "empty.py").write_text("RECIPE = 3\n")

    with pytest.raises(InkfoldError, match=r"holds RECIPE and build\(classes\)"):
        load_script(tmp_path / "empty.py")
    with pytest.raises(InkfoldError, match="no such model script"):
        load_script(tmp_path / "none.py")
