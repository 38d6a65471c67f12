"""Learning from a dataset which pictures do not look like one character of its classes.

Means, covariance and ranges come from the train split, the limit from the validation split: at most
1 % of its pictures are refused. After ``--refit`` the network has been trained on these too, and
lies closer to them than to new pictures. Where the network of the search is at hand, the share of
*trained* pictures that its limit refuses is taken over to the refitted network, in place of the
limit; else the limit comes from trained pictures, refuses more than 1 % of new ones, and its record
says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.split import Split
from inkfold.novelty import REFUSED, Novelty, fit_novelty
from inkfold.structure import measures

if TYPE_CHECKING:
    from inkfold.bundle.network import Network

MOST_ROWS = 30_000  # pictures of a split that are looked at
MOST_NUMBERS = 2**27  # features that are held in memory
BATCH = 256  # pictures that the network is given at a time
By = Literal["validation", "search", "trained"]


@dataclass(frozen=True)
class Described:
    """Features, structure and labels of n pictures."""

    features: NDArray[np.float32]
    structure: NDArray[np.float32]
    labels: NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class Learned:
    """What was learned of a training set.

    Attributes
    ----------
    novelty : Novelty
    by : {"validation", "search", "trained"}
        Which pictures gave the limit: those of validation; those that were trained on, by the share
        that the network before ``--refit`` refused of its own; or those of validation although they
        were trained on.
    refused, total : int
        Of how many pictures, those of validation, how many are refused.
    trained_share : float
        The share of the train split's pictures that lie beyond the limit.
    """

    novelty: Novelty
    by: By
    refused: int
    total: int
    trained_share: float

    def record(self, fingerprint: str) -> dict[str, Any]:
        """The numbers that a bundle's record keeps beside those of the novelty itself."""
        return {
            "by": self.by,
            "refused": self.refused,
            "total": self.total,
            "dataset_fingerprint": fingerprint,
        }


def learn(
    network: Network,
    train: Split,
    validation: Split,
    *,
    refit: bool = False,
    trained_share: float | None = None,
    advance: Callable[[int], None] = lambda _count: None,
) -> Learned:
    """Learn what pictures of a dataset look like to a network.

    Parameters
    ----------
    network : callable
        Gives probabilities and features.
    train, validation : Split
    refit : bool
        Whether the network has been trained on both splits.
    trained_share : float, optional
        After a refit: `Learned.trained_share` of the network before it.
    advance : callable
        Called with the number of pictures answered since the last call.
    """
    trained, held_out = (described(network, split, advance) for split in (train, validation))
    taught = [trained, held_out] if refit else [trained]
    features, structure, labels = (
        np.concatenate([getattr(each, name) for each in taught])
        for name in ("features", "structure", "labels")
    )
    novelty = fit_novelty(features, structure, labels)
    distances = novelty.distances(held_out.features, held_out.structure)
    novelty = novelty.with_limit(distances, held_out.structure, share=REFUSED)
    of_taught = novelty.distances(features, structure)
    by: By = "trained" if refit else "validation"
    if refit and trained_share is not None:
        novelty, by = replace(novelty, limit=_limit(of_taught, trained_share)), "search"
    refused = (distances > novelty.limit) | novelty.outside(held_out.structure)
    return Learned(
        novelty=novelty,
        by=by,
        refused=int(refused.sum()),
        total=len(refused),
        trained_share=float((of_taught > novelty.limit).mean()),
    )


def _limit(distances: NDArray[np.float32], share: float) -> float:
    """The limit beyond which this share of the distances lies."""
    beyond = round(share * len(distances))
    return float(np.sort(distances)[-1 - min(beyond, len(distances) - 1)])


def described(
    network: Network, split: Split, advance: Callable[[int], None] = lambda _count: None
) -> Described:
    """Features, structure and labels of a split's first pictures; rows stand in random order.

    Distorted copies are left out. At most 30,000 pictures are looked at, fewer where a network has
    very many features.
    """
    parts: list[Described] = []
    originals, left = split.originals, MOST_ROWS
    for block in split.blocks():
        kept = np.flatnonzero(originals[block.rows])[:left]
        images = block.images[kept]
        if not len(images):
            continue
        features = _features(network, images)
        parts.append(Described(features, measures(images), block.labels[kept]))
        advance(len(images))
        left = min(MOST_ROWS, MOST_NUMBERS // features.shape[1]) - sum(len(p.labels) for p in parts)
        if left <= 0:
            break
    return _joined(parts)


def _joined(parts: Sequence[Described]) -> Described:
    return Described(
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.structure for part in parts]),
        np.concatenate([part.labels for part in parts]),
    )


def _features(network: Network, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What a network's last layer is given for some images, float32 (n, d).

    The last batch is filled up with blank images, so that all batches have one shape: TensorFlow
    compiles a network anew for each, and warns of it.
    """
    found = []
    for start in range(0, len(images), BATCH):
        part = images[start : start + BATCH]
        batch = np.zeros((BATCH, *images.shape[1:], 1), np.float32)
        batch[: len(part), ..., 0] = part
        _, features = network(batch)
        if features is None:
            raise ValueError("the network gives no features")
        found.append(features[: len(part)])
    return np.concatenate(found)
