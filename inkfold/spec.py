"""The small frozen things that travel between the stages."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from inkfold.errors import InkfoldError

Fit = Literal["stretch", "pad", "ink"]
Ink = Literal["auto", "dark", "light"]
Threshold = Literal["none", "otsu", "soft"]
Interpolation = Literal["area", "linear", "cubic"]
Decay = Literal["none", "cosine"]
SPLITS = ("train", "validation", "test")
INK_MARGIN = 4 / 28  # MNIST: the character's longest side fills 20 of 28 pixels


@dataclass(frozen=True)
class ImageSpec:
    """How a picture becomes a network's input; travels in the dataset and in the bundle.

    Parameters
    ----------
    size : int
        Height and width of the input, in pixels.
    fit : {"pad", "stretch", "ink"}
        ``pad`` keeps the aspect and centres, ``stretch`` does not keep it, ``ink`` crops to the
        ink and puts its centre of mass in the middle.
    ink : {"auto", "dark", "light"}
        Which side of the paper the ink is on; ``auto`` finds out, picture by picture.
    threshold : {"none", "otsu", "soft"}
        Whether the picture is made black and white before it is fitted; ``soft`` clears uneven
        paper and makes pale ink full, and leaves the edges of strokes grey.
    interpolation : {"area", "linear", "cubic"}
        ``area`` averages when shrinking and is bilinear when enlarging.
    margin : float
        Share of the side that ``pad`` and ``ink`` leave free on each edge, 0 to 0.45.
    """

    size: int = 32
    fit: Fit = "pad"
    ink: Ink = "auto"
    threshold: Threshold = "none"
    interpolation: Interpolation = "area"
    margin: float = 0.0

    @classmethod
    def of(cls, *, size: int, fit: Fit, ink: Ink, threshold: Threshold) -> Self:
        """The spec with the margin that its `fit` is known for."""
        margin = INK_MARGIN if fit == "ink" else 0.0
        return cls(size=size, fit=fit, ink=ink, threshold=threshold, margin=margin)

    def to_json(self) -> str:
        """One line of JSON with sorted keys: the same spec, the same bytes."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote.

        Raises
        ------
        InkfoldError
            If a field is missing or unknown.
        """
        fields: dict[str, Any] = json.loads(text)
        known = set(cls.__dataclass_fields__)
        if set(fields) != known:
            raise InkfoldError(
                f"image spec has the fields {sorted(fields)}, this version knows {sorted(known)}; "
                "use the version of inkfold that wrote it"
            )
        return cls(**fields)


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


@dataclass(frozen=True)
class Prediction:
    """What a classifier says of one picture file.

    `labels` and `probabilities` hold the likeliest classes, best first. For a file that could not
    be read both are empty and `error` says why.
    """

    path: Path | str
    labels: tuple[str, ...] = ()
    probabilities: tuple[float, ...] = ()
    error: str | None = None
