"""Pictures that show no single character, drawn by a program: paper, textures, drawings, words.

Every function draws one picture, uint8 (H, W), with a random generator that decides its size, pen,
place and shape. `KINDS` names them by group.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Rng = np.random.Generator
Draw = Callable[[Rng], Picture]
SIDE = 160  # height and width of a picture, in pixels
SCRIPTS = (cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX)
FONTS = (*SCRIPTS, cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_DUPLEX)
WORDS = (
    *("hello", "word", "and", "the", "Anna", "see", "to", "no", "milk", "Page", "Tuesday", "north"),
    *("river", "10th", "of", "it", "we", "yes", "sum", "tot", "garden", "QED", "CO", "ab", "xyz"),
)


def _sheet(rng: Rng, level: int | None = None) -> NDArray[np.float64]:
    """Paper of one level."""
    return np.full((SIDE, SIDE), int(rng.integers(200, 256)) if level is None else level, float)


def _finished(sheet: NDArray[np.floating[Any]], rng: Rng, grain: float = 3.0) -> Picture:
    """The sheet with a little grain, as bytes."""
    return np.clip(np.round(sheet + rng.normal(0, grain, sheet.shape)), 0, 255).astype(np.uint8)


def _smooth(rng: Rng, rows: float, columns: float) -> NDArray[np.float64]:
    """Noise of mean 0 and deviation 1, smoothed by so many pixels down and across."""
    noise = cv2.GaussianBlur(rng.normal(size=(SIDE, SIDE)), (0, 0), sigmaX=columns, sigmaY=rows)
    return np.asarray((noise - noise.mean()) / noise.std())


def _pen(rng: Rng) -> tuple[int, int]:
    """Level and width of a pen."""
    return int(rng.integers(0, 90)), int(rng.integers(3, 9))


def _stroke(sheet: NDArray[np.float64], points: object, pen: tuple[int, int]) -> None:
    """Draw a line through points (column, row)."""
    fixed = np.round(np.asarray(points, float) * 16).astype(np.int32)
    cv2.polylines(sheet, [fixed], False, float(pen[0]), pen[1], cv2.LINE_AA, 4)


def _drawing(rng: Rng, lines: Sequence[object]) -> Picture:
    """Lines in the box from 0 to 1 on a sheet: one pen, size, place and lean, unsteady points."""
    sheet, pen = _sheet(rng), _pen(rng)
    angle, size, away = rng.normal(0, 0.1), rng.uniform(0.5, 0.85) * SIDE, rng.normal(0, 3, 2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    for line in lines:
        points = (np.asarray(line, float) - 0.5) @ turn.T * size + SIDE / 2 + away
        _stroke(sheet, points + rng.normal(0, 1, points.shape), pen)
    return _finished(sheet, rng)


def _circle(column: float, row: float, radius: float) -> list[tuple[float, float]]:
    angles = np.linspace(0, 6.4, 30)
    return [(column + radius * np.cos(a), row + radius * np.sin(a)) for a in angles]


def plain_paper(rng: Rng) -> Picture:
    """Paper of one level, without grain."""
    return _sheet(rng).astype(np.uint8)


def noisy_paper(rng: Rng) -> Picture:
    """Paper with grain."""
    return _finished(_sheet(rng), rng, rng.uniform(2, 20))


def lined_paper(rng: Rng) -> Picture:
    """Paper with rules; sometimes squared, or with a margin."""
    sheet = _sheet(rng)
    step, level, width = (
        int(rng.integers(14, 45)),
        float(rng.integers(120, 190)),
        rng.integers(1, 3),
    )
    sheet[np.arange(SIDE) % step < width] = level
    if rng.random() < 0.4:
        sheet[:, np.arange(SIDE) % step < width] = level
    elif rng.random() < 0.3:
        sheet[:, 20:22] = level
    return _finished(sheet, rng)


def noise(rng: Rng) -> Picture:
    """Noise, fine or in spots."""
    spot = rng.uniform(0.3, 6)
    return _finished(128 + 60 * _smooth(rng, spot, spot), rng)


def wood(rng: Rng) -> Picture:
    """Grain of wood: streaks along one axis, with rings."""
    warp = 6 * _smooth(rng, 25, 25) + np.arange(SIDE)[:, None] / rng.uniform(2, 6)
    streaks = 130 + 30 * np.sin(warp) + 20 * _smooth(rng, 1, 25)
    return _finished(np.asarray(np.rot90(streaks, int(rng.integers(2))), float), rng)


def cloth(rng: Rng) -> Picture:
    """Woven threads, seen straight or askew."""
    rows, columns = np.indices((SIDE, SIDE))
    angle, step = rng.uniform(0, 1.6), rng.uniform(6, 20)
    along = rows * np.cos(angle) + columns * np.sin(angle)
    across = columns * np.cos(angle) - rows * np.sin(angle)
    woven = np.sin(2 * np.pi * along / step) * np.sin(2 * np.pi * across / step)
    return _finished(140 + 50 * woven, rng, 8)


def gradient(rng: Rng) -> Picture:
    """Light that falls off along a line, or around a spot."""
    rows, columns = np.indices((SIDE, SIDE)) / SIDE - 0.5
    angle = rng.uniform(0, 6.3)
    slope = rows * np.cos(angle) + columns * np.sin(angle)
    if rng.random() < 0.5:
        slope = np.hypot(rows - rng.uniform(-0.3, 0.3), columns - rng.uniform(-0.3, 0.3))
    return _finished(128 + rng.uniform(100, 240) * slope, rng)


def checks(rng: Rng) -> Picture:
    """A chequered board."""
    step = int(rng.integers(8, 40))
    rows, columns = np.indices((SIDE, SIDE)) // step
    return _finished(40 + 180.0 * ((rows + columns) % 2), rng)


def filled(rng: Rng) -> Picture:
    """One filled form: a square, a disc or a band, dark on light or light on dark."""
    sheet = _sheet(rng, 240)
    form, half = rng.integers(3), float(rng.uniform(0.15, 0.4) * SIDE)
    high = half if form < 2 else half * rng.uniform(0.2, 0.5)
    if form == 1:
        cv2.circle(sheet, (SIDE // 2, SIDE // 2), int(half), 20.0, -1)
    else:
        centre, box = (SIDE / 2, SIDE / 2), (2 * half, 2 * high)
        corners = cv2.boxPoints((centre, box, float(rng.uniform(0, 90))))
        cv2.fillConvexPoly(sheet, corners.astype(np.int32), 20.0)
    return _finished(sheet if rng.random() < 0.5 else 255 - sheet, rng)


def house(rng: Rng) -> Picture:
    """A house with a roof, a door and a window."""
    walls = [(0.15, 0.45), (0.15, 0.95), (0.85, 0.95), (0.85, 0.45), (0.15, 0.45)]
    window = [(0.6, 0.6), (0.6, 0.75), (0.75, 0.75), (0.75, 0.6), (0.6, 0.6)]
    roof, door = [(0.1, 0.45), (0.5, 0.05), (0.9, 0.45)], [(0.3, 0.95), (0.3, 0.65), (0.45, 0.65)]
    return _drawing(rng, [walls, roof, [*door, (0.45, 0.95)], window])


def face(rng: Rng) -> Picture:
    """A round face with eyes, nose and mouth."""
    smile = rng.uniform(-0.1, 0.15)
    mouth = [(0.3, 0.68), (0.5, 0.68 + smile), (0.7, 0.68)]
    eyes = [_circle(0.35, 0.38, 0.05), _circle(0.65, 0.38, 0.05)]
    return _drawing(rng, [_circle(0.5, 0.5, 0.47), *eyes, [(0.5, 0.45), (0.47, 0.57)], mouth])


def scribble(rng: Rng) -> Picture:
    """A pen that runs to and fro."""
    steps = rng.normal(0, 1, (int(rng.integers(15, 60)), 2))
    path = rng.uniform(0, 1, (len(steps), 2)) if rng.random() < 0.5 else np.cumsum(steps, axis=0)
    path = (path - path.min(axis=0)) / np.ptp(path, axis=0)
    smooth = cv2.resize(path, (2, 5 * len(path)), interpolation=cv2.INTER_CUBIC)
    return _drawing(rng, [smooth])


def plot(rng: Rng) -> Picture:
    """A curve between two axes, or bars."""
    columns = np.linspace(0.08, 0.95, 12)
    heights = 0.5 + 0.35 * np.sin(columns * rng.uniform(3, 12)) * rng.uniform(0.4, 1)
    axes = [[(0.05, 0.02), (0.05, 0.97), (0.98, 0.97)]]
    if rng.random() < 0.5:
        return _drawing(rng, [*axes, np.column_stack([columns, heights])])
    return _drawing(
        rng, axes + [[(c, 0.97), (c, h)] for c, h in zip(columns, heights, strict=True)]
    )


def tree(rng: Rng) -> Picture:
    """A trunk with branches."""
    lines: list[object] = []

    def grow(place: NDArray[np.float64], angle: float, length: float, left: int) -> None:
        end = place + length * np.array([np.sin(angle), -np.cos(angle)])
        lines.append([place, end])
        if left:
            for turn in (-0.6, 0.5):
                grow(end, angle + turn + rng.normal(0, 0.15), 0.7 * length, left - 1)

    grow(np.array([0.5, 1.0]), 0.0, 0.33, int(rng.integers(3, 5)))
    return _drawing(rng, lines)


def table(rng: Rng) -> Picture:
    """A grid of cells."""
    rows, columns = np.linspace(0, 1, rng.integers(3, 7)), np.linspace(0, 1, rng.integers(3, 6))
    return _drawing(rng, [[(0, r), (1, r)] for r in rows] + [[(c, 0), (c, 1)] for c in columns])


def lines(rng: Rng) -> Picture:
    """Some straight lines in any direction."""
    return _drawing(rng, [rng.uniform(0, 1, (2, 2)) for _ in range(int(rng.integers(4, 10)))])


def landscape(rng: Rng) -> Picture:
    """Sky, a sun, hills one behind the other, and sometimes a tree in front."""
    rows, columns = np.indices((SIDE, SIDE)) / SIDE
    sheet = rng.uniform(190, 240) - rng.uniform(10, 60) * rows + 6 * _smooth(rng, 10, 30)
    cv2.circle(sheet, (int(rng.integers(20, 140)), int(rng.integers(15, 50))), 12, 255.0, -1)
    for depth, level in enumerate(np.linspace(rng.uniform(110, 160), rng.uniform(30, 90), 3)):
        waves = np.sin(columns * rng.uniform(3, 12) + rng.uniform(0, 6))
        ground = 0.4 + 0.17 * depth + 0.08 * waves
        sheet[rows > ground] = (level + 12 * _smooth(rng, 2, 4))[rows > ground]
    if rng.random() < 0.5:
        column = int(rng.integers(30, 130))
        cv2.rectangle(sheet, (column - 3, 80), (column + 3, 130), 25.0, -1)
        cv2.circle(sheet, (column, 70), int(rng.integers(15, 28)), 45.0, -1)
    return _finished(sheet, rng, 6)


def still_life(rng: Rng) -> Picture:
    """Things with light and shade on a table."""
    sheet = _sheet(rng, 150) + 12 * _smooth(rng, 30, 30)
    sheet[int(rng.integers(90, 120)) :] -= rng.uniform(30, 70)
    rows, columns = np.indices((SIDE, SIDE))
    for _ in range(int(rng.integers(2, 6))):
        row, column, radius = rng.uniform(50, 130), rng.uniform(20, 140), rng.uniform(12, 35)
        far = np.hypot(rows - row, columns - column) / radius
        light = rng.uniform(60, 200) - 50 * far - 30 * (columns - column) / radius
        sheet = np.where(far < 1, light, sheet)
    return _finished(sheet, rng, 4)


def typeset(rng: Rng, texts: Sequence[str]) -> Picture:
    """One of some texts in one of OpenCV's pen-drawn fonts."""
    text, font = texts[int(rng.integers(len(texts)))], FONTS[int(rng.integers(len(FONTS)))]
    scale, pen = float(rng.uniform(1.5, 2.5)), int(rng.integers(2, 7))
    (width, height), below = cv2.getTextSize(text, font, scale, pen)
    sheet = np.full((height + below + 60, width + 60), 245, np.uint8)
    cv2.putText(sheet, text, (30, height + 30), font, scale, 30, pen, cv2.LINE_AA)
    return _finished(sheet.astype(float), rng)


def beside(images: Sequence[Picture], rng: Rng) -> Picture:
    """Prepared images (0 = paper) written one beside the other, dark on light.

    The gaps are from touching to a third of a character wide.
    """
    boxes: list[Picture] = []
    for image in images:
        columns, rows = (np.flatnonzero((image > 96).any(axis=axis)) for axis in (0, 1))
        box = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        height = int(96 * rng.uniform(0.75, 1))
        width = max(4, round(box.shape[1] * height / box.shape[0]))
        resized = cv2.resize(box, (width, height), interpolation=cv2.INTER_LINEAR)
        boxes.append(resized.astype(np.uint8, copy=False))
    gaps = rng.integers(0, 30, len(boxes))
    sheet = np.zeros((128, 40 + sum(box.shape[1] for box in boxes) + int(gaps.sum())), np.uint8)
    column = 20
    for box, gap in zip(boxes, gaps, strict=True):
        top = 16 + (96 - len(box))
        sheet[top : top + len(box), column : column + box.shape[1]] = box
        column += box.shape[1] + int(gap)
    return 255 - sheet


KINDS: dict[str, dict[str, Draw]] = {
    "empty paper": {"plain": plain_paper, "noisy": noisy_paper, "lined": lined_paper},
    "textures": {
        "noise": noise,
        "wood": wood,
        "cloth": cloth,
        "gradient": gradient,
        "checks": checks,
        "filled forms": filled,
    },
    "drawings": {
        "house": house,
        "face": face,
        "scribble": scribble,
        "plot": plot,
        "tree": tree,
        "table": table,
        "lines": lines,
    },
    "photographs": {"landscape": landscape, "still life": still_life},
    "typeset words": {
        "words": partial(typeset, texts=WORDS),
        "numbers": partial(typeset, texts=("777", "42", "1984", "365", "10", "3.14", "90210")),
    },
}
