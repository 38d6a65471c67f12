"""Where the label of a CSV file is: its heading says it, its values show it, or a user names it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from inkfold.errors import InkfoldError
from inkfold.importers import formats
from inkfold.importers.collection import Collection
from inkfold.importers.formats import FORMATS
from tests.worlds.foreign_files import SIDE, csv_lines, letters
from tests.worlds.reading import described, refusal

PIXELS = [f"pixel{at}" for at in range(SIDE**2)]


def lines(*columns: list[str], heading: list[str] | None = None, separator: str = ",") -> str:
    """A CSV text: a field of each of `columns` in each line; None stands for the pictures."""
    rows = [separator.join(fields) for fields in zip(*columns, strict=True)]
    if heading is not None:
        rows.insert(0, separator.join(heading))
    return "".join(f"{row}\n" for row in rows)


def pixels(count: int, separator: str = ",") -> list[str]:
    """The pixels of so many letters F as fields."""
    rows = letters(count).reshape(count, -1).tolist()
    return [separator.join(map(str, row)) for row in rows]


def classes_in(collection: Collection) -> list[str]:
    """The class of each picture, all of which must be upright letters F."""
    return [name for name, *_ in described(collection)]


@pytest.mark.parametrize(
    "name", ["label", "Class", "target", "character", "symbol", "y", '"label"']
)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_heading_says_where_the_label_is(tmp_path: Path, name: str, separator: str) -> None:
    """A column with the name of a label is the label: first, last or in the middle."""
    path = tmp_path / "mine.csv"
    labels, whole = ["3", "1", "3"], pixels(3, separator)
    left = [separator.join(row.split(separator)[:100]) for row in whole]
    right = [separator.join(row.split(separator)[100:]) for row in whole]
    for columns, heading in (
        ([labels, whole], [name, *PIXELS]),
        ([whole, labels], [*PIXELS, name]),
        ([left, labels, right], [*PIXELS[:100], name, *PIXELS[100:]]),
    ):
        path.write_text(lines(*columns, heading=heading, separator=separator))
        assert FORMATS["csv"].recognise(path)
        assert classes_in(FORMATS["csv"].read(path)) == labels


def test_a_column_that_numbers_the_lines_is_left_out_and_named(tmp_path: Path) -> None:
    """An index, with a name or none, is neither label nor pixel; a note says so."""
    path = tmp_path / "mine.csv"
    for index in ("id", "Unnamed: 0", "index", ""):
        heading = [index, *PIXELS, "class"]
        path.write_text(lines(["7", "8", "9"], pixels(3), ["1", "0", "1"], heading=heading))
        collection = FORMATS["csv"].read(path)
        assert classes_in(collection) == ["1", "0", "1"]
        (note,) = collection.notes
        assert note.startswith(
            "mine.csv: the label is column 'class', 786 of 786; left out: column"
        )


def test_texts_are_classes(tmp_path: Path) -> None:
    """Labels that are texts are the classes, sorted; a comma between quotation marks is one."""
    path = tmp_path / "mine.csv"
    path.write_text(
        lines(pixels(3), ["ж", '","', "ж"], heading=[*PIXELS, "character"]), encoding="utf-8"
    )

    collection = FORMATS["csv"].read(path)

    assert collection.classes == (",", "ж")
    assert classes_in(collection) == ["ж", ",", "ж"]


def test_pixels_named_by_row_and_column_need_no_square(tmp_path: Path) -> None:
    """Columns called 1x1, 1x2... are put in that order, and other columns are left out."""
    path = tmp_path / "mine.csv"
    path.write_text("2x1,1x1,label,1x2,2x2,1x3,2x3,writer\n4,1,a,2,5,3,6,x\n4,1,b,2,5,3,6,y\n")

    glyphs = list(FORMATS["csv"].read(path).glyphs())

    assert np.array_equal(glyphs[0].pixels, [[1, 2, 3], [4, 5, 6]])


def test_without_a_heading_the_values_show_the_label_that_stands_last(tmp_path: Path) -> None:
    """A corner that is black in nearly every picture is no label; MNIST with its label last reads.

    The same holds for a heading that names nothing.
    """
    path, labels = tmp_path / "mine.csv", ["0", "1", "2", "1", "0"]
    for heading in (None, [f"0.{at}" for at in range(SIDE**2 + 1)]):
        path.write_text(lines(pixels(5), labels, heading=heading))
        collection = FORMATS["csv"].read(path)
        assert classes_in(collection) == labels
        assert collection.notes == ("mine.csv: the label is column 785 of 785",) or heading


def small(corner: list[int], label: list[int]) -> str:
    """Lines without a heading: pictures of 2 x 2 that begin with `corner`, and the label last."""
    return "".join(f"{a},200,7,0,{b}\n" for a, b in zip(corner, label, strict=True))


@pytest.mark.parametrize("paper", [0, 255])
def test_a_corner_of_few_greys_is_paper_where_most_lines_have_it(
    tmp_path: Path, paper: int
) -> None:
    """Nine corners of ten are paper and one is not: the other end is the label."""
    path = tmp_path / "mine.csv"
    corner = [paper] * 18 + [1, 2] if paper == 0 else [paper] * 18 + [254, 253]
    labels = [at % 3 for at in range(20)]
    for first, last in ((corner, labels), (labels, corner)):
        path.write_text(small(first, last))
        assert [glyph.label for glyph in FORMATS["csv"].read(path).glyphs()] == labels


def test_two_possible_readings_are_refused_until_the_user_chooses(tmp_path: Path) -> None:
    """Where first and last column may both be labels, both are named, and an option decides."""
    path = tmp_path / "mine.csv"
    path.write_text(small([0, 1, 2, 1], [1, 0, 1, 2]))

    message = refusal("csv", path)

    assert "its label may be the first column (3 different values: 0, 1, 2) or the last" in message
    assert "--label-column first or --label-column last" in message
    for option, classes in (("first", [0, 1, 2, 1]), ("last", [1, 0, 1, 2]), ("5", [1, 0, 1, 2])):
        collection = formats.read("csv", path, label_column=option)
        assert [glyph.label for glyph in collection.glyphs()] == classes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("label,class,a,b,c,d\n1,2,0,0,0,0\n", "column 'label', 1 of 6 and column 'class', 2 of 6"),
        ("label,a,b,c\n1,0,0,0\n2,0,0,0\n", "4 fields"),
        ("label,1x1,1x1,1x2,2x1\n1,0,0,0,9\n", "two columns of one name"),
        # pictures of one class whose corners are not all black
        (small([0] * 18 + [9, 200], [5] * 20), "neither the first column (3 different values: 0"),
        (small([5] * 20, [0] * 18 + [9, 200]), "neither the first column (1 different values: 5)"),
        (small([0] * 20, [0] * 18 + [9, 200]), "neither the first column (1 different values: 0)"),
        (small([5] * 20, [0, 1, 2, 3] * 5), "neither the first column (1 different values: 5)"),
        (small([0, 0, 0], [4, 4, 4]), "neither the first column (1 different values: 0) nor"),
        (
            "label,a,b,c,d\n4,0,0,0,0\n4,0,0,0,9\n",
            "all 2 pictures have the label '4', expected two",
        ),
        ("label,a,b,c,d\n4,0,0,0,0\n,0,0,0,9\n", "line 3 begins with b',0,0,0,9"),
        ("label,a,b,c,d\n4,0,0,0,0\n4.5,0,0,0,9\n", "line 3 begins with b'4.5'"),
    ],
)
def test_what_is_no_label_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """Two labels, one class, columns that are no picture, and values that are no label."""
    path = tmp_path / "mine.csv"
    path.write_text(text)
    assert message in refusal("csv", path)


def test_a_user_names_a_column_of_the_heading(tmp_path: Path) -> None:
    """A name is looked for before a place: a column may be called last, or 2."""
    path = tmp_path / "mine.csv"
    path.write_text("last,a,b,c,2\n1,200,0,0,0\n0,200,0,0,1\n1,200,0,0,2\n")
    for option, labels in (("LAST", [1, 0, 1]), ("2", [0, 1, 2]), ("5", [0, 1, 2])):
        collection = formats.read("csv", path, label_column=option)
        assert [glyph.label for glyph in collection.glyphs()] == labels


def test_of_two_labels_the_one_that_is_not_named_is_no_pixel(tmp_path: Path) -> None:
    """A file with the columns label and class is read by either, and the other is left out."""
    path = tmp_path / "mine.csv"
    path.write_text("label,class,a,b,c,d\n1,5,200,0,0,0\n0,6,200,0,0,1\n")
    for option, names in (("label", ["1", "0"]), ("class", ["5", "6"])):
        collection = formats.read("csv", path, label_column=option)
        glyphs = list(collection.glyphs())
        assert [collection.classes[glyph.label] for glyph in glyphs] == names
        assert glyphs[0].pixels.tolist() == [[200, 0], [0, 0]]


def test_one_number_in_two_ways_is_one_class(tmp_path: Path) -> None:
    """7, 07 and 7.0 are the number 7."""
    path = tmp_path / "mine.csv"
    path.write_text(lines(["7", "07", "7.0", "2"], pixels(4), heading=["label", *PIXELS]))
    assert classes_in(FORMATS["csv"].read(path)) == ["7", "7", "7", "2"]


def test_a_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """The option names a column of the file, and only formats that leave it open take it."""
    path = tmp_path / "mine.csv"
    path.write_text(csv_lines([1, 0]))
    with pytest.raises(InkfoldError, match=r"no column 'kind' among its 785 .no names.; name the"):
        formats.read("csv", path, label_column="kind")
    with pytest.raises(InkfoldError, match=r"--label-column is for csv, npz, mat, parquet: the"):
        formats.read("idx", path, label_column="kind")


def test_dark_ink_is_noticed(tmp_path: Path) -> None:
    """Pictures whose edges are light have dark ink, and a note says so."""
    path = tmp_path / "mine.csv"
    dark: NDArray[np.int64] = 255 - letters(2).reshape(2, -1).astype(np.int64)
    rows = [",".join(map(str, row)) for row in dark.tolist()]
    path.write_text(lines(["0", "1"], rows, heading=["label", *PIXELS]))

    collection = FORMATS["csv"].read(path)

    assert collection.ink == "dark"
    assert collection.notes == ("mine.csv: the edges of its pictures are light, the ink is dark",)
