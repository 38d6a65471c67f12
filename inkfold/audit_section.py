"""The quick part of an audit, as a page shows it: counts, and the first pictures of each kind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkfold.audit.audit import Audit, findings
from inkfold.dataset.reader import Dataset, pictures
from inkfold.pages.page import cells, data_uri, png, resized

SHOWN = 12  # pictures of a finding
PAIRS = 6  # of classes that look alike
SIDE = 64  # larger pictures are averaged down to it


@dataclass(frozen=True)
class Shown:
    """A finding: its words, how many pictures, and some of them side by side in one PNG file.

    `labels` are those of the pictures in it, left to right; `uri` is empty where there is none.
    """

    words: str
    count: int
    labels: tuple[int, ...]
    uri: str


@dataclass(frozen=True)
class AuditSection:
    """What a page says of an audit.

    Attributes
    ----------
    total : int
        Pictures that were looked at, of all splits.
    leaks : int
        Those of validation and test whose very pixels are in another split too.
    torn : int or None
        Groups with pictures in two splits.
    shown : tuple of Shown
        Every kind of finding, also those without a picture.
    alike : tuple of (int, int, float)
        The classes that look most alike, and how many spreads their means are apart.
    """

    total: int
    leaks: int
    torn: int | None
    shown: tuple[Shown, ...]
    alike: tuple[tuple[int, int, float], ...]


def audit_section(dataset: Dataset, audit: Audit) -> AuditSection:
    """Choose what to show; the pictures of all findings are read together."""
    found = findings(audit)
    firsts = [each.places[:SHOWN] for each in found]
    images = resized(pictures(dataset, np.concatenate(firsts)), SIDE)
    parts = np.split(images, np.cumsum([len(first) for first in firsts])[:-1])
    shown = (
        Shown(each.words, len(each.places), tuple(audit.originals.label[first].tolist()), row(part))
        for each, first, part in zip(found, firsts, parts, strict=True)
    )
    alike = tuple((pair.one, pair.other, pair.distance) for pair in audit.alike[:PAIRS])
    total = int(audit.counts.sum())
    return AuditSection(total, audit.leaks, audit.torn, tuple(shown), alike)


def row(images: NDArray[np.uint8]) -> str:
    """Pictures uint8 (n, H, W) side by side, as a data URI; empty where there is none."""
    if not len(images):
        return ""
    return data_uri(png(cells(images[None], len(images))[0]), "image/png")
