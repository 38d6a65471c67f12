"""ETL8B and ETL9B: kanji and hiragana in black and white.

Their files begin with a record that is no picture, and the last file of each ends with records
that no writer of the set filled.
"""

from __future__ import annotations

from functools import partial

from inkfold.importers.etl import EtlSet
from inkfold.importers.etl_records import layout, unpack_bits
from inkfold.importers.jis import jis_x_0208

FIELDS = {"sheet": (">u2", 0), "code": (">u2", 2), "image": ("(504,)u1", 8)}
UNPACK = partial(unpack_bits, rows=63, columns=64)
ETL8B = EtlSet(
    name="etl8b",
    files=r"ETL8B2?[-_]?C?\d",
    record=layout(512, **FIELDS),
    unpack=UNPACK,
    character=jis_x_0208,
    dummies=1,
    usable={3: 50_560},  # then 956 model images
    sheets=10,
)
ETL9B = EtlSet(
    name="etl9b",
    files=r"ETL9B[-_]?\d",
    record=layout(576, **FIELDS),
    unpack=UNPACK,
    character=jis_x_0208,
    dummies=1,
    usable={5: 121_440},  # then 3,036 pictures that the publisher calls uncertain
)
