"""Messages and helps name a command as the user started the program."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from inkfold.program import as_typed, this_program, typed
from tests.worlds.packed_strokes import write_packed
from tests.worlds.scripts import ROOT, run_script


@pytest.mark.parametrize(
    ("started", "augment", "train", "audit"),
    [
        ("augment.py", "python augment.py", "python models/cnn32.py", "inkfold audit"),
        ("./augment.py", "python augment.py", "python models/cnn32.py", "inkfold audit"),
        ("models/cnn32.py", "python augment.py", "python models/cnn32.py", "inkfold audit"),
        ("/usr/bin/inkfold", "inkfold augment", "inkfold train cnn32", "inkfold audit"),
        ("tests/conftest.py", "inkfold augment", "inkfold train cnn32", "inkfold audit"),
        ("-c", "inkfold augment", "inkfold train cnn32", "inkfold audit"),
        ("", "inkfold augment", "inkfold train cnn32", "inkfold audit"),
    ],
)
def test_a_command_is_a_script_where_the_program_is_one(
    started: str, augment: str, train: str, audit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stage without a script, and a program that is no script, give ``inkfold STAGE``."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", [started])

    assert (typed("augment"), typed("train cnn32"), typed("audit")) == (augment, train, audit)
    assert typed("train mine") == "inkfold train mine"
    assert as_typed("so: inkfold augment d.h5 | inkfold train mine.py") == (
        f"so: {augment} d.h5 | inkfold train mine.py"
    )


def test_the_scripts_are_named_from_the_folder_where_the_user_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From models/ the others lie one folder up; a path with a space is quoted."""
    monkeypatch.chdir(ROOT / "models")
    monkeypatch.setattr(sys, "argv", ["cnn32.py"])

    assert typed("evaluate") == "python ../evaluate.py"
    assert typed("train cnn32") == "python ../models/cnn32.py"
    assert this_program("train cnn32") == "python cnn32.py"
    monkeypatch.setattr(sys, "argv", ["my scripts/mine.py"])
    assert this_program("train mine") == "python 'my scripts/mine.py'"
    monkeypatch.setattr(sys, "argv", ["/usr/bin/inkfold"])
    assert this_program("train mine") == "inkfold train mine"


def test_a_script_advises_scripts(tmp_path: Path) -> None:
    """Its help, its errors, and what it proposes next are lines that can be typed as they are."""
    write_packed(tmp_path / "d.h5", size=20)

    shown = run_script("evaluate.py", "--help", cwd=tmp_path).stdout.decode()
    wrong = run_script("augment.py", "no.h5", cwd=tmp_path).stderr.decode()
    other = run_script("models/cnn32.py", "d.h5", cwd=tmp_path).stderr.decode()

    assert f"python {ROOT}/evaluate.py models/trained/cnn32 datasets/characters.h5\n" in shown
    assert wrong.endswith(f"pack one with: python {ROOT}/create_dataset.py FOLDER\n")
    assert f"pack the right one with: python {ROOT}/create_dataset.py FOLDER" in other
