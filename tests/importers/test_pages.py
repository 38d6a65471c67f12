"""What each format on pages says in its own way, and which of its boxes are left out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from inkfold.importers import formats
from inkfold.importers.formats import FORMATS
from tests.worlds.pages import (
    SPOTS,
    write_alto,
    write_coco,
    write_page_xml,
    write_picture,
    write_voc,
    write_yolo,
)
from tests.worlds.reading import refusal


def left_out(how: str, source: Path) -> list[str]:
    """Why boxes were left out, after all pictures are read."""
    collection = FORMATS[how].read(source)
    list(collection.glyphs())
    return [reason for _, reason in collection.ignored.first]


def test_boxes_of_coco_that_are_none_are_named(tmp_path: Path) -> None:
    """A crowd, an unknown category, no numbers and an empty box are left out with reasons."""
    path = write_coco(tmp_path)
    told: dict[str, Any] = json.loads(path.read_text())
    more: list[dict[str, Any]] = [
        {"category_id": 1, "bbox": [1, 1, 9, 9], "iscrowd": 1},
        {"category_id": 9, "bbox": [1, 1, 9, 9]},
        {"category_id": 1, "bbox": [1, 1, "9", 9]},
        {"category_id": 1, "segmentation": []},
        {"category_id": 2, "bbox": [1, 1, 0, 9]},
    ]
    told["annotations"] += [{"image_id": 7} | each for each in more]
    told["annotations"].append({"image_id": 8, "category_id": 1, "bbox": [1, 1, 9, 9]})
    path.write_text(json.dumps(told))

    assert left_out("coco", tmp_path) == [
        "'a': a crowd, not a single character",
        "category 9 is not listed",
        "'a': no box",
        "'a': no box",
        "'b': an empty box",
    ]
    collection = FORMATS["coco"].read(tmp_path)
    list(collection.glyphs())
    assert collection.unreadable.first == [("image 8", "1 boxes of a picture that is not listed")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": 3}, "no list 'images'; expected images, annotations, categories"),
        ({"images": [{"id": 1}]}, "images[0] lacks one of id, file_name"),
        ({"categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "a"}]}, "two categories have"),
        ({"annotations": []}, "no box, expected two classes at least"),
    ],
)
def test_a_file_that_is_not_built_as_coco_is_refused(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    """Lists and fields that are needed are checked before any picture is read."""
    path = write_coco(tmp_path)
    whole = path.read_text()
    path.write_text(json.dumps(json.loads(whole) | change))
    assert message in refusal("coco", tmp_path)
    path.write_text(whole[:-3])
    assert "instances.json: no JSON, or torn" in refusal("coco", tmp_path)


def test_the_name_of_a_coco_file_says_its_side(tmp_path: Path) -> None:
    """instances_train2017.json is train, and its pictures may lie in train2017."""
    path = write_coco(tmp_path)
    (tmp_path / "images").rename(tmp_path / "train2017")
    path.rename(path.with_name("instances_train2017.json"))
    assert [glyph.split for glyph in FORMATS["coco"].read(tmp_path).glyphs()] == ["train", "train"]


def test_lines_of_yolo_that_are_no_boxes_are_named(tmp_path: Path) -> None:
    """Polygons, pixels in place of shares, and classes without a name are left out."""
    path = write_yolo(tmp_path)
    path.write_text(
        path.read_text() + "0 0.1 0.1 0.2 0.1 0.2 0.2\n0 50 20 28 28\n7 0.5 0.5 0.1 0.1\nx\n"
    )
    assert left_out("yolo", tmp_path) == [
        "line 3 has 7 fields, expected a class and a box: 5",
        "line 4: a box of 50 20 28 28, expected shares of the page from 0 to 1",
        "line 5: class '7' has no name",
        "line 6 has 1 fields, expected a class and a box: 5",
    ]


def test_text_files_of_yolo_may_lie_beside_their_pictures(tmp_path: Path) -> None:
    """Without folders images and labels each text file belongs to the picture of its name."""
    path = write_yolo(tmp_path / "x")
    flat = tmp_path / "flat"
    write_picture(flat / "1.png")
    (flat / "1.txt").write_text(path.read_text())
    (flat / "notes.txt").write_text("of no picture")
    (flat / "data.yaml").write_text("names: [a, b]\n")

    assert len(list(FORMATS["yolo"].read(flat).glyphs())) == 2
    (flat / "data.yaml").unlink()
    assert "nothing says what its classes are called; put classes.txt" in refusal("yolo", flat)
    (flat / "classes.txt").write_text("a\nb\n")
    (flat / "1.JPG").write_bytes(b"")
    assert "1.JPG and 1.png may each be its picture" in refusal("yolo", flat)


def test_objects_of_voc_that_are_none_are_named(tmp_path: Path) -> None:
    """An object without name or box, and one that ends before it begins, are left out."""
    path = write_voc(tmp_path)
    box = "<bndbox><xmin>9</xmin><ymin>9</ymin><xmax>8</xmax><ymax>20</ymax></bndbox>"
    more = f"<object>{box}</object><object><name>a</name></object>"
    more += f"<object><name>b</name>{box}</object></annotation>"
    path.write_text(path.read_text().replace("</annotation>", more))
    assert left_out("voc", tmp_path) == [
        "an object without a name",
        "'a': an object without a box",
        "'b': an empty box",
    ]


def test_glyphs_of_page_xml_have_the_text_of_the_smallest_index(tmp_path: Path) -> None:
    """A glyph may have several readings; one without text or outline is left out by its name."""
    path = write_page_xml(tmp_path)
    readings = (
        '<TextEquiv index="2"><Unicode>x</Unicode></TextEquiv>'
        '<TextEquiv index="1"><Unicode> ж </Unicode></TextEquiv>'
    )
    old = '<Coords><Point x="60" y="20"/><Point x="87" y="47"/></Coords>'  # as in 2010
    more = f'<Glyph id="n">{old}</Glyph><Glyph id="m">{readings}</Glyph>'
    more += f'<Glyph id="o">{old}{readings}</Glyph></Word>'
    path.write_text(path.read_text().replace("</Word>", more), encoding="utf-8")

    collection = formats.read("page-xml", tmp_path, margin=0)

    assert collection.classes == ("a", "b", "ж")
    shapes = [glyph.pixels.shape for glyph in collection.glyphs()]
    assert shapes == [(28, 28)] * 3
    assert [reason for _, reason in collection.ignored.first] == ["n: no text", "m: no outline"]


def test_alto_that_is_not_measured_in_pixels_is_refused(tmp_path: Path) -> None:
    """Tenths of a millimetre are no pixels; two pages in a file have no picture each."""
    path = write_alto(tmp_path)
    whole = path.read_text()
    path.write_text(whole.replace(">pixel<", ">mm10<"))
    assert "its boxes are measured in mm10, expected pixel" in refusal("alto", tmp_path)
    path.write_text(whole.replace("</Layout>", "<Page/></Layout>"))
    assert "2 elements <Page>, expected one" in refusal("alto", tmp_path)
    more = '<Glyph ID="x" CONTENT="a"/><Glyph ID="y" HPOS="1" VPOS="1" WIDTH="1" HEIGHT="1"/>'
    path.write_text(whole.replace("</String>", f"{more}</String>"))
    assert left_out("alto", tmp_path) == ["x: no box", "y: no content"]


def test_lines_without_glyphs_are_no_characters(tmp_path: Path) -> None:
    """A page of text lines alone is refused with that reason."""
    path = write_page_xml(tmp_path)
    path.write_text(re.sub("<Word>.*</Word>", "", path.read_text()))
    assert "the first is '1.png' (no glyphs in its lines of text (1), and" in refusal(
        "page-xml", tmp_path
    )


def test_a_second_page_has_its_own_group(tmp_path: Path) -> None:
    """Two pages are two groups, each known by its picture's path under the source."""
    for name in ("x", "y"):
        write_alto(tmp_path / name, SPOTS)
    groups = [glyph.group for glyph in FORMATS["alto"].read(tmp_path).glyphs()]
    assert groups == ["x/1.png", "x/1.png", "y/1.png", "y/1.png"]
