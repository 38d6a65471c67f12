"""The image spec as JSON: files without the field `capture` are those of scans."""

from __future__ import annotations

import json

import pytest

from inkfold.errors import InkfoldError
from inkfold.spec import INK_MARGIN, ImageSpec

OLD = (
    '{"fit": "pad", "ink": "auto", "interpolation": "area", "margin": 0.0, "size": 32, '
    '"threshold": "none"}'
)


def test_a_spec_without_capture_is_one_of_scans_and_keeps_its_bytes() -> None:
    """A file that was written before the field existed is read as scan and written as it was."""
    spec = ImageSpec.from_json(OLD)

    assert spec == ImageSpec(capture="scan")
    assert spec.to_json() == OLD


@pytest.mark.parametrize("capture", ["auto", "scan", "photo"])
def test_capture_survives_json(capture: str) -> None:
    """Each value of capture comes back from the text that holds it."""
    text = json.dumps(json.loads(OLD) | {"capture": capture})

    assert ImageSpec.from_json(text).capture == capture
    assert ImageSpec.from_json(ImageSpec.from_json(text).to_json()).capture == capture


@pytest.mark.parametrize("capture", ['"video"', "null", "3"])
def test_another_capture_is_refused(capture: str) -> None:
    """One line says what was found, and which values there are."""
    text = OLD.replace("}", f', "capture": {capture}}}')

    with pytest.raises(InkfoldError, match=r"capture .* expected auto or scan or photo"):
        ImageSpec.from_json(text)


def test_photographs_are_fitted_by_their_ink() -> None:
    """Whatever the spec says of scans, photographs have fit ink, MNIST's margin, threshold soft."""
    spec = ImageSpec(size=20, fit="stretch", ink="dark", threshold="otsu").for_photographs()

    assert (spec.size, spec.ink) == (20, "dark")
    assert (spec.fit, spec.margin, spec.threshold) == ("ink", INK_MARGIN, "soft")
