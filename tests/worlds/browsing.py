"""The browser of this machine, and where a letter's strokes lie on the drawing page."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tests.worlds.drawn_letters import STROKES

if TYPE_CHECKING:
    from playwright.sync_api import FloatRect

# the path of Chromium; None where it is not installed
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)


def places_on(box: FloatRect, character: str) -> list[list[tuple[float, float]]]:
    """The strokes of a character in the middle of a box of the page: x and y of each point."""
    return [
        [
            (
                box["x"] + box["width"] * (0.25 + 0.4 * column),
                box["y"] + box["height"] * (0.2 + 0.5 * row),
            )
            for column, row in stroke
        ]
        for stroke in STROKES[character]
    ]
