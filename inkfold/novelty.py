"""Whether an image is like those that a network was trained on, and if not, why.

A picture is described by the network's features (what its last layer is given) and by the structure
of its ink. Of the training set each class has a mean, and all share one covariance (K. Lee, K. Lee,
H. Lee and J. Shin, "A Simple Unified Framework for Detecting Out-of-Distribution Samples and
Adversarial Attacks", NeurIPS 2018). The distance of an image is the squared Mahalanobis distance to
the nearest mean. It is refused where that is larger than a limit, or where a measure of its
structure lies outside of what the training set has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from inkfold.structure import BESIDE, EVERYWHERE, MEASURES, measures

Flag = Literal["blank", "several", "not writing", "unlike"]
Floats = NDArray[np.float32]
AXES = 64  # principal axes of the features that are looked at; more tell hardly more
REFUSED = 0.01  # share of real characters that may be refused
OUTSIDE = 0.2  # of these, the share that may be refused by the structure's range alone
RARE, UNUSUAL = 1e-4, 1e-2  # shares of the training set beyond the ends of a range
LEAST = 1e-2  # of a column's deviation: what it counts for within classes at the least
TINY = 1e-6  # a deviation that is none
ROUNDING = 1e-3  # of a limit, that a processor's rounding does not decide
WIDER = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)  # a range grows by these shares of itself


@dataclass(frozen=True, kw_only=True)
class Novelty:
    """What was learned of a training set, to recognise what is not like it.

    Attributes
    ----------
    features : int
        How many features the network gives, d.
    whitening : float32 array of shape (d + 7, K)
        Takes features and measures to a space in which all classes have the covariance 1.
    centres : float32 array of shape (C, K)
        The mean of each class in that space.
    limit : float
        The largest distance of a picture that is not refused.
    seen : float array of shape (2, 7)
        The ends of the range of each measure that the training set has.
    usual : float array of shape (2, 7)
        A narrower range, by which a refused picture's flag is chosen.
    """

    features: int
    whitening: Floats
    centres: Floats
    limit: float
    seen: NDArray[np.float64]
    usual: NDArray[np.float64]

    def distances(self, features: Floats, structure: Floats) -> Floats:
        """The squared distance of each picture to the nearest class, float32 (n,).

        Parameters
        ----------
        features : float32 array of shape (n, d)
        structure : float32 array of shape (n, 7)
            What `structure.measures` gives.
        """
        with np.errstate(invalid="ignore", over="ignore"):  # of a network that overflows
            placed = features @ self.whitening[: self.features]
            placed += structure @ self.whitening[self.features :]
            squares = (self.centres**2).sum(axis=1)
            nearest = (squares - 2 * placed @ self.centres.T).min(axis=1)
            return np.asarray(np.maximum(nearest + (placed**2).sum(axis=1), 0))

    def outside(self, structure: Floats) -> NDArray[np.bool_]:
        """Whether a measure of each picture lies outside of the range seen in training."""
        return np.asarray(((structure < self.seen[0]) | (structure > self.seen[1])).any(axis=1))

    def flags(self, images: NDArray[np.uint8], features: Floats) -> list[Flag | None]:
        """Why each image is refused; None for one that is like those of the training set.

        Parameters
        ----------
        images : uint8 array of shape (n, H, W)
            0 = paper, 255 = ink.
        features : float32 array of shape (n, d)
            What the network's last layer was given for them.
        """
        structure = measures(images)
        # "not at most" in place of "above", so that a distance that is no number is refused
        refused = ~(self.distances(features, structure) <= self.limit) | self.outside(structure)
        found: list[Flag | None] = [None] * len(images)
        for at in np.flatnonzero(refused).tolist():
            found[at] = self._reason(structure[at])
        return found

    def _reason(self, structure: Floats) -> Flag:
        """The flag of a refused picture, by the measures that are out of their range."""
        never = {*_named(structure < self.seen[0]), *_named(structure > self.seen[1])}
        wide = {*_named(structure > self.usual[1])}
        unusual = wide | {*_named(structure < self.usual[0])}
        if wide >= BESIDE:
            return "several"
        if never & EVERYWHERE:
            return "not writing"
        if wide & BESIDE:
            return "several"
        return "not writing" if unusual & EVERYWHERE else "unlike"

    def with_limit(self, distances: Floats, structure: Floats, *, share: float) -> Novelty:
        """The same with ranges and a limit by which at most `share` of some pictures are refused.

        Parameters
        ----------
        distances : float32 array of shape (n,)
        structure : float32 array of shape (n, 7)
            Of pictures that the network was not trained on.
        share : float
            From 0 to 1.
        """
        allowed = int(share * len(distances))
        wide = next(
            (
                wider
                for wider in map(self._widened, WIDER)
                if wider.outside(structure).sum() <= OUTSIDE * allowed
            ),
            self._widened(WIDER[-1]),
        )
        out = wide.outside(structure)
        inside = np.sort(distances[~out])
        beyond = max(0, allowed - int(out.sum()))
        limit = inside[-1 - min(beyond, len(inside) - 1)] if len(inside) else 0.0
        return replace(wide, limit=float(limit) + ROUNDING * (1 + float(limit)))

    def _widened(self, share: float) -> Novelty:
        """The same with each measure's range longer at both ends by a share of its length."""
        low, high = self.seen
        return replace(self, seen=np.stack([low, high]) + np.outer([-share, share], high - low))


def _named(which: NDArray[np.bool_]) -> Iterator[str]:
    """The names of some of the measures."""
    return (name for name, chosen in zip(MEASURES, which, strict=True) if chosen)


def fit_novelty(features: Floats, structure: Floats, labels: NDArray[np.integer]) -> Novelty:
    """Learn the means, the shared covariance and the ranges of a training set.

    Parameters
    ----------
    features : float32 array of shape (n, d)
    structure : float32 array of shape (n, 7)
    labels : int array of shape (n,)
        Classes; those that do not occur get no mean.

    Returns
    -------
    novelty : Novelty
        Its limit is infinite until `with_limit` chooses one.
    """
    axes = _principal_axes(features)
    described = np.hstack([features @ axes, structure]).astype(np.float64)
    known, place = np.unique(labels, return_inverse=True)
    means = np.stack([described[place == at].mean(axis=0) for at in range(len(known))])
    scaled = _whitening(described - means[place], described.std(axis=0))
    whitening = np.vstack([axes @ scaled[: axes.shape[1]], scaled[axes.shape[1] :]])
    return Novelty(
        features=features.shape[1],
        whitening=whitening.astype(np.float32),
        centres=(means @ scaled).astype(np.float32),
        limit=np.inf,
        seen=np.quantile(structure.astype(float), [RARE, 1 - RARE], axis=0),
        usual=np.quantile(structure.astype(float), [UNUSUAL, 1 - UNUSUAL], axis=0),
    )


def _principal_axes(features: Floats) -> NDArray[np.float64]:
    """The axes (d, K) along which features differ most; all d where there are no more than K."""
    count, width = features.shape
    if width <= AXES:
        return np.eye(width)
    from sklearn.utils.extmath import randomized_svd

    centred = features - features.mean(axis=0)
    _, _, axes = randomized_svd(centred, min(AXES, count), random_state=0)
    return np.asarray(axes.T, np.float64)


def _whitening(residuals: NDArray[np.float64], overall: NDArray[np.float64]) -> NDArray[np.float64]:
    """The matrix that gives residuals from class means the covariance 1.

    The correlation is drawn to a multiple of the identity as far as so few rows need it (O. Ledoit
    and M. Wolf, Journal of Multivariate Analysis 88, 2004). `overall` is the deviation of each
    column over all classes: one that hardly differs within classes counts for a hundredth of it,
    and one that never differs not at all, for what it would do otherwise is nothing but rounding.
    """
    from sklearn.covariance import ledoit_wolf

    spread = np.maximum(residuals.std(axis=0), LEAST * overall)
    weights = np.divide(1, spread, out=np.zeros_like(spread), where=spread > TINY)
    correlation, _ = ledoit_wolf(residuals * weights, assume_centered=True)
    floor = 1e-3 * np.eye(len(correlation))  # keeps the least directions from ruling
    root = np.linalg.cholesky(np.linalg.inv(correlation + floor))
    return np.asarray(weights[:, None] * root)
