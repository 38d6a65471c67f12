"""What is written in a photograph: the answers of the clean picture, and blank sheets blank."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from benchmarks.not_characters import landscape, noise, wood
from inkfold.bundle.bundle import SHIPPED, load_bundle
from inkfold.classifier import Classifier
from inkfold.photograph.written import written
from inkfold.picture import as_grey, is_blank, prepare
from inkfold.spec import ImageSpec
from tests.worlds.drawn_letters import STROKES
from tests.worlds.photographs import (
    KINDS,
    Mask,
    Scene,
    drawn,
    handwriting_fonts,
    photograph,
    plain,
    scan,
    written_in,
)

EACH = 4  # drawn photographs of a kind
KEPT = 3  # of them that keep the answer of the clean picture, at least
SPEC = ImageSpec.of(size=32, fit="ink", ink="auto", threshold="soft")
PAD = ImageSpec(size=32)
LARGE = "12 megapixels"
TABLES = ("wooden table", "dark table", "light table", "perspective")
SMALL_KINDS = [kind for kind in KINDS if kind != LARGE]
NOTHING = np.zeros((30, 20), np.float32)


@cache
def classifier() -> Classifier:
    """The classifier of the bundle that comes along, loaded once."""
    return Classifier(load_bundle(SHIPPED))


def answers(images: list[NDArray[np.uint8]]) -> list[str]:
    """The likeliest class of each image."""
    best = classifier().predict(np.stack(images)).argmax(axis=1)
    return [classifier().classes[label] for label in best]


@cache
def shots(kind: str, count: int = EACH) -> list[tuple[Mask, NDArray[np.uint8]]]:
    """Drawn characters, and photographs of them."""
    number, names = list(KINDS).index(kind), list(STROKES)
    taken = []
    for place in range(count):
        rng = np.random.default_rng([11, number, place])
        mask = drawn(names[(5 * number + place) % len(names)], rng)
        taken.append((mask, photograph(mask, KINDS[kind](rng), rng)))
    return taken


def kept(kind: str, spec: ImageSpec, count: int = EACH) -> int:
    """How many photographs get the answer of the clean picture."""
    masks, pictures = zip(*shots(kind, count), strict=True)
    clean = answers([prepare(scan(mask), SPEC) for mask in masks])
    seen = answers([prepare(picture, spec) for picture in pictures])
    return sum(a == b for a, b in zip(clean, seen, strict=True))


@pytest.mark.parametrize("kind", SMALL_KINDS)
def test_a_photograph_keeps_the_answer_of_the_clean_picture(kind: str) -> None:
    """At least 3 of 4 photographs of a kind are answered as the clean picture, in any spec."""
    assert kept(kind, SPEC) >= KEPT
    assert kept(kind, PAD) >= KEPT


@pytest.mark.parametrize("kind", TABLES)
def test_a_sheet_on_a_table_is_not_read_as_a_scan(kind: str) -> None:
    """Prepared as scans, at most 1 of 4 sheets on a table keeps its answer: the sheet is found."""
    assert kept(kind, replace(SPEC, capture="scan")) <= 1


@pytest.mark.slow
def test_a_photograph_of_12_megapixels_keeps_its_answer() -> None:
    """A photograph of 4,000 by 3,000 pixels is read, in a picture of 640 by 480 pixels."""
    assert kept(LARGE, SPEC, count=1) == 1
    ((_, picture),) = shots(LARGE, 1)
    assert written(as_grey(picture), "auto").shape == (640, 480)


@pytest.mark.parametrize("kind", [kind for kind in SMALL_KINDS if kind != "several at once"])
def test_an_empty_sheet_is_blank(kind: str) -> None:
    """Paper on which nothing is written comes out as zeros: ruled, lit, held, on any table."""
    for place in range(3):
        rng = np.random.default_rng([12, place])
        picture = photograph(NOTHING, KINDS[kind](rng), rng)
        assert not written(as_grey(picture), "auto").any()
        assert is_blank(prepare(picture, PAD)[None])[0]


def bodies(ink: NDArray[np.uint8]) -> int:
    """How many bodies of ink there are."""
    return int(cv2.connectedComponents((ink > 80).astype(np.uint8))[0]) - 1


def beside(*masks: Mask) -> Mask:
    """Characters beside one another on one line."""
    height = max(len(mask) for mask in masks)
    tall = [np.pad(mask, ((height - len(mask), 0), (0, 60))) for mask in masks]
    return np.hstack(tall)[:, :-60]


@pytest.mark.parametrize("kind", ["white paper", "lined", "wooden table", "chalk on green"])
def test_a_word_keeps_all_its_letters(kind: str) -> None:
    """No letter is cut out of a word: all of C, H and 7 are in the writing."""
    rng = np.random.default_rng(3)
    word = beside(drawn("C", rng), drawn("H", rng), drawn("7", rng))
    scene = replace(KINDS[kind](rng), height=0.3)

    ink = written(as_grey(photograph(word, scene, rng)), "auto")

    rows, columns = np.flatnonzero((ink > 80).any(axis=1)), np.flatnonzero((ink > 80).any(axis=0))
    width, height = np.ptp(columns) + 1, np.ptp(rows) + 1
    assert width / height == pytest.approx(word.shape[1] / word.shape[0], rel=0.2)
    assert bodies(np.asarray(cv2.GaussianBlur(ink, (0, 0), 3), np.uint8)) == 3


def test_the_dot_of_an_i_is_kept() -> None:
    """A small dot above a stem belongs to it."""
    mask = np.zeros((400, 60), np.float32)
    mask[120:], mask[:50] = 1, 1
    rng = np.random.default_rng(0)

    assert bodies(written(as_grey(photograph(mask, plain(rng), rng)), "auto")) == 2


@pytest.mark.parametrize("ruling", ["lined", "squared"])
def test_lines_do_not_break_a_stroke(ruling: str) -> None:
    """A stem and a bar that lines cross stay one body, and nothing of the lines is left."""
    mask = np.zeros((400, 300), np.float32)
    mask[:, 130:160], mask[200:230] = 1, 1
    rng = np.random.default_rng(1)
    scene = replace(plain(rng), ruling=ruling, spacing=0.08, rotation=2.0, height=0.5)

    ink = written(as_grey(photograph(mask, scene, rng)), "auto")

    assert bodies(ink) == 1
    assert 200 < np.ptp(np.flatnonzero((ink > 80).any(axis=1))) < 500


def test_the_side_of_the_ink_can_be_given() -> None:
    """Chalk is found with ``auto`` and ``light``; with ``dark`` nothing is written."""
    rng = np.random.default_rng(0)
    board = as_grey(photograph(drawn("O" if "O" in STROKES else "0", rng), chalk(rng), rng))

    assert np.array_equal(written(board, "auto"), written(board, "light"))
    assert not written(board, "dark").any()


def chalk(rng: np.random.Generator) -> Scene:
    """A green board."""
    return KINDS["chalk on green"](rng)


@pytest.mark.skipif(not handwriting_fonts(), reason="fontconfig lists no handwriting font")
@pytest.mark.parametrize("kind", ["white paper", "squared", "wooden table"])
def test_fonts_that_look_handwritten_keep_their_answers(kind: str) -> None:
    """Most capitals of each handwriting font are answered as their clean pictures."""
    for font in handwriting_fonts():
        clean, seen = [], []
        for place, name in enumerate("ABEHKMRX"):
            rng = np.random.default_rng([1, place])
            mask = written_in(font, name)
            clean.append(prepare(scan(mask), SPEC))
            seen.append(prepare(photograph(mask, KINDS[kind](rng), rng), SPEC))
        same = sum(a == b for a, b in zip(answers(clean), answers(seen), strict=True))
        assert same >= 7, font


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.integers(1, 90), st.integers(1, 90), st.sampled_from([1, 40, 255])
)
def test_any_picture_gives_ink_of_its_size(seed: int, rows: int, columns: int, most: int) -> None:
    """Any pixels at all give an image: noise, a single pixel, a single row."""
    grey = np.random.default_rng(seed).integers(0, most + 1, (rows, columns)).astype(np.uint8)

    ink = written(grey, "auto")

    assert ink.shape == grey.shape
    assert ink.dtype == np.uint8
    assert prepare(grey, replace(PAD, capture="photo")).shape == (32, 32)


def test_a_scene_without_a_sheet_has_no_writing_on_it() -> None:
    """Most wood and noise and many landscapes come out blank: something lies all around the ink."""
    scenes = {"wood": wood, "noise": noise, "landscape": landscape}
    rng = np.random.default_rng(3)
    blank = {
        name: sum(not written(as_grey(draw(rng)), "auto").any() for _ in range(10))
        for name, draw in scenes.items()
    }

    assert blank["wood"] >= 8
    assert blank["noise"] >= 8
    assert blank["landscape"] >= 4
