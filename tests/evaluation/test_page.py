"""The page: whole in one file, escaped, with the figures that the tables have."""

from __future__ import annotations

import base64
import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from inkfold.bundle.bundle import load_bundle
from inkfold.commands.evaluate import main
from inkfold.dataset.reader import open_dataset
from tests.worlds.bands import picture, write_bundle, write_dataset

VOID = {"meta", "img", "br", "rect", "line", "circle", "polyline"}  # SVG's are closed in the tag
NAMES = ("<b>あ</b>", "b & b", "$c", "ด")
TEST = ((0, 0, 1, 2, None, 3), (0, 1, 1, 2, 2, 3))
WRITERS = ("ann", "ann", "ann", "bo <1>", "bo <1>", "")
HISTORY = (
    "epoch,phase,stage,learning_rate,loss,accuracy,pictures,"
    "validation_loss,validation_correct,validation_total,seconds\n"
    "1,search,1,0.01,2.5,0.25,8,2.0,1,2,1.0\n"
    "2,search,1,0.01,0.5,0.75,8,1.0,2,2,1.0\n"
    "3,refit,1,0.01,0.25,0.875,10,,,,1.0\n"
)


class Reader(HTMLParser):
    """What a browser would see: nesting, attributes, text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the attributes; what has no end tag is not opened."""
        self.text += " "
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Elements end in the order in which they began."""
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep the words, with single spaces."""
        if self.open and self.open[-1] != "style":
            self.text = re.sub(r"\s+", " ", self.text + data)


def read(page: Path) -> Reader:
    """The page as read to its end."""
    reader = Reader()
    reader.feed(page.read_text(encoding="utf-8"))
    assert reader.open == [], "an element does not end"
    return reader


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dataset with awkward names and two writers, and a bundle with a history."""
    monkeypatch.chdir(tmp_path)
    splits = {"train": ((0,), (0,)), "validation": ((0, 1, 2, 3), (0, 1, 3, 0)), "test": TEST}
    write_dataset(tmp_path / "d.h5", splits, classes=NAMES, groups={"test": WRITERS})
    with open_dataset(tmp_path / "d.h5") as dataset:
        write_bundle(tmp_path / "bands", classes=NAMES, provenance=dataset.provenance)
    (tmp_path / "bands" / "history.csv").write_text(HISTORY, encoding="utf-8")
    assert main(["bands", "d.h5", "-q"]) == 0
    return tmp_path / "logs" / "bands" / "evaluation"


def test_the_page_needs_nothing_beside_it(here: Path) -> None:
    """No address leads out of it: pictures are inside, links go to its own sections."""
    page = read(here / "report.html")

    sources = [value for _, name, value in page.attributes if name in ("src", "href")]
    assert all(value.startswith(("data:image/png;base64,", "#")) for value in sources)
    targets = {value for _, name, value in page.attributes if name == "id"}
    assert {value[1:] for value in sources if value.startswith("#")} <= targets
    text = (here / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"https?://|@import|url\(", text)
    assert "prefers-color-scheme: dark" in text
    assert 'name="viewport"' in text


def test_names_are_text_and_not_html(here: Path) -> None:
    """A class called <b>あ</b> is shown as it is called."""
    page = read(here / "report.html")

    assert "<b>あ</b>" in page.text
    assert "bo <1>" in page.text
    assert "<b>" not in (here / "report.html").read_text(encoding="utf-8")


def test_the_page_has_the_figures_with_their_counts(here: Path) -> None:
    """Four of six; the temperature; the thresholds; what was confused."""
    text = read(here / "report.html").text

    assert "right 66.67 % 4 of 6; 95 % interval 30.00 to 90.32" in text
    assert "Temperature 2: fitted on 4 validation pictures, 2 of them wrong" in text
    assert "Chosen on 4 validation pictures, measured on the test split" in text
    assert "none: on validation the surest answers are wrong too often" in text
    assert "2 of 2 pairs" in text
    assert "recall 95 % interval b & b 1 2 50.00 % 9.5 to 90.5 $c 1 2 50.00 %" in text


def test_the_worst_mistakes_are_shown_with_their_pictures(here: Path) -> None:
    """The surest first, with the dataset's own pixels as dark ink on paper, file and names."""
    page = read(here / "report.html")
    at = page.attributes.index(("img", "class", "ink"))
    addresses = [value for _, name, value in page.attributes[at:] if name == "src"]

    first = cv2.imdecode(
        np.frombuffer(base64.b64decode(addresses[0].split(",")[1]), np.uint8),
        cv2.IMREAD_UNCHANGED,
    )
    assert first is not None
    assert np.array_equal(first, 255 - picture(0))
    assert len(addresses) == 2
    assert page.text.index("test/1.png") < page.text.index("test/4.png")


def test_groups_are_counted(here: Path) -> None:
    """On the page, in the table, in JSON and in the summary; the unknown picture in none."""
    text = read(here / "report.html").text
    with (here / "groups.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    found = json.loads((here / "evaluation.json").read_text(encoding="utf-8"))
    summary = (here / "summary.txt").read_text(encoding="utf-8")

    assert "2 writers, pages or sheets: 50.00 % to 66.67 % right, mean 58.33 %" in text
    assert [row[:3] for row in rows[1:]] == [["bo <1>", "2", "1"], ["ann", "3", "2"]]
    assert [float(cell) for cell in rows[2][3:]] == pytest.approx(found["groups"][1]["interval"])
    assert found["group_spread"]["groups"] == 2
    assert "2 groups of 5 pictures: right 50.00 % to 66.67 %, mean 58.33 %," in summary
    assert "  bo <1>  1 of 2, 50.00 % (95 % interval" in summary


def test_a_dataset_without_groups_has_no_such_section(
    here: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nor a table of them; and a bundle without a history has no learning curves."""
    write_dataset(tmp_path / "e.h5", {"test": ((0,), (0,))}, classes=NAMES)
    (tmp_path / "bands" / "history.csv").unlink()

    assert main(["bands", "e.h5", "-o", "plain"]) == 0

    page = read(tmp_path / "plain" / "report.html")
    assert "Groups" not in page.text
    assert "Learning curves" not in page.text
    assert not (tmp_path / "plain" / "groups.csv").exists()
    assert "Nothing: every answer was right." in page.text
    assert "There are none." in page.text
    assert ": the validation split of e.h5 is not the one kept from the training." in page.text
    told = read(here / "report.html").text
    assert "Learning curves" in told
    assert "Training figures are taken while training: with dropout" in told
    out = capfd.readouterr().out
    assert "groups of" not in out
    assert "\nthresholds         none: the validation split of e.h5 is not the one kept" in out


def test_the_bundle_still_loads_after_it_was_calibrated(here: Path, tmp_path: Path) -> None:
    """Format 1 with a field more: the hashes hold, the scores are there."""
    bundle = load_bundle(tmp_path / "bands")

    assert bundle.record["format_version"] == 1
    assert bundle.scores["test"]["correct"] == 4
    assert bundle.temperature == pytest.approx(2, rel=1e-3)
    assert here.is_dir()
