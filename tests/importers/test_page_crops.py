"""Boxes on pages in five formats: cut out with a margin, grouped by page, counted if unusable."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inkfold.crew import Crew
from inkfold.dataset.reader import open_dataset
from inkfold.errors import InkfoldError, PictureError
from inkfold.importers import formats
from inkfold.importers.formats import FORMATS, PAGES
from inkfold.importers.page_crops import picture_at
from inkfold.packing.public_set import Importing, import_collection
from inkfold.spec import ImageSpec
from inkfold.workers import InProcess
from tests.worlds.foreign_files import letter_f
from tests.worlds.packing_run import silent
from tests.worlds.pages import (
    SPOTS,
    WRITERS,
    page,
    write_alto,
    write_coco,
    write_picture,
    write_voc,
)
from tests.worlds.reading import refusal

IN_PIXELS = [how for how in WRITERS if how != "yolo"]  # whose boxes are shares of any page


@pytest.mark.parametrize("how", WRITERS)
def test_a_box_without_margin_is_the_letter_on_the_page(tmp_path: Path, how: str) -> None:
    """Each format's boxes are exactly the pixels of the letters, with class, page and place."""
    path = WRITERS[how](tmp_path)
    picture = next(tmp_path.rglob("*.png")).relative_to(tmp_path).as_posix()

    for source in (tmp_path, path):
        collection = formats.read(how, source, margin=0)
        glyphs = list(collection.glyphs())
        assert [collection.classes[glyph.label] for glyph in glyphs] == ["a", "b"]
        assert all(np.array_equal(glyph.pixels, 255 - letter_f()) for glyph in glyphs)
    assert [name for name in FORMATS if FORMATS[name].recognise(tmp_path)] == [how]
    collection = formats.read(how, tmp_path, margin=0)
    assert collection.name == tmp_path.name.lower()
    assert [(glyph.source, glyph.group) for glyph in collection.glyphs()] == [
        (f"{picture}:0", picture),
        (f"{picture}:1", picture),
    ]


@pytest.mark.parametrize("how", WRITERS)
def test_the_margin_is_a_share_of_the_longer_side(tmp_path: Path, how: str) -> None:
    """A quarter of 28 pixels is 7 on each side, clipped at the edge of the page."""
    WRITERS[how](tmp_path)

    first, second = formats.read(how, tmp_path, margin=0.25).glyphs()

    assert np.array_equal(first.pixels, page()[0:40, 3:45])  # 5 rows above are all there are
    assert np.array_equal(second.pixels, page()[13:55, 53:95])


def test_the_margin_of_a_box_that_is_no_square_is_of_its_longer_side(tmp_path: Path) -> None:
    """A box of 28 rows and 14 columns gets 7 pixels on each side for a quarter."""
    path = write_alto(tmp_path)
    path.write_text(path.read_text().replace('WIDTH="28"', 'WIDTH="14"'))
    _, second = formats.read("alto", tmp_path, margin=0.25).glyphs()
    assert np.array_equal(second.pixels, page()[13:55, 53:81])


@pytest.mark.parametrize("how", IN_PIXELS)
def test_a_box_outside_the_page_is_counted_and_stops_no_other(tmp_path: Path, how: str) -> None:
    """A box of which nothing is on the page is left out by name; the others stay."""
    WRITERS[how](tmp_path, SPOTS)
    for path in (*tmp_path.rglob("*.xml"), *tmp_path.rglob("*.json")):
        text = path.read_text()
        for old in ('"bbox": [60, 20', "<xmin>61<", "60,20 87,20", 'HPOS="60"'):
            text = text.replace(old, old.replace("61", "261").replace("60", "260"))
        for old in ("<xmax>88<", "87,47 60,47"):
            text = text.replace(old, old.replace("8", "28", 1).replace("60", "260"))
        path.write_text(text.replace("260,20 87,20", "260,20 287,20"))

    collection = formats.read(how, tmp_path, margin=0)

    assert len(list(collection.glyphs())) == 1
    ((name, reason),) = collection.ignored.first
    assert name.endswith("1.png:1")
    assert reason == "'b': a box outside the page"


@pytest.mark.parametrize("how", IN_PIXELS)
def test_a_page_of_another_size_is_left_out(tmp_path: Path, how: str) -> None:
    """Boxes for a page of 60 x 100 pixels are not cut out of a picture of another size."""
    WRITERS[how](tmp_path)
    (picture,) = tmp_path.rglob("*.png")
    write_picture(picture)
    small = page()[::2, ::2]
    picture.write_bytes(b"P5\n50 30\n255\n" + small.tobytes())

    collection = FORMATS[how].read(tmp_path)

    assert list(collection.glyphs()) == []
    ((_, reason),) = collection.unreadable.first
    assert reason == "the picture has 30 x 50 pixels (rows x columns), its boxes are for 60 x 100"


@pytest.mark.parametrize("how", WRITERS)
def test_a_page_without_its_picture_stops_no_other(tmp_path: Path, how: str) -> None:
    """A picture that is not there, or is none, is named; the next page is read."""
    WRITERS[how](tmp_path / "x")
    WRITERS[how](tmp_path / "y")
    (gone,) = (tmp_path / "x").rglob("*.png")
    gone.unlink()
    collection = FORMATS[how].read(tmp_path)
    assert len(list(collection.glyphs())) == 2
    assert collection.unreadable.count == 1
    assert "is not there" in collection.unreadable.first[0][1]

    gone.write_bytes(b"no picture")
    collection = FORMATS[how].read(tmp_path)
    for _ in range(2):
        assert len(list(collection.glyphs())) == 2
        assert [reason for _, reason in collection.unreadable.first] == [
            "truncated or not a picture"
        ]


@pytest.mark.parametrize("how", WRITERS)
def test_one_class_is_refused(tmp_path: Path, how: str) -> None:
    """Boxes that all have one name are not a set to tell characters apart with."""
    WRITERS[how](tmp_path, [(5, 10, "a"), (20, 60, "a")])
    assert "all 2 boxes are 'a', expected two classes at least" in refusal(how, tmp_path)


@pytest.mark.parametrize("how", WRITERS)
def test_folders_say_the_side(tmp_path: Path, how: str) -> None:
    """Pages in folders train and test are on these sides of the set's own split."""
    for side in ("train", "test"):
        WRITERS[how](tmp_path / side)
    assert sorted(str(g.split) for g in FORMATS[how].read(tmp_path).glyphs()) == [
        *("test", "test"),
        *("train", "train"),
    ]


def test_boxes_become_a_dataset_that_keeps_each_page_in_one_split(tmp_path: Path) -> None:
    """The page is the group, the margin is recorded, and what was left out is reported."""
    for number in range(6):
        write_voc(tmp_path / "in" / f"p{number}", SPOTS)
    next((tmp_path / "in").rglob("*.png")).write_bytes(b"no picture")
    output = tmp_path / "d.h5"

    report = import_collection(
        formats.read("voc", tmp_path / "in", margin=0.2),
        output,
        Importing(format="voc", spec=ImageSpec(size=12), margin_around=0.2),
        crew=Crew(InProcess(), lambda: 1),
        overwrite=False,
        progress=silent,
    )

    assert report.unreadable.count == 1
    with open_dataset(output) as dataset:
        assert dataset.classes == ("a", "b")
        assert dataset.provenance["options"]["margin_around"] == 0.2
        assert dataset.provenance["counts"]["unreadable"] == 1
        parts = dataset.train, dataset.validation, dataset.test
        homes = [set(part.group or ()) for part in parts]
        assert sum(map(len, homes)) == 5, "no page is in two splits"
        assert dataset.train.images[:].max() > 200, "ink is light on dark in a dataset"


def test_a_picture_s_name_leads_out_of_no_folder(tmp_path: Path) -> None:
    """An absolute name, and one with two dots, are looked for by their last part alone."""
    inside = write_picture(tmp_path / "in/1.png")
    write_picture(tmp_path / "2.png")
    for name in ("1.png", "/somewhere/1.png", "../../1.png", "C:\\scans\\1.png"):
        assert picture_at([tmp_path / "in"], name) == inside
    write_picture(tmp_path / "other/1.png")
    with pytest.raises(PictureError, match=r"in/1.png and other/1.png may each be its picture"):
        picture_at([tmp_path / "in", tmp_path / "other"], "1.png")
    with pytest.raises(PictureError, match=r"'x/1\.png' is not there"):
        picture_at([tmp_path / "in"], "x/1.png")
    write_coco(tmp_path / "set")
    path = tmp_path / "set/annotations/instances.json"
    path.write_text(path.read_text().replace("1.png", "../../2.png"))
    assert "its picture '../../2.png' is not there" in refusal("coco", tmp_path / "set")


def test_every_format_on_pages_is_tested_here() -> None:
    """The margin's option is for the formats that these tests write."""
    assert set(PAGES) == set(WRITERS)


def test_a_margin_is_refused_by_formats_without_boxes(tmp_path: Path) -> None:
    """An option that would do nothing is a mistake."""
    with pytest.raises(InkfoldError, match=r"--margin-around is for coco, yolo, voc, page-xml, al"):
        formats.read("idx", tmp_path, margin=0.2)
