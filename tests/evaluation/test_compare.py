"""Two bundles: the pictures on which they differ, and the report."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray

from inkfold.bundle.bundle import load_bundle
from inkfold.commands.evaluate import main
from inkfold.dataset.reader import open_dataset
from inkfold.errors import InkfoldError
from inkfold.evaluation.compare import check_comparable, compare, comparison_summary
from inkfold.evaluation.evaluate import Evaluation, Predictions
from inkfold.pages.page import data_uris
from tests.evaluation.test_report import evaluation
from tests.worlds.bands import CLASSES, SPEC, write_bundle, write_dataset

law = settings(deadline=None, derandomize=True, max_examples=200)
Capture = pytest.CaptureFixture[str]
LABELS = (0, 0, 1, 1, 2, 2)
FIRST = (0, 0, 1, 0, 1, 0)  # right, right, right, wrong, wrong, wrong
SECOND = (0, 1, 2, 1, 1, 1)  # right, wrong, wrong, right, wrong as the first, wrong otherwise
PROBABILITY = (0.5, 0.6, 0.9, 0.7, 0.5, 0.5)


def named(rows: NDArray[np.int64]) -> list[str]:
    """What the pictures are called."""
    return [f"{row}.png" for row in rows]


def result(name: str, predicted: tuple[int, ...], **changes: Any) -> Evaluation:  # noqa: ANN401, passed on
    """An evaluation of six pictures with these answers."""
    probability = np.array(PROBABILITY, np.float32)
    labels, answers = np.array(LABELS, np.int32), np.array(predicted)
    matrix = np.zeros((4, 4), np.int64)
    np.add.at(matrix, (labels, answers), 1)
    predictions = Predictions(
        labels=labels,
        predicted=answers,
        rank=(labels != answers).astype(np.int64),
        own=probability,
        own_of_truth=probability,
        probability=probability,
        of_truth=probability,
    )
    return replace(evaluation(matrix, **({"bundle": name} | changes)), predictions=predictions)


def test_pictures_are_counted_and_those_that_differ_are_listed() -> None:
    """Differences where only the first is right come before the second's, then both wrong."""
    comparison = compare(result("a", FIRST), result("b", SECOND), named)

    assert comparison.table == (1, 2, 1, 2)
    assert comparison.paired.p_value == pytest.approx(1.0)
    sources = [difference.source for difference in comparison.differences]
    assert sources == ["2.png", "1.png", "3.png", "5.png"], "of each kind the surest comes first"
    assert comparison.rows.tolist() == [2, 1, 3, 5]
    first = comparison.differences[0]
    names = comparison.first.classes
    assert (first.true, first.first, first.second) == (names[1], names[1], names[2])
    assert (first.probability_first, first.probability_second) == pytest.approx((0.9, 0.9))


def test_bundles_of_the_same_name_are_numbered() -> None:
    """Two bundles called "a" become "a (1)" and "a (2)", by their place on the command line."""
    comparison = compare(result("a", FIRST), result("a", SECOND), named)

    assert comparison.names == ("a (1)", "a (2)")
    assert "only a (1) right: 2\nonly a (2) right: 1\n" in comparison_summary(comparison, [])


def test_results_on_other_pictures_are_not_compared() -> None:
    """Two results of different splits are a caller's bug, not a user's mistake."""
    with pytest.raises(ValueError, match="same split of the same dataset"):
        compare(result("a", FIRST), result("b", SECOND, split="train"), named)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": (*CLASSES[:3], "x")}, "differs is number 3: 'ด' in .*/a, 'x' in .*/b; "),
        ({"classes": CLASSES[:3]}, "4 classes, .*b knows 3; .* 3: 'ด' in .*/a, none in .*/b; "),
        ({"spec": replace(SPEC, size=10)}, "with size 8, .*b with size 10: no dataset fits both"),
        ({"spec": replace(SPEC, fit="pad")}, "with fit stretch, .*b with fit pad"),
    ],
)
def test_bundles_that_answer_other_questions_are_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    """Bundles of other classes or another preparation are refused; the message has both values."""
    first = load_bundle(write_bundle(tmp_path / "a"))
    second = load_bundle(write_bundle(tmp_path / "b", **changes))

    with pytest.raises(InkfoldError, match=message):
        check_comparable(first, second)
    with pytest.raises(InkfoldError, match="given twice"):
        check_comparable(first, load_bundle(tmp_path / "a"))


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dataset, the bundle `bands`, and `turned`, which takes little ink for much."""
    monkeypatch.chdir(tmp_path)
    write_dataset(tmp_path / "d.h5", {"test": ((1, 0, 1, 2), (1, 1, 1, 2))})
    write_bundle(tmp_path / "bands")
    write_bundle(tmp_path / "turned", weight=-0.001)
    return tmp_path


def test_two_bundles_are_compared_by_the_command(work: Path, capfd: Capture) -> None:
    """The command prints figures and writes four files; the bundles' records stay as they are."""
    before = [(work / name / "bundle.json").read_bytes() for name in ("bands", "turned")]

    assert main(["bands", "turned", "d.h5"]) == 0

    out, err = capfd.readouterr()
    assert err.count("warning: d.h5 is another dataset than the one that") == 2
    assert "bands   right 3 of 4, 75.00 %" in out
    assert "turned  right 1 of 4, 25.00 %" in out
    assert "McNemar's exact test of 3 against 1: p = 0.62\n" in out
    verdict, heading, step = out.splitlines()[4:7]
    assert verdict.startswith("These 4 pictures cannot tell which is better")
    assert heading == "What to do next:"
    assert step.startswith("- To decide, compare them on more pictures, about ")
    assert "\n\nThese 4 pictures cannot tell which is better: bands has 50.00 points more" in out
    folder = work / "logs" / "bands" / "comparison-with-turned"
    assert {path.name for path in folder.iterdir()} == {
        *("summary.txt", "comparison.json", "differences.csv", "report.html")
    }
    figures = json.loads((folder / "comparison.json").read_text(encoding="utf-8"))
    counts = [figures[name] for name in ("both", "only_first", "only_second", "neither")]
    assert counts == [0, 3, 1, 0]
    assert figures["difference"] == -0.5
    assert figures["verdict"] in out
    with (folder / "differences.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == figures["different"] == 4
    assert rows[-1]["source"] == "test/1.png"
    assert rows[-1]["answer of turned"] == rows[-1]["true"] == "b b"
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.count('<img class="ink" src="data:image/png;base64,') == 4
    assert "Only turned is right: 1" in page
    assert figures["verdict"] in page
    with open_dataset(work / "d.h5") as dataset:
        *_, of_turned = re.findall(r'src="([^"]+)"', page)
        assert [of_turned] == data_uris(dataset.test.images, np.array([1]))
    after = [(work / name / "bundle.json").read_bytes() for name in ("bands", "turned")]
    assert after == before


@pytest.mark.usefixtures("work")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bands", "turned", "bands", "d.h5"], "3 bundles: give one to measure it, two to"),
        (["bands", "./bands", "d.h5"], "bands is given twice"),
        (["bands", "nowhere", "d.h5"], "nowhere: no bundle here"),
    ],
)
def test_bundles_that_cannot_be_compared_give_exit_code_2(
    capfd: Capture, arguments: list[str], message: str
) -> None:
    """A mistake in the arguments is said in one line, and nothing is written."""
    assert main(arguments) == 2
    assert message in capfd.readouterr().err
    assert not Path("logs").exists()
