"""A folder with everything that packing counts: writers, twins, conflicts, blanks, bad files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from inkfold.dataset.reader import Dataset
from inkfold.spec import SPLITS
from tests.worlds.drawn_pictures import encode, save

CLASSES = ("a", "b", "漢", "z%41")


def write_many_kinds(root: Path, count: int, seed: int = 0) -> Path:
    """Write `count` files in four classes; names say writers, ``w3_0017.png``, or none.

    One in ten repeats another file of any class, and a few are blank, damaged or animated.
    """
    rng = np.random.default_rng(seed)
    for name in CLASSES:
        (root / name / "deep").mkdir(parents=True)
    kept: list[bytes] = []
    for index in range(count):
        data = encode(".png", rng.integers(0, 256, (6, 6)).astype(np.uint8))
        kind = index % 100
        if kind % 10 == 3:
            data = kept[int(rng.integers(len(kept)))]
        elif kind in (5, 6):
            data = encode(".png", np.full((6, 6), 255 - kind, np.uint8))
        elif kind == 7:
            data = data[:40]
        elif kind == 8:
            frames = rng.integers(0, 256, (2, 6, 6)).astype(np.uint8)
            data = save("GIF", frames[0], save_all=True, append_images=[Image.fromarray(frames[1])])
        kept.append(data)
        writer = f"w{rng.integers(40)}_" if index % 4 else ""
        place = "deep/" if index % 3 == 0 else ""
        name = CLASSES[int(rng.integers(len(CLASSES)))]
        (root / name / f"{place}{writer}{index:04d}.png").write_bytes(data)
    return root


def differing(one: Dataset, other: Dataset) -> list[str]:
    """What of two datasets is not equal: attributes, and arrays of splits."""
    found = [
        name
        for name in ("classes", "spec", "fingerprint", "provenance")
        if getattr(one, name) != getattr(other, name)
    ]
    for name in SPLITS:
        first, second = one.split(name), other.split(name)
        found += [
            f"{name}/{array}"
            for array in ("images", "labels", "digest")
            if not np.array_equal(getattr(first, array)[:], getattr(second, array)[:])
        ]
        if first.source != second.source or first.group != second.group:
            found.append(f"{name}/source or group")
    return found
