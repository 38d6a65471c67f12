"""The formats that can be imported: an explicit list, in the order in which they are tried."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from inkfold.errors import InkfoldError
from inkfold.importers import (
    casia,
    csv_pixels,
    emnist,
    emnist_mat,
    hasy,
    idx,
    mat,
    nist_sd19,
    npz,
    omniglot,
    parquet,
)
from inkfold.importers.collection import Collection
from inkfold.importers.etl import ETL1, ETL6, ETL7, ETL8B, ETL8G, ETL9B, ETL9G


class Format(Protocol):
    """What the module of a format has to define."""

    def recognise(self, source: Path) -> str | None:
        """Why `source` seems to be of this format, in a phrase; None if it does not."""

    def read(self, source: Path) -> Collection:
        """Make a set of the files at `source`, or raise InkfoldError."""


class Labelled(Protocol):
    """A format whose files may leave open where the labels are."""

    def read(self, source: Path, label_column: str | None = None) -> Collection:
        """As `Format.read`, with the labels in the column or array that a user names."""


FORMATS: dict[str, Format] = {
    "idx": idx,
    "emnist": emnist,
    "emnist-mat": emnist_mat,
    "npz": npz,
    "mat": mat,
    "parquet": parquet,
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
LABELLED: dict[str, Labelled] = {"csv": csv_pixels, "npz": npz, "mat": mat, "parquet": parquet}


def read(name: str, source: Path, *, label_column: str | None = None) -> Collection:
    """Make a set of the files at `source`, which are of the format `name`.

    Raises
    ------
    InkfoldError
        If there is no such format, it takes no such option, or its files cannot be read.
    """
    if name not in FORMATS:
        raise InkfoldError(
            f"{name!r} is no format; expected one of {', '.join(FORMATS)}; give SOURCE alone to "
            "learn which format it has"
        )
    if label_column is None:
        return FORMATS[name].read(source)
    if name not in LABELLED:
        raise InkfoldError(
            f"--label-column is for {', '.join(LABELLED)}: the files of {name} say themselves "
            "where their labels are; leave it out"
        )
    return LABELLED[name].read(source, label_column)
