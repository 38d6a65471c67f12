"""Omniglot's folders."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from inkfold.errors import InkfoldError
from inkfold.importers import omniglot
from inkfold.importers.collection import Glyph
from tests.worlds.drawn_pictures import raw_png, write_picture
from tests.worlds.letter import letter

F = letter(105, 105, ink=0, paper=255)


def put(root: Path, *paths: str) -> Path:
    """Write pictures of one bit a pixel, white where it is set, as the set has; returns `root`."""
    rows = [np.packbits(row > 0).tobytes() for row in F]
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(raw_png(rows, 105, depth=1, colour=0))
    return root


def read(source: Path) -> tuple[tuple[str, ...], list[Glyph]]:
    """The classes and the pictures of a set, after a check of their number and polarity."""
    collection = omniglot.read(source)
    glyphs = list(collection.glyphs())
    assert (collection.name, collection.ink) == ("omniglot", "dark")
    assert collection.count == len(glyphs)
    return collection.classes, glyphs


def test_the_first_characters_of_two_alphabets_are_two_classes(tmp_path: Path) -> None:
    """A class and a group have their alphabet's name, so equal numbers are kept apart."""
    root = put(
        tmp_path,
        "images_background/Greek/character01/0394_02.png",
        "images_background/Early_Aramaic/character01/0150_02.png",
        "images_background/Early_Aramaic/character01/0150_11.png",
        "images_evaluation/Tibetan/character02/1541_02.png",
    )

    classes, glyphs = read(root)

    assert classes == ("Early_Aramaic/character01", "Greek/character01", "Tibetan/character02")
    assert [(g.source, g.label, g.group) for g in glyphs] == [
        ("images_background/Early_Aramaic/character01/0150_02.png", 0, "Early_Aramaic/02"),
        ("images_background/Early_Aramaic/character01/0150_11.png", 0, "Early_Aramaic/11"),
        ("images_background/Greek/character01/0394_02.png", 1, "Greek/02"),
        ("images_evaluation/Tibetan/character02/1541_02.png", 2, "Tibetan/02"),
    ]


def test_a_picture_is_upright_and_dark_on_white(tmp_path: Path) -> None:
    """Pictures are read as drawn, from the whole set or one part, and have no side.

    Neither part is a test, for the parts share no class.
    """
    put(tmp_path, "images_evaluation/Greek/character01/0394_02.png")

    for source in (tmp_path, tmp_path / "images_evaluation"):
        classes, (glyph,) = read(source)
        assert classes == ("Greek/character01",)
        assert np.array_equal(glyph.pixels, F)
        assert glyph.split is None


def test_colour_is_made_grey_and_more_than_eight_bits_are_refused(tmp_path: Path) -> None:
    """A coloured picture is read as grey, and one with 16 bits is refused."""
    folder = tmp_path / "Greek/character01"
    write_picture(folder / "0394_01.png", np.repeat(F[..., None], 3, axis=2))

    assert np.array_equal(read(tmp_path)[1][0].pixels, F)

    write_picture(folder / "0394_01.png", F.astype(np.uint16))
    with pytest.raises(InkfoldError, match=r"0394_01.png: uint16 pixels in 1 channels, expected"):
        read(tmp_path)


def test_a_name_without_a_drawer_and_an_empty_set_are_refused(tmp_path: Path) -> None:
    """The errors say what was expected; empty characters and other folders are not classes."""
    put(tmp_path / "in", "Greek/character01/one.png", "Greek/strokes/0394_01.png")
    (tmp_path / "in/Greek/character02").mkdir()
    (tmp_path / "bare/Greek/character01").mkdir(parents=True)

    assert omniglot.read(tmp_path / "in").classes == ("Greek/character01",)
    with pytest.raises(InkfoldError, match=r"one.png: expected NNNN_NN.png, the character's num"):
        read(tmp_path / "in")
    with pytest.raises(InkfoldError, match="bare: no pictures of Omniglot; expected ALPHABET/char"):
        omniglot.read(tmp_path / "bare")


def test_names_that_are_not_utf_8_are_spelled_out(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are spelled out in class, group and source, for these are text."""
    put(tmp_path, os.fsdecode(b"Gr\xff/character01/0394_02.png"))

    classes, (glyph,) = read(tmp_path)

    assert classes == (r"Gr\xff/character01",)
    assert glyph.group == r"Gr\xff/02"
    assert glyph.source == r"Gr\xff/character01/0394_02.png"


def test_it_is_recognised_by_its_folders(tmp_path: Path) -> None:
    """Folders of characters in folders of alphabets are recognised; other folders are not."""
    put(tmp_path / "in", "images_background/Greek/character01/0394_02.png")
    put(tmp_path / "other", "train/7/0394_02.png")
    (tmp_path / "file").touch()

    assert omniglot.recognise(tmp_path / "in") == (
        "it holds images_background/Greek/character01, an alphabet's character as in Omniglot"
    )
    assert omniglot.recognise(tmp_path / "other") is None
    assert omniglot.recognise(tmp_path / "file") is None
    assert omniglot.recognise(tmp_path / "nowhere") is None
