"""The ETL character database: records written byte by byte from its format pages."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from inkfold.errors import InkfoldError
from inkfold.importers.collection import Glyph
from inkfold.importers.etl import ETL1, ETL6, ETL7, ETL8B, ETL8G, ETL9B, ETL9G, EtlSet
from tests.worlds.letter import letter

F63 = letter(63, 64, ink=255, paper=0)
F127 = letter(127, 128, ink=255, paper=0)
F127[60, 100] = 17  # the right one of two pixels in a byte, the darkest grey
A, KANJI, FIRST = 0x2422, 0x3021, 0x2121  # あ, 亜, the space


def nibbles(picture: NDArray[np.uint8]) -> bytes:
    """A picture packed as two pixels a byte, the left one in the high nibble."""
    greys = (picture // 17).ravel().tolist()
    return bytes(greys[i] << 4 | greys[i + 1] for i in range(0, len(greys), 2))


def bits(picture: NDArray[np.uint8]) -> bytes:
    """A picture packed as eight pixels a byte, the leftmost in the highest bit."""
    ones = [int(pixel > 0) for pixel in picture.ravel().tolist()]
    return bytes(int("".join(map(str, ones[i : i + 8])), 2) for i in range(0, len(ones), 8))


def m_record(code: int, *, reading: bytes = b"  ", sheet: int = 1) -> bytes:
    """A record of ETL1, ETL6 or ETL7: 2,052 bytes, the picture from byte 33, counted from 1."""
    head = struct.pack(">H2sHBB", 7, reading, sheet, code, 0xAA)
    record = head.ljust(32, b"\x99") + nibbles(F63) + b"\x99" * 4
    assert len(record) == 2052
    return record


def b_record(code: int, *, sheet: int = 1, size: int = 512) -> bytes:
    """A record of ETL8B or, with 576 bytes, of ETL9B: the picture from byte 9, counted from 1."""
    record = struct.pack(">HH4s", sheet, code, b"AI.M") + bits(F63)
    return record.ljust(size, b"\x99")


def g_record(code: int, *, sheet: int = 1, skip: int = 30) -> bytes:
    """A record of ETL8G or, with 34 bytes skipped before the picture, of ETL9G."""
    head = struct.pack(">HH8sI4B4H2B", sheet, code, b"AI.MEDER", 1, *range(4), *range(4), 3, 4)
    record = head + b"\x99" * skip + nibbles(F127)
    return record.ljust(8199, b"\x99")


def put(folder: Path, **files: bytes) -> Path:
    """Write the files of a set into a folder, which is returned."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def read(etl: EtlSet, source: Path) -> tuple[tuple[str, ...], list[Glyph]]:
    """The classes and the pictures of a set, after a check of their number and polarity."""
    collection = etl.read(source)
    glyphs = list(collection.glyphs())
    assert collection.ink == "light"
    assert collection.name == etl.name
    assert collection.count == len(glyphs)
    return collection.classes, glyphs


@pytest.mark.parametrize(
    ("etl", "name", "data", "expected"),
    [
        (ETL1, "ETL1C_01", m_record(0xB1), F63),
        (ETL6, "ETL6C_01", m_record(0xB1), F63),
        (ETL7, "ETL7LC_1", m_record(0xB1), F63),
        (ETL8B, "ETL8B2C1", bytes(512) + b_record(A), F63),
        (ETL9B, "ETL9B_1", bytes(576) + b_record(A, size=576), F63),
        (ETL8G, "ETL8G_01", g_record(A), F127),
        (ETL9G, "ETL9G_01", g_record(A, skip=34), F127),
    ],
    ids=lambda value: value.name if isinstance(value, EtlSet) else "",
)
def test_a_picture_is_upright_and_light_on_dark(
    tmp_path: Path, etl: EtlSet, name: str, data: bytes, expected: NDArray[np.uint8]
) -> None:
    """Each set gives the pixels that were packed, from a folder and from the file itself."""
    source = put(tmp_path / "in", **{name: data})

    classes, (glyph,) = read(etl, source)

    assert np.array_equal(glyph.pixels, expected)
    assert classes == ("ア" if etl in (ETL1, ETL6) else "あ",)
    assert (glyph.label, glyph.split) == (0, None)
    assert read(etl, source / name)[0] == classes


def test_a_source_is_a_file_and_a_record_and_a_group_is_a_sheet(tmp_path: Path) -> None:
    """Records are counted from 0, files come by name, classes by code.

    File names in small letters are accepted.
    """
    source = put(
        tmp_path / "in",
        etl1c_02=m_record(0x41, sheet=1001),
        etl1c_01=m_record(0x42, sheet=1001) + m_record(0x42, sheet=1002),
    )

    classes, glyphs = read(ETL1, source)

    assert classes == ("A", "B")
    assert [(g.source, classes[g.label], g.group) for g in glyphs] == [
        ("etl1c_01:0", "B", "sheet 1001"),
        ("etl1c_01:1", "B", "sheet 1002"),
        ("etl1c_02:0", "A", "sheet 1001"),
    ]


def test_two_kana_without_a_code_go_by_their_reading(tmp_path: Path) -> None:
    """WI and WE, which JIS X 0201 lacks, are known by the reading in their records.

    The codes of these records are those of other letters.
    """
    records = [(0xB2, b" I"), (0xB2, b"WI"), (0xB4, b"WE"), (0xDD, b" N")]
    data = b"".join(m_record(code, reading=reading) for code, reading in records)
    source = put(tmp_path / "in", ETL1C_12=data, ETL7LC_1=data)

    classes, glyphs = read(ETL1, source)
    cursive, again = read(ETL7, source)

    assert [classes[g.label] for g in glyphs] == ["イ", "ヰ", "ヱ", "ン"]
    assert [cursive[g.label] for g in again] == ["い", "ゐ", "ゑ", "ん"]
    assert classes == ("イ", "ン", "ヰ", "ヱ"), "by code, those without one at the end"


def test_the_first_record_of_the_black_and_white_sets_is_no_picture(tmp_path: Path) -> None:
    """The first record of a file of ETL8B is left out, even if it looks like a picture."""
    source = put(tmp_path / "in", ETL8B2C2=b_record(KANJI) + b_record(A) * 2)

    classes, glyphs = read(ETL8B, source)

    assert classes == ("あ",)
    assert [g.source for g in glyphs] == ["ETL8B2C2:1", "ETL8B2C2:2"]


def sparse(path: Path, etl: EtlSet, codes: NDArray[np.int64]) -> Path:
    """Write a file of blank pictures with these codes, one a record; returns its folder."""
    path.parent.mkdir()
    rows = np.memmap(path, etl.record, "w+", shape=(len(codes),))
    rows["code"] = codes
    rows.flush()
    return path.parent


@pytest.mark.parametrize(
    ("etl", "name", "usable", "extra"),
    [(ETL8B, "ETL8B2C3", 50_560, 956), (ETL9B, "ETL9B_5", 121_440, 3_036)],
)
def test_pictures_by_no_writer_at_the_end_of_a_set_are_left_out(
    tmp_path: Path, etl: EtlSet, name: str, usable: int, extra: int
) -> None:
    """The model images of ETL8B and the uncertain pictures of ETL9B are left out."""
    codes = np.full(1 + usable + extra, A)
    codes[1 + usable - 1] = KANJI
    codes[1 + usable :] = FIRST
    source = sparse(tmp_path / "in" / name, etl, codes)

    collection = etl.read(source)

    assert collection.count == usable
    assert collection.classes == ("あ", "亜")


def test_the_same_number_of_records_in_another_file_is_all_pictures(tmp_path: Path) -> None:
    """Records at the end of a file are left out of the set's last file alone."""
    source = sparse(tmp_path / "in" / "ETL8B2C1", ETL8B, np.full(1 + 51_200, A))

    assert ETL8B.read(source).count == 51_200


def test_the_last_file_of_etl8g_is_left_out(tmp_path: Path) -> None:
    """File 33 of ETL8G, which no writer filled, is left out; alone it is refused."""
    source = put(tmp_path / "in", ETL8G_32=g_record(A), ETL8G_33=g_record(KANJI))

    assert read(ETL8G, source)[0] == ("あ",)
    with pytest.raises(InkfoldError, match="ETL8G_33: no pictures of etl8g; expected files named"):
        ETL8G.read(source / "ETL8G_33")


def test_ten_sheets_of_etl8_are_a_writer_s(tmp_path: Path) -> None:
    """Ten consecutive sheets are a group in ETL8, and each sheet is one in ETL9."""
    sheets = (1, 10, 11)
    source = put(
        tmp_path / "in",
        ETL8G_01=b"".join(g_record(A, sheet=sheet) for sheet in sheets),
        ETL9G_01=b"".join(g_record(A, sheet=sheet, skip=34) for sheet in sheets),
    )

    groups8 = [g.group for g in read(ETL8G, source)[1]]
    groups9 = [g.group for g in read(ETL9G, source)[1]]

    assert groups8 == ["sheets 1-10", "sheets 1-10", "sheets 11-20"]
    assert groups9 == ["sheet 1", "sheet 10", "sheet 11"]


def test_more_records_than_a_block_stay_in_order(tmp_path: Path) -> None:
    """Records that are read in several blocks stay in order, at a second reading as well."""
    data = b"".join(b_record(A, sheet=sheet, size=576) for sheet in range(601))
    collection = ETL9B.read(put(tmp_path / "in", ETL9B_2=data))

    for _ in range(2):
        assert [g.group for g in collection.glyphs()] == [f"sheet {n}" for n in range(1, 601)]


def test_a_torn_file_and_an_unknown_code_are_named_by_byte(tmp_path: Path) -> None:
    """A torn record and a code without a character are refused with the byte where they lie.

    The code of record 2, counted from 0, lies at byte 512 * 2 + 2.
    """
    torn = put(tmp_path / "torn", ETL8B2C1=b_record(A) * 2 + bytes(100))
    wrong = put(tmp_path / "wrong", ETL8B2C1=b_record(A) * 2 + b_record(0x7F7F))
    kana = put(tmp_path / "kana", ETL6C_01=m_record(0x41) + m_record(0xFF))

    with pytest.raises(InkfoldError, match="ETL8B2C1: byte 1,024: the last record has 100 bytes"):
        ETL8B.read(torn)
    with pytest.raises(InkfoldError, match=r"ETL8B2C1: byte 1,026 \(record 2\): .* code 0x7f7f, e"):
        ETL8B.read(wrong)
    with pytest.raises(InkfoldError, match=r"ETL6C_01: byte 2,058 \(record 1\): .* code 0xff, exp"):
        ETL6.read(kana)


def test_a_set_is_recognised_by_name_and_size_and_nothing_else_is(tmp_path: Path) -> None:
    """Of the files in one folder each set takes its own, and none takes files of other programs."""
    everything = put(
        tmp_path / "in",
        ETL1C_01=m_record(0x41),
        ETL7SC_2=m_record(0x41),
        ETL8B2C1=b_record(A) * 2,
        ETL9B_1=b_record(A, size=576) * 2,
        ETL8G_01=g_record(A),
        **{"ETL6C_01.csv": b"x" * 2052, "ETL9G_01_00.png": b"x" * 8199, "ETL8INFO": b"x"},
    )
    every = (ETL1, ETL6, ETL7, ETL8B, ETL9B, ETL8G, ETL9G)

    reasons = {etl.name: etl.recognise(everything) for etl in every}

    assert [name for name, reason in reasons.items() if reason] == [
        "etl1",
        "etl7",
        "etl8b",
        "etl9b",
        "etl8g",
    ]
    assert reasons["etl9b"] == "ETL9B_1 is named like ETL9B and holds records of 576 bytes"
    assert ETL8B.recognise(put(tmp_path / "odd", ETL8B2C1=bytes(511))) is None
    assert all(etl.recognise(tmp_path / "nowhere") is None for etl in every)
    with pytest.raises(InkfoldError, match="nowhere: no such file or folder; expected files name"):
        ETL8B.read(tmp_path / "nowhere")
    assert read(ETL9B, everything)[1][0].source == "ETL9B_1:1"
