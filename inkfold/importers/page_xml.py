"""PAGE XML: the outlines of glyphs on scanned pages, as layout tools and archives write them."""

from __future__ import annotations

import re
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
from inkfold.importers.xml_files import number_in, parsed
from inkfold.importers.xml_pages import FOLDERS, lines_alone, page_of, xml_set, xml_with_root

ROOT = "PcGts"
POINT = re.compile(r"(-?[\d.]+),(-?[\d.]+)")


def recognise(source: Path) -> str | None:
    """Why `source` seems to be PAGE XML; None if it does not."""
    name = xml_with_root(source, ROOT)
    return name and f"{name} has the root <PcGts> of PAGE XML"


def read(source: Path, margin: float = MARGIN) -> Collection:
    """Make a set of the glyphs in the PAGE files at `source`.

    Parameters
    ----------
    source : Path
        A PAGE file, or a folder with PAGE files in it or in folders in it.
    margin : float
        Around each box, as a share of its longer side.

    Raises
    ------
    InkfoldError
        If there is no PAGE file, or no glyph with text.
    """
    return xml_set("page-xml", source, ROOT, _page, margin)


def _page(source: Path, path: Path) -> Page:
    """One PAGE file; raises PictureError if it is torn or its picture is not there."""
    page = parsed(path).find("Page")
    if page is None:
        raise PictureError("no element <Page>")
    picture = picture_at(
        (path.parent / folder for folder in FOLDERS), page.get("imageFilename", "")
    )
    found: list[Box | str] = [_box(glyph) for glyph in page.iter("Glyph")]
    found += lines_alone(page, glyphs=len(found))
    sides = number_in(page.get("imageHeight")), number_in(page.get("imageWidth"))
    return page_of(source, path, picture, found, sides)


def _box(glyph: Element) -> Box | str:
    """The box around a glyph's outline; the reason if it has none.

    Of several texts the one with the smallest index is taken, as the format says.
    """
    texts = sorted(glyph.findall("TextEquiv"), key=lambda each: number_in(each.get("index")) or 0)
    name = ((texts[0].findtext("Unicode") if texts else "") or "").strip()
    where = glyph.get("id", "a glyph")
    if not name:
        return f"{where}: no text"
    points = _points(glyph.find("Coords"))
    if not points:
        return f"{where}: no outline"
    rows, columns = [row for row, _ in points], [column for _, column in points]
    return Box(
        top=min(rows),
        left=min(columns),
        bottom=max(rows) + 1,  # the outline's pixels belong to the glyph
        right=max(columns) + 1,
        name=name,
    )


def _points(coords: Element | None) -> list[tuple[float, float]]:
    """The rows and columns of an outline: an attribute, or in older files an element a point."""
    if coords is None:
        return []
    pairs = POINT.findall(coords.get("points", ""))
    pairs = pairs or [(each.get("x"), each.get("y")) for each in coords.findall("Point")]
    numbers = [(number_in(y), number_in(x)) for x, y in pairs]
    return [(row, column) for row, column in numbers if row is not None and column is not None]
