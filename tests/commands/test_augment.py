"""The command line of augmentation: what it writes and prints, and what it refuses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from inkfold.commands.augment import main
from inkfold.dataset.reader import open_dataset
from tests.worlds.packed_strokes import write_packed


@pytest.fixture
def packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dataset with 300 training pictures: datasets/characters.h5 in the working folder."""
    monkeypatch.chdir(tmp_path)
    Path("datasets").mkdir()
    return write_packed(Path("datasets/characters.h5"), (300, 8, 8), size=8)


@pytest.mark.usefixtures("packed")
def test_without_arguments_it_makes_nine_copies_beside_the_dataset(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The default output is datasets/characters_elastic.h5, distorted as the predecessor did it."""
    assert main(["--workers", "1"]) == 0
    captured = capsys.readouterr()
    assert re.fullmatch(
        r"datasets/characters_elastic\.h5: 3,000 training pictures, 300 originals with 9 copies "
        r"each, from datasets/characters\.h5; 3,000 written in \d+\.\d s, [\d,]+ a second\n",
        captured.out,
    )
    assert captured.err == ""
    with open_dataset("datasets/characters_elastic.h5") as dataset:
        assert len(dataset.train) == 3000
        options = dataset.provenance["options"]
        assert (options["copies"], options["sigma"], options["alpha"]) == (9, 6, 47)
        assert not any(options[name] for name in ("rotate", "scale", "shear", "shift"))
        assert dataset.provenance["seed"] == 0


def test_every_option_reaches_the_file(packed: Path) -> None:
    """Each amount is recorded under its own name in the file that -o names."""
    arguments = "--copies 2 --sigma 5 --alpha 36 --rotate 15 --scale 0.2 --shear 7 --shift 0.1"
    line = [str(packed), "-o", "out/mine.h5", *arguments.split(), "--seed", "3", "--workers", "1"]
    assert main(line) == 0
    with open_dataset("out/mine.h5") as dataset:
        assert dataset.provenance["seed"] == 3
        assert dataset.provenance["options"] == {
            "copies": 2,
            "sigma": 5,
            "alpha": 36,
            "rotate": 15,
            "scale": 0.2,
            "shear": 7,
            "shift": 0.1,
        }


@pytest.mark.usefixtures("packed")
def test_preview_draws_the_sheet_and_writes_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    """Stdout has a line with the expected and the measured strength, and a line for the file."""
    assert main(["--preview", "sheet.png", "--workers", "1"]) == 0
    sheet, file = capsys.readouterr().out.splitlines()
    assert re.match(
        r"sheet\.png: rms displacement along an axis: 1\.28 px by theory; 1\.\d\d px over 1,000 ",
        sheet,
    )
    assert file.startswith("datasets/characters_elastic.h5: 3,000 training pictures")
    assert Path("sheet.png").read_bytes().startswith(b"\x89PNG")
    assert Path("datasets/characters_elastic.h5").exists()


def test_a_missing_dataset_is_an_error_with_the_command_that_packs_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error is one line that names create_dataset.py, with exit code 2."""
    monkeypatch.chdir(tmp_path)
    assert main([]) == 2
    assert capsys.readouterr().err == (
        "error: datasets/characters.h5: no such dataset; pack one with: "
        "inkfold create_dataset FOLDER\n"
    )


@pytest.mark.usefixtures("packed")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sigma", "0"], "the distortion's sigma is 0; expected more than 0"),
        (["--alpha", "nan"], "the distortion's alpha is nan; expected 0 to 1,000,000"),
        (["--copies", "0"], "Invalid value for '--copies'"),
        (["-o", "datasets/characters.h5", "--overwrite"], "is the dataset itself"),
        (["--preview", "sheet.gif"], "name it SHEET.png"),
    ],
)
def test_a_users_mistake_is_an_error_and_nothing_is_written(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong amount or output gives a message and exit code 2; the dataset stays as it was."""
    before = Path("datasets/characters.h5").read_bytes()
    assert main([*arguments, "--workers", "1"]) == 2
    assert message in capsys.readouterr().err
    assert [str(path) for path in Path().rglob("*.*")] == ["datasets/characters.h5"]
    assert Path("datasets/characters.h5").read_bytes() == before


@pytest.mark.usefixtures("packed")
def test_an_output_that_exists_is_kept_without_overwrite(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An existing dataset or sheet is an error; with --overwrite both are replaced."""
    line = ["--copies", "1", "--preview", "sheet.png", "--workers", "1"]
    assert main(line) == 0
    assert main([*line, "--copies", "2"]) == 2
    assert "characters_elastic.h5 already exists; add --overwrite" in capsys.readouterr().err
    assert main([*line, "-o", "other.h5"]) == 2
    assert "sheet.png already exists; add --overwrite" in capsys.readouterr().err
    assert not Path("other.h5").exists()
    assert main([*line, "--copies", "2", "--overwrite"]) == 0
    with open_dataset("datasets/characters_elastic.h5") as dataset:
        assert len(dataset.train) == 900
