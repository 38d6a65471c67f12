"""Pictures as points in the plane: principal components, and t-SNE of the first of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIDE = 32  # larger pictures are averaged down to it: 1,024 numbers each tell classes apart
KEPT = 50  # principal components that t-SNE is given
SHOWN = 12  # principal components that are kept as pictures
PERPLEXITY = 30.0
FEWEST = 5  # distinct pictures below which there is nothing to lay out


@dataclass(frozen=True)
class Embedding:
    """A sample of pictures laid out in the plane.

    Attributes
    ----------
    side : int
        Height and width that the pictures were averaged to.
    explained : float64 (k,)
        Share of the variance in each principal component, largest first; all together give 1.
    components : float64 (c, side, side)
        The first principal components, each of length 1; the sign is such that the entry that is
        largest in magnitude is positive.
    planes : dict of str to float64 (n, 2)
        "PCA": the first two principal components of each picture; "t-SNE".
    perplexity : float
        Of t-SNE: about how many neighbours each picture is held to.
    """

    side: int
    explained: NDArray[np.float64]
    components: NDArray[np.float64]
    planes: dict[str, NDArray[np.float64]]
    perplexity: float


def embed(images: NDArray[np.uint8], *, seed: int = 0) -> Embedding | None:
    """Lay pictures out in the plane by PCA and by t-SNE, both scikit-learn's.

    Parameters
    ----------
    images : uint8 (n, H, W)
    seed : int
        Of t-SNE; of PCA nothing is random.

    Returns
    -------
    embedding : Embedding or None
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
    return Embedding(side, pca.explained_variance_ratio_, components, planes, perplexity)


def _side(images: NDArray[np.uint8]) -> int:
    return min(SIDE, int(images.shape[1]))


def _points(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Float64 (n, side * side), ink from 0 to 1."""
    import cv2

    side = _side(images)
    small = [cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA) for image in images]
    return np.reshape(small, (len(images), side * side)).astype(np.float64) / 255


def _signs(components: NDArray[np.float64]) -> NDArray[np.float64]:
    """A component may point either way; the same data give the same way everywhere."""
    largest = np.abs(components).argmax(axis=1)
    return np.where(components[np.arange(len(components)), largest] < 0, -1.0, 1.0)


def _tsne(scores: NDArray[np.float64], perplexity: float, seed: int) -> NDArray[np.float64]:
    from sklearn.manifold import TSNE

    layout = TSNE(2, perplexity=perplexity, init="pca", learning_rate="auto", random_state=seed)
    return np.asarray(layout.fit_transform(scores), np.float64)
