"""The EMNIST-47 protocol: merged classes, no test picture in training, the whole official test."""

from __future__ import annotations

import os
import string
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.emnist47 import emnist47, main
from inkfold.dataset.reader import open_dataset
from inkfold.importers.emnist import read
from tests.worlds.foreign_files import write_idx

DIGITS, CAPITALS = string.digits, string.ascii_uppercase
BYCLASS = DIGITS + CAPITALS + string.ascii_lowercase
BYMERGE = DIGITS + CAPITALS + "abdefghnqrt"


def write_split(folder: Path, variant: str, classes: str, characters: str) -> None:
    """The files of one official test split, with a picture for each of `characters`."""
    stem = f"emnist-{variant}-test"
    labels = [classes.index(character) for character in characters]
    write_idx(folder / stem, stem, labels, transposed=True)
    mapping = "".join(f"{label} {ord(name)}\n" for label, name in enumerate(classes))
    (folder / stem / f"emnist-{variant}-mapping.txt").write_text(mapping)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures of ByMerge, and 39 of ByClass, of which the first three are the same ones."""
    write_split(tmp_path, "byclass", BYCLASS, "cAz" + "cCzZaA" * 6)
    write_split(tmp_path, "bymerge", BYMERGE, "CAZ")
    return tmp_path


def test_a_letter_that_is_merged_counts_as_its_capital(folder: Path) -> None:
    """The letters c and z count as C and Z, but a does not count as A, as in Cohen et al."""
    merged = emnist47(folder)
    train = Counter(
        merged.classes[glyph.label] for glyph in merged.glyphs() if glyph.split == "train"
    )

    assert "".join(merged.classes) == BYMERGE
    assert train == {"C": 12, "Z": 12, "a": 6, "A": 6}


def test_a_picture_of_the_test_split_is_not_trained_on(folder: Path) -> None:
    """A picture with a test picture's pixels is left out of training, whatever its label is."""
    merged = emnist47(folder)
    glyphs = list(merged.glyphs())
    test = [glyph for glyph in glyphs if glyph.split == "test"]

    assert merged.count == len(glyphs) == 36 + 3
    assert [merged.classes[glyph.label] for glyph in test] == ["C", "A", "Z"]
    trained = {glyph.pixels.tobytes() for glyph in glyphs if glyph.split == "train"}
    assert trained.isdisjoint({glyph.pixels.tobytes() for glyph in test})
    assert all("bymerge" in glyph.source for glyph in test)


def test_the_command_writes_a_dataset(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The dataset has 36 pictures to train and validate with, 3 to test with, at --size 28."""
    output = folder / "e.h5"

    assert main([str(folder), "-o", str(output), "--size", "28"]) == 0
    assert main([str(folder), "-o", str(output)]) == 2  # it exists

    assert "39 pictures of 4 classes" in capsys.readouterr().out
    with open_dataset(output) as dataset:
        assert (len(dataset.train) + len(dataset.validation), len(dataset.test)) == (36, 3)
        assert dataset.spec.size == 28


def test_a_folder_without_the_splits_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error names the split that is missing, with exit code 2."""
    assert main([str(tmp_path), "-o", str(tmp_path / "e.h5")]) == 2
    assert "emnist-byclass-test" in capsys.readouterr().err


@pytest.mark.slow
def test_emnists_own_files_give_the_documented_counts() -> None:
    """Of 116,323 pictures 16,478 are test pictures too; 99,845 are left to train and validate."""
    folder = os.environ.get("INKFOLD_DATA")
    if folder is None:
        pytest.skip("needs EMNIST's own files; set INKFOLD_DATA to their folder")
    merged = emnist47(Path(folder))
    splits = Counter(glyph.split for glyph in merged.glyphs())
    official = read(Path(folder) / "emnist-bymerge-test")

    assert splits == {"train": 99_845, "test": 116_323}
    assert merged.classes == official.classes
