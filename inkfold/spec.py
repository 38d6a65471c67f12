"""How pictures are prepared and divided: the image spec, and the splits by name and number."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self, get_args

from inkfold.errors import InkfoldError

Fit = Literal["stretch", "pad", "ink"]
Ink = Literal["auto", "dark", "light"]
Threshold = Literal["none", "otsu", "soft"]
Interpolation = Literal["area", "linear", "cubic"]
Capture = Literal["auto", "scan", "photo"]
WORDS: dict[str, tuple[str, ...]] = {
    "fit": get_args(Fit),
    "ink": get_args(Ink),
    "threshold": get_args(Threshold),
    "interpolation": get_args(Interpolation),
    "capture": get_args(Capture),
}
LARGEST = 4096  # pixels: far above the 1,024 that packing offers
EXPECTED = {name: " or ".join(words) for name, words in WORDS.items()} | {
    "size": f"a whole number of pixels from 1 to {LARGEST}",
    "margin": "a share from 0 to 0.45",
}
SPLITS = ("train", "validation", "test")
TRAIN, VALIDATION, TEST = range(3)  # places in SPLITS
INK_MARGIN = 4 / 28  # as in MNIST: the character's longest side fills 20 of 28 pixels
UNEQUAL = 10  # times the smallest class: from there on the sizes of classes are called unequal


@dataclass(frozen=True)
class ImageSpec:
    """How a picture becomes a network's input; stored in the dataset and in the bundle.

    Parameters
    ----------
    size : int
        Height and width of the input, in pixels.
    fit : {"pad", "stretch", "ink"}
        ``pad`` keeps the aspect ratio and centres the picture, ``stretch`` fills the frame,
        ``ink`` crops to the ink and puts its centre of mass in the middle.
    ink : {"auto", "dark", "light"}
        Whether the ink is darker or lighter than the paper; ``auto`` finds out for each picture.
    threshold : {"none", "otsu", "soft"}
        How ink and paper are separated before the picture is fitted: ``none`` keeps the greys,
        ``otsu`` makes it black and white, ``soft`` clears uneven paper and makes pale ink full,
        and leaves the edges of strokes grey.
    interpolation : {"area", "linear", "cubic"}
        ``area`` averages when shrinking and is bilinear when enlarging.
    margin : float
        Share of the side that ``pad`` and ``ink`` leave free on each edge, 0 to 0.45.
    capture : {"auto", "scan", "photo"}
        What the pictures are. A ``scan`` is prepared by the other fields. Of a ``photo`` the
        writing is found first (`inkfold.photograph`); it is then prepared by the fields of
        `for_photographs`. ``auto`` finds out for each picture.

    Examples
    --------
    >>> from inkfold import ImageSpec
    >>> spec = ImageSpec(size=28, threshold="soft")
    >>> spec.size, spec.fit, spec.threshold
    (28, 'pad', 'soft')
    >>> ImageSpec.from_json(spec.to_json()) == spec
    True
    """

    size: int = 32
    fit: Fit = "pad"
    ink: Ink = "auto"
    threshold: Threshold = "none"
    interpolation: Interpolation = "area"
    margin: float = 0.0
    capture: Capture = "auto"

    @classmethod
    def of(
        cls, *, size: int, fit: Fit, ink: Ink, threshold: Threshold, capture: Capture = "auto"
    ) -> Self:
        """The spec with the usual margin of its `fit`: that of MNIST for ``ink``, otherwise 0."""
        margin = INK_MARGIN if fit == "ink" else 0.0
        return cls(size=size, fit=fit, ink=ink, threshold=threshold, margin=margin, capture=capture)

    def for_photographs(self) -> Self:
        """The spec of a photograph's writing: fit ``ink`` with MNIST's margin, threshold soft."""
        return replace(self, fit="ink", margin=INK_MARGIN, threshold="soft")

    def to_json(self) -> str:
        """One line of JSON with sorted keys: equal specs give equal bytes.

        The field `capture` is left out where it is ``scan``: so was every spec before it.
        """
        fields = asdict(self)
        if self.capture == "scan":
            del fields["capture"]
        return json.dumps(fields, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The spec that `to_json` wrote as `text`; without `capture` it is a spec of scans.

        Raises
        ------
        InkfoldError
            If a field is missing or unknown, or has a value that no field of its name has.
        """
        try:
            fields: dict[str, Any] = json.loads(text)
        except (TypeError, ValueError, RecursionError) as error:
            raise InkfoldError(f"image spec is not JSON ({error}); restore the file") from None
        known = set(cls.__dataclass_fields__)
        if not isinstance(fields, dict) or set(fields) | {"capture"} != known:
            found = sorted(fields) if isinstance(fields, dict) else type(fields).__name__
            raise InkfoldError(
                f"image spec has the fields {found}, this version knows {sorted(known)}; "
                "use the version of inkfold that wrote it"
            )
        for name, value in fields.items():
            if not _is_possible(name, value):
                raise InkfoldError(
                    f"image spec has {name} {value!a}, expected {EXPECTED[name]}; restore the "
                    "file, or use the version of inkfold that wrote it"
                )
        fields.setdefault("capture", "scan")
        return cls(**fields)


def _is_possible(name: str, value: object) -> bool:
    """Whether a field of a spec can have this value."""
    if name == "size":
        return type(value) is int and 1 <= value <= LARGEST
    if name == "margin":
        return isinstance(value, int | float) and 0 <= value <= 0.45
    return value in WORDS[name]
