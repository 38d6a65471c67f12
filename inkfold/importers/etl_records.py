"""Records of the ETL database: reading them, unpacking their pixels, decoding their characters."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkfold.errors import InkfoldError

Rows = NDArray[np.void]
MEND = "unpack or copy the file again, or name another format"
HALF_WIDTH = 0xFF61 - 0xA1  # from the katakana half of JIS X 0201 to Unicode's half-width forms
LONE_MARKS = {"\u3099": "゛", "\u309a": "゜"}  # NFKC makes them marks on the letter before
TO_HIRAGANA = ord("ァ") - ord("ぁ")


def layout(size: int, **fields: tuple[str, int]) -> np.dtype[np.void]:
    """The type of a record of `size` bytes; a field is a NumPy type and its first byte's place."""
    types, places = zip(*fields.values(), strict=True)
    return np.dtype(
        {"names": [*fields], "formats": [*types], "offsets": [*places], "itemsize": size}
    )


def count_records(path: Path, record: np.dtype[np.void]) -> int:
    """How many records a file holds, by its size.

    Raises
    ------
    InkfoldError
        If the file is empty, or its size is not a multiple of a record's size.
    """
    size = path.stat().st_size
    count, rest = divmod(size, record.itemsize)
    if size == 0:
        raise InkfoldError(
            f"{path} is empty; expected records of {record.itemsize:,} bytes; {MEND}"
        )
    if rest:
        torn = f"{path}: byte {size - rest:,}: the last record has {rest:,} bytes"
        raise InkfoldError(f"{torn}, expected {record.itemsize:,}; {MEND}")
    return count


def read_rows(path: Path, record: np.dtype[np.void], first: int, count: int) -> Rows:
    """Read `count` records, the first of which is number `first`.

    Raises
    ------
    InkfoldError
        If the file ends before the last of them.
    """
    rows = np.fromfile(path, record, count, offset=first * record.itemsize)
    if len(rows) < count:
        end = path.stat().st_size
        raise InkfoldError(f"{path}: byte {end:,}: the file became shorter while it was read")
    return rows


def mapped_rows(path: Path, record: np.dtype[np.void], first: int, stop: int) -> Rows:
    """Map the records from number `first` to before `stop`: for reading one field of each."""
    if first >= stop:
        return np.empty(0, record)
    return np.memmap(path, record, "r", first * record.itemsize, (stop - first,))


def unpack_bits(data: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.uint8]:
    """Unpack black and white pictures of one bit a pixel, the highest bit of a byte first.

    Parameters
    ----------
    data : uint8 array of shape (N, rows * columns / 8)

    Returns
    -------
    pictures : uint8 array of shape (N, rows, columns)
        0 and 255.
    """
    return (np.unpackbits(data, axis=1) * np.uint8(255)).reshape(-1, rows, columns)


def unpack_nibbles(data: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.uint8]:
    """Unpack pictures of 16 greys, two pixels a byte, the high nibble first.

    Parameters
    ----------
    data : uint8 array of shape (N, rows * columns / 2)

    Returns
    -------
    pictures : uint8 array of shape (N, rows, columns)
        0 to 255 in steps of 17.
    """
    pixels: NDArray[Any] = np.empty((*data.shape, 2), np.uint8)
    pixels[..., 0] = data >> 4
    pixels[..., 1] = data & 15
    pixels *= 17
    return pixels.reshape(-1, rows, columns)


def jis_x_0201(code: int) -> str | None:
    """The character of an 8-bit code, katakana at full width; None for a code without one."""
    if code == 0x5C:
        return "¥"
    if code == 0x7E:
        return "\u203e"  # an overline, where ASCII has the tilde
    if 0x20 <= code < 0x7F:
        return chr(code)
    if 0xA1 <= code <= 0xDF:
        text = unicodedata.normalize("NFKC", chr(code + HALF_WIDTH))
        return LONE_MARKS.get(text, text)
    return None


def jis_x_0208(code: int) -> str | None:
    """The character of a 16-bit code, 2121 to 7E7E; None for a code without one."""
    if not (0x21 <= code >> 8 <= 0x7E and 0x21 <= code & 0xFF <= 0x7E):
        return None
    try:
        return (b"\x1b$B" + code.to_bytes(2, "big") + b"\x1b(B").decode("iso-2022-jp")
    except UnicodeDecodeError:
        return None


def hiragana(text: str) -> str:
    """The text with katakana letters as hiragana; all other characters stay."""
    return "".join(chr(ord(c) - TO_HIRAGANA) if "ァ" <= c <= "ヶ" else c for c in text)
