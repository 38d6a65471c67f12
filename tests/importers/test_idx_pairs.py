"""IDX files under names of their own: magic numbers and counts tell what they are."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np

from inkfold.importers.formats import FORMATS
from tests.worlds.foreign_files import idx_bytes, letters
from tests.worlds.reading import described, refusal


def labels(*numbers: int) -> bytes:
    """An IDX file of labels."""
    return idx_bytes(np.array(numbers, np.uint8))


def test_a_pair_of_any_names_is_read(tmp_path: Path) -> None:
    """Dimensions tell pictures from labels, and words in the names tell the sides."""
    (tmp_path / "a_train.bin").write_bytes(idx_bytes(letters(2)))
    (tmp_path / "b_train.bin").write_bytes(labels(3, 1))
    (tmp_path / "TestPixels.gz").write_bytes(gzip.compress(idx_bytes(letters(1))))
    (tmp_path / "TestAnswers").write_bytes(labels(1))
    (tmp_path / "readme").write_text("no IDX file")
    (tmp_path / "val-x").write_bytes(idx_bytes(letters(1)))
    (tmp_path / "val-y").write_bytes(labels(3))

    collection = FORMATS["idx"].read(tmp_path)
    alone = FORMATS["idx"].read(tmp_path / "b_train.bin")

    assert FORMATS["idx"].recognise(tmp_path) == "a_train.bin and b_train.bin begin as IDX files do"
    assert described(collection) == [
        ("3", "train", "a_train.bin:0", None),
        ("1", "train", "a_train.bin:1", None),
        ("3", "validation", "val-x:0", None),
        ("1", "test", "TestPixels.gz:0", None),
    ]
    assert collection.notes[0] == "a_train.bin: the labels are those of b_train.bin"
    assert len(described(alone)) == 2


def test_labels_of_four_bytes_and_counts_tell_a_pair(tmp_path: Path) -> None:
    """Of two files of labels the one with as many records belongs to the pictures."""
    (tmp_path / "x").write_bytes(idx_bytes(letters(3)))
    wide = b"\0\0\x0c\x01" + struct.pack(">I3i", 3, 2000, 0, 5)
    (tmp_path / "y").write_bytes(wide)
    (tmp_path / "z").write_bytes(labels(1, 2))

    assert [name for name, *_ in described(FORMATS["idx"].read(tmp_path))] == ["2000", "0", "5"]


def test_files_that_cannot_be_paired_are_refused(tmp_path: Path) -> None:
    """No count that fits, and two that fit, are refused with the counts of all files."""
    (tmp_path / "x").write_bytes(idx_bytes(letters(3)))
    (tmp_path / "y").write_bytes(labels(1, 2))
    assert "no file of pictures has one of as many labels: x holds 3, y holds 2" in refusal(
        "idx", tmp_path
    )
    (tmp_path / "y").write_bytes(labels(1, 2, 1))
    (tmp_path / "z").write_bytes(labels(7, 8, 9))
    assert "more than one reading: x holds 3, y holds 3, z holds 3; keep the two" in refusal(
        "idx", tmp_path
    )
    (tmp_path / "z").unlink()
    (tmp_path / "y").write_bytes(labels(1, 1, 1))
    assert "all 3 pictures have the label '1'" in refusal("idx", tmp_path)
    (tmp_path / "x").write_bytes(idx_bytes(letters(3))[:-1])
    assert "its header tells of 3 records" in refusal("idx", tmp_path)
