"""The folder that examples in docstrings and pages run in."""

from __future__ import annotations

from pathlib import Path

import cv2

from inkfold.bundle.bundle import SHIPPED
from tests.worlds.drawn_letters import Shot, photograph
from tests.worlds.packed_strokes import write_packed


def write_world(folder: Path) -> None:
    """Write a.png and b.png, datasets/characters.h5, and two names of the bundle of emnist47."""
    for letter in "AB":
        picture = cv2.imencode(".png", photograph(letter, Shot()))[1].tobytes()
        (folder / f"{letter.lower()}.png").write_bytes(picture)
    for inner in ("datasets", "models/trained"):
        (folder / inner).mkdir(parents=True)
    write_packed(folder / "datasets/characters.h5", (5000, 500, 500), size=32)
    (folder / "models/trained/emnist47").symlink_to(SHIPPED)
