"""The command line of importing: what it prints, what it refuses, how it ends."""

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
def _in_a_new_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make an empty folder the working folder, where outputs go."""
    monkeypatch.chdir(tmp_path)


def test_a_set_is_imported_without_options(capsys: pytest.CaptureFixture[str]) -> None:
    """The dataset is named after the set; stdout has what was made, and the next command."""
    write_idx(Path("my set"), "train", [at % 3 for at in range(100)])
    write_idx(Path("my set"), "t10k", [at % 3 for at in range(20)])

    code = main(["idx", "my set"])

    captured = capsys.readouterr()
    assert code == 0
    first, last = captured.out.splitlines()
    assert re.fullmatch(
        r"datasets/my set\.h5: 120 pictures of 3 classes \(\d+ / \d+ / 20\) from my set; "
        r"120 pictures read in [\d.]+ s, [\d,]+ a second",
        first,
    )
    assert last == "next: inkfold augment 'datasets/my set.h5'"
    lines = captured.err.splitlines()
    assert lines[0] == "pictures with the pixels of another picture: 20"
    assert lines[1].startswith("warning: pictures of the given validation or test with the")
    assert lines[1].endswith(": 20")


def test_every_option_reaches_the_file() -> None:
    """The spec, the split, the seed and the choice of pictures are recorded as the options say."""
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


def test_a_set_with_a_test_alone_says_that_nothing_can_be_trained(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Stdout advises --resplit, and names the command that measures, not the one that augments."""
    write_idx(Path("in"), "t10k", [0, 1])

    assert main(["idx", "in"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "nothing to train on: all of it is the set's own test; --resplit divides it",
        "next: inkfold evaluate BUNDLE datasets/in.h5",
    ]


def test_writers_on_both_sides_of_the_sets_split_are_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A warning counts the writers who have pictures in the set's own train and in its test."""
    write_mat(Path("emnist-letters.mat"), {"train": ([2, 1], [7, 300]), "test": ([1], [7])})

    assert main(["emnist-mat", "."]) == 0
    warning = "warning: groups with pictures in several of the given splits: 1"
    assert warning in capsys.readouterr().err.splitlines()


def test_without_a_format_it_is_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    """With SOURCE alone stdout names the format, the reason and the command; no file is written."""
    for name, source in write_all(Path("sets")).items():
        before = sorted(Path().rglob("*"))

        assert main([str(source)]) == 0

        first, last = capsys.readouterr().out.splitlines()
        assert first.startswith(f"{source} seems to be {name}: ")
        assert last == f"next: inkfold import_data {name} {source}"
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
def test_a_mistake_is_an_error_and_nothing_is_written(
    arguments: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong source, format, option or output gives a message on stderr and exit code 2."""
    Path("empty").mkdir()
    Path("set.zip").touch()
    Path("taken").touch()
    write_idx(Path("in"), "train", [0])

    assert main(shlex.split(arguments)) == 2

    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""
    assert not Path("datasets").exists()


def test_the_script_is_the_command(tmp_path: Path) -> None:
    """``import_data.py`` imports in a process of its own, and its help names every format."""
    write_idx(tmp_path / "in", "train", [0, 1] * 300)

    done = run_script("import_data.py", "idx", "in", cwd=tmp_path)
    help_text = run_script("import_data.py", "--help", cwd=tmp_path).stdout.decode()

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "datasets/in.h5").exists()
    assert f"formats: {', '.join(FORMATS)}. " in re.sub(r"\s+", " ", help_text)
