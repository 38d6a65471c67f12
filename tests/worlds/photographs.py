"""Drawn photographs: a character on paper of any kind, lit, held, ruled and photographed badly.

A `Scene` says what lies before the camera and how it is taken; `photograph` draws it around a
`mask` of ink; `KINDS` has a law for the scenes of each kind, with a seed for each picture.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tests.worlds.drawn_letters import STROKES

Mask = NDArray[np.float32]  # 0 = paper, 1 = ink
Picture = NDArray[np.uint8]  # RGB
Colour = tuple[int, int, int]
Rng = np.random.Generator

WHITE, CREAM, GREY, BLUE_PAPER = (236, 236, 232), (232, 218, 184), (168, 168, 164), (186, 206, 226)
BLACK, BLUE, RED = (28, 28, 32), (34, 48, 140), (176, 34, 40)
PENCIL, CHALK = (150, 150, 152), (224, 226, 220)
BOARD, BLACKBOARD = (38, 78, 58), (44, 46, 48)
RULING = (150, 176, 214)
HANDWRITING = (
    "caveat",
    "dancing",
    "indie",
    "patrick",
    "shadows",
    "kalam",
    "comic",
    "humor",
    "z003",
)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What lies before the camera, and how it is taken.

    Parameters
    ----------
    paper, ink : RGB
        Colours in full light.
    height : float
        Height of the character, as a share of the sheet's height.
    place : (float, float)
        Row and column of the character's middle on the sheet, as shares of its sides.
    ruling : {"none", "lined", "squared"}
    spacing : float
        Distance of the lines, as a share of the sheet's height.
    ruling_ink : RGB
    table : {"none", "wood", "dark", "light"}
        What lies behind the sheet; "none": the sheet fills the picture.
    sheet : float
        Height and width of the sheet as a share of the picture's, where there is a table.
    finger : bool
        Whether a finger lies over the edge of the picture.
    shadow : float
        How much light a shadow takes from one side of a straight edge, 0 to 1.
    uneven : float
        How much darker the darkest corner is than the lightest, 0 to 1.
    rotation : float
        Degrees, of sheet and character.
    perspective : float
        How far a corner of the sheet moves, as a share of its side.
    blur, noise : float
        Standard deviations, in pixels and grey levels.
    quality : int
        Of the JPEG.
    side : int
        Height of the picture, in pixels; its width is three quarters of it, or as much.
    square : bool
    """

    paper: Colour = WHITE
    ink: Colour = BLACK
    height: float = 0.6
    place: tuple[float, float] = (0.5, 0.5)
    ruling: str = "none"
    spacing: float = 0.09
    ruling_ink: Colour = RULING
    table: str = "none"
    sheet: float = 0.7
    finger: bool = False
    shadow: float = 0.0
    uneven: float = 0.12
    rotation: float = 0.0
    perspective: float = 0.0
    blur: float = 0.8
    noise: float = 3.0
    quality: int = 85
    side: int = 640
    square: bool = True


def plain(rng: Rng) -> Scene:
    """A character in black on white paper that fills the picture, well taken."""
    return Scene(
        height=rng.uniform(0.4, 0.7),
        place=(rng.uniform(0.42, 0.58), rng.uniform(0.42, 0.58)),
        uneven=rng.uniform(0.05, 0.2),
        noise=rng.uniform(2, 4),
        side=int(rng.integers(400, 900)),
    )


def on_table(rng: Rng, table: str) -> Scene:
    """A sheet that lies on a table, a little turned."""
    return replace(
        plain(rng),
        table=table,
        sheet=rng.uniform(0.6, 0.85),
        rotation=rng.uniform(-6, 6),
        perspective=rng.uniform(0, 0.05),
        height=rng.uniform(0.3, 0.55),
    )


def anything(rng: Rng) -> Scene:
    """Several difficulties at once."""
    scene = on_table(rng, str(rng.choice(["none", "wood", "dark", "light"])))
    papers = [WHITE, CREAM, GREY, BLUE_PAPER]
    pens = [BLACK, BLUE, RED]
    return replace(
        scene,
        paper=papers[rng.integers(len(papers))],
        ink=pens[rng.integers(len(pens))],
        ruling=str(rng.choice(["none", "lined", "squared"])),
        spacing=rng.uniform(0.06, 0.14),
        shadow=rng.uniform(0.2, 0.45) * int(rng.integers(0, 2)),
        uneven=rng.uniform(0.1, 0.4),
        finger=bool(rng.integers(0, 2)),
        blur=rng.uniform(0.5, 2),
        noise=rng.uniform(2, 7),
        quality=int(rng.integers(40, 90)),
    )


Law = Callable[[Rng], Scene]
KINDS: dict[str, Law] = {
    "white paper": plain,
    "cream paper": lambda rng: replace(plain(rng), paper=CREAM),
    "grey paper": lambda rng: replace(plain(rng), paper=GREY),
    "blue paper, blue pen": lambda rng: replace(plain(rng), paper=BLUE_PAPER, ink=BLUE),
    "red pen": lambda rng: replace(plain(rng), ink=RED),
    "pencil": lambda rng: replace(plain(rng), ink=PENCIL),
    "chalk on green": lambda rng: replace(plain(rng), paper=BOARD, ink=CHALK, noise=5.0),
    "chalk on black": lambda rng: replace(plain(rng), paper=BLACKBOARD, ink=CHALK, noise=5.0),
    "lined": lambda rng: replace(
        plain(rng), ruling="lined", spacing=rng.uniform(0.06, 0.2), rotation=rng.uniform(-3, 3)
    ),
    "squared": lambda rng: replace(
        plain(rng), ruling="squared", spacing=rng.uniform(0.05, 0.15), rotation=rng.uniform(-3, 3)
    ),
    "squared, pencil": lambda rng: replace(
        plain(rng),
        ruling="squared",
        ink=(110, 110, 114),
        spacing=rng.uniform(0.05, 0.15),
        rotation=rng.uniform(-3, 3),
    ),
    "uneven light": lambda rng: replace(plain(rng), uneven=rng.uniform(0.4, 0.65)),
    "shadow edge": lambda rng: replace(plain(rng), shadow=rng.uniform(0.25, 0.55)),
    "rotated to 10 degrees": lambda rng: replace(plain(rng), rotation=rng.uniform(-10, 10)),
    "perspective": lambda rng: replace(on_table(rng, "wood"), perspective=rng.uniform(0.06, 0.12)),
    "wooden table": lambda rng: on_table(rng, "wood"),
    "dark table": lambda rng: on_table(rng, "dark"),
    "light table": lambda rng: on_table(rng, "light"),
    "finger": lambda rng: replace(plain(rng), finger=True, height=rng.uniform(0.35, 0.5)),
    "JPEG of quality 40": lambda rng: replace(plain(rng), quality=40),
    "blur": lambda rng: replace(plain(rng), blur=rng.uniform(3, 6), side=640),
    "noise": lambda rng: replace(plain(rng), noise=rng.uniform(12, 18)),
    "12 megapixels": lambda rng: replace(
        on_table(rng, "wood"), side=4000, square=False, blur=2.0, noise=6.0
    ),
    "80 pixels": lambda rng: replace(plain(rng), side=80, blur=0.6),
    "40 pixels": lambda rng: replace(plain(rng), side=40, blur=0.4, height=rng.uniform(0.55, 0.75)),
    "several at once": anything,
}


def photograph(mask: Mask, scene: Scene, rng: Rng) -> Picture:
    """The photograph of a scene: RGB, JPEG decoded, of `scene.side` rows.

    Parameters
    ----------
    mask : float32 array of shape (H, W)
        The character's ink, cut to its box.
    scene : Scene
    rng : numpy.random.Generator
        Draws texture, noise and the places of shadow, finger and corners.
    """
    rows, columns = scene.side, scene.side if scene.square else scene.side * 3 // 4
    size = (columns, rows)
    fill = 1.0 if scene.table == "none" else scene.sheet
    sheet = _sheet(mask, scene, (round(rows * fill), round(columns * fill)), rng)
    homography = _homography(sheet.shape[:2], (rows, columns), scene, rng)
    border = cv2.BORDER_REPLICATE if scene.table == "none" else cv2.BORDER_CONSTANT
    inside = np.ones(sheet.shape[:2], np.float32)
    picture = cv2.warpPerspective(sheet, homography, size, flags=cv2.INTER_AREA, borderMode=border)
    if scene.table != "none":
        cover = cv2.warpPerspective(inside, homography, size)[..., None]
        shade = cv2.GaussianBlur(cover, (0, 0), rows / 90)[..., None]
        table = _table(scene.table, (rows, columns), rng) * (1 - 0.25 * shade)
        picture = picture * cover + table * (1 - cover)
    picture = picture.astype(np.float32) * _light(scene, (rows, columns), rng)[..., None]
    if scene.finger:
        _finger(picture, rng)
    return _taken(picture, scene, rng)


def _sheet(mask: Mask, scene: Scene, shape: tuple[int, int], rng: Rng) -> NDArray[np.float32]:
    """The sheet by itself, float32 RGB: paper, rulings, writing."""
    rows, columns = shape
    sheet = np.empty((rows, columns, 3), np.float32)
    sheet[:] = scene.paper
    grain = cv2.resize(
        rng.normal(0, 1, (max(2, rows // 3), max(2, columns // 3))).astype(np.float32),
        (columns, rows),
    )
    sheet += 1.5 * grain[..., None]
    if scene.ruling != "none":
        _rule(sheet, scene, rng)
    height = scene.height * rows
    scale = min(height / mask.shape[0], 0.75 * columns / mask.shape[1])
    box = (max(1, round(mask.shape[1] * scale)), max(1, round(mask.shape[0] * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    ink = np.clip(cv2.resize(mask, box, interpolation=way), 0, 1)
    if scene.paper in (BOARD, BLACKBOARD):  # chalk is rough
        coarse = rng.uniform(0.45, 1.25, (max(2, box[1] // 3), max(2, box[0] // 3)))
        ink = ink * np.clip(cv2.resize(coarse.astype(np.float32), box), 0, 1)
    top = int(np.clip(scene.place[0] * rows - box[1] / 2, 0, rows - box[1]))
    left = int(np.clip(scene.place[1] * columns - box[0] / 2, 0, columns - box[0]))
    part = sheet[top : top + box[1], left : left + box[0]]
    written = np.minimum(part, _colour(scene.ink)) if sum(scene.ink) < sum(scene.paper) else None
    part += ink[..., None] * ((_colour(scene.ink) if written is None else written) - part)
    return sheet


def _rule(sheet: NDArray[np.float32], scene: Scene, rng: Rng) -> None:
    """Draw lines, or squares, with a random beginning; lines of lined paper are horizontal."""
    rows, columns = sheet.shape[:2]
    step = scene.spacing * rows
    width = max(1, round(rows / 320))
    lines = np.zeros((rows, columns), np.float32)
    for at in np.arange(rng.uniform(0, step), rows, step):
        lines[round(at) : round(at) + width] = 1
    if scene.ruling == "squared":
        for at in np.arange(rng.uniform(0, step), columns, step):
            lines[:, round(at) : round(at) + width] = 1
    sheet += lines[..., None] * (np.minimum(_colour(scene.ruling_ink), sheet) - sheet)


def _homography(
    sheet: tuple[int, int], picture: tuple[int, int], scene: Scene, rng: Rng
) -> NDArray[np.float64]:
    """Where the sheet's points lie in the picture: turned, moved, seen from one side."""
    rows, columns = sheet
    corners = np.array([(0, 0), (columns, 0), (columns, rows), (0, rows)], np.float64)
    angle = np.radians(scene.rotation)
    turn = np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    placed = (corners - (columns / 2, rows / 2)) @ turn.T
    placed += rng.uniform(-1, 1, (4, 2)) * scene.perspective * min(sheet)
    middle = np.array(picture[::-1]) / 2
    if scene.table != "none":
        middle += rng.uniform(-0.04, 0.04, 2) * picture[::-1]
    where = (placed + middle).astype(np.float32)
    return np.asarray(cv2.getPerspectiveTransform(corners.astype(np.float32), where))


def _table(kind: str, shape: tuple[int, int], rng: Rng) -> NDArray[np.float32]:
    """A table's surface, float32 RGB."""
    rows, columns = shape
    if kind == "dark":
        surface = np.full((rows, columns, 3), (52, 46, 44), np.float32)
        return surface + rng.normal(0, 2, (rows, columns, 1)).astype(np.float32)
    if kind == "light":
        surface = np.full((rows, columns, 3), (196, 190, 180), np.float32)
        return surface + rng.normal(0, 2, (rows, columns, 1)).astype(np.float32)
    across = max(4, rows // 10)
    streaks = rng.normal(0, 1, (across, max(2, columns // 160))).astype(np.float32)
    fine = rng.normal(0, 1, (max(4, rows // 3), max(2, columns // 60))).astype(np.float32)
    grain = cv2.resize(streaks, (columns, rows), interpolation=cv2.INTER_CUBIC)
    grain = 14 * grain + 7 * cv2.resize(fine, (columns, rows), interpolation=cv2.INTER_LINEAR)
    if rng.integers(0, 2):
        grain = cv2.resize(np.ascontiguousarray(grain.T), (columns, rows))
    return _colour((150, 106, 68)) + grain[..., None] * _colour((1, 0.85, 0.65))


def _light(scene: Scene, shape: tuple[int, int], rng: Rng) -> NDArray[np.float32]:
    """The light at each pixel, 0 to 1: uneven, and a shadow with a soft, straight edge."""
    rows, columns = np.meshgrid(
        np.linspace(-0.5, 0.5, shape[0], dtype=np.float32),
        np.linspace(-0.5, 0.5, shape[1], dtype=np.float32),
        indexing="ij",
    )
    angle = rng.uniform(0, 2 * np.pi)
    along = np.cos(angle) * rows + np.sin(angle) * columns
    light = 1 - scene.uneven * (along + 0.7) / 1.4
    if scene.shadow:
        angle = rng.uniform(0, 2 * np.pi)
        across = np.cos(angle) * rows + np.sin(angle) * columns - rng.uniform(-0.2, 0.2)
        softness = rng.uniform(0.004, 0.03)
        light = light * (1 - scene.shadow / (1 + np.exp(np.clip(-across / softness, -50, 50))))
    return np.asarray(light, np.float32)


def _finger(picture: NDArray[np.float32], rng: Rng) -> None:
    """Lay a finger over an edge of the picture, away from its middle."""
    rows, columns = picture.shape[:2]
    skin = np.zeros((rows, columns), np.float32)
    at = rng.uniform(0.1, 0.9)
    reach = rng.uniform(0.1, 0.2)
    ends = [((0, at), (reach, at)), ((1, at), (1 - reach, at)), ((at, 0), (at, reach))]
    start, end = ends[rng.integers(len(ends))]
    points = [(round(c * columns), round(r * rows)) for r, c in (start, end)]
    cv2.line(skin, points[0], points[1], 1.0, max(2, round(rows * rng.uniform(0.08, 0.14))))
    skin = np.asarray(cv2.GaussianBlur(skin, (0, 0), max(0.5, rows / 200)), np.float32)
    picture += skin[..., None] * (_colour((205, 150, 125)) - picture)


def _taken(picture: NDArray[np.float32], scene: Scene, rng: Rng) -> Picture:
    """What the camera makes of it: blur, noise, eight bits, JPEG."""
    if scene.blur:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), scene.blur), np.float32)
    picture += rng.standard_normal(picture.shape[:2], np.float32)[..., None] * scene.noise
    pixels = np.clip(np.round(picture), 0, 255).astype(np.uint8)
    done, data = cv2.imencode(".jpg", pixels[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, scene.quality))
    assert done
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(decoded[..., ::-1])


def _colour(rgb: tuple[float, float, float]) -> NDArray[np.float32]:
    return np.array(rgb, np.float32)


def scan(mask: Mask) -> Picture:
    """The clean picture of a drawing: black on pure white, with free paper around it."""
    height = 200
    scale = height / mask.shape[0]
    box = (max(1, round(mask.shape[1] * scale)), height)
    ink = np.clip(cv2.resize(mask, box, interpolation=cv2.INTER_CUBIC), 0, 1)
    sheet = np.pad(ink, 60)
    return np.round(255 * (1 - sheet)).astype(np.uint8)


def drawn(character: str, rng: Rng) -> Mask:
    """A character of `STROKES` with a wavering pen, cut to its box."""
    size, pen = 400, rng.uniform(0.05, 0.12)
    canvas = np.zeros((2 * size, 2 * size), np.uint8)
    lean, wide = np.tan(np.radians(rng.uniform(-6, 10))), rng.uniform(0.65, 0.85)
    for stroke in STROKES[character]:
        columns, rows = np.transpose(stroke)
        columns = wide * columns + lean * (0.5 - rows)
        points = size * np.stack([columns, rows], axis=1) + size / 2
        points += rng.normal(0, 0.012 * size, 2)
        fixed = np.round(points * 16).astype(np.int32)
        cv2.polylines(canvas, [fixed], False, 255, max(1, round(pen * size)), cv2.LINE_AA, 4)
    return boxed(canvas.astype(np.float32) / np.float32(255))


def from_pixels(image: NDArray[np.uint8], height: int = 400) -> Mask:
    """A small picture of ink, 255 on 0, as a large mask with smooth, sharp edges."""
    large = cv2.resize(image.astype(np.float32) / 255, (height, height), interpolation=3)
    smooth = cv2.GaussianBlur(large, (0, 0), height / 90)
    return boxed(np.clip((smooth - 0.35) / 0.3, 0, 1).astype(np.float32))


def boxed(mask: Mask) -> Mask:
    """The part of a mask that holds ink."""
    rows, columns = np.flatnonzero((mask > 0.1).any(1)), np.flatnonzero((mask > 0.1).any(0))
    return mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def written_in(font: Path, character: str) -> Mask:
    """A character of a font, cut to its box."""
    image = Image.new("L", (800, 800))
    ImageDraw.Draw(image).text((200, 150), character, fill=255, font=ImageFont.truetype(font, 400))
    return boxed(np.asarray(image, np.float32) / np.float32(255))


def handwriting_fonts() -> list[Path]:
    """Font files that look handwritten, as fontconfig lists them; empty where there are none."""
    program = shutil.which("fc-list")
    if program is None:
        return []
    command = [program, "--format", "%{file}\n"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    files = sorted(set(done.stdout.split("\n")))
    return [Path(file) for file in files if any(name in file.lower() for name in HANDWRITING)]
