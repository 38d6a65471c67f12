"""Novelty: distances that are known by arithmetic, and limits that keep their promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inkfold.novelty import Novelty, fit_novelty
from inkfold.structure import MEASURES
from tests.worlds.taught import BETWEEN, GREY, TWO, bar, bars

Floats = NDArray[np.float32]
USUAL = np.zeros((1, len(MEASURES)), np.float32)


def features_of(images: NDArray[np.uint8]) -> Floats:
    """The pixels, as the network of the tests gives them."""
    return images.reshape(len(images), -1).astype(np.float32)


def drawn(count: int, seed: int, width: int = 5) -> tuple[Floats, Floats, NDArray[np.int32]]:
    """Features of two classes, their structure, and labels: normal around 0 and around 9."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(count) % 2).astype(np.int32)
    features = rng.normal(size=(count, width)) * (1 + np.arange(width)) + 9 * labels[:, None]
    structure = rng.normal(size=(count, len(MEASURES)))
    return features.astype(np.float32), structure.astype(np.float32), labels


def test_the_distance_is_that_of_mahalanobis() -> None:
    """Of many pictures the distance is, nearly, the sum of squares over each column's variance."""
    features, structure, labels = drawn(40_000, seed=0)
    novelty = fit_novelty(features, structure, labels)
    at = np.array([[3.0, 0, 0, 0, 0], [0, 0, 0, 0, 15]], np.float32)

    found = novelty.distances(at, np.repeat(USUAL, 2, axis=0))

    np.testing.assert_allclose(found, [9, 9], rtol=0.05)


def test_the_nearest_class_counts() -> None:
    """A picture in the middle of the second class is as near as one in the middle of the first."""
    novelty = fit_novelty(*drawn(40_000, seed=0))
    centres = np.repeat(np.array([[0], [9]], np.float32), 5, axis=1)

    assert (novelty.distances(centres, np.repeat(USUAL, 2, axis=0)) < 0.05).all()


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.integers(1, 400), st.floats(0, 1), st.integers(0, 99))
def test_no_more_than_the_share_is_refused(count: int, share: float, seed: int) -> None:
    """Of the pictures that choose the limit at most the share is refused, however few they are."""
    novelty = fit_novelty(*drawn(300, seed=1))
    features, structure, _ = drawn(count, seed)

    limited = novelty.with_limit(novelty.distances(features, structure), structure, share=share)

    beyond = limited.distances(features, structure) > limited.limit
    refused = int((beyond | limited.outside(structure)).sum())
    extreme = int(limited.outside(structure).sum())
    assert refused <= max(int(share * count), extreme)
    assert int(share * count) - refused <= 3 or share > 0.9, "as many are refused as may be"


def test_features_that_never_differ_do_not_decide() -> None:
    """A feature that is constant in training, or in each class, leaves distances as they are."""
    features, structure, labels = drawn(500, seed=0)
    constant = np.column_stack([features, np.full(500, 3000.0), 50 * labels]).astype(np.float32)

    novelty = fit_novelty(constant, structure, labels)
    distances = novelty.distances(constant, structure)

    assert np.isfinite(distances).all()
    assert np.median(distances) == pytest.approx(12, rel=0.2)


def test_wide_features_are_looked_at_along_few_axes() -> None:
    """Of 300 features 64 axes are kept, and a class far away is still far."""
    features, structure, labels = drawn(800, seed=0, width=300)
    novelty = fit_novelty(features, structure, labels)

    assert novelty.whitening.shape == (300 + 7, 64 + 7)
    far = np.full((1, 300), -900, np.float32)
    assert novelty.distances(far, USUAL)[0] > 5 * novelty.distances(features, structure).max()


def test_flags_say_why_a_picture_is_refused() -> None:
    """Two bars are several, a grey one is not writing, one between two classes is unlike."""
    images, labels = bars(600, seed=0)
    from inkfold.structure import measures

    novelty = fit_novelty(features_of(images), measures(images), labels)
    held_out, _ = bars(300, seed=1)
    structure = measures(held_out)
    novelty = novelty.with_limit(
        novelty.distances(features_of(held_out), structure), structure, share=0.01
    )
    shown = np.stack([TWO, GREY, BETWEEN, bar(2)])

    assert novelty.flags(shown, features_of(shown)) == ["several", "not writing", "unlike", None]


def test_a_distance_that_is_no_number_is_refused() -> None:
    """Features that are infinite, of a picture that overflows a network, give a flag."""
    images, labels = bars(100, seed=0)
    structure = np.zeros((100, 7), np.float32)
    learned = fit_novelty(features_of(images), structure, labels)
    wide = Novelty(**{**vars(learned), "limit": 1e9, "seen": np.array([[-99.0] * 7, [99.0] * 7])})

    assert wide.flags(images[:1], np.full((1, 64), np.inf, np.float32)) != [None]
