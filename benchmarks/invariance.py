"""How often a drawing that is moved, shrunk, thickened, inverted or slanted keeps its answer.

    python benchmarks/invariance.py [BUNDLE]

The 26 letters and digits of tests/worlds/drawn_letters.py are drawn with a pen on a sheet of 400 by
400 pixels, as the page and the window do it. Without BUNDLE the shipped bundle answers. This is not
part of `make bench`, which measures speed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from inkfold.bundle.bundle import SHIPPED, load_bundle
from inkfold.canvas.drawing import Drawing, Stroke, render
from inkfold.canvas.recogniser import Recogniser
from inkfold.classifier import Classifier
from inkfold.metrics import Rate
from tests.worlds.drawn_letters import STROKES

SIDE, HEIGHT, BRUSH = 400, 220, 16  # of the sheet, the character and the pen, in pixels


def drawn(
    character: str,
    *,
    height: float = HEIGHT,
    corner: tuple[float, float] = (90, 110),
    brush: float = BRUSH,
    slant: float = 0,
) -> NDArray[np.uint8]:
    """The picture of a character on the sheet, uint8 (SIDE, SIDE).

    Parameters
    ----------
    character : str
        A key of `STROKES`.
    height : float
        Height of the character, in pixels.
    corner : (float, float)
        Row and column of the upper left corner of the character's box, in pixels.
    brush : float
        Width of the pen, in pixels.
    slant : float
        Slant to the right, in degrees.
    """
    strokes = []
    for stroke in STROKES[character]:
        columns, rows = np.transpose(stroke)
        columns = 0.8 * columns + np.tan(np.radians(slant)) * (0.5 - rows)
        places = np.array(corner) + height * np.stack([rows, columns], axis=1)
        strokes.append(Stroke(np.column_stack([places, np.full(len(places), 0.5)]), brush))
    return render(Drawing(SIDE, SIDE, tuple(strokes)))


WAYS: dict[str, Callable[[str], NDArray[np.uint8]]] = {
    "in the upper left corner": lambda c: drawn(c, corner=(10, 10)),
    "in the lower right corner": lambda c: drawn(c, corner=(170, 210)),
    "half the size": lambda c: drawn(c, height=HEIGHT / 2, brush=BRUSH / 2),
    "half the size, the same pen": lambda c: drawn(c, height=HEIGHT / 2),
    "twice as thick": lambda c: drawn(c, brush=2 * BRUSH),
    "half as thick": lambda c: drawn(c, brush=BRUSH / 2),
    "light on dark": lambda c: 255 - drawn(c),
    "slanted 15 degrees to the right": lambda c: drawn(c, slant=15),
    "slanted 30 degrees to the right": lambda c: drawn(c, slant=30),
    "slanted 15 degrees to the left": lambda c: drawn(c, slant=-15),
    "slanted 30 degrees to the left": lambda c: drawn(c, slant=-30),
}


def table(recogniser: Recogniser) -> list[tuple[str, Rate]]:
    """The right answers to plain drawings; then, for each way, answers equal to the plain ones."""
    plain = {c: recogniser.answer(drawn(c)).labels[0] for c in STROKES}
    rows = [("plain: right", Rate(sum(c == answer for c, answer in plain.items()), len(plain)))]
    for name, way in WAYS.items():
        same = sum(recogniser.answer(way(c)).labels[0] == plain[c] for c in STROKES)
        rows.append((name, Rate(same, len(plain))))
    return rows


def main(bundle: Path) -> None:
    """Print the table of a bundle."""
    for name, rate in table(Recogniser(Classifier(load_bundle(bundle)))):
        sys.stdout.write(f"{name:34s} {rate}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SHIPPED)
