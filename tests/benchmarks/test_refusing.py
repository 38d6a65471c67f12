"""The benchmark of refusing: its pictures, and the area under its curves."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.not_characters import KINDS, beside
from benchmarks.refusing import area

DRAWN = [(group, name) for group, kinds in KINDS.items() for name in kinds]


@pytest.mark.parametrize(("group", "name"), DRAWN, ids=[name for _, name in DRAWN])
def test_a_seed_draws_the_same_picture_again_and_another_seed_another(
    group: str, name: str
) -> None:
    """Every kind is drawn by its random generator alone, as a grey picture of bytes."""
    draw = KINDS[group][name]
    first, again, other = (draw(np.random.default_rng(seed)) for seed in (3, 3, 4))

    assert first.dtype == np.uint8
    assert first.ndim == 2
    assert np.array_equal(first, again)
    assert first.shape != other.shape or not np.array_equal(first, other)


def test_characters_beside_each_other_keep_their_order() -> None:
    """The left image stands at the left, dark on light, and the sheet is wide enough for all."""
    tall, flat = np.zeros((2, 32, 32), np.uint8)
    tall[2:30, 14:18], flat[14:18, 2:30] = 255, 255

    sheet = beside([tall, flat], np.random.default_rng(0))

    inked = np.flatnonzero((sheet < 128).any(axis=0))
    left = sheet[:, inked[0] : inked[0] + 8] < 128
    assert left.any(axis=1).sum() > 60, "the tall one comes first"
    assert sheet.shape[1] > np.ptp(inked) + 20


def test_the_area_is_the_share_of_pairs_in_order() -> None:
    """Of all pairs of a real and another picture, how often the other has more; ties half."""
    real, other = np.array([1, 2, 3, 4], np.float32), np.array([0, 3, 5], np.float32)

    assert area(real, other) == pytest.approx((0 + 2.5 + 4) / 12)
