"""Scanned pages with two letters, and the files that say where they are, in five formats."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.worlds.foreign_files import SIDE, letter_f

ROWS, COLUMNS = 60, 100
Spot = tuple[int, int, str]  # row and column of the upper left corner of a letter, and its class
SPOTS: tuple[Spot, ...] = ((5, 10, "a"), (20, 60, "b"))


def page(spots: Sequence[Spot] = SPOTS) -> NDArray[np.uint8]:
    """A white page, uint8 (60, 100), with a dark letter F of 28 x 28 pixels at each spot."""
    whole = np.full((ROWS, COLUMNS), 255, np.uint8)
    for row, column, _ in spots:
        whole[row : row + SIDE, column : column + SIDE] = 255 - letter_f()
    return whole


def write_picture(path: Path, spots: Sequence[Spot] = SPOTS) -> Path:
    """Write the page as a PNG file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", page(spots))[1].tobytes())
    return path


def write_coco(folder: Path, spots: Sequence[Spot] = SPOTS) -> Path:
    """Write annotations/instances.json and images/1.png."""
    write_picture(folder / "images/1.png", spots)
    names = sorted({name for *_, name in spots})
    (folder / "annotations").mkdir(exist_ok=True)
    path = folder / "annotations/instances.json"
    told = {
        "images": [{"id": 7, "file_name": "1.png", "height": ROWS, "width": COLUMNS}],
        "categories": [{"id": at, "name": name} for at, name in enumerate(names, 1)],
        "annotations": [
            {"image_id": 7, "category_id": names.index(name) + 1, "bbox": [column, row, SIDE, SIDE]}
            for row, column, name in spots
        ],
    }
    path.write_text(json.dumps(told))
    return path


def write_yolo(folder: Path, spots: Sequence[Spot] = SPOTS) -> Path:
    """Write classes.txt, labels/1.txt and images/1.png."""
    write_picture(folder / "images/1.png", spots)
    names = sorted({name for *_, name in spots})
    (folder / "classes.txt").write_text("".join(f"{name}\n" for name in names))
    (folder / "labels").mkdir(exist_ok=True)
    path = folder / "labels/1.txt"
    half = SIDE / 2
    path.write_text(
        "".join(
            f"{names.index(name)} {(column + half) / COLUMNS} {(row + half) / ROWS} "
            f"{SIDE / COLUMNS} {SIDE / ROWS}\n"
            for row, column, name in spots
        )
    )
    return path


def write_voc(folder: Path, spots: Sequence[Spot] = SPOTS) -> Path:
    """Write Annotations/1.xml and JPEGImages/1.png."""
    write_picture(folder / "JPEGImages/1.png", spots)
    (folder / "Annotations").mkdir(exist_ok=True)
    path = folder / "Annotations/1.xml"
    objects = "".join(
        f"<object><name>{name}</name><bndbox><xmin>{column + 1}</xmin><ymin>{row + 1}</ymin>"
        f"<xmax>{column + SIDE}</xmax><ymax>{row + SIDE}</ymax></bndbox></object>"
        for row, column, name in spots
    )
    path.write_text(
        f"<annotation><filename>1.png</filename><size><width>{COLUMNS}</width>"
        f"<height>{ROWS}</height></size>{objects}</annotation>"
    )
    return path


def write_page_xml(folder: Path, spots: Sequence[Spot] = SPOTS) -> Path:
    """Write page/1.xml and 1.png."""
    write_picture(folder / "1.png", spots)
    (folder / "page").mkdir(exist_ok=True)
    path = folder / "page/1.xml"
    last = SIDE - 1
    glyphs = "".join(
        f'<Glyph id="g{at}"><Coords points="{column},{row} {column + last},{row} '
        f'{column + last},{row + last} {column},{row + last}"/>'
        f"<TextEquiv><Unicode>{name}</Unicode></TextEquiv></Glyph>"
        for at, (row, column, name) in enumerate(spots)
    )
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15">'
        f'<Page imageFilename="1.png" imageWidth="{COLUMNS}" imageHeight="{ROWS}"><TextRegion>'
        f"<TextLine><Word>{glyphs}</Word></TextLine></TextRegion></Page></PcGts>",
        encoding="utf-8",
    )
    return path


def write_alto(folder: Path, spots: Sequence[Spot] = SPOTS) -> Path:
    """Write 1.xml and 1.png."""
    write_picture(folder / "1.png", spots)
    path = folder / "1.xml"
    glyphs = "".join(
        f'<Glyph ID="g{at}" HPOS="{column}" VPOS="{row}" WIDTH="{SIDE}" HEIGHT="{SIDE}" '
        f'CONTENT="{name}"/>'
        for at, (row, column, name) in enumerate(spots)
    )
    path.write_text(
        '<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#"><Description>'
        "<MeasurementUnit>pixel</MeasurementUnit><sourceImageInformation>"
        "<fileName>1.png</fileName></sourceImageInformation></Description><Layout>"
        f'<Page WIDTH="{COLUMNS}" HEIGHT="{ROWS}"><PrintSpace><String>{glyphs}</String>'
        "</PrintSpace></Page></Layout></alto>"
    )
    return path


WRITERS = {
    "coco": write_coco,
    "yolo": write_yolo,
    "voc": write_voc,
    "page-xml": write_page_xml,
    "alto": write_alto,
}
