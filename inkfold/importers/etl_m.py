"""ETL1, ETL6 and ETL7: digits, capitals, signs and kana in 16 greys, one sheet a writer."""

from __future__ import annotations

from functools import partial

from inkfold.importers.etl import Codes, EtlSet, code_field
from inkfold.importers.etl_records import Rows, layout, unpack_nibbles
from inkfold.importers.jis import hiragana, jis_x_0201

RECORD = layout(2052, reading=("S2", 2), sheet=(">u2", 4), code=("u1", 6), image=("(2016,)u1", 32))
UNPACK = partial(unpack_nibbles, rows=63, columns=64)
READ_ONLY = {b"WI": (0x100, "ヰ"), b"WE": (0x101, "ヱ")}  # JIS X 0201 has no code for these two


def codes(rows: Rows) -> Codes:
    """The JIS code of each record, or a number above all codes for those that it cannot say."""
    found = code_field(rows)
    for reading, (code, _) in READ_ONLY.items():
        found[rows["reading"] == reading] = code
    return found


def katakana(code: int) -> str | None:
    """The character of ETL1 and ETL6."""
    return dict(READ_ONLY.values()).get(code) or jis_x_0201(code)


def written_in_hiragana(code: int) -> str | None:
    """The character of ETL7, which was written in hiragana and coded as katakana."""
    text = katakana(code)
    return None if text is None else hiragana(text)


ETL1 = EtlSet("etl1", r"ETL1C?[-_]?\d+", RECORD, UNPACK, katakana, codes)
ETL6 = EtlSet("etl6", r"ETL6C?[-_]?\d+", RECORD, UNPACK, katakana, codes)
ETL7 = EtlSet("etl7", r"ETL7[LS]C?[-_]?\d+", RECORD, UNPACK, written_in_hiragana, codes)
