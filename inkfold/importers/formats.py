"""The formats that can be imported: an explicit list, in the order in which they are tried."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from inkfold.importers import (
    casia,
    csv_pixels,
    emnist,
    emnist_mat,
    hasy,
    idx,
    nist_sd19,
    npz,
    omniglot,
)
from inkfold.importers.collection import Collection
from inkfold.importers.etl import ETL1, ETL6, ETL7, ETL8B, ETL8G, ETL9B, ETL9G


class Format(Protocol):
    """What the module of a format has to define."""

    def recognise(self, source: Path) -> str | None:
        """Why `source` seems to be of this format, in a phrase; None if it does not."""

    def read(self, source: Path) -> Collection:
        """Make a set of the files at `source`, or raise InkfoldError."""


FORMATS: dict[str, Format] = {
    "idx": idx,
    "emnist": emnist,
    "emnist-mat": emnist_mat,
    "npz": npz,
    "hasy": hasy,
    "csv": csv_pixels,
    "nist-sd19": nist_sd19,
    "omniglot": omniglot,
    "casia": casia,
    "etl1": ETL1,
    "etl6": ETL6,
    "etl7": ETL7,
    "etl8b": ETL8B,
    "etl8g": ETL8G,
    "etl9b": ETL9B,
    "etl9g": ETL9G,
}
