"""report.html: whole in one file, escaped, with the figures that the tables have, and charts."""

from __future__ import annotations

import base64
import csv
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from inkfold.bundle.bundle import load_bundle
from inkfold.calibration import risk_curve
from inkfold.commands.evaluate import main
from inkfold.dataset.reader import open_dataset
from inkfold.evaluation.calibrate import Calibration
from inkfold.evaluation.page import reliability_chart, risk_chart
from inkfold.pages.chart import ACROSS, UP, Scale
from tests.evaluation.test_report import evaluation
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
PER_CENT = Scale(0, 100, *UP)
WIDE = Scale(0, 100, *ACROSS)


class Reader(HTMLParser):
    """What a browser would read: nesting, attributes, text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the attributes; an element without an end tag is not opened."""
        self.text += " "
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Check that the element that began last ends first."""
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep the words, with single spaces."""
        if self.open and self.open[-1] != "style":
            self.text = re.sub(r"\s+", " ", self.text + data)


def read(page: Path) -> Reader:
    """Read the page to its end."""
    reader = Reader()
    reader.feed(page.read_text(encoding="utf-8"))
    assert reader.open == [], "an element does not end"
    return reader


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The report on a dataset with awkward names and two writers, and a bundle with a history."""
    monkeypatch.chdir(tmp_path)
    splits = {"train": ((0,), (0,)), "validation": ((0, 1, 2, 3), (0, 1, 3, 0)), "test": TEST}
    write_dataset(tmp_path / "d.h5", splits, classes=NAMES, groups={"test": WRITERS})
    with open_dataset(tmp_path / "d.h5") as dataset:
        write_bundle(tmp_path / "bands", classes=NAMES, provenance=dataset.provenance)
    (tmp_path / "bands" / "history.csv").write_text(HISTORY, encoding="utf-8")
    assert main(["bands", "d.h5", "-q"]) == 0
    return tmp_path / "logs" / "bands" / "evaluation"


def test_the_page_needs_nothing_beside_it(report: Path) -> None:
    """No address leads out of the page: pictures are inside, links go to its own sections."""
    page = read(report / "report.html")

    sources = [value for _, name, value in page.attributes if name in ("src", "href")]
    assert all(value.startswith(("data:image/png;base64,", "#")) for value in sources)
    targets = {value for _, name, value in page.attributes if name == "id"}
    assert {value[1:] for value in sources if value.startswith("#")} <= targets
    text = (report / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"https?://|@import|url\(", text)
    assert "prefers-color-scheme: dark" in text
    assert 'name="viewport"' in text


def test_names_are_text_and_not_html(report: Path) -> None:
    """A class called <b>あ</b> is shown by exactly this name."""
    page = read(report / "report.html")

    assert "<b>あ</b>" in page.text
    assert "bo <1>" in page.text
    assert "<b>" not in (report / "report.html").read_text(encoding="utf-8")


def test_the_page_has_the_figures_with_their_counts(report: Path) -> None:
    """The page has right answers, temperature, thresholds and confusions, each with its count."""
    text = read(report / "report.html").text

    assert "right 66.67 % 4 of 6; 95 % interval 30.00 to 90.32" in text
    assert "Temperature 2: fitted on 4 validation pictures, 2 of them wrong" in text
    assert "Chosen on 4 validation pictures, measured on the test split" in text
    assert "none: on validation the surest answers are wrong too often" in text
    assert "2 of 2 pairs" in text
    assert "recall 95 % interval b & b 1 2 50.00 % 9.5 to 90.5 $c 1 2 50.00 %" in text


def test_the_page_begins_with_what_was_found_and_what_to_do(report: Path) -> None:
    """The bundle and the dataset are the title; advice comes before the first figure."""
    text = read(report / "report.html").text

    begin = "bands on the test split of d.h5"
    places = [
        text.index(words)
        for words in (
            begin,
            "Of 6 pictures 4 were answered rightly and 2 wrongly, one in 3.",
            "What to do next",
            "right 66.67 %",
            "Calibration error: how far stated probabilities are",
        )
    ]
    assert places == sorted(places)
    assert text.count(begin) == 2, "in the title and in the heading"


def test_the_worst_mistakes_are_shown_with_their_pictures(report: Path) -> None:
    """The surest mistake comes first, with the dataset's own pixels as dark ink on paper."""
    page = read(report / "report.html")
    start = page.attributes.index(("img", "class", "ink"))
    addresses = [value for _, name, value in page.attributes[start:] if name == "src"]

    first = cv2.imdecode(
        np.frombuffer(base64.b64decode(addresses[0].split(",")[1]), np.uint8),
        cv2.IMREAD_UNCHANGED,
    )
    assert first is not None
    assert np.array_equal(first, 255 - picture(0))
    assert len(addresses) == 2
    assert page.text.index("test/1.png") < page.text.index("test/4.png")


def test_groups_are_counted(report: Path) -> None:
    """Page, table, JSON and summary count two writers; a picture without one is in no group."""
    text = read(report / "report.html").text
    with (report / "groups.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    figures = json.loads((report / "evaluation.json").read_text(encoding="utf-8"))
    summary = (report / "summary.txt").read_text(encoding="utf-8")

    assert "2 writers, pages or sheets: 50.00 % to 66.67 % right, mean 58.33 %" in text
    assert [row[:3] for row in rows[1:]] == [["bo <1>", "2", "1"], ["ann", "3", "2"]]
    assert [float(cell) for cell in rows[2][3:]] == pytest.approx(figures["groups"][1]["interval"])
    assert figures["group_spread"]["groups"] == 2
    assert "2 groups of 5 pictures: right 50.00 % to 66.67 %, mean 58.33 %," in summary
    assert "  bo <1>  1 of 2, 50.00 % (95 % interval" in summary


def test_a_dataset_without_groups_has_no_such_section(
    report: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Without groups the page has no such section, without a history no learning curves."""
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
    full = read(report / "report.html").text
    assert "Learning curves" in full
    assert "Training figures are taken while training: with dropout" in full
    out = capfd.readouterr().out
    assert "groups of" not in out
    assert "\nthresholds         none: the validation split of e.h5 is not the one kept" in out


@pytest.mark.usefixtures("report")
def test_the_bundle_still_loads_after_it_was_calibrated(tmp_path: Path) -> None:
    """The calibration is one more field of format 1: the hashes hold, the scores are kept."""
    bundle = load_bundle(tmp_path / "bands")

    assert bundle.record["format_version"] == 1
    assert bundle.scores["test"]["correct"] == 4
    assert bundle.temperature == pytest.approx(2, rel=1e-3)


def points(line: str) -> list[tuple[float, ...]]:
    """The points of a line of SVG, in the drawing's units."""
    return [tuple(map(float, corner.split(","))) for corner in line.split()]


def test_a_bar_is_as_high_as_the_share_that_is_right() -> None:
    """17 of 23 answers with 75 % are right: their bar stands in the bin from 73.3 to 80 %."""
    chart = reliability_chart(evaluation())

    (bar,) = chart.bars
    assert bar.top == pytest.approx(PER_CENT(100 * 17 / 23), abs=0.02)
    assert bar.top + bar.height == pytest.approx(PER_CENT(0), abs=0.02)
    assert WIDE(100 * 11 / 15) < bar.left < bar.left + bar.width < WIDE(80)
    assert bar.title.startswith("73.3 to 80.0 %: 17 of 23, 73.91 %")
    low, high = points(chart.lines[-1].points)
    assert (low[1], high[1]) == pytest.approx((PER_CENT(53.53), PER_CENT(87.45)), abs=0.02)


def test_dots_show_the_bins_without_the_temperature() -> None:
    """A dot stands at a bin's mean probability and share right; without a temperature none does."""
    plain = evaluation()
    after = np.full(23, 0.5, np.float32)
    warm = replace(
        plain,
        predictions=replace(plain.predictions, probability=after),
        calibration=Calibration(temperature=2.0, how="made up"),
    )

    assert not any(line.dots for line in reliability_chart(plain).lines)
    (dots,) = (line for line in reliability_chart(warm).lines if line.dots)
    assert points(dots.points) == [pytest.approx((WIDE(75), PER_CENT(100 * 17 / 23)), abs=0.05)]


def test_risk_is_drawn_over_coverage() -> None:
    """Risk is wrong answers of those given, not of all: 0 of 1, 1 of 3, 1 of 4, 2 of 5."""
    probability = np.array([0.9, 0.8, 0.8, 0.4, 0.3])
    chart = risk_chart(risk_curve(probability, np.array([True, True, False, True, False])))

    y = Scale(0, 42, *UP)
    expected = [(20, 0), (60, 100 / 3), (80, 25), (100, 40)]
    for corner, (coverage, risk) in zip(points(chart.lines[0].points), expected, strict=True):
        assert corner == pytest.approx((WIDE(coverage), y(risk)), abs=0.05)


def test_a_single_sure_mistake_does_not_flatten_the_curve() -> None:
    """Where the surest of 100 answers is wrong, 1 of 5, at 5 % coverage, sets the height: 20 %."""
    right = np.ones(100, bool)
    right[0] = False

    chart = risk_chart(risk_curve(np.linspace(1, 0.1, 100), right))

    assert max(float(tick.label) for tick in chart.up_ticks) == 20
    assert points(chart.lines[0].points)[0][1] == UP[1], "a higher risk is put on the edge"
