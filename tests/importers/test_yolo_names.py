"""The class names of a YOLO set, in a text file or in the ways in which YAML files write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkfold.errors import InkfoldError
from inkfold.importers.yolo_names import names_at

NAMES = {0: "a", 1: "it's", 2: "ж", 3: "x, y", 4: "#"}


@pytest.mark.parametrize(
    "text",
    [
        "names: [a, \"it's\", ж, 'x, y', '#']\n",
        "train: t\nnames: ['a',\n  'it''s', \"\\u0436\", 'x, y',\n  '#']\nnc: 5\n",
        "names: {0: a, 1: 'it''s', 2: ж, 3: 'x, y', 4: '#'}\n",
        "nc: 5\nnames:\n  - a\n  - it's\n  - ж # Zhe\n  - 'x, y'\n  - \"#\"\nval: v\n",
        "names:\n- a\n- it's\n- ж\n- 'x, y'\n- '#'\n",
        "names:\n  0: a\n  1: \"it's\"\n  2: ж\n  # a comma\n\n  3: 'x, y'\n  4: '#'\n",
    ],
)
def test_the_names_in_a_yaml_file(tmp_path: Path, text: str) -> None:
    """Brackets, over one line or several, dashes and numbers give the same names."""
    (tmp_path / "data.yaml").write_text(text, encoding="utf-8")
    found = names_at(tmp_path)
    assert found is not None
    if "it's\n" in text:  # an apostrophe inside a bare word is a part of it
        assert found[1][1] == "it's"
    assert found == (tmp_path / "data.yaml", NAMES)


def test_a_line_each_in_a_text_file(tmp_path: Path) -> None:
    """A file of names alone needs no quotation marks."""
    (tmp_path / "classes.txt").write_text("a\nit's\nж\nx, y\n#\n\n", encoding="utf-8-sig")
    found = names_at(tmp_path)
    assert found == (tmp_path / "classes.txt", NAMES)
    (tmp_path / "other.yaml").write_text("path: x\n")
    assert names_at(tmp_path) == found
    assert names_at(tmp_path.parent) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("names: *anchor\n", "its names cannot be read; write them as names: "),
        ("names: [a, [b]]\n", "its names cannot be read"),
        ("names:\n  - {a: b}\n", "its names cannot be read"),
        ("names: [a, b\n", "its names cannot be read"),
        ("names: []\n", "its names cannot be read"),
        ("names: [a, a]\n", "expected the name of a class in each line, each once"),
        ("names: [b, a]\n", "names the classes differently from classes.txt; remove one"),
    ],
)
def test_names_that_cannot_be_told_are_refused(tmp_path: Path, text: str, message: str) -> None:
    """Other ways of YAML, a name twice, and two files that differ are refused."""
    if "differently" in message:
        (tmp_path / "classes.txt").write_text("a\nb\n")
    (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(InkfoldError) as caught:
        names_at(tmp_path)
    assert message in str(caught.value)
