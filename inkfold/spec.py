"""The small frozen things that travel between the stages."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from inkfold.errors import InkfoldError

Fit = Literal["stretch", "pad", "ink"]
Ink = Literal["auto", "dark", "light"]
Threshold = Literal["none", "otsu", "soft"]
Interpolation = Literal["area", "linear", "cubic"]
SPLITS = ("train", "validation", "test")
INK_MARGIN = 4 / 28  # MNIST: the character's longest side fills 20 of 28 pixels
TRAIN, VALIDATION, TEST = range(3)  # places in nouns.SPLITS


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
