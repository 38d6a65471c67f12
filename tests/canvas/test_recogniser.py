"""What a canvas shows of an answer: the image that the network saw."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from inkfold.bundle.bundle import load_bundle
from inkfold.canvas.recogniser import Recogniser
from inkfold.classifier import Classifier
from inkfold.picture import prepare
from tests.worlds.bands import SPEC, write_bundle
from tests.worlds.photographs import drawn, photograph, plain


def test_a_drawing_is_a_scan_and_a_file_may_be_a_photograph(tmp_path: Path) -> None:
    """The same pixels are prepared as a scan where they were drawn, as a photograph where not."""
    spec = replace(SPEC, capture="auto")
    recogniser = Recogniser(Classifier(load_bundle(write_bundle(tmp_path / "b", spec=spec))))
    rng = np.random.default_rng(0)
    pixels = photograph(drawn("A", rng), plain(rng), rng)

    dropped, drawing = (recogniser.answer(pixels, drawn=by_hand).seen for by_hand in (False, True))

    assert np.array_equal(dropped, prepare(pixels, replace(spec, capture="photo")))
    assert np.array_equal(drawing, prepare(pixels, replace(spec, capture="scan")))
    assert not np.array_equal(dropped, drawing)
