"""PCA and t-SNE against linear algebra and scikit-learn, and the points and names as drawn."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from inkfold.explore.projection import DRAWING, EDGE, TAGS, middle, project, scatter
from tests.worlds.packed_strokes import strokes


@pytest.fixture(scope="module")
def images() -> NDArray[np.uint8]:
    """Sixty pictures of four classes, 8 x 8 pixels."""
    labels = (np.arange(60) % 4).astype(np.int32)
    return strokes(labels, 8, np.random.default_rng(0))


def test_principal_components_are_those_of_the_singular_value_decomposition(
    images: NDArray[np.uint8],
) -> None:
    """The shares of the variance add up to 1, components have length 1, points lie along them."""
    projection = project(images)
    assert projection is not None
    points = images.reshape(60, -1) / 255
    centred = points - points.mean(axis=0)
    _, singular, rows = np.linalg.svd(centred, full_matrices=False)

    assert projection.explained.sum() == pytest.approx(1)
    assert projection.explained == pytest.approx(singular**2 / (singular**2).sum(), abs=1e-9)
    components = projection.components.reshape(-1, 64)
    for component, row in zip(components, rows, strict=False):
        assert abs(component @ row) == pytest.approx(1)
        assert component[np.abs(component).argmax()] > 0
    assert projection.planes["PCA"] == pytest.approx(centred @ components[:2].T, abs=1e-9)


def test_t_sne_is_scikit_learns_of_the_first_components(images: NDArray[np.uint8]) -> None:
    """One seed gives the same numbers twice; sixty pictures have a perplexity of 59 / 3."""
    from sklearn.manifold import TSNE

    first, again = project(images, seed=3), project(images, seed=3)
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
    """Pictures of 64 x 64 pixels are laid out as the means of their 2 x 2 pixels are."""
    small = strokes(np.zeros(9, np.int32), 32, np.random.default_rng(1))
    small = small.clip(10, 245)
    large = small.repeat(2, axis=1).repeat(2, axis=2)
    noise = np.random.default_rng(2).integers(-10, 11, small.shape)
    large = large.astype(np.int64)
    large[:, ::2, ::2] += noise
    large[:, 1::2, 1::2] -= noise
    of_small, of_large = project(small), project(large.astype(np.uint8))
    assert of_small is not None
    assert of_large is not None

    assert of_large.side == 32
    assert of_large.planes["PCA"] == pytest.approx(of_small.planes["PCA"])


@pytest.mark.parametrize("different", [0, 1, 4])
def test_too_few_different_pictures_are_not_laid_out(different: int) -> None:
    """No picture, one picture twice, or four pictures twice each have no projection."""
    images = strokes(np.zeros(different, np.int32), 8, np.random.default_rng(2))

    assert project(np.concatenate([images, images])) is None


def test_five_different_pictures_are_laid_out() -> None:
    """Five different pictures are the fewest that have a projection."""
    assert project(strokes(np.zeros(5, np.int32), 8, np.random.default_rng(2))) is not None


def test_points_keep_their_places_right_and_up() -> None:
    """The point that is furthest right and up stands in the upper right corner."""
    points = np.array([[0.0, 0.0], [10.0, 20.0], [10.0, 0.0]])
    drawn = scatter(points, np.array([1, 0, 1], np.int32), ["a", "b"])
    far = DRAWING - EDGE

    assert [(dots.label, dots.path) for dots in drawn.dots] == [
        (0, f"M{far} {EDGE}h0"),
        (1, f"M{EDGE} {far}h0M{far} {far}h0"),
    ]
    assert len({dots.hue for dots in drawn.dots}) == 2


def test_points_in_one_place_can_be_drawn() -> None:
    """Three points in the same place are drawn without a division by 0."""
    assert len(scatter(np.ones((3, 2)), np.zeros(3, np.int32), ["a"]).dots) == 1


def test_names_do_not_cover_each_other_and_the_largest_classes_are_named_first() -> None:
    """Of two hundred classes in one heap one is named; spread out, no more than fifty."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(200), 3).astype(np.int32)
    labels[:90] = 7
    names = [f"name {label}" for label in range(200)]
    heap = scatter(
        np.concatenate([rng.random((600, 2)), [[-99, -99], [99, 99]]]),
        np.append(labels, [7, 7]).astype(np.int32),
        names,
    )
    spread = scatter(rng.random((600, 2)), labels, ["字"] * 200)

    assert [tag.text for tag in heap.tags] == ["name 7"]
    assert len(spread.tags) == TAGS
    assert spread.tags[0].label == 7
    places = np.array([(tag.x, tag.y) for tag in spread.tags])
    apart = np.abs(places[:, None] - places[None]).max(axis=2) + 999 * np.eye(TAGS)
    assert apart.min() >= 13


def test_a_name_stands_at_a_picture_of_its_class() -> None:
    """The name of a class in two heaps stands in one of them and not between."""
    places = np.array([[0, 0], [1, 0], [0, 1], [100, 100], [101, 100]])

    assert list(middle(places)) in places.tolist()
