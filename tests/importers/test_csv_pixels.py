"""Sets in CSV files, a label and the pixels of a picture in each line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from inkfold.importers.formats import FORMATS
from tests.worlds.foreign_files import MAPPING, csv_lines
from tests.worlds.reading import described, refusal


def test_csv_with_and_without_a_heading(tmp_path: Path) -> None:
    """A heading is passed over, and without one the first line is a picture.

    A_Z has no heading; MNIST as Kaggle has it has a heading and two sides.
    """
    (tmp_path / "az").mkdir()
    (tmp_path / "az/A_Z Handwritten Data.csv").write_text(csv_lines([25, 0, 4]))
    heading = ",".join(["label", *(f"pixel{at}" for at in range(784))]) + "\n"
    (tmp_path / "mnist_train.csv").write_text(heading + csv_lines([3]))
    (tmp_path / "mnist_test.csv").write_text(heading + csv_lines([1, 2]))

    capitals = FORMATS["csv"].read(tmp_path / "az")
    assert (capitals.name, len(capitals.classes)) == ("a_z-handwritten-data", 26)
    assert [(name, split, source[-2:]) for name, split, source, _ in described(capitals)] == [
        ("Z", None, ":0"),
        ("A", None, ":1"),
        ("E", None, ":2"),
    ]
    digits = described(FORMATS["csv"].read(tmp_path))
    assert [(name, split) for name, split, *_ in digits] == [
        ("3", "train"),
        ("1", "test"),
        ("2", "test"),
    ]
    assert digits[1][2] == "mnist_test.csv:0"
    alone = FORMATS["csv"].read(tmp_path / "mnist_test.csv")
    assert [split for _, split, *_ in described(alone)] == ["test", "test"]


def test_csv_of_emnist_is_read_upright(tmp_path: Path) -> None:
    """A file that is named like EMNIST's is turned upright, and its classes are the mapping's."""
    (tmp_path / "emnist-letters-test.csv").write_text(csv_lines([2, 1], transposed=True))
    (tmp_path / "emnist-letters-mapping.txt").write_text(MAPPING)

    assert [name for name, *_ in described(FORMATS["csv"].read(tmp_path))] == ["B", "A"]


def test_a_bad_line_of_csv_is_reported_with_its_number(tmp_path: Path) -> None:
    """A short line, text or 256 as a pixel, and a negative or unknown label are refused."""
    path, good = tmp_path / "mine.csv", csv_lines([1, 2, 3])
    for bad, complaint in (
        (good[:-30], r"line 3 has 77\d fields, expected a label and 784 numbers"),
        (good[:-2] + "x\n", "line 3 has b'x', expected a label and 784 numbers"),
        (good[:-2] + "256\n", "line 3 has b'256', expected a label and 784 numbers"),
        (good + "-1,3\n", "line 4 begins with b'-1'"),
        ("1,2,3\n" * 3, "3 fields in its first lines; expected a label and as many pixels"),
        (good + "q" + good[1:], "line 4 begins with b'q', expected a label from 0"),
    ):
        path.write_text(bad)
        assert re.search(complaint, refusal("csv", path)), refusal("csv", path)
    (tmp_path / "A_Z.csv").write_text(csv_lines([1, 26]))
    assert "label 26 in line 2, expected one of the 26 from 0 to 25" in refusal(
        "csv", tmp_path / "A_Z.csv"
    )


@pytest.mark.parametrize("heading", ["", "label,pixels\n"])
def test_a_byte_order_mark_before_csv_costs_no_picture(tmp_path: Path, heading: str) -> None:
    """A byte order mark at the beginning is neither a heading nor a part of the first label."""
    path = tmp_path / "mine.csv"
    path.write_text("\ufeff" + heading + csv_lines([2, 1, 0]), encoding="utf-8")
    assert [name for name, *_ in described(FORMATS["csv"].read(path))] == ["2", "1", "0"]


def test_a_number_that_is_no_label_does_not_make_a_million_classes(tmp_path: Path) -> None:
    """A first column with large numbers, an index perhaps, is refused as labels."""
    path = tmp_path / "mine.csv"
    path.write_text(csv_lines([1, 3_000_000]))
    assert "label 3000000 in line 2, expected one of the 65536" in refusal("csv", path)
