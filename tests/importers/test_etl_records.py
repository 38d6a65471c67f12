"""Fixed-length records: their fields, their number and their packed pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkfold.errors import InkfoldError
from inkfold.importers.etl_records import (
    count_records,
    layout,
    mapped_rows,
    read_rows,
    unpack_bits,
    unpack_nibbles,
)

RECORD = layout(7, code=(">u2", 1), rest=("(2,)u1", 4))


def test_a_field_is_where_the_layout_says(tmp_path: Path) -> None:
    """Reading and mapping records give the fields at the bytes that the layout names."""
    path = tmp_path / "two"
    path.write_bytes(bytes(range(14)))

    assert count_records(path, RECORD) == 2
    for rows in (read_rows(path, RECORD, 1, 1), mapped_rows(path, RECORD, 1, 2)):
        assert rows["code"].tolist() == [0x0809]
        assert rows["rest"].tolist() == [[11, 12]]
    assert len(mapped_rows(path, RECORD, 2, 2)) == 0


def test_a_torn_last_record_is_named_by_file_and_byte(tmp_path: Path) -> None:
    """A torn record is refused with its length and the expected one, and an empty file too."""
    torn, empty = tmp_path / "torn", tmp_path / "empty"
    torn.write_bytes(bytes(17))
    empty.touch()

    with pytest.raises(InkfoldError, match=r"torn: byte 14: the last record has 3 bytes, .*7"):
        count_records(torn, RECORD)
    with pytest.raises(InkfoldError, match="empty is empty; expected records of 7 bytes; unpack"):
        count_records(empty, RECORD)


def test_a_file_that_became_shorter_is_no_short_answer(tmp_path: Path) -> None:
    """A file that became shorter after its records were counted is refused."""
    path = tmp_path / "one"
    path.write_bytes(bytes(7))

    with pytest.raises(InkfoldError, match="one: byte 7: the file became shorter"):
        read_rows(path, RECORD, 0, 2)


def test_the_high_nibble_is_the_left_pixel() -> None:
    """The byte 0x1F is unpacked to a dark pixel and then the lightest one."""
    packed = np.array([[0x1F, 0x20]], np.uint8)

    assert unpack_nibbles(packed, 2, 2).tolist() == [[[17, 255], [34, 0]]]


def test_the_highest_bit_is_the_left_pixel() -> None:
    """The byte 0x80 is unpacked to ink in the first of eight columns, 0x03 in the last two."""
    pictures = unpack_bits(np.array([[0x80, 0x03]], np.uint8), 2, 8)

    assert pictures.tolist() == [[[255, *[0] * 7], [*[0] * 6, 255, 255]]]


@given(st.lists(st.lists(st.integers(0, 15), min_size=12, max_size=12), max_size=4))
def test_packed_nibbles_come_back(pixels: list[list[int]]) -> None:
    """Any 16 greys that are packed two a byte are unpacked to the same greys."""
    packed = [[p[i] << 4 | p[i + 1] for i in range(0, 12, 2)] for p in pixels]

    pictures = unpack_nibbles(np.array(packed, np.uint8).reshape(-1, 6), 3, 4)

    assert (pictures // 17).reshape(-1, 12).tolist() == pixels
    assert (pictures % 17 == 0).all()


@given(st.lists(st.binary(min_size=6, max_size=6), max_size=4))
def test_packed_bits_come_back(packed: list[bytes]) -> None:
    """Any bits that are packed eight a byte are unpacked to the same pixels."""
    data = np.frombuffer(b"".join(packed), np.uint8).reshape(-1, 6)

    pictures = unpack_bits(data, 3, 16)

    for picture, expected in zip(pictures, packed, strict=True):
        bits = "".join("1" if pixel else "0" for pixel in picture.ravel().tolist())
        assert int(bits, 2).to_bytes(6, "big") == expected
