"""XML of strangers: no entity is expanded, and a torn page stops no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkfold.errors import PictureError
from inkfold.importers.formats import FORMATS
from inkfold.importers.xml_files import parsed, xml_root
from tests.worlds.pages import write_alto, write_page_xml
from tests.worlds.reading import refusal

BOMB = '<!DOCTYPE alto [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>'


def test_a_doctype_is_refused_before_anything_is_expanded(tmp_path: Path) -> None:
    """Internal and external entities are not read, wherever they point."""
    path = tmp_path / "1.xml"
    for text in (f"{BOMB}<alto>&b;</alto>", '<!DOCTYPE alto SYSTEM "file:///etc/hostname"><alto/>'):
        path.write_text(text)
        assert xml_root(path) == "alto"
        with pytest.raises(PictureError, match="a DOCTYPE, which is not read; remove it"):
            parsed(path)
    path = write_alto(tmp_path)
    path.write_text(BOMB + path.read_text())
    assert "the first is '1.xml' (a DOCTYPE, which is not read" in refusal("alto", tmp_path)


def test_names_are_local_and_encodings_are_those_of_the_file(tmp_path: Path) -> None:
    """A prefix of a namespace is dropped, and text is decoded as the file says."""
    path = tmp_path / "1.xml"
    path.write_bytes(
        '<?xml version="1.0" encoding="UTF-16"?><p:a xmlns:p="u"><p:b>ж</p:b></p:a>'.encode(
            "utf-16"
        )
    )
    assert parsed(path).findtext("b") == "ж"


@pytest.mark.parametrize("text", ["", "<a>", "no xml", '<?xml version="1.0" encoding="x-y"?><a/>'])
def test_what_is_no_xml_is_an_error_of_the_page(tmp_path: Path, text: str) -> None:
    """An empty file, a torn one, text, and an unknown encoding are told by one error."""
    (tmp_path / "1.xml").write_text(text)
    with pytest.raises(PictureError, match="no XML"):
        parsed(tmp_path / "1.xml")


def test_a_torn_page_is_named_and_files_of_another_root_are_passed_over(tmp_path: Path) -> None:
    """One of two pages ends too early; METS files beside pages are no pages."""
    write_page_xml(tmp_path / "x")
    torn = write_page_xml(tmp_path / "y")
    torn.write_text(torn.read_text()[:-40])
    (tmp_path / "mets.xml").write_text("<mets/>")
    (tmp_path / "broken.xml").write_text("no element at all")

    collection = FORMATS["page-xml"].read(tmp_path)

    assert len(list(collection.glyphs())) == 2
    names = [name for name, _ in collection.unreadable.first]
    assert names == ["broken.xml", "y/page/1.xml"]
