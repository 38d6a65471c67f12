"""The preview sheet: the copies of the file, the strength in pixels, a picture to look at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from matplotlib.figure import Figure

from inkfold.augmentation import preview
from inkfold.augmentation.augment import Augmentation, augment_dataset
from inkfold.augmentation.preview import chosen_rows, draw_sheet, draw_tile, example_of, strength_of
from inkfold.dataset.reader import open_dataset
from inkfold.errors import InkfoldError
from inkfold.recipe import Distortion
from inkfold.workers import local_crew
from tests.worlds.packed_strokes import write_packed

PLAN = Augmentation(Distortion(sigma=4, alpha=34, rotate=8), copies=3, seed=11)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 pictures in classes whose names plots stumble over, or whose letters fonts lack."""
    folder = tmp_path_factory.mktemp("packed")
    return write_packed(
        folder / "a$b$亜\u1d81.h5", (300, 8, 8), classes=("亜", "$x$", "a\nb", "\u1d81")
    )


def test_the_copies_shown_are_those_that_stand_in_the_file(source: Path, tmp_path: Path) -> None:
    """The copies of row 3, in a whole chunk, and of row 290, in a short one, are the file's."""
    with open_dataset(source) as packed, local_crew(1) as crew:
        augment_dataset(packed, tmp_path / "out.h5", PLAN, crew=crew)
    with open_dataset(source) as packed, open_dataset(tmp_path / "out.h5") as dataset:
        images, origin = dataset.train.images[:], np.asarray(dataset.train.origin)
        for row in (3, 290):
            example = example_of(packed, PLAN, row)
            rows = np.flatnonzero(origin == row)
            rows = rows[np.argsort(np.asarray(dataset.train.copy)[rows])]
            assert np.array_equal(images[rows[0]], example.original)
            assert np.array_equal(images[rows[1:]], example.copies)
            assert example.label == packed.train.labels[row]


def test_each_row_of_the_sheet_has_a_class_of_its_own() -> None:
    """The first picture of each class is chosen; of many classes, eight from first to last."""
    assert chosen_rows(np.array([2, 0, 2, 1], np.int32)) == [1, 3, 0]
    labels = np.repeat(np.arange(100), 3).astype(np.int32)
    rows = chosen_rows(labels)
    assert len(set(labels[rows].tolist())) == 8
    assert labels[rows][[0, -1]].tolist() == [0, 99]
    assert all(row % 3 == 0 for row in rows)


def test_the_measured_strength_is_that_of_theory_and_the_affine_map_adds_to_it() -> None:
    """Sigma 4 and alpha 34 displace by 1.38 pixels, a rotation adds more, and the text says so."""
    field = np.full((2, 2, 8, 8), 3, np.float32)
    plain = strength_of(32, Augmentation(Distortion(sigma=4, alpha=34)), [field])
    assert plain.theory == pytest.approx(1.3845, abs=1e-4)
    assert plain.measured == pytest.approx(plain.theory, rel=0.03)
    assert plain.total == plain.measured
    assert plain.sheet == 3
    assert "affine" not in str(plain)
    assert "1.38 px by theory" in str(plain)
    assert "3.00 px on this sheet" in str(plain)

    turned = strength_of(32, Augmentation(Distortion(sigma=4, alpha=34, rotate=20)), [field])
    assert turned.measured == pytest.approx(plain.measured, rel=0.03)
    assert turned.total > plain.total + 0.3
    assert f"{turned.total:.2f} px with the affine map" in str(turned)


def test_the_sheet_shows_dark_ink_on_paper_and_the_grid_in_red(
    source: Path, tmp_path: Path
) -> None:
    """More than half of the sheet is white, some is black, some has the grid's colour."""
    with open_dataset(source) as packed:
        strength = draw_sheet(packed, PLAN, tmp_path / "sheet.png")
    pixels = cv2.imread(str(tmp_path / "sheet.png"))
    assert pixels is not None
    sheet = pixels.astype(int)
    assert strength.theory == pytest.approx(1.3845, abs=1e-4)
    assert (sheet.min(axis=2) > 190).mean() > 0.5
    assert (sheet.max(axis=2) < 120).mean() > 0.005
    red = sheet[:, :, 2] - sheet[:, :, :2].max(axis=2)
    assert (red > 60).mean() > 0.005


def test_the_grid_moves_with_the_ink() -> None:
    """A field of +2 rows moves ink 2 rows up, and the grid's horizontal lines with it."""
    field = np.zeros((2, 16, 16), np.float32)
    field[0] = 2
    tile = Figure().subplots()
    draw_tile(tile, np.zeros((16, 16), np.uint8), field)
    horizontal, vertical = (
        np.unique(np.concatenate([path.vertices for path in lines.get_paths()])[:, axis])
        for lines, axis in zip(tile.collections, (1, 0), strict=True)
    )
    straight = np.arange(2, 16, 2) - 0.5  # eight cells of 2 pixels, between the pixels' centres
    assert horizontal == pytest.approx((straight - 2)[straight >= 2])
    assert vertical == pytest.approx(straight)


@pytest.mark.parametrize(
    "distortion",
    [
        Distortion(alpha=0),
        Distortion(alpha=100_000),
        Distortion(sigma=1000, alpha=1_000_000),
        Distortion(rotate=180, scale=0.9, shear=80, shift=1),
    ],
)
def test_any_distortion_can_be_drawn(source: Path, tmp_path: Path, distortion: Distortion) -> None:
    """A sheet is drawn without any distortion, and where the grid leaves the picture entirely."""
    with open_dataset(source) as packed:
        draw_sheet(packed, replace(PLAN, distortion=distortion), tmp_path / "sheet.png")

    assert (tmp_path / "sheet.png").stat().st_size > 10_000


def test_the_same_plan_draws_the_same_sheet(source: Path, tmp_path: Path) -> None:
    """Equal seeds draw sheets that are equal byte for byte, and a new seed draws a new sheet."""
    sheets = []
    for number, seed in enumerate((11, 11, 12)):
        with open_dataset(source) as packed:
            draw_sheet(packed, replace(PLAN, seed=seed), tmp_path / f"{number}.png")
        sheets.append((tmp_path / f"{number}.png").read_bytes())
    assert sheets[0] == sheets[1]
    assert sheets[0] != sheets[2]


def test_a_sheet_that_cannot_be_written_is_refused_before_it_is_drawn(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that is no PNG's and a file that exists are refused before anything is drawn."""
    monkeypatch.setattr(preview, "_figure", None)
    (tmp_path / "mine.png").write_bytes(b"mine")
    with open_dataset(source) as packed:
        with pytest.raises(InkfoldError, match=r"is a PNG file; name it SHEET\.png"):
            draw_sheet(packed, PLAN, tmp_path / "sheet.jpg")
        with pytest.raises(InkfoldError, match="already exists"):
            draw_sheet(packed, PLAN, tmp_path / "mine.png")
    assert (tmp_path / "mine.png").read_bytes() == b"mine"
