"""What share of planted wrong labels is at the head of the audit's ranking.

    python benchmarks/label_errors.py FOLDER      # or INKFOLD_DATA=FOLDER

FOLDER holds `kmnist`, the four idx files of Kuzushiji-MNIST as they were downloaded. One in a
hundred of the 60,000 training labels is changed to another class, drawn by a seed; then the labels
are ranked as `inkfold audit` ranks them. This is not part of `make bench`, for the data is not part
of the project.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from inkfold.audit.suspects import Suspects, suspects_of
from inkfold.dataset.digests import digests
from inkfold.importers import idx
from inkfold.metrics import Rate

PLANTED = 100  # one label in so many is made wrong
HEADS = (0.01, 0.05)  # first parts of the ranking, as shares of it
SEEDS = (0, 1)


def read_train(folder: Path) -> tuple[NDArray[np.uint8], NDArray[np.int32], int]:
    """Pictures, labels and number of classes of the set's own train."""
    collection = idx.read(folder)
    glyphs = [glyph for glyph in collection.glyphs() if glyph.split == "train"]
    images = np.stack([glyph.pixels for glyph in glyphs])
    labels = np.array([glyph.label for glyph in glyphs], np.int32)
    return images, labels, len(collection.classes)


def planted(
    labels: NDArray[np.int32], classes: int, rng: np.random.Generator
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Labels of which one in a hundred is wrong, and whether each of them is."""
    rows = rng.choice(len(labels), len(labels) // PLANTED, replace=False)
    changed = labels.copy()
    changed[rows] = (labels[rows] + rng.integers(1, classes, len(rows))) % classes
    return changed, changed != labels


def lines(suspects: Suspects, wrong: NDArray[np.bool_]) -> Iterator[str]:
    """The share of planted labels in each head of the ranking, and among cleanlab's issues."""
    ranked = wrong[suspects.places]
    for head in HEADS:
        count = int(ranked[: int(head * len(ranked))].sum())
        yield f"  first {head:.0%} of the ranking: {Rate(count, int(wrong.sum()))}"
    among_issues = Rate(int(ranked[: suspects.issues].sum()), suspects.issues)
    yield f"  planted labels among the first {suspects.issues:,}, cleanlab's count: {among_issues}"


def main(folder: Path) -> None:
    """Plant wrong labels, rank the labels, and print where the planted ones are, for each seed."""
    images, labels, classes = read_train(folder / "kmnist")
    digest = digests(images).view(np.uint64)
    for seed in SEEDS:
        changed, wrong = planted(labels, classes, np.random.default_rng(seed))
        start = time.perf_counter()
        every_row = np.ones(len(labels), bool)
        suspects = suspects_of(images, changed, digest, every_row, classes=classes, seed=seed)
        seconds = time.perf_counter() - start
        if suspects is None:
            raise ValueError("a set of one class has nothing to compare")
        head = f"seed {seed}: {wrong.sum():,} of {len(labels):,} labels wrong, {seconds:.0f} s"
        sys.stdout.write("\n".join([head, *lines(suspects, wrong)]) + "\n")


if __name__ == "__main__":
    data = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("INKFOLD_DATA")
    if data is None:
        sys.exit("give the folder of the data, or set INKFOLD_DATA")
    main(Path(data))
