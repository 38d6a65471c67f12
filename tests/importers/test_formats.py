"""Which format a source has, and the counts of the real sets."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from inkfold.importers.formats import FORMATS
from tests.worlds.drawn_pictures import write_classes
from tests.worlds.foreign_files import csv_lines, write_all, write_idx
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
        for how in ("idx", "emnist", "emnist-mat", "npz", "csv"):
            refusal(how, source)


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
