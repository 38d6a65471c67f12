"""PCA and t-SNE of pictures against linear algebra and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from inkfold.explore.projection import embed
from tests.worlds.packed_strokes import strokes


@pytest.fixture(scope="module")
def images() -> NDArray[np.uint8]:
    """Sixty pictures of four classes, 8 x 8 pixels."""
    labels = (np.arange(60) % 4).astype(np.int32)
    return strokes(labels, 8, np.random.default_rng(0))


def test_principal_components_are_those_of_the_singular_value_decomposition(
    images: NDArray[np.uint8],
) -> None:
    """Shares of the variance that add up to 1, components of length 1, scores along them."""
    found = embed(images)
    assert found is not None
    points = images.reshape(60, -1) / 255
    centred = points - points.mean(axis=0)
    _, singular, rows = np.linalg.svd(centred, full_matrices=False)

    assert found.explained.sum() == pytest.approx(1)
    assert found.explained == pytest.approx(singular**2 / (singular**2).sum(), abs=1e-9)
    for component, row in zip(found.components.reshape(-1, 64), rows, strict=False):
        assert abs(component @ row) == pytest.approx(1)
        assert component[np.abs(component).argmax()] > 0
    flat = found.components.reshape(-1, 64)
    assert found.planes["PCA"] == pytest.approx(centred @ flat[:2].T, abs=1e-9)


def test_t_sne_is_scikit_learns_of_the_first_components(images: NDArray[np.uint8]) -> None:
    """The same numbers again for the same seed; the perplexity is below a third of sixty."""
    from sklearn.manifold import TSNE

    first, again = embed(images, seed=3), embed(images, seed=3)
    assert first is not None
    assert again is not None
    points = images.reshape(60, -1) / 255
    centred = points - points.mean(axis=0)
    scores = centred @ np.linalg.svd(centred, full_matrices=False)[2][:50].T
    layout = TSNE(2, perplexity=59 / 3, random_state=3).fit(scores)

    assert first.perplexity == pytest.approx(59 / 3)
    assert np.array_equal(first.planes["t-SNE"], again.planes["t-SNE"])
    assert first.planes["t-SNE"].shape == (60, 2)
    ours = _divergence_rank(first.planes["t-SNE"], scores)
    assert ours == pytest.approx(_divergence_rank(layout.embedding_, scores), abs=0.1)


def _divergence_rank(layout: NDArray[np.float64], scores: NDArray[np.float64]) -> float:
    """Share of the five nearest neighbours that stay the five nearest in the plane."""
    near = [_neighbours(points) for points in (layout, scores)]
    return float(np.mean([len(set(a) & set(b)) / 5 for a, b in zip(*near, strict=True)]))


def _neighbours(points: NDArray[np.float64]) -> list[list[int]]:
    apart = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    return [row[1:6] for row in apart.argsort(axis=1).tolist()]


def test_larger_pictures_are_averaged_down_to_thirty_two_pixels() -> None:
    """64 x 64 gives what the means of 2 x 2 pixels give."""
    small = strokes(np.zeros(9, np.int32), 32, np.random.default_rng(1))
    small = small.clip(10, 245)
    large = small.repeat(2, axis=1).repeat(2, axis=2)
    noise = np.random.default_rng(2).integers(-10, 11, small.shape)
    large = large.astype(np.int64)
    large[:, ::2, ::2] += noise
    large[:, 1::2, 1::2] -= noise
    one, other = embed(small), embed(large.astype(np.uint8))
    assert one is not None
    assert other is not None

    assert other.side == 32
    assert other.planes["PCA"] == pytest.approx(one.planes["PCA"])


@pytest.mark.parametrize("different", [0, 1, 4])
def test_too_few_different_pictures_are_not_laid_out(different: int) -> None:
    """None at all, one, or four that come twice."""
    some = strokes(np.zeros(different, np.int32), 8, np.random.default_rng(2))

    assert embed(np.concatenate([some, some])) is None


def test_five_different_pictures_are() -> None:
    """The fewest."""
    assert embed(strokes(np.zeros(5, np.int32), 8, np.random.default_rng(2))) is not None
