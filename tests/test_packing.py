"""Packing class folders: what is in the file, and what is not."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from inkfold.commands.cli import Advance
from inkfold.dataset import Dataset, open_dataset
from inkfold.dataset_writer import digests
from inkfold.errors import InkfoldError
from inkfold.nouns import SPLITS, ImageSpec
from inkfold.packing import Report, pack
from inkfold.picture import prepare, read
from inkfold.planning import Packing
from inkfold.work import InProcess, local_executor
from tests.drawing import encode, glyph, write_classes, write_picture

SMALL = Packing(ImageSpec(size=12))


@contextmanager
def silent(_label: str, _total: int | None) -> Iterator[Advance]:
    """Progress that nobody sees."""
    yield lambda _count: None


def packed(
    folder: Path, output: Path, packing: Packing = SMALL, executor: Executor | None = None
) -> Report:
    """Pack in this process."""
    return pack(
        folder,
        output,
        packing,
        executor=executor or InProcess(),
        overwrite=True,
        progress=silent,
    )


def homes(dataset: Dataset) -> dict[str, str]:
    """The split of every picture."""
    return {path: name for name in SPLITS for path in getattr(dataset, name).source}


def test_every_picture_is_in_the_file_once_with_its_label(tmp_path: Path) -> None:
    """Pixels, label, source and digest of each row belong together; over more than one chunk."""
    counts = {"a": 300, "b": 30, "c": 3}
    folder = write_classes(tmp_path / "in", counts)

    report = packed(folder, tmp_path / "out.h5")

    assert report.unreadable.count == report.ignored.count == 0
    seen = []
    with open_dataset(tmp_path / "out.h5") as dataset:
        assert dataset.classes == ("a", "b", "c")
        assert dataset.spec == SMALL.spec
        for name in SPLITS:
            split = getattr(dataset, name)
            images = split.images[:]
            assert np.array_equal(split.digest, digests(images))
            for image, label, source in zip(images, split.labels, split.source, strict=True):
                assert np.array_equal(image, prepare(read(folder / source), SMALL.spec))
                assert source.split("/")[0] == dataset.classes[label]
                seen.append(source)
        assert np.bincount(dataset.train.labels).tolist() == [240, 24, 1]
        assert np.bincount(dataset.validation.labels).tolist() == [30, 3, 1]
    assert sorted(seen) == [f"{c}/{i:04d}.png" for c in "abc" for i in range(counts[c])]


def test_rows_are_shuffled(tmp_path: Path) -> None:
    """Neither by class nor by name, and otherwise for another seed."""
    folder = write_classes(tmp_path / "in", {"a": 60, "b": 60})
    sources = []
    for seed in (0, 1):
        packed(folder, tmp_path / "out.h5", replace(SMALL, seed=seed))
        with open_dataset(tmp_path / "out.h5") as dataset:
            labels = dataset.train.labels
            sources.append(dataset.train.source)

            assert 20 < np.count_nonzero(np.diff(labels)) < 80, "of 95 steps about half change"
            assert sources[-1] != sorted(sources[-1])
    both = set(sources[0]) & set(sources[1])
    orders = [[source for source in order if source in both] for order in sources]
    assert orders[0] != orders[1]


def test_the_file_is_the_same_for_any_executor(tmp_path: Path) -> None:
    """Byte for byte: in this process, in two others, in threads; names in other scripts too."""
    folder = write_classes(tmp_path / "in", {"Ж": 200, "漢": 150, "🦉": 7})

    packed(folder, tmp_path / "one")
    with ThreadPoolExecutor(3) as threads:
        packed(folder, tmp_path / "threads", executor=threads)
    with local_executor(2) as processes:
        packed(folder, tmp_path / "two", executor=processes)

    one = (tmp_path / "one").read_bytes()
    assert one == (tmp_path / "two").read_bytes()
    assert one == (tmp_path / "threads").read_bytes()


def test_the_file_is_the_same_wherever_the_folder_lies(tmp_path: Path) -> None:
    """Another place, another name of the output, files written in another order."""
    folder = write_classes(tmp_path / "in", {"a": 20, "b": 20})
    for path in sorted(folder.rglob("*.png"), reverse=True):
        write_picture(tmp_path / "far/away" / path.relative_to(folder), read(path))

    packed(folder, tmp_path / "one.h5")
    packed(tmp_path / "far/away", tmp_path / "two.h5")

    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()
    assert str(tmp_path).encode() not in (tmp_path / "one.h5").read_bytes()


def test_no_object_in_the_file_has_a_time(tmp_path: Path) -> None:
    """HDF5 would store when each was made, and two runs would differ."""
    packed(write_classes(tmp_path / "in", {"a": 5}), tmp_path / "out.h5")

    times: list[int] = []

    def look(_name: str, thing: h5py.Group | h5py.Dataset) -> None:
        info = h5py.h5g.get_objinfo(thing.id)
        times.append(info.mtime)

    with h5py.File(tmp_path / "out.h5") as file:
        file.visititems(look)

    assert len(times) == 16
    assert set(times) == {0}


def test_provenance_tells_how_and_not_where(tmp_path: Path) -> None:
    """Options, seed, counts, versions, and a fingerprint of the source."""
    folder = write_classes(tmp_path / "in", {"a": 10, "b": 10})
    packing = Packing(ImageSpec.of(size=9, fit="ink", ink="dark", threshold="otsu"), seed=3)

    packed(folder, tmp_path / "out.h5", packing)

    with open_dataset(tmp_path / "out.h5") as dataset:
        provenance = dataset.provenance
        first = provenance["source"]["fingerprint"]
    assert provenance["tool"] == "create_dataset"
    assert provenance["options"] == {
        "size": 9,
        "fit": "ink",
        "ink": "dark",
        "threshold": "otsu",
        "split": [0.8, 0.1, 0.1],
        "seed": 3,
        "per_class": None,
        "group_by": None,
        "min_per_class": 1,
    }
    assert provenance["counts"] == {
        "classes": 2,
        "train": 16,
        "validation": 2,
        "test": 2,
        "unreadable": 0,
        "ignored": 0,
        "blank": 0,
        "duplicates": 0,
        "conflicts": 0,
    }
    assert str(tmp_path) not in json.dumps(provenance)

    (folder / "a/0000.png").rename(folder / "a/000.png")  # still the first of all
    packed(folder, tmp_path / "out.h5", packing)
    with open_dataset(tmp_path / "out.h5") as dataset:
        assert dataset.provenance["source"]["fingerprint"] != first


def test_another_size_or_fit_has_the_same_split(tmp_path: Path) -> None:
    """So that networks of several sizes can be compared; also in the same order."""
    folder = write_classes(tmp_path / "in", {"a": 40, "b": 40})

    packed(folder, tmp_path / "one.h5")
    packed(folder, tmp_path / "two.h5", Packing(ImageSpec(size=20, fit="stretch")))

    with open_dataset(tmp_path / "one.h5") as one, open_dataset(tmp_path / "two.h5") as two:
        for name in SPLITS:
            assert getattr(one, name).source == getattr(two, name).source


def test_identical_pictures_never_sit_in_two_splits(tmp_path: Path) -> None:
    """The leak that makes a test score worthless: copies, and the same pixels encoded anew."""
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
    """Listed as pairs of paths; three labels are two pairs; twins in one class are none."""
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


def test_pictures_are_told_apart_by_their_whole_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first half only says where to look."""

    def half(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        digest = digests(images).copy()
        digest[:, :8] = 7
        return digest

    folder = write_classes(tmp_path / "in", {"a": 12})
    shutil.copy(folder / "a/0003.png", folder / "a/twin.png")
    monkeypatch.setattr("inkfold.staging.digests", half)

    assert packed(folder, tmp_path / "out.h5").plan.duplicates == 1


def test_a_writer_s_pictures_stay_in_one_split(tmp_path: Path) -> None:
    """--group-by, and a copy of one writer's picture by another ties the two together."""
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
    assert all(one == other for one, other in tied)
    assert {one for one, _ in tied} != {"train"}
    assert set(home.values()) == set(SPLITS)
    assert report.plan.ungrouped == 1


def test_per_class_keeps_so_many_of_each(tmp_path: Path) -> None:
    """Drawn by content: the same ones whatever else is there; another seed draws others."""
    folder = write_classes(tmp_path / "in", {"a": 40, "b": 7})
    kept = []
    for seed, output in ((0, "one"), (1, "two")):
        packed(folder, tmp_path / output, replace(SMALL, per_class=10, seed=seed))
        with open_dataset(tmp_path / output) as dataset:
            home = homes(dataset)
        assert sum(path.startswith("a/") for path in home) == 10
        assert sum(path.startswith("b/") for path in home) == 7
        kept.append({path for path in home if path.startswith("a/")})

    assert kept[0] != kept[1]
    for index in range(40):
        if f"a/{index:04d}.png" not in kept[0]:
            (folder / f"a/{index:04d}.png").unlink()
            break
    packed(folder, tmp_path / "one", replace(SMALL, per_class=10))
    with open_dataset(tmp_path / "one") as dataset:
        assert {path for path in homes(dataset) if path.startswith("a/")} == kept[0]


def test_small_classes_can_be_left_out(tmp_path: Path) -> None:
    """And are named; the labels of the others close up."""
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
            split = getattr(dataset, name)
            for label, source in zip(split.labels, split.source, strict=True):
                assert source[0] == "bc"[label]


def test_classes_that_miss_a_split_are_named(tmp_path: Path) -> None:
    """One picture is for training; an empty split that was asked for is missed by nobody."""
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
    """3 of 103 are over 1 %; the message says how many, the first, and what to add."""
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
    """4 of 400 are not more than 1 %; the others keep their pixels, over two pieces of work."""
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
            split = getattr(dataset, name)
            for image, source in zip(split.images[:], split.source, strict=True):
                assert np.array_equal(image, prepare(read(folder / source), SMALL.spec))
        assert len(homes(dataset)) == 396


def test_nothing_is_left_when_no_class_is_large_enough(tmp_path: Path) -> None:
    """The message names the largest."""
    folder = write_classes(tmp_path / "in", {"a": 2, "b": 4})

    with pytest.raises(InkfoldError, match="no class has 5 readable pictures, the largest has 4"):
        packed(folder, tmp_path / "out.h5", replace(SMALL, min_per_class=5))


def test_an_existing_output_is_refused_before_any_work(tmp_path: Path) -> None:
    """Even where there is nothing to pack."""
    (tmp_path / "out.h5").write_text("mine")

    with pytest.raises(InkfoldError, match="already exists; add --overwrite"):
        pack(
            tmp_path / "nowhere",
            tmp_path / "out.h5",
            SMALL,
            executor=InProcess(),
            overwrite=False,
            progress=silent,
        )
    assert (tmp_path / "out.h5").read_text() == "mine"


def test_every_format_and_depth_packs_to_the_same_picture(tmp_path: Path) -> None:
    """One drawing as 8 and 16 bits, grey, colour, alpha, inverted: nine times the same pixels."""
    grey = glyph(np.random.default_rng(4))
    colour = np.dstack([grey] * 3)
    alpha = np.dstack([np.zeros_like(colour), 255 - grey])
    drawings: dict[str, NDArray[Any]] = {
        "grey.png": grey,
        "grey.bmp": grey,
        "grey.tif": grey,
        "grey.pgm": grey,
        "deep.png": grey.astype(np.uint16) * 257,
        "deep.tif": grey.astype(np.uint16) * 257,
        "colour.png": colour,
        "alpha.png": alpha,
        "inverted.png": 255 - grey,
    }
    for name, pixels in drawings.items():
        write_picture(tmp_path / "in/a" / name, pixels)

    report = packed(tmp_path / "in", tmp_path / "out.h5")

    assert report.plan.duplicates == 8


def test_ten_thousand_classes_survive_the_round_trip(tmp_path: Path) -> None:
    """With names longer than an attribute could hold together; every label finds its name."""
    name = "class-{:05d}-" + "語" * 8
    for index in range(10_000):
        folder = tmp_path / "in" / name.format(index)
        folder.mkdir(parents=True)
        pixels = np.full((6, 6), 255, np.uint8)
        pixels[1:5, 1:5].flat[:14] = [0 if index >> bit & 1 else 90 for bit in range(14)]
        (folder / "1.png").write_bytes(encode(".png", pixels))

    packed(tmp_path / "in", tmp_path / "out.h5", Packing(ImageSpec(size=6)))

    with open_dataset(tmp_path / "out.h5") as dataset:
        assert len(dataset.classes) == 10_000
        assert dataset.classes[1234] == name.format(1234)
        for label, source in zip(dataset.train.labels, dataset.train.source, strict=True):
            assert source == f"{dataset.classes[label]}/1.png"


def test_names_that_are_no_text_are_spelled_out(tmp_path: Path) -> None:
    """Bytes ff fe in a path; emoji, quotes and newlines stay."""
    folder = write_classes(tmp_path / "in", {"a": 3})
    data = (folder / "a/0000.png").read_bytes()
    for name in (b"\xff\xfe" * 20 + b".png", "new\nline 😀 'q\".png".encode()):
        (folder / "a" / os.fsdecode(name)).write_bytes(data)

    packed(folder, tmp_path / "out.h5")

    with open_dataset(tmp_path / "out.h5") as dataset:
        names = {"a/" + r"\xff\xfe" * 20 + ".png", "a/new\nline 😀 'q\".png"}
        assert names <= set(homes(dataset))
