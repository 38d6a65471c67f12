"""Pictures that belong together stay in one split: twins, and the pictures of a writer."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from inkfold.dataset.digests import digests
from inkfold.dataset.reader import open_dataset
from inkfold.packing.plan import Packing
from inkfold.picture import read
from inkfold.spec import SPLITS, ImageSpec
from tests.worlds.drawn_pictures import glyph, write_classes, write_picture
from tests.worlds.packing_run import SMALL, homes, packed


def test_another_size_or_fit_has_the_same_split(tmp_path: Path) -> None:
    """Size and fit of the images change neither split nor order, so networks can be compared."""
    folder = write_classes(tmp_path / "in", {"a": 40, "b": 40})

    packed(folder, tmp_path / "small.h5")
    packed(folder, tmp_path / "large.h5", Packing(spec=ImageSpec(size=20, fit="stretch")))

    with open_dataset(tmp_path / "small.h5") as small, open_dataset(tmp_path / "large.h5") as large:
        for name in SPLITS:
            assert small.split(name).source == large.split(name).source


def test_identical_pictures_never_sit_in_two_splits(tmp_path: Path) -> None:
    """A picture, its copy and the same pixels in another format are in one split.

    Else a network would be tested with pictures that it was trained on.
    """
    folder = write_classes(tmp_path / "in", {"a": 30, "b": 30})
    for index in range(30):
        original = folder / f"a/{index:04d}.png"
        if index % 2:
            shutil.copy(original, folder / f"a/copy{index:04d}.png")
        else:
            write_picture(folder / f"a/copy{index:04d}.bmp", read(original))

    report = packed(folder, tmp_path / "out.h5")

    assert report.plan.duplicates == 30
    assert report.plan.conflicts.count == 0
    with open_dataset(tmp_path / "out.h5") as dataset:
        home = homes(dataset)
    for index in range(30):
        ending = "png" if index % 2 else "bmp"
        assert home[f"a/{index:04d}.png"] == home[f"a/copy{index:04d}.{ending}"]
    assert set(home.values()) == set(SPLITS)


def test_the_same_pixels_under_two_labels_are_a_conflict(tmp_path: Path) -> None:
    """Conflicts are pairs of paths: three labels make two pairs, twins in one class no pair."""
    folder = write_classes(tmp_path / "in", {"a": 12, "b": 12, "c": 12})
    shutil.copy(folder / "a/0000.png", folder / "a/twin.png")
    shutil.copy(folder / "a/0001.png", folder / "b/as b.png")
    shutil.copy(folder / "a/0002.png", folder / "b/as b too.png")
    shutil.copy(folder / "a/0002.png", folder / "c/as c.png")

    report = packed(folder, tmp_path / "out.h5")

    assert sorted(report.plan.conflicts.first) == [
        ("a/0001.png", "b/as b.png"),
        ("a/0002.png", "b/as b too.png"),
        ("b/as b too.png", "c/as c.png"),
    ]
    assert report.plan.duplicates == 4
    with open_dataset(tmp_path / "out.h5") as dataset:
        home = homes(dataset)
    assert home["a/0002.png"] == home["b/as b too.png"] == home["c/as c.png"]


def test_twins_have_equal_digests_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures whose digests share only their first half are not twins."""

    def half(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        digest = digests(images).copy()
        digest[:, :8] = 7
        return digest

    folder = write_classes(tmp_path / "in", {"a": 12})
    shutil.copy(folder / "a/0003.png", folder / "a/twin.png")
    monkeypatch.setattr("inkfold.packing.stage.digests", half)

    assert packed(folder, tmp_path / "out.h5").plan.duplicates == 1


def test_a_writer_s_pictures_stay_in_one_split(tmp_path: Path) -> None:
    """Each writer's pictures are in one split; a twin by a second writer ties the two writers."""
    folder = tmp_path / "in"
    rng = np.random.default_rng(0)
    for writer in range(20):
        for name in ("a", "b"):
            write_picture(folder / name / f"w{writer:02d}_1.png", glyph(rng))
    for writer in range(0, 10, 2):
        shutil.copy(folder / f"a/w{writer:02d}_1.png", folder / f"a/w{writer + 1:02d}_2.png")
    write_picture(folder / "a/nobody.png", glyph(rng))
    (folder / "a/broken.png").touch()

    packing = replace(SMALL, group_by=r"w(\d\d)", allow_bad=5)
    report = packed(folder, tmp_path / "out.h5", packing)

    with open_dataset(tmp_path / "out.h5") as dataset:
        home = homes(dataset)
    for writer in range(20):
        assert len({home[path] for path in home if f"/w{writer:02d}" in path}) == 1
    tied = [
        (home[f"b/w{writer:02d}_1.png"], home[f"b/w{writer + 1:02d}_1.png"])
        for writer in range(0, 10, 2)
    ]
    assert all(first == second for first, second in tied)
    assert {first for first, _ in tied} != {"train"}
    assert set(home.values()) == set(SPLITS)
    assert report.plan.ungrouped == 1
