"""HASYv2's CSV files and pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inkfold.errors import InkfoldError
from inkfold.importers import hasy
from inkfold.importers.collection import Glyph
from tests.worlds.drawn_pictures import write_picture
from tests.worlds.letter import letter

F = letter(32, 32, ink=0, paper=255)
HEAD = "path,symbol_id,latex,user_id\n"


def put(root: Path, *rows: str, table: str = "hasy-data-labels.csv", up: str = "") -> Path:
    """Write a CSV file whose rows are a path and then these, and the pictures; returns `root`."""
    (root / table).parent.mkdir(parents=True, exist_ok=True)
    paths = [f"hasy-data/v2-{number:05d}.png" for number in range(len(rows))]
    lines = [f"{up}{path},{row}\n" for path, row in zip(paths, rows, strict=True)]
    (root / table).write_text(HEAD + "".join(lines), encoding="utf-8")
    for path in paths:
        write_picture(root / path, np.repeat(F[..., None], 3, axis=2))
    return root


def read(source: Path) -> tuple[tuple[str, ...], list[Glyph]]:
    """The classes and the pictures of a set, after a check of their number and polarity."""
    collection = hasy.read(source)
    glyphs = list(collection.glyphs())
    assert (collection.name, collection.ink) == ("hasy", "dark")
    assert collection.count == len(glyphs)
    return collection.classes, glyphs


def test_a_picture_is_upright_and_dark_on_white_and_its_writer_known(tmp_path: Path) -> None:
    """Coloured pictures are read as grey, and each has its writer as group."""
    root = put(tmp_path, "31,A,50", r"922,\ohm,7", "31,A,7")

    classes, glyphs = read(root)

    assert classes == ("A", r"\ohm")
    assert all(np.array_equal(g.pixels, F) for g in glyphs)
    assert [(g.source, g.label, g.group, g.split) for g in glyphs] == [
        ("hasy-data/v2-00000.png", 0, "50", None),
        ("hasy-data/v2-00001.png", 1, "7", None),
        ("hasy-data/v2-00002.png", 0, "7", None),
    ]
    assert read(root / "hasy-data-labels.csv")[0] == classes


def test_symbols_with_the_same_latex_have_their_numbers_too(tmp_path: Path) -> None:
    """Two symbols with the same LaTeX are two classes, which their numbers keep apart."""
    root = put(tmp_path, r"81,\sum,1", r"82,\sum,1", r"83,\Sigma,1")

    classes, glyphs = read(root)

    assert classes == (r"\Sigma", r"\sum (81)", r"\sum (82)")
    assert [classes[g.label] for g in glyphs] == [r"\sum (81)", r"\sum (82)", r"\Sigma"]


def test_a_fold_has_a_split_and_paths_from_where_its_files_lie(tmp_path: Path) -> None:
    """A fold's two files are train and test; one file alone has no split.

    Its paths begin with ``../..``, from ``classification-task/fold-3``.
    """
    fold = "classification-task/fold-3"
    put(tmp_path, "31,A,50", "32,B,7", table=f"{fold}/train.csv", up="../../")
    put(tmp_path, "31,A,9", table=f"{fold}/test.csv", up="../../")

    _, glyphs = read(tmp_path / fold)

    assert [(g.source, g.split) for g in glyphs] == [
        ("hasy-data/v2-00000.png", "train"),
        ("hasy-data/v2-00001.png", "train"),
        ("hasy-data/v2-00000.png", "test"),
    ]
    assert [g.split for g in read(tmp_path / fold / "train.csv")[1]] == [None, None]


def _refusal(source: Path) -> str:
    with pytest.raises(InkfoldError) as caught:
        read(source)
    return str(caught.value)


def test_a_bad_row_is_reported_with_file_and_line(tmp_path: Path) -> None:
    """Another heading, a short row, no rows, bytes that are not text and lost files are refused."""
    table = tmp_path / "hasy-data-labels.csv"
    table.write_text("a,b\n")
    assert "labels.csv: line 1: 'a,b', expected path,symbol_id,latex,user_id" in _refusal(table)
    table.write_text("x.png,31,A,50\n")
    assert "labels.csv: line 1: 'x.png,31,A,50', expected path" in _refusal(table)
    table.write_text(HEAD + "x.png,31,A\n")
    assert "labels.csv: line 2: 'x.png,31,A', expected path" in _refusal(table)
    table.write_text(HEAD)
    assert "hasy-data-labels.csv lists no pictures" in _refusal(tmp_path)
    table.write_bytes(HEAD.encode() + b"\xff,31,A,1\n")
    assert "labels.csv: line 1: 'utf-8' codec can't decode" in _refusal(table)
    table.write_text(HEAD + "gone.png,31,A,1\n")
    assert "gone.png: no such file or directory; unpack or copy the set again" in _refusal(table)
    assert "nowhere: no such file or folder; expected hasy-data-labels.csv, or" in (
        _refusal(tmp_path / "nowhere")
    )
    (tmp_path / "bare").mkdir()
    assert "bare: no CSV file of HASYv2; expected" in _refusal(tmp_path / "bare")


def test_it_is_recognised_by_its_columns(tmp_path: Path) -> None:
    """A CSV file with HASYv2's name but other columns is not recognised."""
    put(tmp_path / "in", "31,A,50")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/train.csv").write_text("label,pixel0\n")

    assert hasy.recognise(tmp_path / "in") == (
        "hasy-data-labels.csv has HASYv2's columns path, symbol_id, latex, user_id"
    )
    assert hasy.recognise(tmp_path / "in/hasy-data-labels.csv") is not None
    assert hasy.recognise(tmp_path / "other") is None
    assert hasy.recognise(tmp_path / "nowhere") is None
