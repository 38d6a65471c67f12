"""What packing leaves out and what it refuses: large and small classes, unreadable files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inkfold.crew import Crew
from inkfold.dataset.reader import open_dataset
from inkfold.errors import InkfoldError
from inkfold.packing.pack import pack
from inkfold.picture import prepare, read
from inkfold.spec import SPLITS
from inkfold.workers import InProcess
from tests.worlds.drawn_pictures import write_classes
from tests.worlds.packing_run import SMALL, homes, packed, silent


def test_per_class_keeps_so_many_of_each(tmp_path: Path) -> None:
    """The pictures to keep are drawn by content, so others do not matter, and by seed."""
    folder = write_classes(tmp_path / "in", {"a": 40, "b": 7})
    drawn = []
    for seed, output in ((0, "one"), (1, "two")):
        packed(folder, tmp_path / output, replace(SMALL, per_class=10, seed=seed))
        with open_dataset(tmp_path / output) as dataset:
            home = homes(dataset)
        assert sum(path.startswith("a/") for path in home) == 10
        assert sum(path.startswith("b/") for path in home) == 7
        drawn.append({path for path in home if path.startswith("a/")})

    assert drawn[0] != drawn[1]
    for index in range(40):
        if f"a/{index:04d}.png" not in drawn[0]:
            (folder / f"a/{index:04d}.png").unlink()
            break
    packed(folder, tmp_path / "one", replace(SMALL, per_class=10))
    with open_dataset(tmp_path / "one") as dataset:
        assert {path for path in homes(dataset) if path.startswith("a/")} == drawn[0]


def test_small_classes_can_be_left_out(tmp_path: Path) -> None:
    """Classes that are too small are left out and named; the labels of the others close up."""
    folder = write_classes(tmp_path / "in", {"a": 2, "b": 6, "c": 5, "d": 4})
    (folder / "a/broken.png").touch()
    (folder / "e").mkdir()
    (folder / "f").mkdir()
    (folder / "f/broken.png").touch()

    report = packed(folder, tmp_path / "out.h5", replace(SMALL, min_per_class=5, allow_bad=50))

    assert report.plan.classes == ("b", "c")
    assert report.plan.dropped == (("a", 2), ("d", 4))
    assert report.plan.empty == ("e", "f")
    with open_dataset(tmp_path / "out.h5") as dataset:
        assert dataset.classes == ("b", "c")
        for name in SPLITS:
            split = dataset.split(name)
            for label, source in zip(split.labels, split.source, strict=True):
                assert source[0] == "bc"[label]


def test_classes_that_miss_a_split_are_named(tmp_path: Path) -> None:
    """A class too small for all splits is named with those it misses; fraction 0 is no miss."""
    folder = write_classes(tmp_path / "in", {"a": 1, "b": 2, "c": 3})

    usual = packed(folder, tmp_path / "out.h5")
    no_test = packed(folder, tmp_path / "out.h5", replace(SMALL, fractions=(0.8, 0.2, 0.0)))

    assert usual.plan.missing == (
        ("a", ("validation", "test")),
        ("b", ("validation", "test")),
    )
    assert no_test.plan.missing == (("a", ("validation",)), ("b", ("validation",)))
    with open_dataset(tmp_path / "out.h5") as dataset:
        assert len(dataset.test) == 0
        assert dataset.test.source == []


def test_more_unreadable_files_than_allowed_leave_no_file(tmp_path: Path) -> None:
    """With more than 1 % unreadable, the message says how many, the first, and what to add."""
    folder = write_classes(tmp_path / "in", {"a": 50, "b": 50})
    for name in ("x", "y", "z"):
        (folder / f"a/{name}.png").write_text("not a picture")

    with pytest.raises(InkfoldError) as caught:
        packed(folder, tmp_path / "out.h5")

    assert str(caught.value) == (
        "3 of 103 files cannot be read (2.91 %), the first is 'a/x.png': truncated or not a "
        "picture; 1 % are allowed: mend or remove them, or add --allow-bad 3"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]

    report = packed(folder, tmp_path / "out.h5", replace(SMALL, allow_bad=3))
    assert report.unreadable.count == 3
    assert sum(map(len, report.plan.orders)) == 100


def test_one_per_cent_of_unreadable_files_is_allowed(tmp_path: Path) -> None:
    """With 4 of 400 files unreadable the others are packed with their own pixels."""
    folder = write_classes(tmp_path / "in", {"a": 290, "b": 110})
    for name in ("a/0010.png", "b/0000.png", "b/0020.png", "b/0109.png"):
        (folder / name).write_bytes((folder / name).read_bytes()[:40])

    report = packed(folder, tmp_path / "out.h5")

    assert [path for path, _ in report.unreadable.first] == [
        "a/0010.png",
        "b/0000.png",
        "b/0020.png",
        "b/0109.png",
    ]
    with open_dataset(tmp_path / "out.h5") as dataset:
        for name in SPLITS:
            split = dataset.split(name)
            for image, source in zip(split.images[:], split.source, strict=True):
                assert np.array_equal(image, prepare(read(folder / source), SMALL.spec))
        assert len(homes(dataset)) == 396


def test_nothing_is_left_when_no_class_is_large_enough(tmp_path: Path) -> None:
    """If no class has enough pictures, the message says how many the largest has."""
    folder = write_classes(tmp_path / "in", {"a": 2, "b": 4})

    with pytest.raises(InkfoldError, match="no class has 5 readable pictures, the largest has 4"):
        packed(folder, tmp_path / "out.h5", replace(SMALL, min_per_class=5))


def test_an_existing_output_is_refused_before_any_work(tmp_path: Path) -> None:
    """An existing output is refused even before the folder is looked for."""
    (tmp_path / "out.h5").write_text("mine")

    with pytest.raises(InkfoldError, match="already exists; add --overwrite"):
        pack(
            tmp_path / "nowhere",
            tmp_path / "out.h5",
            SMALL,
            crew=Crew(InProcess(), lambda: 1),
            overwrite=False,
            progress=silent,
        )
    assert (tmp_path / "out.h5").read_text() == "mine"
