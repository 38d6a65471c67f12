"""Parquet files with pictures as bytes, as Hugging Face's library writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from inkfold.importers import formats
from inkfold.importers.formats import FORMATS
from tests.worlds.foreign_files import letters
from tests.worlds.reading import refusal

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


def encoded(count: int) -> list[bytes]:
    """So many letters F as the bytes of PNG files."""
    return [cv2.imencode(".png", letter)[1].tobytes() for letter in letters(count)]


def save(
    path: Path,
    labels: list[Any],
    *,
    names: list[str] | None = None,
    column: str = "label",
    pictures: list[bytes | None] | None = None,
    **more: list[Any],
) -> Path:
    """Write a file in Hugging Face's layout, in row groups of two rows."""
    pictures = list(encoded(len(labels))) if pictures is None else pictures
    images = [{"bytes": data, "path": f"{at}.png"} for at, data in enumerate(pictures)]
    table = pa.table({"image": images, column: labels, **more})
    if names is not None:
        features = {"image": {"_type": "Image"}, column: {"names": names, "_type": "ClassLabel"}}
        told = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({b"huggingface": told.encode()})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, row_group_size=2, write_page_checksum=True)
    return path


def classes_in(source: Path) -> list[tuple[str, str | None]]:
    """Class and side of each picture; all must be upright letters F."""
    collection = FORMATS["parquet"].read(source)
    glyphs = list(collection.glyphs())
    assert all(
        np.array_equal(g.pixels, letters(9)[int(g.source.rpartition(":")[2])]) for g in glyphs
    )
    return [(collection.classes[glyph.label], glyph.split) for glyph in glyphs]


def test_hugging_faces_layout_has_its_class_names_and_sides(tmp_path: Path) -> None:
    """The names of the classes are in the file, and the names of the files say the sides."""
    for name, labels in (
        ("data/train-00000-of-00002.parquet", [1, 0, 1]),
        ("data/train-00001-of-00002.parquet", [0, 1]),
        ("data/validation-00000-of-00001.parquet", [1, 0]),
        ("data/test-00000-of-00001.parquet", [0, 1]),
    ):
        save(tmp_path / name, labels, names=["あ", "い"])

    collection = FORMATS["parquet"].read(tmp_path)

    assert FORMATS["parquet"].recognise(tmp_path)
    assert collection.classes == ("あ", "い")
    assert classes_in(tmp_path) == [
        *(("い", "train"), ("あ", "train"), ("い", "train"), ("あ", "train"), ("い", "train")),
        *(("い", "validation"), ("あ", "validation")),
        *(("あ", "test"), ("い", "test")),
    ]
    assert collection.notes[0].endswith("labels in label, with the names that the file brings")


def test_texts_and_plain_bytes_are_read(tmp_path: Path) -> None:
    """Labels may be texts, and pictures may be bytes without a file's name."""
    table = pa.table({"png": encoded(3), "character": ["b", "a", "b"]})
    pq.write_table(table, tmp_path / "mine.parquet")

    assert classes_in(tmp_path) == [("b", None), ("a", None), ("b", None)]


def test_a_bad_picture_and_a_missing_label_are_counted(tmp_path: Path) -> None:
    """One picture that cannot be decoded, and rows without label, stop nothing."""
    good = encoded(5)
    pictures = [good[0], b"no picture", good[2], None, good[4]]
    save(tmp_path / "a.parquet", [0, 1, 1, 0, None], pictures=pictures)

    collection = FORMATS["parquet"].read(tmp_path)

    for _ in range(2):
        assert [glyph.source for glyph in collection.glyphs()] == ["a.parquet:0", "a.parquet:2"]
        assert collection.unreadable.first == [
            ("a.parquet:1", "truncated or not a picture"),
            ("a.parquet:3", "no bytes in the file"),
        ]
        assert collection.ignored.first == [("a.parquet:4", "no label")]


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        ([0, 1], {"column": "kind"}, "no column of labels; its columns are image struct"),
        ([0, 1], {"y": [1, 0]}, "label and y may each be the labels"),
        ([0, 1], {"picture": encoded(2), "x": encoded(2)}, "may each be the pictures as bytes"),
        ([0, 2], {"names": ["a", "b"]}, "label 2 in row 1, expected one of the 2 classes"),
        ([1, 1], {"names": ["a", "b"]}, "fewer than two classes have pictures; is label the"),
        ([0, 1], {"names": ["a", "a"]}, "two of the classes of label have one name"),
        ([1, 1], {}, "all 2 pictures have the label '1'"),
        ([0.5, 1.0], {}, "a label is 0.5, expected whole numbers or texts"),
    ],
)
def test_what_has_two_readings_or_none_is_refused(
    tmp_path: Path, labels: list[Any], options: dict[str, Any], message: str
) -> None:
    """Columns that may each be the label, names that fit no number, and one class are refused."""
    save(tmp_path / "a.parquet", labels, **options)
    assert message in refusal("parquet", tmp_path)


def test_the_user_names_the_column(tmp_path: Path) -> None:
    """The option says which column is the label."""
    save(tmp_path / "a.parquet", [0, 1], column="kind")
    chosen = formats.read("parquet", tmp_path, label_column="kind")
    assert [glyph.label for glyph in chosen.glyphs()] == [0, 1]


def test_files_of_two_sets_and_other_classes_are_refused(tmp_path: Path) -> None:
    """Files that differ in more than side and number are two sets, and so are other classes."""
    save(tmp_path / "train.parquet", [0, 1], names=["a", "b"])
    save(tmp_path / "test.parquet", [0, 1], names=["b", "a"])
    assert "the classes of label differ from those in train.parquet" in refusal("parquet", tmp_path)
    save(tmp_path / "small-test.parquet", [0, 1])
    assert "holds 2 sets: small-test.parquet, test.parquet, train.parquet" in refusal(
        "parquet", tmp_path
    )


def test_without_pyarrow_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The format is recognised by its first bytes, and reading it says what to install."""
    save(tmp_path / "a.parquet", [0, 1])
    monkeypatch.setattr("inkfold.extras.find_spec", lambda _name: None)

    assert FORMATS["parquet"].recognise(tmp_path) == "a.parquet begins as Parquet does"
    assert "pip install 'inkfold[parquet]'" in refusal("parquet", tmp_path)


def test_a_torn_file_is_refused(tmp_path: Path) -> None:
    """A file that ends too early, or in which a byte differs, is refused by name."""
    path = save(tmp_path / "a.parquet", [0, 1, 0, 1])
    data = path.read_bytes()
    for spoilt in (data[: len(data) // 2], data[:100] + bytes([data[100] ^ 255]) + data[101:]):
        path.write_bytes(spoilt)
        assert "a.parquet: cannot be read as Parquet" in refusal("parquet", path)
