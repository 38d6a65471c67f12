"""Classes from a table: which columns are read, and which rows are named instead of used."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from inkfold.dataset.reader import open_dataset
from inkfold.errors import InkfoldError
from inkfold.packing.pack import Report
from tests.packing.test_layout import draw
from tests.worlds.packing_run import SMALL, homes, packed

PICTURES = 12  # drawn into one folder, without any class
Cells = Sequence[Sequence[str]]


@pytest.fixture(autouse=True)
def _pictures(tmp_path: Path) -> None:
    """Draw 12 pictures into the folder ``in/scans``."""
    draw(tmp_path / "in", "scans", count=PICTURES)


def rows(**changed: str) -> list[list[str]]:
    """A heading, and a row for each picture with its path and one of two labels."""
    table = [["path", "label"]]
    table += [[f"scans/{n}.png", changed.get(f"row{n}", "ab"[n % 2])] for n in range(PICTURES)]
    return table


def write(path: Path, cells: Cells, separator: str = ",", encoding: str = "utf-8") -> Path:
    """Write cells as lines of text."""
    lines = [separator.join(row) + "\r\n" for row in cells]
    path.write_bytes("".join(lines).encode(encoding))
    return path


def by_table(
    table: Path, columns: Mapping[str, str] | None = None, *, allow_bad: float = 100
) -> Report:
    """Pack the pictures with the classes of a table."""
    packing = replace(
        SMALL,
        labels=table,
        columns=tuple((columns or {}).items()),
        allow_bad=allow_bad,
        fractions=(1, 0, 0),
    )
    return packed(table.parent / "in", table.parent / "d.h5", packing)


@pytest.mark.parametrize(
    ("name", "separator", "encoding"),
    [
        ("t.csv", ",", "utf-8"),
        ("t.csv", ",", "utf-8-sig"),
        ("t.csv", ";", "utf-8"),
        ("t.csv", "\t", "utf-16"),
        ("t.tsv", "\t", "utf-8"),
    ],
)
def test_tables_of_text_are_read_in_every_common_form(
    tmp_path: Path, name: str, separator: str, encoding: str
) -> None:
    """Commas, semicolons or tabs; UTF-8 with and without its mark, UTF-16; CR LF at line ends."""
    table = write(tmp_path / name, rows(row0="漢"), separator, encoding)

    report = by_table(table)

    assert report.plan.classes == ("a", "b", "漢")
    assert report.plan.sizes.tolist() == [5, 6, 1]
    assert report.unreadable.count == 0


def test_json_lines_are_read(tmp_path: Path) -> None:
    """An object a line; numbers are labels as they are written."""
    lines = [json.dumps({"file_name": f"scans/{n}.png", "class": n % 3}) for n in range(PICTURES)]
    (tmp_path / "t.jsonl").write_text("\n".join(lines))

    report = by_table(tmp_path / "t.jsonl")

    assert report.plan.classes == ("0", "1", "2")


def test_parquet_is_read(tmp_path: Path) -> None:
    """Columns of a Parquet file are read like those of a table of text."""
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    names = [f"scans/{n}.png" for n in range(PICTURES)]
    table = arrow.table({"image": names, "label": ["x", "y"] * (PICTURES // 2)})
    parquet.write_table(table, tmp_path / "t.parquet")

    assert by_table(tmp_path / "t.parquet").plan.classes == ("x", "y")


def test_split_and_group_are_taken_where_the_table_has_them(tmp_path: Path) -> None:
    """Columns that are called subset and writer are found by their names, and kept."""
    cells = [["Writer ID", "image", "Subset", "character"]]
    cells += [
        [f"w{n % 4}", f"scans/{n}.png", ("Train", "valid", "test")[n % 3], "ab"[n % 2]]
        for n in range(PICTURES)
    ]
    report = by_table(write(tmp_path / "t.csv", cells))

    with open_dataset(tmp_path / "d.h5") as dataset:
        split = homes(dataset)
        group = dict(zip(dataset.train.source, dataset.train.texts("group"), strict=True))
    wanted = ("train", "validation", "test")
    assert split == {f"scans/{n}.png": wanted[n % 3] for n in range(PICTURES)}
    assert group == {f"scans/{n}.png": f"w{n % 4}" for n in range(0, PICTURES, 3)}
    assert report.plan.torn == 4


def test_rows_that_name_no_picture_are_named_and_counted(tmp_path: Path) -> None:
    """A missing file, an empty label, no path, a path outside, and a second label are refused."""
    cells = [
        *rows(row3=""),
        ["scans/99.png", "a"],
        ["", "a"],
        ["../secret.png", "a"],
        ["/etc/hosts.png", "a"],
        ["scans/0.png", "b"],
        ["scans/1.png", "b"],
        ["scans\\4.png", "a"],
    ]
    report = by_table(write(tmp_path / "t.csv", cells))

    assert dict(report.unreadable.first) == {
        "scans/99.png": "no such file or directory",
        "scans/3.png": "row 4 has no label",
        "row 14": "row 14 has no path",
        "../secret.png": f"leads out of {tmp_path / 'in'}",
        "/etc/hosts.png": f"lies outside of {tmp_path / 'in'}",
        "scans/0.png": "row 17 again is 'b', before it was 'a'",
    }
    assert report.ignored.first == [("scans/1.png", "row 18 again")]
    assert sum(report.plan.sizes) == PICTURES  # one was left out, and one came again as scans\4.png


def test_too_many_unusable_rows_stop_the_packing(tmp_path: Path) -> None:
    """Rows without a picture count like files that cannot be read."""
    table = write(tmp_path / "t.csv", [*rows(), ["scans/99.png", "a"]])

    with pytest.raises(InkfoldError, match=r"1 of 13 files cannot be read .*scans/99\.png"):
        by_table(table, allow_bad=1)


def test_columns_may_be_named(tmp_path: Path) -> None:
    """Columns that are called anything are read if the user names them."""
    cells = [["datei", "zeichen"], *rows()[1:]]

    report = by_table(write(tmp_path / "t.csv", cells), {"path": "datei", "label": "zeichen"})

    assert report.plan.classes == ("a", "b")


@pytest.mark.parametrize(
    ("cells", "columns", "said"),
    [
        ([["x", "label"]], {}, "has no column that is called path, file, filename, filepath or"),
        ([["path", "class", "label"]], {}, "'class' and 'label' may both be the label; say which"),
        ([["path", "label"]], {"label": "sign"}, "has no column 'sign', it has 'path', 'label'"),
        ([["path", "label"]], {"colour": "x"}, "--columns colour=x: expected one of path, label"),
        ([["path", "label"], ["a.png"]], {}, "row 1 has 1 cells, the heading has 2"),
        ([["path", "label", "split"], ["a.png", "a", "later"]], {}, "row 1 has the split 'later'"),
        ([["path", "path", "label"]], {}, "two columns have the same name"),
        ([["path", "label"]], {}, "names no picture"),
    ],
)
def test_a_table_that_is_not_understood_is_refused(
    tmp_path: Path, cells: Cells, columns: dict[str, str], said: str
) -> None:
    """The error names the table, what was found, and what to write."""
    with pytest.raises(InkfoldError) as caught:
        by_table(write(tmp_path / "t.csv", cells), columns)

    assert said in str(caught.value)
    assert "t.csv" in str(caught.value) or "--columns" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("t.xlsx", b"PK", "'.xlsx' is of no table that is read here; expected one of .csv"),
        ("t.jsonl", b"{path: 1}", "line 1 is no JSON"),
        ("t.jsonl", b"[1]", "line 1 holds no object"),
        ("t.csv", b"path,label\n\xff\xfe,a\n", "is not utf-8; save the table as UTF-8"),
        ("t.csv", b"", "has no column"),
    ],
)
def test_a_file_that_is_no_table_is_refused(
    tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    """The error says why the file cannot be read as what its name says."""
    (tmp_path / name).write_bytes(data)

    with pytest.raises(InkfoldError) as caught:
        by_table(tmp_path / name)

    assert said in str(caught.value)


def test_the_class_can_be_taken_from_the_path(tmp_path: Path) -> None:
    """The first parenthesis of an expression is the class; what does not match is named."""
    root = tmp_path / "named"
    draw(root, "x", count=1)
    picture = (root / "x/0.png").read_bytes()
    for name in ("A-0001", "A-0002", "B-0001", "id_7_label_24", "notes"):
        (root / f"{name}.png").write_bytes(picture)
    packing = replace(SMALL, allow_bad=50, fractions=(1, 0, 0))

    with pytest.raises(
        InkfoldError, match=r"matches none of 6 pictures, the first is 'A-0001\.png'"
    ):
        packed(root, tmp_path / "d.h5", replace(packing, label_by="nothing"))
    report = packed(root, tmp_path / "d.h5", replace(packing, label_by=r"([A-Z])-|_label_(\d+)"))

    assert report.plan.classes == ("24", "A", "B")
    assert [path for path, _ in report.unreadable.first] == ["notes.png", "x/0.png"]
