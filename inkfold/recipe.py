"""What a training run does, apart from its network: its stages, batches and distortion."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Literal, Self

Decay = Literal["none", "cosine"]
DEFAULT_DATASET = "datasets/characters.h5"  # written and read where the user names no file


@dataclass(frozen=True)
class Distortion:
    """The limits within which each distorted copy of a picture is drawn.

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
        The largest rate of the stage.
    epochs : int
        The largest number of epochs.
    patience : int
        Number of epochs without a new lowest validation loss after which the stage ends.
    decay : {"none", "cosine"}
        ``cosine`` rises in a straight line over the first `warmup` of the stage's epochs and then
        falls to 0 along half a cosine (Loshchilov and Hutter, arXiv 1608.03983, one cycle). A
        ``cosine`` stage keeps its last weights, whatever their validation loss: give it a patience
        of all its epochs.
    warmup : float
        Share of the epochs in which a ``cosine`` stage's rate rises, 0 to below 1.
    """

    learning_rate: float
    epochs: int
    patience: int
    decay: Decay = "none"
    warmup: float = 0.0

    @classmethod
    def cosine(cls, learning_rate: float, epochs: int, warmup: float = 0.08) -> Self:
        """A stage that runs all its epochs while its rate rises and falls."""
        return cls(learning_rate, epochs, epochs, "cosine", warmup)

    @property
    def keeps_last(self) -> bool:
        """Whether the last weights are kept, whatever their validation loss."""
        return self.decay != "none"

    def rate_at(self, done: float) -> float:
        """The learning rate when the share `done` of the stage's epochs is over.

        Parameters
        ----------
        done : float
            0 at the stage's first step, below 1.
        """
        if self.decay == "none":
            return self.learning_rate
        if done < self.warmup:
            return self.learning_rate * done / self.warmup
        fallen = (done - self.warmup) / (1 - self.warmup)
        return self.learning_rate * (1 + math.cos(math.pi * fallen)) / 2

    def in_epochs(self, epochs: int) -> Self:
        """The same stage in `epochs` epochs; a patience of all its epochs stays one of all."""
        patience = epochs if self.patience >= self.epochs else self.patience
        return replace(self, epochs=epochs, patience=patience)


@dataclass(frozen=True)
class Recipe:
    """Everything about a training run that is not the network: one per network.

    Parameters
    ----------
    name : str
        The network's name; the bundle is named after it.
    size : int
        Height and width of the images, in pixels.
    stages : tuple of Stage
        In the order in which they run; each begins with the best weights so far.
    batch : int
        Images for a training step.
    dataset : str
        The file that the script reads when the user names none.
    distortion : Distortion
        The limits that ``--augment online`` draws within.
    label_smoothing : float
        Share of the wanted answer that is spread evenly over all classes (Szegedy et al., arXiv
        1512.00567); the validation loss is computed without it.
    weight_decay : float
        Each training step subtracts this share of every kernel, times the learning rate, apart
        from the gradient's step (Loshchilov and Hutter, arXiv 1711.05101); biases and slopes do
        not decay.
    """

    name: str
    size: int
    stages: tuple[Stage, ...]
    batch: int = 100
    dataset: str = DEFAULT_DATASET
    distortion: Distortion = field(default_factory=Distortion)
    label_smoothing: float = 0.0
    weight_decay: float = 0.0

    def in_epochs(self, epochs: int) -> Self:
        """The same recipe in `epochs` epochs, shared among its stages in proportion.

        Each stage gets at least 1 epoch; with fewer epochs than stages the last stages are left
        out. A stage keeps its patience, but one that was to run all its epochs runs all its new
        ones.
        """
        stages = self.stages[:epochs]
        total = sum(stage.epochs for stage in stages)
        shares = [max(1, stage.epochs * epochs // total) for stage in stages]
        while sum(shares) > epochs:
            shares[shares.index(max(shares))] -= 1
        while sum(shares) < epochs:
            shares[shares.index(min(shares))] += 1
        shared = zip(stages, shares, strict=True)
        return replace(self, stages=tuple(stage.in_epochs(share) for stage, share in shared))
