"""Pages that XML files describe, one a file: finding the files, and reading one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from xml.etree.ElementTree import Element

from inkfold.errors import PictureError
from inkfold.identity import Identity
from inkfold.importers.collection import Collection
from inkfold.importers.files import GLANCE, files_below, nothing_at
from inkfold.importers.page_crops import Box, Page, Unread, crops, name_under, side_under
from inkfold.importers.xml_files import xml_root

LOOK = 100  # files that are looked into to recognise a format
FOLDERS = ("", "..", "../images", "../img", "images")  # of the pictures, from the XML file's

Reader = Callable[[Path, Path], Page]  # of the source and an XML file in it


def xml_with_root(source: Path, root: str) -> str | None:
    """The name of an XML file at a source whose root element is called `root`; None if none is."""
    paths = islice(files_below(source, ".xml", GLANCE), LOOK)
    return next((path.name for path in paths if xml_root(path) == root), None)


def xml_set(name: str, source: Path, root: str, page: Reader, margin: float) -> Collection:
    """Make a set of the boxes in the XML files at `source`, and in the folders in it.

    Files with another root element belong to something else; files without one are named as
    unreadable.

    Parameters
    ----------
    name : str
        Of the format.
    source : Path
    root : str
        The local name of the root element.
    page : callable
        Reads one file, or raises PictureError.
    margin : float
        Around each box, as a share of its longer side.

    Raises
    ------
    InkfoldError
        If there is no such file, or there are no boxes of two classes.
    """
    paths = [path for path in files_below(source, ".xml") if xml_root(path) in (root, None)]
    if not any(xml_root(path) == root for path in paths):
        raise nothing_at(source, f"no file of {name} here", f"XML files with the root <{root}>")
    files = tuple(map(Identity.of, paths))
    return crops(partial(_pages, source, paths, page), margin, source=source, files=files)


def page_of(
    source: Path,
    path: Path,
    picture: Path,
    found: Sequence[Box | str],
    sides: tuple[float | None, float | None],
) -> Page:
    """The page that an XML file describes.

    Parameters
    ----------
    source, path, picture : Path
        The set, the XML file, and the page's picture.
    found : sequence of Box or str
        The boxes, and why others are left out.
    sides : tuple of two floats or None
        Height and width of the picture in pixels, as the file says them.
    """
    height, width = sides
    return Page(
        name=name_under(source, picture),
        picture=picture,
        boxes=tuple(box for box in found if isinstance(box, Box)),
        left_out=tuple(box for box in found if isinstance(box, str)),
        size=(int(height), int(width)) if width and height else None,
        split=side_under(source, path),
    )


def lines_alone(page: Element, *, glyphs: int) -> tuple[str, ...]:
    """What is left out of a page that has lines of text, but no glyphs in them."""
    lines = 0 if glyphs else sum(1 for _ in page.iter("TextLine"))
    reason = f"no glyphs in its lines of text ({lines:,}), and lines are no characters"
    return (reason,) if lines else ()


def _pages(source: Path, paths: list[Path], page: Reader) -> Iterator[Page | Unread]:
    for path in paths:
        try:
            yield page(source, path)
        except PictureError as error:
            yield Unread(name_under(source, path), str(error))
