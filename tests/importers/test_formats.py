"""Which format a source has, and the counts of the real sets."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from inkfold.importers.files import files_below
from inkfold.importers.formats import FORMATS
from tests.worlds.drawn_pictures import write_classes
from tests.worlds.foreign_files import (
    csv_lines,
    idx_bytes,
    letters,
    write_all,
    write_idx,
    write_stack,
)
from tests.worlds.pages import WRITERS
from tests.worlds.reading import described, real, refusal


def test_the_end_of_a_word_is_not_a_side(tmp_path: Path) -> None:
    """A file is a set's test if its name has the word test, not a word that ends so as latest."""
    for name, side in (("latest.csv", None), ("mnist_test.csv", "test"), ("train.csv", "train")):
        (tmp_path / name).write_text(csv_lines([1, 0]))
        assert [
            official for _, official, *_ in described(FORMATS["csv"].read(tmp_path / name))
        ] == [side, side]
    write_idx(tmp_path / "idx", "contest", [1])
    assert [official for _, official, *_ in described(FORMATS["idx"].read(tmp_path / "idx"))] == [
        None
    ]


def test_each_format_recognises_its_own_and_no_other(tmp_path: Path) -> None:
    """A set is recognised by exactly one format, which gives its reason."""
    for name, place in write_all(tmp_path).items():
        reasons = {how: FORMATS[how].recognise(place) for how in FORMATS}
        assert [how for how, reason in reasons.items() if reason] == [name]


def test_sets_under_names_of_their_own_are_recognised_by_one_format(tmp_path: Path) -> None:
    """Arrays, tables, pairs of files and boxes on pages are told apart by what they hold."""
    places = {how: tmp_path / how for how in ("npz", "mat", "csv", "idx", *WRITERS)}
    for place in places.values():
        place.mkdir()
    for how, write in WRITERS.items():
        write(places[how])
    np.savez(places["npz"] / "mine.npz", letters(2), np.arange(2))
    write_stack(places["mat"] / "mine.mat")
    (places["idx"] / "pictures").write_bytes(idx_bytes(letters(2)))
    (places["idx"] / "answers").write_bytes(idx_bytes(np.arange(2, dtype=np.uint8)))
    lines = [line.partition(",")[2] for line in csv_lines([0, 1]).splitlines()]
    (places["csv"] / "images.csv").write_text("\n".join(lines))
    (places["csv"] / "labels.csv").write_text("a\nb\n")

    for name, place in places.items():
        reasons = {how: FORMATS[how].recognise(place) for how in FORMATS}
        assert [how for how, reason in reasons.items() if reason] == [name]
        assert FORMATS[name].read(place).count == 2


def test_foreign_input_is_recognised_by_none_and_stops_nothing(tmp_path: Path) -> None:
    """Missing and empty folders, class folders and files with false content are of no format.

    Reading them as a set of any format is refused.
    """
    write_classes(tmp_path / "classes", {"a": 2})
    names = (
        "train-images-idx3-ubyte.gz",
        "emnist-x-test-images-idx3-ubyte",
        "emnist-x.mat",
        "k49-train-imgs.npz",
        "some.csv",
    )
    for content in (b"", b"\x1f\x8b", os.urandom(40)[:0] + b"\xff" * 40):
        folder = tmp_path / f"f{len(content)}"
        folder.mkdir()
        for name in names:
            (folder / name).write_bytes(content)
    (tmp_path / "dangling.csv").symlink_to("nowhere")
    for source in (tmp_path, tmp_path / "classes", *tmp_path.glob("f*"), tmp_path / "nowhere/x"):
        assert [how for how in FORMATS if FORMATS[how].recognise(source)] == []
        for how in ("idx", "emnist", "emnist-mat", "npz", "csv", "mat", "parquet", *WRITERS):
            refusal(how, source)


def test_files_are_looked_for_in_folders_and_not_behind_links(tmp_path: Path) -> None:
    """Hidden files and folders and links to folders are passed over; a glance has an end."""
    for name in ("b.xml", "a.XML", "x/c.xml", ".h/d.xml", "x/.e.xml", "1/2/3/4/5/6/deep.xml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "z").symlink_to(tmp_path / "x")

    found = [path.relative_to(tmp_path).as_posix() for path in files_below(tmp_path, ".xml")]

    assert found == ["a.XML", "b.xml", "x/c.xml"]
    assert list(files_below(tmp_path / "b.xml", ".xml")) == [tmp_path / "b.xml"]
    assert list(files_below(tmp_path / "b.xml", ".json")) == []
    glance = list(files_below(tmp_path, ".xml", 6))  # as many as lie in the upper folder
    assert [path.name for path in glance] == ["a.XML", "b.xml"]


@pytest.mark.parametrize(
    ("how", "name", "sides", "counts"),
    [
        ("idx", "mnist", {"train": 60_000, "test": 10_000}, (10, 6313, 7877)),
        ("idx", "kmnist", {"train": 60_000, "test": 10_000}, (10, 7000, 7000)),
        ("emnist", "emnist-bymerge-test", {"test": 116_323}, (47, 415, 6400)),
        ("emnist", "emnist-byclass-test", {"test": 116_323}, (62, 317, 6330)),
    ],
)
def test_the_real_sets_have_their_published_counts(
    how: str, name: str, sides: dict[str, int], counts: tuple[int, int, int]
) -> None:
    """A real set has the published number of pictures, by side and by class, and one format.

    `counts` are the classes, and the pictures of the smallest and of the largest class.
    """
    source = real(name)
    collection = FORMATS[how].read(source)
    glyphs = list(collection.glyphs())
    sizes = Counter(glyph.label for glyph in glyphs)

    assert [format_ for format_ in FORMATS if FORMATS[format_].recognise(source)] == [how]
    assert Counter(glyph.split for glyph in glyphs) == sides
    assert collection.count == len(glyphs)
    assert len(collection.classes) == len(sizes)
    assert (len(sizes), min(sizes.values()), max(sizes.values())) == counts
