"""Packing class folders: what the file holds."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from inkfold.crew import Crew
from inkfold.dataset.digests import digests
from inkfold.dataset.reader import open_dataset
from inkfold.packing.plan import Packing
from inkfold.picture import prepare, read
from inkfold.spec import SPLITS, ImageSpec
from inkfold.workers import local_crew
from tests.worlds.drawn_pictures import encode, glyph, write_classes, write_picture
from tests.worlds.packing_run import SMALL, homes, packed


def test_every_picture_is_in_the_file_once_with_its_label(tmp_path: Path) -> None:
    """Pixels, label, source and digest of each row belong together, over more than one chunk."""
    counts = {"a": 300, "b": 30, "c": 3}
    folder = write_classes(tmp_path / "in", counts)

    report = packed(folder, tmp_path / "out.h5")

    assert report.unreadable.count == report.ignored.count == 0
    seen = []
    with open_dataset(tmp_path / "out.h5") as dataset:
        assert dataset.classes == ("a", "b", "c")
        assert dataset.spec == SMALL.spec
        for name in SPLITS:
            split = dataset.split(name)
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
    """Rows are ordered neither by class nor by name, and differently for another seed."""
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


def test_the_file_is_the_same_for_any_crew(tmp_path: Path) -> None:
    """One process, two others, and threads with larger pieces write the same bytes."""
    folder = write_classes(tmp_path / "in", {"Ж": 200, "漢": 150, "🦉": 7})

    packed(folder, tmp_path / "in process")
    with ThreadPoolExecutor(3) as threads:
        packed(folder, tmp_path / "threads", crew=Crew(threads, lambda: 3, far=True))
    with local_crew(2) as processes:
        packed(folder, tmp_path / "processes", crew=processes)

    expected = (tmp_path / "in process").read_bytes()
    assert expected == (tmp_path / "processes").read_bytes()
    assert expected == (tmp_path / "threads").read_bytes()


def test_the_file_is_the_same_wherever_the_folder_lies(tmp_path: Path) -> None:
    """The folder's place, the output's name and the order of writing do not reach the file."""
    folder = write_classes(tmp_path / "in", {"a": 20, "b": 20})
    for path in sorted(folder.rglob("*.png"), reverse=True):
        write_picture(tmp_path / "far/away" / path.relative_to(folder), read(path))

    packed(folder, tmp_path / "one.h5")
    packed(tmp_path / "far/away", tmp_path / "two.h5")

    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()
    assert str(tmp_path).encode() not in (tmp_path / "one.h5").read_bytes()


def test_no_object_in_the_file_has_a_time(tmp_path: Path) -> None:
    """No time of creation is stored, for it would make two runs differ."""
    packed(write_classes(tmp_path / "in", {"a": 5}), tmp_path / "out.h5")

    times: list[int] = []

    def look(_name: str, stored: h5py.Group | h5py.Dataset) -> None:
        info = h5py.h5g.get_objinfo(stored.id)
        times.append(info.mtime)

    with h5py.File(tmp_path / "out.h5") as file:
        file.visititems(look)

    assert len(times) == 16
    assert set(times) == {0}


def test_provenance_says_how_and_not_where(tmp_path: Path) -> None:
    """Provenance holds options, seed, counts and a fingerprint of the source, but no path."""
    folder = write_classes(tmp_path / "in", {"a": 10, "b": 10})
    packing = Packing(spec=ImageSpec.of(size=9, fit="ink", ink="dark", threshold="otsu"), seed=3)

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
        "capture": "auto",
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
        "photographs": 0,
    }
    assert str(tmp_path) not in json.dumps(provenance)

    (folder / "a/0000.png").rename(folder / "a/000.png")  # still the first of all
    packed(folder, tmp_path / "out.h5", packing)
    with open_dataset(tmp_path / "out.h5") as dataset:
        assert dataset.provenance["source"]["fingerprint"] != first


def test_every_format_and_depth_packs_to_the_same_picture(tmp_path: Path) -> None:
    """One drawing in 8 and 16 bits, grey, colour, alpha and inverted gives the same pixels."""
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
    """Every label finds its name, though all names together exceed what an attribute can hold."""
    name = "class-{:05d}-" + "語" * 8
    for index in range(10_000):
        folder = tmp_path / "in" / name.format(index)
        folder.mkdir(parents=True)
        pixels = np.full((6, 6), 255, np.uint8)
        pixels[1:5, 1:5].flat[:14] = [0 if index >> bit & 1 else 90 for bit in range(14)]
        (folder / "1.png").write_bytes(encode(".png", pixels))

    packed(tmp_path / "in", tmp_path / "out.h5", Packing(spec=ImageSpec(size=6)))

    with open_dataset(tmp_path / "out.h5") as dataset:
        assert len(dataset.classes) == 10_000
        assert dataset.classes[1234] == name.format(1234)
        for label, source in zip(dataset.train.labels, dataset.train.source, strict=True):
            assert source == f"{dataset.classes[label]}/1.png"


def test_names_that_are_no_text_are_spelled_out(tmp_path: Path) -> None:
    r"""Bytes of a path that are not UTF-8 become ``\xff``; emoji, quotes and newlines stay."""
    folder = write_classes(tmp_path / "in", {"a": 3})
    data = (folder / "a/0000.png").read_bytes()
    for name in (b"\xff\xfe" * 20 + b".png", "new\nline 😀 'q\".png".encode()):
        (folder / "a" / os.fsdecode(name)).write_bytes(data)

    packed(folder, tmp_path / "out.h5")

    with open_dataset(tmp_path / "out.h5") as dataset:
        names = {"a/" + r"\xff\xfe" * 20 + ".png", "a/new\nline 😀 'q\".png"}
        assert names <= set(homes(dataset))
