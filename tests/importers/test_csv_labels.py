"""Pictures in one CSV file and their labels in another."""

from __future__ import annotations

from pathlib import Path

from inkfold.importers.formats import FORMATS
from tests.worlds.foreign_files import csv_lines, letters
from tests.worlds.reading import described, refusal


def pictures(count: int) -> str:
    """Lines of 784 pixels and no label."""
    rows = letters(count).reshape(count, -1).tolist()
    return "".join(",".join(map(str, row)) + "\n" for row in rows)


def test_pictures_and_labels_in_two_files_are_read_together(tmp_path: Path) -> None:
    """Two sides are told by their names; one of the files stands for its pair."""
    (tmp_path / "csvTrainImages 13440x784.csv").write_text(pictures(3))
    (tmp_path / "csvTrainLabel 13440x1.csv").write_text("2\n1\n2\n")
    (tmp_path / "csvTestImages 3360x784.csv").write_text(pictures(1))
    (tmp_path / "csvTestLabel 3360x1.csv").write_text("1\n")

    collection = FORMATS["csv"].read(tmp_path)
    alone = FORMATS["csv"].read(tmp_path / "csvTrainLabel 13440x1.csv")

    assert FORMATS["csv"].recognise(tmp_path)
    assert collection.name == "csv"
    assert [(name, split) for name, split, *_ in described(collection)] == [
        *(("2", "train"), ("1", "train"), ("2", "train")),
        ("1", "test"),
    ]
    assert described(alone)[0][2] == "csvTrainImages 13440x784.csv:0"
    assert len(described(alone)) == 3
    assert collection.notes[0].endswith("the labels are those of csvTrainLabel 13440x1.csv")


def test_a_validation_is_a_side_of_its_own(tmp_path: Path) -> None:
    """Three parts are three pairs, in the order of the splits."""
    for part in ("train", "val", "test"):
        (tmp_path / f"X_{part}.csv").write_text(pictures(2))
        (tmp_path / f"y_{part}.csv").write_text("1\n0\n")

    collection = FORMATS["csv"].read(tmp_path)

    sides = [split for _, split, *_ in described(collection)]
    assert sides == [*["train"] * 2, *["validation"] * 2, *["test"] * 2]


def test_labels_may_have_a_heading_and_a_number(tmp_path: Path) -> None:
    """A heading of labels is no label, and a column of numbers of lines is left out."""
    (tmp_path / "images.csv").write_text(pictures(2))
    for text in ("label\nb\na\n", "id;class\n1;b\n2;a\n", "Id,Kind\n1,b\n2,a\n"):
        (tmp_path / "labels.csv").write_text(text)
        assert [name for name, *_ in described(FORMATS["csv"].read(tmp_path))] == ["b", "a"]


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    """Other counts, two columns of labels, and pairs beside labelled pictures are refused."""
    (tmp_path / "images.csv").write_text(pictures(2))
    for text, message in (
        ("1\n2\n3\n", "holds 2 pictures, labels.csv holds 3 labels; expected as many"),
        ("1,2\n3,4\n", "2 columns (1, 2), expected labels alone, or a heading that names one"),
        ("label,x\n3\n4\n", "line 2 is b'3\\n', expected 2 fields"),
        ("1\n1\n", "all 2 pictures have the label '1'"),
    ):
        (tmp_path / "labels.csv").write_text(text)
        assert message in refusal("csv", tmp_path)
    (tmp_path / "old.csv").write_text(csv_lines([1, 0]))
    assert "old.csv holds pictures with labels, images.csv pictures whose labels" in refusal(
        "csv", tmp_path
    )


def test_pictures_without_labels_are_no_set(tmp_path: Path) -> None:
    """The test of a competition, beside a table of answers to be filled in, gets no labels."""
    (tmp_path / "test.csv").write_text(pictures(2))
    (tmp_path / "sample_submission.csv").write_text("ImageId,Label\n1,0\n2,0\n")

    assert FORMATS["csv"].recognise(tmp_path) is None
    assert "no such files here" in refusal("csv", tmp_path)
    (tmp_path / "train.csv").write_text(csv_lines([1, 0]))
    assert len(described(FORMATS["csv"].read(tmp_path))) == 2
