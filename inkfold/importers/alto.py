"""ALTO XML: the boxes of glyphs on scanned pages, as libraries keep them."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element

from inkfold.errors import PictureError
from inkfold.importers.collection import Collection
from inkfold.importers.page_crops import (
    MARGIN,
    Box,
    Page,
    picture_at,
)
from inkfold.importers.xml_files import number_in, parsed, text_of
from inkfold.importers.xml_pages import FOLDERS, lines_alone, page_of, xml_set, xml_with_root

ROOT = "alto"


def recognise(source: Path) -> str | None:
    """Why `source` seems to be ALTO XML; None if it does not."""
    name = xml_with_root(source, ROOT)
    return name and f"{name} has the root <alto> of ALTO XML"


def read(source: Path, margin: float = MARGIN) -> Collection:
    """Make a set of the glyphs in the ALTO files at `source`.

    Parameters
    ----------
    source : Path
        An ALTO file, or a folder with ALTO files in it or in folders in it.
    margin : float
        Around each box, as a share of its longer side.

    Raises
    ------
    InkfoldError
        If there is no ALTO file, or no glyph with content.
    """
    return xml_set("alto", source, ROOT, _page, margin)


def _page(source: Path, path: Path) -> Page:
    """One ALTO file; raises PictureError if it is torn, not in pixels, or without its picture."""
    root = parsed(path)
    unit = text_of(root, "Description", "MeasurementUnit") or "pixel"
    if unit != "pixel":
        raise PictureError(f"its boxes are measured in {unit}, expected pixel")
    pages = list(root.iter("Page"))
    if len(pages) != 1:
        raise PictureError(f"{len(pages)} elements <Page>, expected one")
    name = text_of(root, "Description", "sourceImageInformation", "fileName")
    picture = picture_at((path.parent / folder for folder in FOLDERS), name)
    found: list[Box | str] = [_box(glyph) for glyph in pages[0].iter("Glyph")]
    found += lines_alone(pages[0], glyphs=len(found))
    sides = number_in(pages[0].get("HEIGHT")), number_in(pages[0].get("WIDTH"))
    return page_of(source, path, picture, found, sides)


def _box(glyph: Element) -> Box | str:
    """The box of a glyph; the reason if it has none."""
    name, where = glyph.get("CONTENT", "").strip(), glyph.get("ID", "a glyph")
    if not name:
        return f"{where}: no content"
    sides = ("VPOS", "HPOS", "HEIGHT", "WIDTH")
    top, left, height, width = (number_in(glyph.get(side)) for side in sides)
    if top is None or left is None or height is None or width is None:
        return f"{where}: no box"
    return Box(top=top, left=left, bottom=top + height, right=left + width, name=name)
