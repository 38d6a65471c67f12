"""CASIA's .gnt files, written byte by byte."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import pytest

from inkfold.errors import InkfoldError
from inkfold.importers import casia
from inkfold.importers.collection import Glyph
from tests.worlds.letter import letter

F = letter(50, 40, ink=20, paper=255)
A = "啊".encode("gb18030")


def sample(tag: bytes = A, *, size: int | None = None) -> bytes:
    """One record: its size, the code in the order of its bytes, width, height, pixels."""
    rows, columns = F.shape
    size = 10 + F.size if size is None else size
    return struct.pack("<I2sHH", size, tag, columns, rows) + F.tobytes()


def put(path: Path, data: bytes) -> Path:
    """Write a file and the folders that it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def read(source: Path) -> tuple[tuple[str, ...], list[Glyph]]:
    """The classes and the pictures of a set, after a check of their number and polarity."""
    collection = casia.read(source)
    glyphs = list(collection.glyphs())
    assert (collection.name, collection.ink) == ("casia", "dark")
    assert collection.count == len(glyphs)
    return collection.classes, glyphs


def test_a_picture_is_upright_and_dark_on_white(tmp_path: Path) -> None:
    """A picture that is taller than wide keeps its rows and columns."""
    classes, (glyph,) = read(put(tmp_path / "001-f.gnt", sample()))

    assert np.array_equal(glyph.pixels, F)
    assert classes == ("啊",)
    assert (glyph.source, glyph.split) == ("001-f.gnt:0", None)


def test_codes_are_chinese_characters_and_ascii_signs(tmp_path: Path) -> None:
    """A code with a zero as second byte is ASCII; classes are in the order of Unicode."""
    tags = [A, b"!\0", "阿".encode("gb18030"), b"A\0", A]

    classes, glyphs = read(put(tmp_path / "001-f.gnt", b"".join(map(sample, tags))))

    assert classes == ("!", "A", "啊", "阿")
    assert [classes[g.label] for g in glyphs] == ["啊", "!", "阿", "A", "啊"]


def test_a_file_is_a_writer_and_folders_name_the_side(tmp_path: Path) -> None:
    """Folders that are named like the publisher's archives are train or test, others neither.

    The name of the source itself is not used.
    """
    put(tmp_path / "HWDB1.1trn_gnt/1001-c.gnt", sample() * 2)
    put(tmp_path / "HWDB1.1tst_gnt/1241-c.GNT", sample())
    put(tmp_path / "Gnt1.0TrainPart1/001-f.gnt", sample())
    put(tmp_path / "latest/readme.txt", b"not a picture")
    put(tmp_path / "latest/002-f.gnt", sample())

    _, glyphs = read(tmp_path)

    assert [(g.source, g.split, g.group) for g in glyphs] == [
        ("Gnt1.0TrainPart1/001-f.gnt:0", "train", "001-f"),
        ("HWDB1.1trn_gnt/1001-c.gnt:0", "train", "1001-c"),
        ("HWDB1.1trn_gnt/1001-c.gnt:1", "train", "1001-c"),
        ("HWDB1.1tst_gnt/1241-c.GNT:0", "test", "1241-c"),
        ("latest/002-f.gnt:0", None, "002-f"),
    ]
    assert [g.split for g in read(tmp_path / "HWDB1.1tst_gnt")[1]] == [None]


def test_names_that_are_not_utf_8_are_spelled_out(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are spelled out in source and group, for the dataset holds text."""
    for name in (b"\xff1.gnt", b"\xff2.gnt"):
        put(tmp_path / os.fsdecode(name), sample())

    assert [(g.source, g.group) for g in read(tmp_path)[1]] == [
        (r"\xff1.gnt:0", r"\xff1"),
        (r"\xff2.gnt:0", r"\xff2"),
    ]


def test_a_single_file_for_all_writers_has_no_groups(tmp_path: Path) -> None:
    """The pictures of a single file have no group, for one group cannot be divided."""
    assert [g.group for g in read(put(tmp_path / "all.gnt", sample() * 2))[1]] == [None, None]


def _refusal(path: Path, data: bytes) -> str:
    with pytest.raises(InkfoldError) as caught:
        casia.read(put(path, data))
    return str(caught.value)


def test_a_torn_tail_is_named_by_file_and_byte(tmp_path: Path) -> None:
    """A file that ends in a picture's pixels or header, or that is empty, is refused."""
    whole, path = sample(), tmp_path / "x.gnt"

    assert "x.gnt: byte 2,010: the file ends after 1,000 bytes of a record, expected 2,010" in (
        _refusal(path, whole + whole[:1000])
    )
    assert "x.gnt: byte 2,010: the file ends after 9 bytes of a record, expected 10 or" in (
        _refusal(path, whole + whole[:9])
    )
    assert "x.gnt is empty" in _refusal(path, b"")


def test_a_record_that_contradicts_itself_is_named_by_file_and_byte(tmp_path: Path) -> None:
    """A record with a wrong size, without pixels or with an unknown code is refused."""
    path = tmp_path / "x.gnt"

    assert "byte 2,010: a record of 2,009 bytes with 40 x 50 pixels, expected 10 bytes and" in (
        _refusal(path, sample() + sample(size=2009))
    )
    assert "byte 0: a record of 10 bytes with 0 x 50 pixels" in (
        _refusal(path, struct.pack("<I2sHH", 10, A, 0, 50))
    )
    assert "byte 2,014: the code ffff, expected a character's in GB18030" in (
        _refusal(path, sample() + sample(b"\xff\xff"))
    )
    assert "byte 4: the code 0000" in _refusal(path, sample(b"\0\0"))
    assert "byte 4: the code 0041" in _refusal(path, sample(b"\0A"))


def test_it_is_recognised_by_its_files_names(tmp_path: Path) -> None:
    """A folder with .gnt files at any depth is recognised; an empty or missing one is not."""
    put(tmp_path / "in/a/001-f.gnt", sample())
    (tmp_path / "bare").mkdir()

    assert casia.recognise(tmp_path / "in") == "001-f.gnt is named like CASIA's .gnt files"
    assert casia.recognise(tmp_path / "bare") is None
    assert casia.recognise(tmp_path / "nowhere") is None
    assert "bare: no .gnt files" in _bare(tmp_path / "bare")


def _bare(folder: Path) -> str:
    with pytest.raises(InkfoldError) as caught:
        casia.read(folder)
    return str(caught.value)
