"""The affine map: the direction of each amount by hand, their order, how they are drawn."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import affine_transform

from inkfold.elastic import Elastic, chunk_rng, draw_affine, inverse_affine, warp
from inkfold.recipe import Distortion
from inkfold.workers import one_thread

CENTRE = np.array([[2], [2]])


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Small matrix products are slower with several threads, which wait for one another."""
    with one_thread():
        yield


def one_map(
    *,
    rotate: float = 0,
    scale: tuple[float, float] = (1, 1),
    shear: float = 0,
    shift: tuple[float, float] = (0, 0),
) -> NDArray[np.float64]:
    """`inverse_affine` of a single picture: (2, 3)."""
    return inverse_affine(
        rotate=np.array([rotate]),
        scale=np.array(scale, float)[:, None],
        shear=np.array([shear]),
        shift=np.array(shift, float)[:, None],
    )[:, :, 0]


def moved(dots: list[tuple[int, int]], **amounts: object) -> list[tuple[int, int]]:
    """The places of a 5x5 picture's dots in its copy."""
    image = np.zeros((1, 5, 5), np.uint8)
    for dot in dots:
        image[0][dot] = 255
    matrix = one_map(**amounts)  # type: ignore[arg-type] # the tests' own keywords
    target = np.indices((5, 5)).reshape(2, -1) - CENTRE
    source = matrix[:, :2] @ target + matrix[:, 2:]
    field = (source - target).reshape(1, 2, 5, 5).astype(np.float32)
    copy = warp(image, field)[0]
    return [(int(row), int(column)) for row, column in np.argwhere(copy > 200)]


def test_a_positive_rotation_turns_counter_clockwise() -> None:
    """A rotation by 90 degrees moves a dot from the right to the top, from the top to the left."""
    assert moved([(2, 4)], rotate=90) == [(0, 2)]
    assert moved([(0, 2)], rotate=90) == [(2, 0)]


def test_a_scale_above_one_enlarges_its_own_axis() -> None:
    """A scale of 2 along rows moves dots apart along rows alone; the same holds for columns."""
    assert moved([(1, 2), (3, 2)], scale=(2, 1)) == [(0, 2), (4, 2)]
    assert moved([(2, 1), (2, 3)], scale=(1, 2)) == [(2, 0), (2, 4)]
    assert moved([(2, 0), (2, 4)], scale=(1, 0.5)) == [(2, 1), (2, 3)]


def test_a_positive_shear_leans_the_top_to_the_right() -> None:
    """A shear by 45 degrees makes a rising diagonal of a vertical stroke, and keeps rows."""
    stroke = [(row, 2) for row in range(5)]
    assert moved(stroke, shear=45) == [(row, 4 - row) for row in range(5)]


def test_a_positive_shift_moves_down_and_to_the_right() -> None:
    """A shift of (1, 2) moves a dot 1 row down and 2 columns to the right."""
    assert moved([(1, 1)], shift=(1, 2)) == [(2, 3)]
    assert moved([(4, 4)], shift=(1, 0)) == []


def test_scale_comes_first_then_shear_then_rotation_then_shift() -> None:
    """The map is the inverse of shift * rotation * shear * scale, multiplied out."""
    angle, slope = np.radians(20), np.tan(np.radians(10))
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shear = np.array([[1, 0], [-slope, 1]])
    forward = np.eye(3)
    forward[:2, :2] = rotation @ shear @ np.diag([1.2, 0.7])
    forward[:2, 2] = [3, -1]
    matrix = one_map(rotate=20, scale=(1.2, 0.7), shear=10, shift=(3, -1))
    assert matrix == pytest.approx(np.linalg.inv(forward)[:2], abs=1e-12)


def test_the_fields_are_the_drawn_maps_exactly() -> None:
    """Without an elastic part a field is the drawn map about the centre, source minus target."""
    distortion = Distortion(alpha=0, rotate=30, scale=0.3, shear=20, shift=0.2)
    fields = Elastic.of(21, distortion).fields(50, chunk_rng(0, 1, 0))
    maps = draw_affine(distortion, 21, 50, chunk_rng(0, 1, 0))
    target = np.indices((21, 21)) - 10
    linear = np.einsum("ijn,jrc->nirc", maps[:, :2], target)
    assert fields == pytest.approx(linear + maps[:, 2].T[:, :, None, None] - target, abs=1e-4)


def test_pictures_are_those_of_scipys_affine_transform() -> None:
    """Copies are those of SciPy with the same matrix, apart from rounding."""
    distortion = Distortion(alpha=0, rotate=30, scale=0.3, shear=20, shift=0.2)
    images = np.random.default_rng(0).integers(0, 256, (40, 20, 20)).astype(np.uint8)
    copies = Elastic.of(20, distortion).distort(images, chunk_rng(3, 1, 0))
    maps = draw_affine(distortion, 20, 40, chunk_rng(3, 1, 0))
    for number, (image, copy) in enumerate(zip(images, copies, strict=True)):
        matrix, offset = maps[:, :2, number], maps[:, 2, number]
        about_centre = offset + 9.5 - matrix @ np.array([9.5, 9.5])
        expected = affine_transform(
            image.astype(float), matrix, about_centre, order=1, mode="grid-constant"
        )
        assert abs(copy - expected).mean() < 2
        assert np.corrcoef(copy.ravel(), expected.ravel())[0, 1] > 0.999


def test_the_elastic_field_is_added_to_the_affine_map() -> None:
    """A field is the affine map plus the elastic field that the same generator gives alone."""
    with_map = Elastic(16, 4, 34, rotate=30).fields(10, chunk_rng(0, 1, 0))
    without = Elastic(16, 4, 34).fields(10, chunk_rng(0, 1, 0))
    difference = with_map - without
    corners = difference[:, :, ::15, ::15]
    assert abs(difference).max() > 1
    # an affine field's corners: top left + bottom right = top right + bottom left
    assert corners[:, :, 0, 0] + corners[:, :, 1, 1] == pytest.approx(
        corners[:, :, 0, 1] + corners[:, :, 1, 0], abs=1e-4
    )


@pytest.mark.parametrize("seed", [0, 1])
def test_every_amount_is_drawn_to_its_limit_on_either_side(seed: int) -> None:
    """Rotation, scale, shear and shift come close to their limits on both sides, never beyond."""
    rng = np.random.default_rng(seed)
    angles = draw_affine(Distortion(rotate=20), 40, 2000, rng)
    degrees = np.degrees(np.arcsin(angles[0, 1]))
    assert -20 <= degrees.min() < -19.5
    assert 19.5 < degrees.max() <= 20

    scales = draw_affine(Distortion(scale=0.2), 40, 2000, rng)
    for factor in (1 / scales[0, 0], 1 / scales[1, 1]):
        assert 0.8 <= factor.min() < 0.805
        assert 1.195 < factor.max() <= 1.2
    assert abs(np.corrcoef(scales[0, 0], scales[1, 1])[0, 1]) < 0.1

    shears = draw_affine(Distortion(shear=45), 40, 2000, rng)[1, 0]
    assert -1 <= shears.min() < -0.98
    assert 0.98 < shears.max() <= 1

    shifts = draw_affine(Distortion(shift=0.1), 40, 2000, rng)[:, 2]
    assert shifts.min(axis=1) == pytest.approx([-4, -4], abs=0.02)
    assert shifts.max(axis=1) == pytest.approx([4, 4], abs=0.02)
    assert abs(np.corrcoef(shifts[0], shifts[1])[0, 1]) < 0.1


def test_the_amounts_are_drawn_independently() -> None:
    """Angle, factors, slant and shifts of 2,000 copies correlate by less than 0.1."""
    distortion = Distortion(rotate=20, scale=0.1, shear=20, shift=0.1)
    linear, offset = np.split(draw_affine(distortion, 40, 2000, np.random.default_rng(0)), [2], 1)
    forward = np.linalg.inv(linear.transpose(2, 0, 1))
    # forward = rotation * shear * scale: its second column is the rotated column axis, stretched
    angle = np.arctan2(-forward[:, 0, 1], forward[:, 1, 1])
    wide = np.hypot(forward[:, 0, 1], forward[:, 1, 1])
    tall = np.linalg.det(forward) / wide
    slope = -(np.cos(angle) * forward[:, 1, 0] - np.sin(angle) * forward[:, 0, 0]) / tall
    shift = -np.einsum("nij,jn->in", forward, offset[:, 0])
    amounts = np.stack([angle, tall, wide, slope, shift[0], shift[1]])
    between = np.corrcoef(amounts) - np.eye(6)
    assert abs(np.degrees(np.arctan(slope))).max() == pytest.approx(20, abs=0.1)
    assert abs(between).max() < 0.1


def test_nothing_is_mirrored() -> None:
    """Every drawn map has a positive determinant, so that no copy is mirrored."""
    maps = draw_affine(
        Distortion(rotate=180, scale=0.99, shear=89, shift=1), 32, 2000, np.random.default_rng(0)
    )
    assert (np.linalg.det(maps[:, :2].transpose(2, 0, 1)) > 0).all()
