"""What a dataset file says of how it was made, as sentences."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from inkfold.spec import ImageSpec

FITS = {
    "pad": "scaled to fit with its aspect kept, and centred",
    "stretch": "stretched to the square whatever its aspect",
    "ink": "cut to its ink, scaled with the aspect kept, its centre of mass in the middle",
}
INKS = {
    "auto": "which side is ink was found picture by picture: the median of the border is paper",
    "dark": "the pictures have dark ink on light paper",
    "light": "the pictures have light ink on dark paper",
}
DONE = {
    "create_dataset": "Packed from class folders",
    "import_data": "Imported",
    "augment": "Distorted copies added",
    "audit": "Cleaned",
}
THRESHOLDS = {
    "none": "grey levels kept",
    "otsu": "made black and white (Otsu)",
    "soft": "uneven paper cleared and ink made full",
}
TOLD = ("seed", "size", "fit", "ink", "threshold")  # in the sentence about the pictures


def spec_words(spec: ImageSpec) -> str:
    """How a picture was prepared."""
    margin = f", {spec.margin:.0%} of the side left free on each edge" if spec.margin else ""
    return (
        f"Each picture was {FITS[spec.fit]}, in {spec.size} x {spec.size} pixels{margin}; "
        f"{THRESHOLDS[spec.threshold]}; {INKS[spec.ink]}."
    )


def provenance_words(provenance: Mapping[str, Any]) -> list[str]:
    """One sentence for each step that made the file, the first step first."""
    return list(_steps(provenance))


def _steps(provenance: Mapping[str, Any]) -> Iterator[str]:
    before = provenance.get("dataset", provenance.get("cleaned_from"))
    if isinstance(before, Mapping):
        yield from _steps(before)
    tool = str(provenance.get("tool", "a tool without a name"))
    words = f"{DONE.get(tool, 'Made')} by {tool} {provenance.get('version', '')}".rstrip()
    if "seed" in provenance:
        words += f" with seed {provenance['seed']}"
    options = _listed(provenance.get("options"), apart=TOLD)
    counts = _listed(provenance.get("counts"), apart=())
    yield f"{words}{': ' * bool(options)}{options}{'; it counted: ' * bool(counts)}{counts}."


def _listed(values: object, *, apart: Sequence[str]) -> str:
    if not isinstance(values, Mapping):
        return ""
    said = {name: value for name, value in values.items() if value is not None}
    return ", ".join(
        f"{name.replace('_', ' ')} {_value(value)}"
        for name, value in said.items()
        if name not in apart
    )


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        return " / ".join(map(_value, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
