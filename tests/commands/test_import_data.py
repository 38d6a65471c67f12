"""The command line of importing: what it says, what it refuses, how it ends."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from inkfold.commands.import_data import main
from inkfold.dataset.reader import open_dataset
from inkfold.importers.formats import FORMATS
from tests.worlds.foreign_files import write_all, write_idx, write_mat
from tests.worlds.scripts import run_script


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outputs go under the working folder."""
    monkeypatch.chdir(tmp_path)


def test_a_set_is_imported_without_options(capsys: pytest.CaptureFixture[str]) -> None:
    """The file has the set's name; one line says what was made, one what comes next."""
    write_idx(Path("my set"), "train", [at % 3 for at in range(100)])
    write_idx(Path("my set"), "t10k", [at % 3 for at in range(20)])

    code = main(["idx", "my set"])

    said = capsys.readouterr()
    assert code == 0
    first, last = said.out.splitlines()
    assert re.fullmatch(
        r"datasets/my set\.h5: 120 pictures of 3 classes \(\d+ / \d+ / 20\) from my set "
        r"in [\d.]+ s, [\d,]+ a second",
        first,
    )
    assert last == "next: python augment.py 'datasets/my set.h5'"
    lines = said.err.splitlines()
    assert lines[0] == "pictures with the pixels of another picture: 20"
    assert lines[1].startswith("warning: pictures of the set's own test with the pixels of a")
    assert lines[1].endswith(": 20")


def test_every_option_reaches_the_file() -> None:
    """Spec, split, seed, choice of pictures and the place of the file."""
    write_idx(Path("in"), "train", [0] * 40 + [1] * 30 + [2] * 3)

    code = main(
        shlex.split(
            "idx in -o made/d.h5 --size 20 --split 0.5,0.25,0.25 --seed 5 --fit ink --resplit "
            "--threshold otsu --per-class 20 --min-per-class 10 --transpose "
            "--overwrite -q"
        )
    )

    assert code == 0
    with open_dataset("made/d.h5") as dataset:
        spec = dataset.spec
        assert (spec.size, spec.fit, spec.ink, spec.threshold) == (20, "ink", "auto", "otsu")
        assert dataset.classes == ("0", "1")
        count = len(dataset.train) + len(dataset.validation) + len(dataset.test)
        options = dataset.provenance["options"]
    assert count == 40
    assert (options["seed"], options["format"]) == (5, "idx")
    assert (options["resplit"], options["transpose"]) == (True, True)
    assert options["split"] == [0.5, 0.25, 0.25]


def test_a_test_without_a_train_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing to augment next."""
    write_idx(Path("in"), "t10k", [0, 1])

    assert main(["idx", "in"]) == 0
    assert "nothing to train on: all of it is the set's own test" in capsys.readouterr().out


def test_writers_on_both_sides_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """How many; their pictures stay where the set has them."""
    write_mat(Path("emnist-letters.mat"), {"train": ([2, 1], [7, 300]), "test": ([1], [7])})

    assert main(["emnist-mat", "."]) == 0
    warning = "warning: groups with pictures on both sides of the set's own split: 1"
    assert warning in capsys.readouterr().err.splitlines()


def test_without_a_format_it_is_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    """Which, why, and the command to type; nothing is written."""
    for name, source in write_all(Path("sets")).items():
        before = sorted(Path().rglob("*"))

        assert main([str(source)]) == 0

        first, last = capsys.readouterr().out.splitlines()
        assert first.startswith(f"{source} seems to be {name}: ")
        assert last == f"next: python import_data.py {name} {source}"
        assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("nowhere", "nowhere: no such file or folder; formats are idx, emnist"),
        ("set.zip", "set.zip: an archive; unpack it and give the folder; formats are"),
        ("empty", "empty: of no format that is known here; class folders of pictures are packed"),
        ("other empty", "'other' is no format; expected one of idx, emnist"),
        ("idx nowhere", "nowhere: no such file or folder; expected train-images-idx3-ubyte"),
        ("idx empty", "empty: no such files here; expected train-images-idx3-ubyte"),
        ("", "0 arguments; expected FORMAT SOURCE, or SOURCE alone"),
        ("a b c", "3 arguments; expected FORMAT SOURCE, or SOURCE alone"),
        ("idx in --split 1,2,3", "'1,2,3' adds up to 6"),
        ("idx in -o taken", "taken already exists; add --overwrite"),
    ],
)
def test_mistakes_are_told_in_a_line(
    arguments: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With exit code 2, and nothing is written."""
    Path("empty").mkdir()
    Path("set.zip").touch()
    Path("taken").touch()
    write_idx(Path("in"), "train", [0])

    assert main(shlex.split(arguments)) == 2

    said = capsys.readouterr()
    assert message in said.err
    assert said.out == ""
    assert not Path("datasets").exists()


def test_the_script_is_the_command(tmp_path: Path) -> None:
    """Another process; and the help names every format."""
    write_idx(tmp_path / "in", "train", [0, 1] * 300)

    done = run_script("import_data.py", "idx", "in", cwd=tmp_path)
    shown = run_script("import_data.py", "--help", cwd=tmp_path).stdout.decode()

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "datasets/in.h5").exists()
    assert f"formats: {', '.join(FORMATS)}. " in re.sub(r"\s+", " ", shown)
