"""NIST Special Database 19, sorted by class."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from inkfold.errors import InkfoldError
from inkfold.importers import nist_sd19
from inkfold.importers.collection import Glyph
from tests.worlds.drawn_pictures import write_picture
from tests.worlds.letter import letter

F = letter(128, 128, ink=0, paper=255)
TRAIN = ("hsf_0", "hsf_1", "hsf_2", "hsf_3", "hsf_6", "hsf_7")


def put(root: Path, *folders: str, count: int = 1) -> Path:
    """Write class folders such as ``4a/hsf_0`` with so many pictures in each; returns `root`."""
    for folder in folders:
        for number in range(count):
            write_picture(root / folder / f"{Path(folder).name}_{number:05d}.png", F)
    return root


def read(source: Path) -> tuple[tuple[str, ...], list[Glyph]]:
    """The classes and the pictures of a set, after a check of their number and polarity."""
    collection = nist_sd19.read(source)
    glyphs = list(collection.glyphs())
    assert (collection.name, collection.ink) == ("nist-sd19", "dark")
    assert collection.count == len(glyphs)
    return collection.classes, glyphs


def test_a_picture_is_upright_and_dark_on_white(tmp_path: Path) -> None:
    """Pictures are read as drawn; a folder's name is a character's code, in either case."""
    put(tmp_path / "by_class", "4A/hsf_0", "35/hsf_0", "7a/hsf_0")

    classes, glyphs = read(tmp_path)

    assert classes == ("5", "J", "z")
    assert [(g.source, classes[g.label]) for g in glyphs] == [
        ("35/hsf_0/hsf_0_00000.png", "5"),
        ("4A/hsf_0/hsf_0_00000.png", "J"),
        ("7a/hsf_0/hsf_0_00000.png", "z"),
    ]
    assert all(np.array_equal(g.pixels, F) for g in glyphs)
    assert all(g.group is None for g in glyphs), "by_class does not tell the writer"
    assert read(tmp_path / "by_class")[0] == classes


def test_hsf_4_is_the_test_and_train_folders_repeat_the_others(tmp_path: Path) -> None:
    """Each picture is read once, from the hsf folders; other files beside them do no harm."""
    root = put(tmp_path, *(f"30/{part}" for part in (*TRAIN, "hsf_4")))
    put(tmp_path, "30/train_30", count=6)
    (tmp_path / "30/hsf_0.mit").write_text("1\nhsf_0_00000.png\n")
    (tmp_path / "30/hsf_0/Thumbs.db").touch()
    (tmp_path / "30/hsf_0/._hsf_0_00000.png").touch()
    (tmp_path / "readme").mkdir()

    _, glyphs = read(root)

    expected = [(f"30/{part}/{part}_00000.png", "train") for part in TRAIN]
    assert [(g.source, g.split) for g in glyphs] == [
        *expected,
        ("30/hsf_4/hsf_4_00000.png", "test"),
    ]


def test_train_folders_are_read_where_they_are_alone(tmp_path: Path) -> None:
    """A class without the other hsf folders is read from its train folder."""
    root = put(tmp_path, "30/train_30", "30/hsf_4", "31/train_31", "31/hsf_0")

    assert [(g.source, g.split) for g in read(root)[1]] == [
        ("30/train_30/train_30_00000.png", "train"),
        ("30/hsf_4/hsf_4_00000.png", "test"),
        ("31/hsf_0/hsf_0_00000.png", "train"),
    ]


def test_hsf_folders_with_fewer_pictures_than_train_are_refused(tmp_path: Path) -> None:
    """A train folder with more pictures than its hsf folders is refused, so that none is lost."""
    put(tmp_path, "30/train_30", count=3)
    put(tmp_path, "30/hsf_0", count=2)

    with pytest.raises(InkfoldError, match=r"train_30 holds 3 pictures and hsf_0, .*hsf_7 .* it 2"):
        nist_sd19.read(tmp_path)


def test_bad_classes_and_pictures_are_reported(tmp_path: Path) -> None:
    """A folder without a character's code, a broken picture and an empty set are refused."""
    put(tmp_path / "code", "7f/hsf_0", "30/hsf_0")
    broken = put(tmp_path / "broken", "30/hsf_0")
    (broken / "30/hsf_0/hsf_0_00001.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "bare/by_class/30/hsf_0").mkdir(parents=True)
    put(tmp_path / "name", "30/hsf_0")
    (tmp_path / "name/30/hsf_0/hsf_0_00000.png").rename(
        tmp_path / "name/30/hsf_0" / os.fsdecode(b"\xff.png")
    )

    with pytest.raises(InkfoldError, match="code/7f: the folder of a class is named 7f, expected"):
        nist_sd19.read(tmp_path / "code")
    with pytest.raises(InkfoldError, match=r"hsf_0_00001.png: truncated or not a picture; unpack"):
        read(broken)
    assert [g.source for g in read(tmp_path / "name")[1]] == [r"30/hsf_0/\xff.png"]
    with pytest.raises(InkfoldError, match="bare: no pictures of NIST's by_class; expected"):
        nist_sd19.read(tmp_path / "bare")


def test_it_is_recognised_by_its_folders(tmp_path: Path) -> None:
    """A class folder with hsf or train folders is recognised; other class folders are not.

    If it has both, the reason mentions that they repeat each other.
    """
    put(tmp_path / "one/by_class", "30/hsf_4")
    put(tmp_path / "two", "30/train_30", "30/hsf_0")
    put(tmp_path / "other", "30/images", "4a_6a/hsf_0")

    assert nist_sd19.recognise(tmp_path / "one") == "it holds 30/hsf_4, a class of NIST's by_class"
    assert "(train folders repeat the hsf folders: one of the two is read)" in str(
        nist_sd19.recognise(tmp_path / "two")
    )
    assert nist_sd19.recognise(tmp_path / "other") is None
    assert nist_sd19.recognise(tmp_path / "nowhere") is None
