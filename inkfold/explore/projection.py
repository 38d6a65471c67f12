"""Pictures laid out in the plane by PCA and t-SNE, and drawn as points with the classes' names."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkfold.pages.fonts import shortened
from inkfold.picture import shrunk

SIDE = 32  # larger pictures are averaged down to it: 1,024 numbers are enough to part classes
KEPT = 50  # principal components that t-SNE is given
SHOWN = 12  # principal components that are kept as pictures
PERPLEXITY = 30.0
FEWEST = 5  # distinct pictures below which there is nothing to lay out
DRAWING = 400  # height and width of the drawing, in its own units
EDGE = 16  # margin all around
FONT = 13  # height of a name
LETTERS = 12  # of a name; a longer one is cut
TAGS = 50  # names in a drawing: more of them would hide the dots
GOLDEN = 137.508  # degrees: neighbours in label order get hues far apart

# without it joblib, which scikit-learn imports, makes a semaphore and warns where it cannot; none
# is used here
os.environ.setdefault("JOBLIB_MULTIPROCESSING", "0")


@dataclass(frozen=True, kw_only=True)
class Projection:
    """A sample of pictures laid out in the plane.

    Attributes
    ----------
    side : int
        Height and width that the pictures were averaged to, in pixels.
    explained : float64 (k,)
        Share of the variance in each principal component, the largest first; their sum is 1.
    components : float64 (c, side, side)
        The first principal components, each of length 1; the sign is such that the entry that is
        largest in magnitude is positive.
    planes : dict of str to float64 (n, 2)
        "PCA": the first two principal components of each picture; "t-SNE".
    perplexity : float
        Of t-SNE: to about how many neighbours each picture keeps close.
    """

    side: int
    explained: NDArray[np.float64]
    components: NDArray[np.float64]
    planes: dict[str, NDArray[np.float64]]
    perplexity: float


def project(images: NDArray[np.uint8], *, seed: int = 0) -> Projection | None:
    """Lay pictures out in the plane by PCA and by t-SNE, both scikit-learn's.

    Parameters
    ----------
    images : uint8 (n, H, W)
    seed : int
        Of t-SNE; in PCA nothing is random.

    Returns
    -------
    projection : Projection or None
        None where fewer than five of the pictures are distinct.
    """
    points = _points(images)
    if len(np.unique(points, axis=0)) < FEWEST:
        return None
    from sklearn.decomposition import PCA

    pca = PCA(svd_solver="full").fit(points)  # all components: the shares then add up to 1
    signs = _signs(pca.components_)
    scores = (points - pca.mean_) @ (pca.components_[:KEPT] * signs[:KEPT, None]).T
    side = _side(images)
    components = (pca.components_ * signs[:, None])[:SHOWN].reshape(-1, side, side)
    perplexity = min(PERPLEXITY, (len(points) - 1) / 3)
    planes = {"PCA": scores[:, :2], "t-SNE": _tsne(scores, perplexity, seed)}
    return Projection(
        side=side,
        explained=pca.explained_variance_ratio_,
        components=components,
        planes=planes,
        perplexity=perplexity,
    )


def _side(images: NDArray[np.uint8]) -> int:
    return min(SIDE, int(images.shape[1]))


def _points(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The pixels of each picture as numbers from 0 to 1: float64 (n, side * side)."""
    return shrunk(images, SIDE).reshape(len(images), _side(images) ** 2).astype(np.float64) / 255


def _signs(components: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 or -1 for each component, so that its largest entry is positive on every machine."""
    largest = np.abs(components).argmax(axis=1)
    return np.where(components[np.arange(len(components)), largest] < 0, -1.0, 1.0)


def _tsne(scores: NDArray[np.float64], perplexity: float, seed: int) -> NDArray[np.float64]:
    from sklearn.manifold import TSNE

    layout = TSNE(2, perplexity=perplexity, init="pca", learning_rate="auto", random_state=seed)
    return np.asarray(layout.fit_transform(scores), np.float64)


@dataclass(frozen=True)
class Dots:
    """All points of a class.

    Attributes
    ----------
    label : int
    path : str
        A path of SVG: lines without length, which round caps make dots.
    hue : int
        In degrees.
    """

    label: int
    path: str
    hue: int


@dataclass(frozen=True, kw_only=True)
class Tag:
    """The name of a class at its middle point.

    Attributes
    ----------
    label : int
    text : str
        The name, cut to 12 letters.
    x, y : int
        In the drawing's units.
    """

    label: int
    text: str
    x: int
    y: int


@dataclass(frozen=True)
class Scatter:
    """The dots of each class that has some, and the names that do not cover each other."""

    dots: tuple[Dots, ...]
    tags: tuple[Tag, ...]


def scatter(
    points: NDArray[np.float64], labels: NDArray[np.int32], names: Sequence[str]
) -> Scatter:
    """Points scaled to the drawing, with the names of the classes.

    Parameters
    ----------
    points : float64 (n, 2)
        To the right and up.
    labels : int32 (n,)
    names : sequence of str
        In label order.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    share = (points - low) / np.maximum(high - low, 1e-12)
    share[:, 1] = 1 - share[:, 1]
    places = np.rint(EDGE + share * (DRAWING - 2 * EDGE)).astype(np.int64)
    present = [int(label) for label in np.unique(labels)]
    groups = {label: places[labels == label] for label in present}
    dots = tuple(Dots(label, _path(groups[label]), _hue(label, len(names))) for label in present)
    return Scatter(dots, tuple(_tags(groups, names)))


def _hue(label: int, classes: int) -> int:
    """The hue of a class in degrees; up to twelve classes go round the circle once."""
    return round(label * 360 / classes) if classes <= 12 else round(label * GOLDEN) % 360


def _path(places: NDArray[np.int64]) -> str:
    return "".join(f"M{x} {y}h0" for x, y in places.tolist())


def _tags(groups: dict[int, NDArray[np.int64]], names: Sequence[str]) -> list[Tag]:
    """The names of the largest classes first; a name that would cover another is left out."""
    taken: list[tuple[float, float, float, float]] = []
    tags: list[Tag] = []
    for label, places in sorted(groups.items(), key=lambda item: -len(item[1])):
        text = shortened(names[label], LETTERS)
        x, y = middle(places)
        half = max(FONT, _width(text)) / 2
        x = round(min(max(x, half), DRAWING - half))
        box = (x - half, x + half, y - FONT * 0.7, y + FONT * 0.7)
        if len(tags) < TAGS and text.strip() and not any(_overlap(box, other) for other in taken):
            taken.append(box)
            tags.append(Tag(label=label, text=text, x=x, y=y))
    return tags


def middle(places: NDArray[np.int64]) -> tuple[int, int]:
    """The point with the least distance to all others of its class.

    Of a class in two heaps it lies in one of them, where the mean would lie between.
    """
    first = places[:500]
    apart = np.sqrt(((first[:, None] - first[None]) ** 2).sum(axis=2)).sum(axis=1)
    x, y = first[apart.argmin()].tolist()
    return x, y


def _width(text: str) -> float:
    """About how wide a name is drawn, in the drawing's units."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return FONT * (0.4 + wide + 0.72 * (len(text) - wide))


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    """Whether two boxes overlap: left, right, top and bottom of each."""
    return a[0] < b[1] and b[0] < a[1] and a[2] < b[3] and b[2] < a[3]
