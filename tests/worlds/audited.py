"""Datasets for the audit's tests: given pictures, given labels, given splits."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.digests import digests
from inkfold.dataset.split import CHUNK
from inkfold.dataset.writer import Rows, writing_dataset
from inkfold.spec import SPLITS, ImageSpec

Pictures = NDArray[np.uint8]
CLASSES = ("Ж", "b", "c")


def drawings(count: int, rng: np.random.Generator, size: int = 20) -> Pictures:
    """Drawings of three light strokes on black, free of the edge: uint8 (count, size, size)."""
    images = np.zeros((count, size, size), np.uint8)
    for image in images:
        points = rng.integers(3, size - 3, (4, 2)).astype(np.int32)
        cv2.polylines(image, [points], False, 230, 2)
    return images


def write_splits(
    path: Path,
    splits: Sequence[tuple[Pictures, NDArray[np.int32]]],
    *,
    classes: Sequence[str] = CLASSES,
    groups: Sequence[Sequence[str]] | None = None,
    provenance: dict[str, Any] | None = None,
) -> Path:
    """A dataset of three pairs of pictures and labels; row 7 of train is called ``train/7``."""
    spec = ImageSpec(size=splits[0][0].shape[1])
    with writing_dataset(path, classes, spec, overwrite=True) as writer:
        for number, (name, (images, labels)) in enumerate(zip(SPLITS, splits, strict=True)):
            source = np.array([f"{name}/{row}".encode() for row in range(len(labels))], "S24")
            group = None
            if groups is not None:
                group = np.array([writer_name.encode() for writer_name in groups[number]], "S8")
            rows = Rows(
                images=images, labels=labels, source=source, digest=digests(images), group=group
            )
            with writer.split(name, len(labels), like=rows) as out:
                for start in range(0, len(labels), CHUNK):
                    out.append(rows[start : start + CHUNK])
        writer.finish(provenance or {"tool": "test"})
    return path


def clean_splits(
    counts: Sequence[int] = (300, 60, 60), seed: int = 0
) -> list[tuple[Pictures, NDArray[np.int32]]]:
    """Three splits of drawings that all differ, with the labels 0, 1, 2 in turn."""
    rng = np.random.default_rng(seed)
    images = drawings(sum(counts), rng)
    assert len(np.unique(digests(images), axis=0)) == len(images)
    labels = (np.arange(len(images)) % len(CLASSES)).astype(np.int32)
    ends = np.cumsum([0, *counts])
    return [(images[start:end], labels[start:end]) for start, end in pairwise(ends)]
