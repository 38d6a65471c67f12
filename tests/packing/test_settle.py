"""Fit and threshold by what a folder holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inkfold.dataset.reader import open_dataset
from inkfold.packing.plan import Packing
from inkfold.spec import ImageSpec
from tests.worlds.drawn_pictures import glyph, write_picture
from tests.worlds.packing_run import packed
from tests.worlds.photographs import drawn, photograph, plain

BOTH = ("fit", "threshold")


def write_folder(root: Path, *, photographs: int, scans: int) -> Path:
    """Two classes, each with so many photographs and scans."""
    rng = np.random.default_rng(0)
    for name in ("A", "B"):
        for place in range(photographs):
            scene = replace(plain(rng), side=90, blur=0.5)
            taken = photograph(drawn(name, rng), scene, rng)
            write_picture(root / name / f"p{place}.png", taken)
        for place in range(scans):
            write_picture(root / name / f"s{place}.png", glyph(rng, 90, 90))
    return root


@pytest.mark.parametrize(
    ("photographs", "scans", "expected"),
    [(4, 0, ("ink", "soft", 8)), (0, 4, ("pad", "none", 0)), (3, 3, ("pad", "none", 6))],
    ids=["photographs", "scans", "as many of both"],
)
def test_most_of_a_folder_decides(
    tmp_path: Path, photographs: int, scans: int, expected: tuple[str, str, int]
) -> None:
    """Where most are photographs the spec has fit ink and threshold soft, otherwise pad, none."""
    folder = write_folder(tmp_path / "in", photographs=photographs, scans=scans)

    report = packed(folder, tmp_path / "out.h5", Packing(spec=ImageSpec(size=20), settle=BOTH))

    with open_dataset(tmp_path / "out.h5") as dataset:
        spec, counts = dataset.spec, dataset.provenance["counts"]
        assert (spec.fit, spec.threshold, counts["photographs"]) == expected
        assert spec.margin == (4 / 28 if spec.fit == "ink" else 0)
        assert spec.capture == "auto"
        assert dataset.provenance["options"]["fit"] == spec.fit
    assert report.photographs == expected[2]
    assert report.spec == spec


def test_what_was_given_is_kept(tmp_path: Path) -> None:
    """A fit that was given stays, and the threshold alone follows the pictures."""
    folder = write_folder(tmp_path / "in", photographs=4, scans=0)
    packing = Packing(spec=ImageSpec(size=20, fit="stretch"), settle=("threshold",))

    packed(folder, tmp_path / "out.h5", packing)

    with open_dataset(tmp_path / "out.h5") as dataset:
        assert (dataset.spec.fit, dataset.spec.threshold) == ("stretch", "soft")


def test_scans_by_order_are_not_looked_at(tmp_path: Path) -> None:
    """With the capture ``scan`` photographs are packed as scans are, by pad and none."""
    folder = write_folder(tmp_path / "in", photographs=4, scans=0)
    packing = Packing(spec=ImageSpec(size=20, capture="scan"), settle=BOTH)

    assert packed(folder, tmp_path / "out.h5", packing).photographs == 0
    with open_dataset(tmp_path / "out.h5") as dataset:
        assert (dataset.spec.fit, dataset.spec.threshold) == ("pad", "none")
