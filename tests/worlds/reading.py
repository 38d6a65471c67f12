"""What importers make of a source: its pictures, which must be upright, or their error."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from inkfold.errors import InkfoldError
from inkfold.importers.collection import Collection
from inkfold.importers.formats import FORMATS
from tests.worlds.foreign_files import letter_f


def refusal(how: str, source: Path) -> str:
    """The one-line error of a set that cannot be read, either at once or at a later picture."""
    with pytest.raises(InkfoldError) as caught:
        list(FORMATS[how].read(source).glyphs())
    assert "\n" not in str(caught.value)
    return str(caught.value)


def described(collection: Collection) -> list[tuple[str, str | None, str, str | None]]:
    """Class, side, source and group of each picture, after a check that it is an upright F."""
    glyphs = list(collection.glyphs())
    assert len(glyphs) == collection.count
    assert collection.ink == "light"
    for glyph in glyphs:
        tone = int(glyph.pixels.max())
        assert tone > 100
        assert np.array_equal(glyph.pixels, letter_f(tone)), "not upright, or not light on dark"
    return [(collection.classes[g.label], g.split, g.source, g.group) for g in glyphs]


def real(name: str) -> Path:
    """The folder of a real set; without INKFOLD_DATA the test is skipped."""
    if "INKFOLD_DATA" not in os.environ:
        pytest.skip("INKFOLD_DATA names no folder with the real sets (mnist, kmnist, ...)")
    return Path(os.environ["INKFOLD_DATA"]) / name
