"""``inkfold networks``, and how ``inkfold train`` takes names and paths."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkfold.commands.cli import run
from inkfold.commands.main import main
from inkfold.commands.network_files import load_network, load_script
from inkfold.commands.networks import command
from inkfold.errors import InkfoldError
from inkfold.networks import cnn32
from inkfold.networks.scores import SCORES

Capture = pytest.CaptureFixture[str]


def test_the_list_has_every_network_with_size_parameters_and_score(capsys: Capture) -> None:
    """Each has a line, the smallest first, and the last line says how to train one."""
    assert run(command, []) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:10]] == list(SCORES)
    assert " ".join(lines[5].split()).startswith(
        "residual32 32x32 1,093,103 5 104,774 of 116,323, 90.07 % (95 % interval 89.90 to 90.24"
    )
    assert lines[-1] == "next: inkfold train cnn32 DATASET"


def test_a_copy_is_a_network_of_its_own(tmp_path: Path, capsys: Capture) -> None:
    """The copy has the layers and the recipe under the name of its file, and no foreign score."""
    path = tmp_path / "mine 2.py"

    assert run(command, ["cnn32", "-o", str(path)]) == 0
    build, recipe = load_script(path)

    assert recipe.name == "mine 2"
    assert recipe.stages == cnn32.RECIPE.stages
    assert build.__doc__ == cnn32.build.__doc__
    text = path.read_text(encoding="utf-8")
    assert text.startswith('"""mine 2: begun as a copy of cnn32: three convolutions')
    assert "kanji" not in text
    assert f"next: inkfold train '{path}' DATASET" in capsys.readouterr().out


def test_a_copy_replaces_no_file_and_is_a_python_file(tmp_path: Path, capsys: Capture) -> None:
    """An output that exists, one without .py, and one without a network are refused."""
    taken = tmp_path / "mine.py"
    taken.write_text("mine")

    assert run(command, ["cnn32", "-o", str(taken)]) == 2
    assert "add --overwrite" in capsys.readouterr().err
    assert run(command, ["cnn32", "-o", str(tmp_path / "mine")]) == 2
    assert "mine: a model script's name ends in .py" in capsys.readouterr().err
    assert run(command, ["-o", str(tmp_path / "other.py")]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine.py"]
    assert taken.read_text() == "mine"


def test_a_network_is_printed_as_its_file_has_it(capsys: Capture) -> None:
    """``inkfold networks cnn32`` prints the file's text."""
    assert run(command, ["cnn32"]) == 0
    assert capsys.readouterr().out == Path(cnn32.__file__).read_text(encoding="utf-8")


def test_a_name_is_a_network_that_comes_along_and_a_path_is_a_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in the current folder is taken where its path is typed, and never by a bare name."""
    monkeypatch.chdir(tmp_path)
    text = Path(cnn32.__file__).read_text(encoding="utf-8")
    for name in ("cnn32.py", "cnn32", "mine"):
        Path(name).write_text(text.replace('name="cnn32"', 'name="mine"'), encoding="utf-8")

    assert load_network("cnn32") == (cnn32.build, cnn32.RECIPE)
    assert load_network("cnn32.py")[1].name == "mine"
    assert load_network("./cnn32.py")[1].name == "mine"
    with pytest.raises(InkfoldError, match=r"mine: no network of this name; .* path, mine\.py"):
        load_network("mine")


@pytest.mark.parametrize(
    ("name", "told"),
    [("cnn23", "closest: cnn32, cnn30"), ("zzz", "there are: plain28, strided28, leaky28")],
)
def test_an_unknown_network_is_refused_with_the_closest_names(
    name: str, told: str, capsys: Capture
) -> None:
    """The names that are most like it are proposed, or all where none is."""
    assert main(["train", name, "d.h5"]) == 2
    assert told in capsys.readouterr().err
