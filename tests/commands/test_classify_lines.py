"""A prediction as a line of text, CSV or JSON, and what a reader of each format gets back."""

from __future__ import annotations

import csv
import io
import json
import os
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkfold.commands.classify_lines import Format, csv_header, line_maker
from inkfold.prediction import Prediction, Refusal
from tests.worlds.tables import exact

law = settings(deadline=None, derandomize=True, max_examples=200)
# file names: any bytes but zero, as Python shows them
names = st.binary(min_size=1, max_size=12).map(lambda raw: os.fsdecode(raw.replace(b"\0", b"!")))
labels = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
probabilities = st.floats(0, 1, width=32)

ONE = Prediction(path="a b.png", labels=("亜",), probabilities=(0.75,))
THREE = Prediction(path="a.png", labels=("x", 'y,"z"', "w"), probabilities=(0.5, 0.25, 0.125))
FAILED = Prediction(path="bad.png", error="empty file")
NOTHING = Prediction(path="empty.png", error="blank", blank=True, flag="blank")
WORD = Prediction(path="hello.png", labels=("W",), probabilities=(0.994,), flag="several")


def line(
    prediction: Prediction,
    form: Format,
    *,
    reject: float | None = 0.0,
    strict: bool = False,
    top: int = 1,
) -> bytes:
    """The line of a prediction."""
    return line_maker(form, refusal=Refusal.of(reject, strict=strict), top=top)(prediction)


def test_text_is_the_path_and_the_label() -> None:
    """A line of text is path and label; of several labels each is followed by its probability."""
    assert line(ONE, "text").decode() == "a b.png 亜\n"
    assert line(THREE, "text") == b'a.png x 0.5000 y,"z" 0.2500 w 0.1250\n'


def test_csv_quotes_what_needs_it() -> None:
    """A label with a comma and quotes is one field of CSV, and the header has as many columns."""
    assert csv_header(1) == b"filename,label,probability,flag\n"
    assert csv_header(3) == (
        b"filename,label,probability,label_2,probability_2,label_3,probability_3,flag\n"
    )
    assert line(THREE, "csv") == b'a.png,x,0.5,"y,""z""",0.25,w,0.125,\n'


def test_json_has_path_label_probability_and_the_likeliest_classes() -> None:
    """Characters beyond ASCII are written as they are, not escaped."""
    assert line(ONE, "jsonl").decode() == (
        '{"path": "a b.png", "label": "亜", "probability": 0.75, "top": [["亜", 0.75]], '
        '"flag": null}\n'
    )


def test_a_failure_is_an_object_of_its_own_in_json_and_nothing_elsewhere() -> None:
    """A picture that could not be read is a JSON object with the error; text and CSV omit it."""
    assert json.loads(line(FAILED, "jsonl")) == {"path": "bad.png", "error": "empty file"}
    assert (line(FAILED, "text"), line(FAILED, "csv")) == (b"", b"")
    assert line(FAILED, "jsonl", reject=1.0) == line(FAILED, "jsonl")


@pytest.mark.parametrize("reject", [0.0, 1.0])
def test_a_blank_picture_has_an_empty_label(reject: float) -> None:
    """A blank picture is a CSV row with empty cells, an object with null, and no line of text."""
    assert line(NOTHING, "text", reject=reject) == b""
    assert line(NOTHING, "csv", reject=reject) == b"empty.png,,,blank\n"
    assert line(NOTHING, "csv", reject=reject, top=3) == b"empty.png,,,,,,,blank\n"
    assert json.loads(line(NOTHING, "jsonl", reject=reject)) == {
        "path": "empty.png",
        "label": None,
        "probability": None,
        "top": [],
        "blank": True,
        "flag": "blank",
    }


def test_a_rejected_answer_withholds_the_best_label_only() -> None:
    """A withheld label is ? in text, empty in CSV, null in JSON; further classes are named."""
    assert line(ONE, "text", reject=0.8) == b"a b.png ?\n"
    assert line(THREE, "text", reject=0.51) == b'a.png ? 0.5000 y,"z" 0.2500 w 0.1250\n'
    assert line(ONE, "csv", reject=0.8) == b"a b.png,,0.75,\n"
    rejected = json.loads(line(ONE, "jsonl", reject=0.8))
    assert (rejected["label"], rejected["rejected"]) == (None, True)
    assert (rejected["probability"], rejected["top"]) == (0.75, [["亜", 0.75]])


def test_a_flagged_picture_is_withheld_by_default_with_the_reason_beside_it() -> None:
    """The label is ? in text, empty in CSV, null in JSON; CSV and JSON have the flag."""
    assert line(WORD, "text", reject=None) == b"hello.png ?\n"
    assert line(WORD, "csv", reject=None) == b"hello.png,,0.994,several\n"
    answer = json.loads(line(WORD, "jsonl", reject=None))
    assert (answer["label"], answer["rejected"], answer["flag"]) == (None, True, "several")
    assert answer["top"] == [["W", 0.994]]
    assert line(ONE, "text", reject=None) == line(ONE, "text"), "auto asks for no probability"


def test_a_number_withholds_by_the_probability_alone_unless_strict() -> None:
    """--reject 0 withholds nothing and leaves the flag; --strict withholds flagged labels again."""
    assert line(WORD, "text", reject=0.0) == b"hello.png W\n"
    assert line(WORD, "csv", reject=0.0) == b"hello.png,W,0.994,several\n"
    assert line(WORD, "text", reject=0.995) == b"hello.png ?\n"
    assert line(WORD, "text", reject=0.0, strict=True) == b"hello.png ?\n"
    assert line(WORD, "text", reject=None, strict=True) == b"hello.png ?\n"


@pytest.mark.parametrize("form", ["text", "csv", "jsonl"])
def test_a_probability_equal_to_the_threshold_is_not_rejected(form: Format) -> None:
    """A label with the probability 0.75 is written with --reject 0.75."""
    assert line(ONE, form, reject=0.75) == line(ONE, form)


@law
@given(names, labels, probabilities)
def test_csv_gives_back_any_path_and_label(name: str, label: str, p: float) -> None:
    """A CSV reader gets any path and label back, and the probability bit for bit as float32."""
    written = line(Prediction(path=name, labels=(label,), probabilities=(p,)), "csv")

    text = io.StringIO(written.decode("utf-8", "surrogateescape"), newline="")
    (row,) = csv.reader(text)

    assert [exact(cell) for cell in row[:2]] == [name, label]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)
    assert np.float32(row[2]) == np.float32(p)


@law
@given(names, labels, probabilities)
def test_json_gives_back_any_path_and_label(name: str, label: str, p: float) -> None:
    """A JSON reader gets path and label back from one line of UTF-8, whatever bytes they hold."""
    written = line(Prediction(path=name, labels=(label,), probabilities=(p,)), "jsonl")

    answer: dict[str, Any] = json.loads(written.decode("utf-8"))

    assert written.count(b"\n") == 1
    assert (answer["path"], answer["label"]) == (name, label)
    assert np.float32(answer["probability"]) == np.float32(p)


@law
@given(names)
def test_text_keeps_the_paths_bytes(name: str) -> None:
    """A line of text begins with the path's own bytes; a space, the label and a line end follow."""
    assert (
        line(Prediction(path=name, labels=("x",), probabilities=(1.0,)), "text")
        == os.fsencode(name) + b" x\n"
    )
