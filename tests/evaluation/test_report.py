"""The report's files: what a machine reads back, what a person sees, what the bundle keeps."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from math import nan
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray

from inkfold.bundle.bundle import load_bundle
from inkfold.evaluation.calibrate import Calibration
from inkfold.evaluation.confusion_plot import draw_confusion, most_confused, short
from inkfold.evaluation.evaluate import Evaluation, Mistake, Predictions
from inkfold.evaluation.report import as_json, publish, summary, write_report
from inkfold.metrics import Confusion, Rate, majority
from tests.worlds.bands import write_bundle

NAMES = ("あ", 'b,"b"', "$c", "d")
COUNTS = ((8, 2, 0, 0), (1, 9, 0, 0), (0, 3, 0, 0), (0, 0, 0, 0))  # 0 never "c"; no picture of "d"


def evaluation(
    confusion: Sequence[Sequence[int]] | NDArray[np.int64] = COUNTS,
    classes: Sequence[str] = NAMES,
    **changes: Any,  # noqa: ANN401, passed on
) -> Evaluation:
    """A result with this confusion matrix; figures that do not follow from it are made up."""
    matrix = np.array(confusion)
    labels = np.repeat(np.arange(len(matrix)), matrix.sum(axis=1))
    right, total = int(np.trace(matrix)), int(matrix.sum())
    most, baseline = majority(np.bincount(labels), labels)
    values: dict[str, Any] = {
        "bundle": "bands",
        "dataset": "d.h5",
        "fingerprint": "f1",
        "split": "test",
        "classes": tuple(classes),
        "accuracy": Rate(right, total),
        "top5": Rate(total, total),
        "majority": classes[most],
        "baseline": baseline,
        "loss": 0.125,
        "confusion": matrix,
        "predictions": predictions_of(matrix),
        "calibration": Calibration(temperature=None, how="made up"),
        "mistakes": (
            Mistake(
                source="a/new\nline.png",
                true="$c",
                predicted=NAMES[1],
                probability=0.75,
                of_truth=0.25,
            ),
        ),
    }
    return Evaluation(**values | changes)


def predictions_of(matrix: NDArray[np.int64]) -> Predictions:
    """Predictions with this confusion matrix, every answer with a probability of 0.75."""
    labels, predicted = (
        np.repeat(index, matrix.ravel()) for index in np.indices(matrix.shape).reshape(2, -1)
    )
    probability = np.full(len(labels), 0.75, np.float32)
    of_truth = np.where(labels == predicted, 0.75, 0.25).astype(np.float32)
    return Predictions(
        labels=labels.astype(np.int32),
        predicted=predicted,
        rank=(labels != predicted).astype(np.int64),
        own=probability,
        own_of_truth=of_truth,
        probability=probability,
        of_truth=of_truth,
    )


def rows(path: Path) -> list[list[str]]:
    """The rows of a CSV file as any reader sees them."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def large(count: int) -> Evaluation:
    """A result of `count` classes of Chinese names, one class empty, one answer in twenty wrong."""
    rng = np.random.default_rng(count)
    matrix = np.diag(rng.integers(1, 20, count))
    for _ in range(count // 2):
        matrix[tuple(rng.integers(0, count, 2))] += 1
    matrix[count // 2] = 0
    return evaluation(matrix, [chr(0x4E00 + label) for label in range(count)])


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """The folder of the report on the four classes."""
    write_report(tmp_path, evaluation(), "a caveat")
    return tmp_path


def test_every_class_has_its_row(report: Path) -> None:
    """A class's counts come before its rates; an undefined rate is empty and not 0."""
    header, *classes = rows(report / "per_class.csv")
    first, _, third, last = (dict(zip(header, row, strict=True)) for row in classes)

    assert [row[0] for row in classes] == list(NAMES)
    assert (first["pictures"], first["answered"], first["right"]) == ("10", "9", "8")
    figures = [float(first[name]) for name in ("precision", "recall", "f1")]
    assert figures == pytest.approx([8 / 9, 8 / 10, 16 / 19])
    interval = [float(first[name]) for name in ("recall_low", "recall_high")]
    assert interval == pytest.approx([0.4902, 0.9433], abs=5e-5)
    assert (third["precision"], float(third["recall"]), float(third["f1"])) == ("", 0.0, 0.0)
    assert set(last.values()) == {"d", "0", ""}


def test_the_confusion_matrix_has_labelled_rows_and_columns(report: Path) -> None:
    """In confusion.csv rows are true classes and columns answers, both with names."""
    header, *body = rows(report / "confusion.csv")

    assert header[1:] == list(NAMES)
    assert [row[0] for row in body] == list(NAMES)
    assert [[int(cell) for cell in row[1:]] for row in body] == [list(row) for row in COUNTS]


def test_pairs_and_mistakes_are_listed(report: Path) -> None:
    """Pairs come with the most frequent first; a source with a line end is one field."""
    assert rows(report / "confused_pairs.csv") == [
        ["true", "answered", "times"],
        ["$c", NAMES[1], "3"],
        ["あ", NAMES[1], "2"],
        [NAMES[1], "あ", "1"],
    ]
    assert rows(report / "mistakes.csv")[1:] == [
        ["a/new\nline.png", "$c", NAMES[1], "0.75", "0.25"]
    ]


def test_json_holds_every_rate_with_counts_and_interval(report: Path) -> None:
    """An undefined rate is null, and never NaN, which is no JSON."""
    figures = json.loads(
        (report / "evaluation.json").read_text(encoding="utf-8"), parse_constant=lambda _: nan
    )

    accuracy = figures["accuracy"]
    assert (accuracy["correct"], accuracy["total"]) == (17, 23)
    assert accuracy["share"] == pytest.approx(17 / 23)
    assert accuracy["interval"] == pytest.approx(Rate(17, 23).interval)
    assert figures["top5"]["correct"] == 23
    assert figures["baseline"]["class"] == "あ"
    assert figures["baseline"]["correct"] == 10
    assert figures["mean_recall"] == pytest.approx((0.8 + 0.9 + 0) / 3)
    assert (figures["loss"], figures["caveat"], figures["split"]) == (0.125, "a caveat", "test")
    unseen = figures["classes"][3]
    assert unseen["recall"] == {"correct": 0, "total": 0, "share": None, "interval": None}
    assert (unseen["precision"]["share"], unseen["f1"]) == (None, None)


def test_the_summary_begins_with_what_was_found_and_what_to_do(report: Path) -> None:
    """A person reads the caveat, what was found and what to do, and then the figures."""
    text = (report / "summary.txt").read_text(encoding="utf-8")

    lines = text.splitlines()
    assert lines[:5] == [
        "bands on the test split of d.h5",
        "NOTE: a caveat",
        "",
        "Of 23 pictures 17 were answered rightly and 6 wrongly, one in 4.",
        "What to do next:",
    ]
    assert "right              17 of 23, 73.91 % (95 % interval 53.53 to 87.45)" in lines
    assert "mean recall        56.67 % over 3 classes" in lines
    assert "cross-entropy      0.1250 nats" in lines
    assert '  $c  b,"b"  3' in lines
    assert "  $c  0 of 3" in lines
    assert "among the first 5" not in text, "of four classes the first five are all"
    assert "  d  " not in text, "a class without pictures is not recognised badly"


def test_the_weakest_classes_come_first() -> None:
    """Classes are listed by rising recall; of equal recalls the one with more pictures first."""
    text = summary(evaluation([[4, 0, 4], [0, 7, 1], [1, 0, 1]], "abc"), None)

    weakest = ["  a  4 of 8", "  c  1 of 2", "  b  7 of 8"]
    assert [line for line in text.splitlines() if line in weakest] == weakest


def test_a_faultless_result_has_no_empty_tables() -> None:
    """Where every answer is right the summary says that nothing was confused."""
    text = summary(evaluation(np.diag([3] * 6), "abcdef"), None)

    assert text.endswith("nothing was confused\n")
    assert "NOTE" not in text
    assert "among the first 5  18 of 18" in text


def texts(result: Evaluation, path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text in the picture's cells and tables, without titles and ticks."""
    figures: list[Figure] = []
    save = Figure.savefig

    def keep(figure: Figure, *arguments: Any, **options: Any) -> None:  # noqa: ANN401, passed on
        figures.append(figure)
        save(figure, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", keep)
    draw_confusion(path, result)
    return [text.get_text() for axes in figures[0].axes for text in axes.texts]


def test_few_classes_have_their_counts_in_the_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each count that is not 0 is written once."""
    assert sorted(texts(evaluation(), tmp_path / "c.png", monkeypatch)) == list("12389")


def test_of_many_classes_the_most_confused_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirty classes have their counts, a last column has the other answers, a table the pairs."""
    matrix = np.diag([50] * 300)
    for label in range(0, 60, 2):
        matrix[label, label + 1] = 190 - label
    matrix[0, 299] = 7
    result = evaluation(matrix, [f"n{label}" for label in range(300)])

    written = texts(result, tmp_path / "c", monkeypatch)

    assert written.count("50") == 30
    assert written.count("190") == 2, "in its cell and in the table"
    assert written.count("7") == 1, "among the others"
    assert written[written.index("n0") :][:3] == ["n0", "n1", "190"], "a line of the table"


@pytest.mark.parametrize("count", [2, 10, 26, 100, 121, 1000, 3000])
def test_any_number_of_classes_can_be_drawn(tmp_path: Path, count: int) -> None:
    """The picture comes without a warning, between 500 and 2,500 pixels wide, with ink in it."""
    draw_confusion(tmp_path / "c.png", large(count))

    drawn = cv2.imread(str(tmp_path / "c.png"), cv2.IMREAD_GRAYSCALE)
    assert drawn is not None
    assert 500 <= min(drawn.shape) <= max(drawn.shape) <= 2500
    assert (drawn < 128).mean() > 0.001


def test_perfect_results_can_be_drawn(tmp_path: Path) -> None:
    """Where 200 classes are never confused the first 30 are drawn."""
    names = [str(label) for label in range(200)]

    draw_confusion(tmp_path / "c.png", evaluation(np.diag([3] * 200), names))

    assert most_confused((), 200).tolist() == list(range(30))


def test_confused_classes_stand_beside_each_other() -> None:
    """The two classes of the most frequent pair come first; no class twice, thirty at most."""
    pairs = (Confusion(7, 2, 9), Confusion(2, 7, 8), Confusion(7, 5, 3), Confusion(0, 1, 1))

    assert most_confused(pairs, 1000).tolist() == [7, 2, 5, 0, 1]
    many = tuple(Confusion(label, label + 1, 1) for label in range(0, 100, 2))
    assert most_confused(many, 1000).tolist() == list(range(30))


def test_names_are_cut_to_what_fits() -> None:
    """A name is cut between characters, also where one is drawn as its code point."""
    assert short(["a", "exactly sixteen!", "seventeen letters", "$x$"]) == [
        "a",
        "exactly sixteen!",
        "seventeen letter…",
        r"\$x\$",
    ]
    assert short(["\ue000" * 9]) == ["U+E000U+E000…"]


def test_the_score_is_kept_in_the_bundle_and_on_its_card(tmp_path: Path) -> None:
    """A score has counts, interval and dataset; a newer one takes its place on the card."""
    bundle = load_bundle(write_bundle(tmp_path / "bands"))

    publish(bundle, evaluation())
    publish(bundle, evaluation(fingerprint="f2"))

    score = load_bundle(tmp_path / "bands").scores["test"]
    assert (score["correct"], score["total"], score["top5"]) == (17, 23, 23)
    assert score["interval"] == pytest.approx(Rate(17, 23).interval)
    assert (score["loss"], score["dataset_fingerprint"]) == (0.125, "f2")
    card = (tmp_path / "bands" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert card.startswith("# bands\n\n<!-- scores -->\n```\nbands on the test split of d.h5\n")
    assert card.count("17 of 23") == 1
    assert "None." not in card


def test_only_the_test_score_gets_onto_the_card(tmp_path: Path) -> None:
    """Validation's score is only recorded; a card without a place for scores stays as it is."""
    bundle = load_bundle(write_bundle(tmp_path / "bands"))
    card = bundle.path / "MODEL_CARD.md"
    before = card.read_text(encoding="utf-8")

    publish(bundle, evaluation(split="validation"))
    assert card.read_text(encoding="utf-8") == before
    assert set(load_bundle(bundle.path).scores) == {"validation"}

    card.write_text("somebody's own words\n", encoding="utf-8")
    publish(bundle, evaluation())
    assert card.read_text(encoding="utf-8") == "somebody's own words\n"
    card.unlink()
    publish(bundle, evaluation())
    assert not card.exists()


def test_characters_that_are_taken_for_none_are_counted() -> None:
    """The summary and the JSON say how many labels are withheld by default, if the bundle can."""
    plain = evaluation()
    count = len(plain.predictions.labels)
    refused = np.arange(count) < 3
    taught = evaluation(predictions=replace(plain.predictions, refused=refused))

    assert f"withheld           3 of {count}, " in summary(taught, None)
    assert as_json(taught, None)["refused"]["correct"] == 3
    assert "withheld" not in summary(plain, None)
    assert as_json(plain, None)["refused"] is None
