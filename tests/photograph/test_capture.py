"""Scan or photograph: clean pictures are never taken for photographs, and photographs are."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from inkfold.importers import idx
from inkfold.photograph.capture import is_photograph
from inkfold.picture import as_grey, decode, prepare
from inkfold.spec import ImageSpec
from tests.worlds.drawn_letters import STROKES, Shot
from tests.worlds.drawn_letters import photograph as drawn_shot
from tests.worlds.drawn_pictures import glyph
from tests.worlds.photographs import KINDS, drawn, photograph, scan
from tests.worlds.reading import real

SPECS = ImageSpec(), ImageSpec.of(size=28, fit="ink", ink="auto", threshold="soft")


def assert_kept(pictures: list[NDArray[np.uint8]]) -> None:
    """Every picture is prepared as a scan is, pixel by pixel."""
    for spec in SPECS:
        for picture in pictures:
            as_scan = prepare(picture, replace(spec, capture="scan"))
            assert np.array_equal(prepare(picture, spec), as_scan)
    assert not any(is_photograph(as_grey(picture)) for picture in pictures)


def test_real_digits_keep_every_pixel() -> None:
    """scikit-learn's 1,797 digits, small and enlarged eightfold, are prepared as scans."""
    from sklearn.datasets import load_digits

    digits = [(255 * digit / 16).astype(np.uint8) for digit in load_digits().images]
    assert not any(is_photograph(digit) for digit in digits)
    assert_kept(digits[:200])
    assert_kept([np.kron(digit, np.ones((8, 8), np.uint8)) for digit in digits[:100]])


@given(st.integers(0, 2**32 - 1), st.integers(8, 300), st.integers(8, 300))
def test_drawn_pictures_keep_every_pixel(seed: int, rows: int, columns: int) -> None:
    """Strokes on pure paper are a scan at any size, dark on light and light on dark."""
    picture = glyph(np.random.default_rng(seed), rows, columns)

    assert_kept([picture, 255 - picture])


def test_a_letter_on_even_grey_paper_is_a_scan() -> None:
    """Paper of one grey level is clean, whatever the level."""
    assert_kept([drawn_shot(name, Shot(paper=170, ink=90)) for name in STROKES])


@pytest.mark.parametrize("name", ["mnist", "kmnist"])
def test_idx_sets_keep_every_pixel(name: str) -> None:
    """Not one picture of MNIST and KMNIST, packed as files, would be taken for a photograph."""
    glyphs = idx.read(real(name)).glyphs()

    assert not any(is_photograph(as_grey(glyph.pixels)) for glyph in glyphs)


@pytest.mark.parametrize("name", ["kuzushiji-kanji-subset", "omniglot-small"])
def test_sets_of_files_keep_every_pixel(name: str) -> None:
    """Not one file of the kanji and of Omniglot is taken for a photograph."""
    count = 0
    for path in real(name).glob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            for member in archive.namelist():
                if member.endswith(".png"):
                    assert not is_photograph(as_grey(decode(archive.read(member)))), member
                    count += 1
    assert count > 5000


@cache
def taken(kind: str) -> NDArray[np.uint8]:
    """A drawn photograph of a kind."""
    rng = np.random.default_rng(7)
    return photograph(drawn("A", rng), KINDS[kind](rng), rng)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "12" not in kind])
def test_a_photograph_is_taken_for_one(kind: str) -> None:
    """Each kind of drawn photograph is noticed; the clean picture of the drawing is not."""
    assert is_photograph(as_grey(taken(kind)))
    assert not is_photograph(scan(drawn("A", np.random.default_rng(7))))


def test_a_picture_below_36_pixels_is_a_scan() -> None:
    """Pure noise is a scan at 35 pixels and a photograph at 36."""
    noise = np.random.default_rng(0).integers(0, 256, (36, 400), dtype=np.uint8)

    assert is_photograph(noise)
    assert not is_photograph(noise[1:])


def test_a_level_of_a_quarter_makes_a_small_picture_clean() -> None:
    """With an uneven edge a small picture is clean where one level fills a quarter of it."""
    noise = np.random.default_rng(0).integers(1, 256, (60, 60), dtype=np.uint8)
    noise[20:50, 10:40] = 0

    assert not is_photograph(noise)
    noise[20, 10] = 1
    assert is_photograph(noise)


def test_a_large_picture_is_clean_by_its_edge_and_its_paper() -> None:
    """From 128 pixels on, an even edge around a spread inside is a photograph with a border."""
    picture = np.full((200, 200), 255, np.uint8)
    assert not is_photograph(picture)

    picture[10:190, 10:190] = np.random.default_rng(0).integers(0, 255, (180, 180))
    assert is_photograph(picture)


def test_a_large_sheet_of_one_level_needs_an_edge_of_that_level() -> None:
    """A sheet of one level in front of something uneven is a photograph, whatever its corners."""
    picture = np.random.default_rng(0).integers(0, 200, (200, 200), dtype=np.uint8)
    picture[5:-5, 5:-5] = 230
    picture[[0, 0, -1, -1], [0, -1, 0, -1]] = 230

    assert is_photograph(picture)
    picture[:, :20] = 230
    picture[:20] = 230
    assert not is_photograph(picture)
