"""Temperature and thresholds, from the validation split to the lines of classify.py."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inkfold.bundle.bundle import Bundle, load_bundle, record_calibration
from inkfold.calibration import RejectThreshold, Withheld
from inkfold.classifier import Classifier
from inkfold.commands.classify import main as classify
from inkfold.commands.evaluate import main
from inkfold.dataset.reader import open_dataset
from inkfold.errors import InkfoldError
from inkfold.evaluation.calibrate import calibrate
from inkfold.evaluation.evaluate import evaluate
from inkfold.metrics import Rate
from tests.worlds.bands import picture, write_bundle, write_dataset, write_picture

Capture = pytest.CaptureFixture[str]

# Of pictures that are answered with 0.75 half are right: the likeliest labels are those of 0.5,
# which is 9 ** (1 / 2) against 1, 1, 1. So the temperature is 2.
VALIDATION = ((0, 0, 1, 1, 2, 2, 3, 3), (0, 1, 1, 2, 2, 3, 3, 0))
TEST = ((0, 0, 1, 2, None), (0, 1, 1, 2, 2))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The dataset d.h5, and the bundle `bands` that says it was trained on it."""
    monkeypatch.chdir(tmp_path)
    splits = {"train": ((0, 1), (0, 1)), "validation": VALIDATION, "test": TEST}
    write_dataset(tmp_path / "d.h5", splits)
    with open_dataset(tmp_path / "d.h5") as dataset:
        write_bundle(tmp_path / "bands", provenance=dataset.provenance)
    return tmp_path


def test_the_temperature_is_that_of_the_validation_split(here: Path) -> None:
    """Known by hand; the test split has no say in it."""
    with open_dataset(here / "d.h5") as dataset:
        told: list[int] = []
        found = calibrate(Classifier(load_bundle(here / "bands")), dataset, advance=told.append)

    assert found.temperature == pytest.approx(2, rel=1e-3)
    assert (found.right, found.fitted, sum(told)) == (Rate(4, 8), True, 8)
    assert found.why == ""
    assert found.how == "fitted on 8 validation pictures, 4 of them wrong"
    assert found.before is not None
    assert found.after is not None
    assert (found.before.error, found.after.error) == pytest.approx((0.25, 0.0), abs=1e-3)
    assert found.after.loss == pytest.approx(-(np.log(1 / 2) + np.log(1 / 6)) / 2, rel=1e-4)


def test_before_and_after_are_measured_on_the_test_split(here: Path) -> None:
    """Three of five are right there: given 0.75 and 0.25 before, 0.5 and 0.25 after."""
    with open_dataset(here / "d.h5") as dataset:
        classifier = Classifier(load_bundle(here / "bands"))
        result = evaluate(classifier, dataset, calibration=calibrate(classifier, dataset))

    assert result.predictions.own == pytest.approx([0.75, 0.75, 0.75, 0.75, 0.25])
    assert result.predictions.probability == pytest.approx([0.5, 0.5, 0.5, 0.5, 0.25], rel=1e-3)
    assert result.loss == pytest.approx(-(3 * np.log(3 / 4) + np.log(1 / 12) + np.log(1 / 4)) / 5)
    expected = -(3 * np.log(1 / 2) + np.log(1 / 6) + np.log(1 / 4)) / 5
    assert result.loss_after == pytest.approx(expected, rel=1e-3)
    assert [m.probability for m in result.mistakes] == pytest.approx([0.5, 0.25], rel=1e-3)
    assert sum(one.right.total for one in result.bins_after) == 5


def test_a_bundle_that_has_seen_validation_is_not_calibrated_on_it(here: Path) -> None:
    """After --refit, on another packing, or without pictures: the reason, and no thresholds."""
    bundle = load_bundle(here / "bands")
    refitted = Bundle(bundle.path, bundle.record | {"refit": True})
    write_dataset(here / "other.h5", {"validation": VALIDATION, "test": TEST}, provenance={"x": 1})
    write_dataset(here / "empty.h5", {"test": TEST})
    with open_dataset(here / "empty.h5") as empty:
        unvalidated = load_bundle(write_bundle(here / "e", provenance=empty.provenance))
        third = calibrate(Classifier(unvalidated), empty)
    with open_dataset(here / "d.h5") as dataset:
        first = calibrate(Classifier(refitted), dataset)
    write_dataset(here / "far.h5", {"validation": TEST, "test": TEST})
    with open_dataset(here / "far.h5") as far:
        second = calibrate(Classifier(bundle), far)

    reasons = ("after --refit", "is not the one kept from the training", "is empty")
    for found, reason in zip((first, second, third), reasons, strict=True):
        assert reason in found.why
        assert found.how == "none was fitted"
        assert (found.temperature, found.fitted, found.thresholds) == (None, False, ())


def test_a_stored_temperature_stands_where_none_can_be_fitted(here: Path) -> None:
    """On another dataset the answers are those that classify.py gives."""
    record_calibration(here / "bands", {"temperature": 2.0})
    write_dataset(here / "far.h5", {"validation": TEST, "test": TEST})

    with open_dataset(here / "far.h5") as far:
        classifier = Classifier(load_bundle(here / "bands"))
        result = evaluate(classifier, far, calibration=calibrate(classifier, far))
        plain = evaluate(classifier, far)

    assert result.calibration.temperature == plain.calibration.temperature == 2.0
    assert result.calibration.why.startswith("the validation split of")
    assert result.calibration.how == plain.calibration.how == "the bundle's own"
    assert not result.calibration.fitted
    assert result.predictions.probability[0] == pytest.approx(0.5)


def test_a_large_validation_split_is_taken_in_part(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first rows, which stand in random order; here five of eight."""
    monkeypatch.setattr("inkfold.evaluation.calibrate.MOST", 5 * 4)

    with open_dataset(here / "d.h5") as dataset:
        found = calibrate(Classifier(load_bundle(here / "bands")), dataset)

    assert found.right == Rate(3, 5)


def test_evaluating_records_the_temperature_and_classify_applies_it(
    here: Path, capfd: Capture
) -> None:
    """The same label before and after; the probability is the calibrated one."""
    write_picture(here / "2.png", 2)
    classify(["--model", "bands", "--format", "csv", "2.png"])
    before = capfd.readouterr()

    assert main(["bands", "d.h5"]) == 0
    printed = capfd.readouterr().out
    classify(["--model", "bands", "--format", "csv", "2.png"])
    after = capfd.readouterr()
    classify(["--model", "bands", "--top", "2", "-q", "--reject", "0.6", "2.png"])
    rejected = capfd.readouterr().out

    for lines, expected in ((before.out, 0.75), (after.out, 0.5)):
        label, probability = lines.splitlines()[1].split(",")[1:]
        assert label == "$c"
        assert float(probability) == pytest.approx(expected, rel=1e-3)
    assert rejected == "2.png ? 0.5000 あ 0.1667\n"
    assert "calibrated" not in before.err
    assert after.err.endswith("; probabilities calibrated\n")
    kept = load_bundle(here / "bands").record["calibration"]
    assert kept["temperature"] == pytest.approx(2, rel=1e-3)
    assert (kept["correct"], kept["total"]) == (4, 8)
    assert "temperature        2, fitted on 8 validation pictures, 4 of them wrong" in printed


def test_where_no_temperature_fits_none_is_recorded(here: Path, capfd: Capture) -> None:
    """Every validation answer is right: classify.py goes on as before, and the score is kept."""
    write_dataset(here / "t.h5", {"validation": ((0, 1), (0, 1)), "test": TEST})
    with open_dataset(here / "t.h5") as dataset:
        write_bundle(here / "b", provenance=dataset.provenance)

    assert main(["b", "t.h5"]) == 0

    out = capfd.readouterr().out
    assert "temperature        none fits 2 validation pictures, 0 of them wrong" in out
    record = load_bundle(here / "b").record
    assert "calibration" not in record
    assert record["scores"]["test"]["correct"] == 3


def test_evaluating_twice_gives_the_same_report(here: Path, capfd: Capture) -> None:
    """That the bundle holds a temperature now changes nothing."""
    main(["bands", "d.h5"])
    first = (here / "logs/bands/evaluation/evaluation.json").read_bytes()
    record = (here / "bands" / "bundle.json").read_bytes()
    main(["bands", "d.h5", "--overwrite"])

    assert (here / "logs/bands/evaluation/evaluation.json").read_bytes() == first
    assert (here / "bands" / "bundle.json").read_bytes() == record
    capfd.readouterr()


def test_the_threshold_told_does_what_is_told(here: Path, capfd: Capture) -> None:
    """--reject as printed keeps as many pictures of the test split as the report says."""
    clear, faint = (0, 1, 2, 3) * 5, (None,) * 4
    truth = (*clear, 1, 2, 3, 0)  # no blank picture is right
    splits = {"validation": ((*clear, *faint), truth), "test": ((0, 1, None), (0, 1, 3))}
    write_dataset(here / "t.h5", splits)
    with open_dataset(here / "t.h5") as dataset:
        write_bundle(here / "b", provenance=dataset.provenance)
    for name, band in (("0", 0), ("1", 1), ("blank", None)):
        write_picture(here / f"{name}.png", band)

    assert main(["b", "t.h5"]) == 0
    found = json.loads((here / "logs/b/evaluation/evaluation.json").read_text(encoding="utf-8"))
    one = found["thresholds"][0]
    capfd.readouterr()
    arguments = ["--model", "b", "-q", "--reject", f"{one['reject']:.9g}"]
    classify([*arguments, "0.png", "1.png", "blank.png"])

    assert one["wanted"] == 0.05
    chosen = [one["chosen_on_validation"][name] for name in ("answered", "of", "wrong", "error")]
    assert chosen == [20, 24, 0, 0.0]
    assert (one["measured"]["answered"], one["measured"]["wrong"]) == (2, 0)
    assert one["measured"]["error_interval"] == pytest.approx(Rate(0, 2).interval)
    assert capfd.readouterr().out == "0.png あ\n1.png b b\nblank.png ?\n"


def test_thresholds_are_chosen_among_calibrated_probabilities(here: Path) -> None:
    """Of 20 answers with 0.75 19 are right: the temperature makes them 0.95, and 0.9 parts them."""
    clear, faint = [0] * 20, [None] * 4
    splits = {"validation": ([*clear, *faint], [*[0] * 19, 1, 1, 2, 3, 1]), "test": TEST}
    write_dataset(here / "t.h5", splits)

    with open_dataset(here / "t.h5") as dataset:
        bundle = load_bundle(write_bundle(here / "b", provenance=dataset.provenance))
        found = calibrate(Classifier(bundle), dataset)

    assert found.temperature == pytest.approx(np.log(9) / np.log(3 * 19), rel=1e-3)
    assert found.thresholds[0] == RejectThreshold(0.05, 0.9, Withheld(1, 20, 24))
    assert [one.reject for one in found.thresholds[1:]] == [None] * 3


def test_a_later_temperature_takes_the_place_of_an_earlier_one(here: Path) -> None:
    """And the rest of the record stays."""
    before = load_bundle(here / "bands").record
    record_calibration(here / "bands", {"temperature": 2.0, "total": 3})
    record_calibration(here / "bands", {"temperature": 3.0})

    assert load_bundle(here / "bands").record == before | {"calibration": {"temperature": 3.0}}


def test_probabilities_from_python_are_calibrated_too(here: Path) -> None:
    """What predict gives is what classify gives; the network's own are at hand under their name."""
    record_calibration(here / "bands", {"temperature": 2.0})
    classifier = Classifier(load_bundle(here / "bands"))
    images = np.stack([picture(2), picture(None)])

    np.testing.assert_allclose(
        classifier.predict(images)[0], [1 / 6, 1 / 6, 1 / 2, 1 / 6], rtol=1e-5
    )
    np.testing.assert_allclose(classifier.network_answers(images)[0, 2], 0.75, rtol=1e-5)


def test_a_bundle_of_the_former_version_has_no_temperature(here: Path) -> None:
    """The field is not there, and probabilities are the network's own."""
    bundle = load_bundle(here / "bands")

    assert "calibration" not in bundle.record
    assert bundle.temperature is None
    assert Classifier(bundle).predict(picture(2)[None])[0, 2] == pytest.approx(0.75)


@pytest.mark.parametrize("wrong", [0, -1.5, "2", float("inf"), float("nan")])
def test_a_temperature_that_is_none_is_refused(here: Path, wrong: Any) -> None:  # noqa: ANN401
    """With what was found and what to do, not with strange probabilities."""
    record_calibration(here / "bands", {"temperature": wrong})

    with pytest.raises(InkfoldError, match=r"holds the temperature .* expected a number above 0"):
        Classifier(load_bundle(here / "bands"))


def test_tables_for_machines_hold_the_counts(here: Path, capfd: Capture) -> None:
    """Fifteen bins that add up to the pictures, and a point for each probability."""
    main(["bands", "d.h5"])
    out = capfd.readouterr().out
    folder = here / "logs/bands/evaluation"

    with (folder / "reliability.csv").open(encoding="utf-8", newline="") as file:
        bins = list(csv.DictReader(file))
    with (folder / "coverage.csv").open(encoding="utf-8", newline="") as file:
        points = list(csv.DictReader(file))

    assert len(bins) == 15
    assert sum(int(one["pictures_before"]) for one in bins) == 5
    assert sum(int(one["right_after"]) for one in bins) == 3
    assert [(one["answered"], one["wrong"]) for one in points] == [("4", "1"), ("5", "2")]
    found = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    assert found["calibration"]["bins"] == 15
    assert found["calibration"]["error_before"] == pytest.approx(0.25 / 5)
    assert found["calibration"]["error_after"] == pytest.approx((4 * 0.25 + 0.25) / 5, rel=1e-3)
    assert "calibration error  5.00 % over 15 bins; with the temperature 25.00 %, cross-" in out
    assert found["calibration"]["validation"]["total"] == 8
    assert found["risk_coverage_area"] == pytest.approx((4 * 1 / 4 + 2 / 5) / 5)
