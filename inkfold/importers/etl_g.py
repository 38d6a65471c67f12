"""ETL8G and ETL9G: the kanji and hiragana of ETL8B and ETL9B, larger and in 16 greys."""

from __future__ import annotations

from functools import partial

from inkfold.importers.etl import EtlSet
from inkfold.importers.etl_records import layout, unpack_nibbles
from inkfold.importers.jis import jis_x_0208

SIZE = 8199
FIELDS = {"sheet": (">u2", 0), "code": (">u2", 2)}
UNPACK = partial(unpack_nibbles, rows=127, columns=128)
ETL8G = EtlSet(
    name="etl8g",
    files=r"ETL8G[-_]?\d+",
    record=layout(SIZE, **FIELDS, image=("(8128,)u1", 60)),
    unpack=UNPACK,
    character=jis_x_0208,
    usable={33: 0},  # beyond the 160 writers, 5 in each of 32 files
    sheets=10,
)
ETL9G = EtlSet(
    name="etl9g",
    files=r"ETL9G[-_]?\d+",
    record=layout(SIZE, **FIELDS, image=("(8128,)u1", 64)),
    unpack=UNPACK,
    character=jis_x_0208,
)
