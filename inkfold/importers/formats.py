"""The formats that can be imported: an explicit list, in the order in which they are tried."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from inkfold.errors import InkfoldError
from inkfold.importers import (
    alto,
    casia,
    coco,
    csv_pixels,
    emnist,
    emnist_mat,
    hasy,
    idx,
    mat,
    nist_sd19,
    npz,
    omniglot,
    page_xml,
    parquet,
    voc,
    yolo,
)
from inkfold.importers.collection import Collection
from inkfold.importers.etl import ETL1, ETL6, ETL7, ETL8B, ETL8G, ETL9B, ETL9G
from inkfold.importers.page_crops import MARGIN


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


class OnPages(Protocol):
    """A format whose pictures are boxes on pages."""

    def read(self, source: Path, margin: float = MARGIN) -> Collection:
        """As `Format.read`, with a margin around each box, as a share of its longer side."""


FORMATS: dict[str, Format] = {
    "idx": idx,
    "emnist": emnist,
    "emnist-mat": emnist_mat,
    "npz": npz,
    "mat": mat,
    "parquet": parquet,
    "hasy": hasy,
    "csv": csv_pixels,
    "omniglot": omniglot,
    "nist-sd19": nist_sd19,
    "casia": casia,
    "etl1": ETL1,
    "etl6": ETL6,
    "etl7": ETL7,
    "etl8b": ETL8B,
    "etl8g": ETL8G,
    "etl9b": ETL9B,
    "etl9g": ETL9G,
    "coco": coco,
    "yolo": yolo,
    "voc": voc,
    "page-xml": page_xml,
    "alto": alto,
}
LABELLED: dict[str, Labelled] = {"csv": csv_pixels, "npz": npz, "mat": mat, "parquet": parquet}
PAGES: dict[str, OnPages] = {
    "coco": coco,
    "yolo": yolo,
    "voc": voc,
    "page-xml": page_xml,
    "alto": alto,
}


def read(
    name: str, source: Path, *, label_column: str | None = None, margin: float | None = None
) -> Collection:
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
    if margin is not None and name not in PAGES:
        raise InkfoldError(
            f"--margin-around is for {', '.join(PAGES)}: {name} has no boxes on pages; leave it out"
        )
    if label_column is not None and name not in LABELLED:
        raise InkfoldError(
            f"--label-column is for {', '.join(LABELLED)}: the files of {name} say themselves "
            "where their labels are; leave it out"
        )
    if margin is not None:
        return PAGES[name].read(source, margin)
    return (
        FORMATS[name].read(source)
        if label_column is None
        else LABELLED[name].read(source, label_column)
    )
