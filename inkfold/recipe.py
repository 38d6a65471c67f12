"""TODO recipe."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Self

Decay = Literal["none", "cosine"]


@dataclass(frozen=True)
class Distortion:
    """What is drawn anew for each distorted copy of a picture.

    Parameters
    ----------
    sigma : float
        Standard deviation of the Gaussian that smooths the displacement field, in pixels.
    alpha : float
        Strength: the factor on the smoothed field. The rms displacement along each axis is
        ``alpha / (sigma * sqrt(12 * pi))`` pixels.
    rotate : float
        Largest rotation to either side, in degrees.
    scale : float
        Largest relative change of height and of width: 0.1 draws both from 0.9 to 1.1.
    shear : float
        Largest horizontal shear angle to either side, in degrees.
    shift : float
        Largest shift along each axis, as a share of the picture's side.
    """

    sigma: float = 6.0
    alpha: float = 47.0
    rotate: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    shift: float = 0.0


@dataclass(frozen=True)
class Stage:
    """One stage of a training recipe: a learning rate until validation loss stops falling.

    Parameters
    ----------
    learning_rate : float
        The largest of the stage.
    epochs : int
        The most it may take.
    patience : int
        After so many epochs without a new lowest validation loss it ends.
    decay : {"none", "cosine"}
        ``cosine`` rises in a straight line over the first `warmup` of the stage's epochs and then
        falls to 0 along half a cosine (Loshchilov and Hutter, arXiv 1608.03983, one cycle). Such a
        stage keeps its last weights, whatever their validation loss: give it a patience of all its
        epochs.
    warmup : float
        Share of the epochs, 0 to below 1.
    """

    learning_rate: float
    epochs: int
    patience: int
    decay: Decay = "none"
    warmup: float = 0.0

    @classmethod
    def cosine(cls, learning_rate: float, epochs: int, warmup: float = 0.08) -> Self:
        """One stage that runs all its epochs while its rate rises and falls."""
        return cls(learning_rate, epochs, epochs, "cosine", warmup)

    @property
    def keeps_last(self) -> bool:
        """Whether its last weights are kept, whatever their validation loss."""
        return self.decay != "none"


@dataclass(frozen=True)
class Recipe:
    """Everything about a training run that is not the network: one per script in ``models/``.

    Parameters
    ----------
    name : str
    size : int
        Side of the pictures, in pixels.
    stages : tuple of Stage
    batch : int
    dataset : str
        What the script reads when it is given none.
    distortion : Distortion
        What ``--augment online`` draws from.
    label_smoothing : float
        Share of the wanted answer that is spread over all classes alike (Szegedy et al., arXiv
        1512.00567); validation loss is told without it.
    weight_decay : float
        Share of a kernel that a step takes away, times the learning rate, beside the gradient's
        step (Loshchilov and Hutter, arXiv 1711.05101); biases and slopes are left alone.
    """

    name: str
    size: int
    stages: tuple[Stage, ...]
    batch: int = 100
    dataset: str = "datasets/characters.h5"
    distortion: Distortion = field(default_factory=Distortion)
    label_smoothing: float = 0.0
    weight_decay: float = 0.0


def rate_at(stage: Stage, done: float) -> float:
    """The learning rate when the share `done` of the stage's epochs is over.

    Parameters
    ----------
    stage : Stage
    done : float
        0 at its first step, below 1.
    """
    if stage.decay == "none":
        return stage.learning_rate
    if done < stage.warmup:
        return stage.learning_rate * done / stage.warmup
    fallen = (done - stage.warmup) / (1 - stage.warmup)
    return stage.learning_rate * (1 + math.cos(math.pi * fallen)) / 2


def in_epochs(stages: Sequence[Stage], epochs: int) -> tuple[Stage, ...]:
    """The same stages in `epochs` epochs, shared among them in proportion, at least 1 each.

    With fewer epochs than stages the last stages are left out. Patience stays, but a stage that
    was to run all its epochs runs all its new ones.
    """
    stages = tuple(stages)[:epochs]
    total = sum(stage.epochs for stage in stages)
    shares = [max(1, stage.epochs * epochs // total) for stage in stages]
    while sum(shares) > epochs:
        shares[shares.index(max(shares))] -= 1
    while sum(shares) < epochs:
        shares[shares.index(min(shares))] += 1
    return tuple(
        replace(stage, epochs=n, patience=n if stage.patience >= stage.epochs else stage.patience)
        for stage, n in zip(stages, shares, strict=True)
    )
