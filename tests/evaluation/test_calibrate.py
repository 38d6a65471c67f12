"""Temperature and thresholds, from the validation split to what classify.py prints."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inkfold.bundle.bundle import Bundle, load_bundle
from inkfold.bundle.writing import record_results
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
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the dataset d.h5, and the bundle `bands` whose record names it."""
    monkeypatch.chdir(tmp_path)
    splits = {"train": ((0, 1), (0, 1)), "validation": VALIDATION, "test": TEST}
    write_dataset(tmp_path / "d.h5", splits)
    with open_dataset(tmp_path / "d.h5") as dataset:
        write_bundle(tmp_path / "bands", provenance=dataset.provenance)
    return tmp_path


def test_the_temperature_is_that_of_the_validation_split(work: Path) -> None:
    """The temperature is 2, known by hand from validation; the test split has no say in it."""
    with open_dataset(work / "d.h5") as dataset:
        counts: list[int] = []
        classifier = Classifier(load_bundle(work / "bands"))
        calibration = calibrate(classifier, dataset, advance=counts.append)

    assert calibration.temperature == pytest.approx(2, rel=1e-3)
    assert (calibration.right, calibration.fitted, sum(counts)) == (Rate(4, 8), True, 8)
    assert calibration.why == ""
    assert calibration.how == "fitted on 8 validation pictures, 4 of them wrong"
    before, after = calibration.before, calibration.after
    assert before is not None
    assert after is not None
    assert (before.error, after.error) == pytest.approx((0.25, 0.0), abs=1e-3)
    assert after.loss == pytest.approx(-(np.log(1 / 2) + np.log(1 / 6)) / 2, rel=1e-4)


def test_before_and_after_are_measured_on_the_test_split(work: Path) -> None:
    """Test's answers have 0.75 and 0.25 without the temperature, 0.5 and 0.25 with it."""
    with open_dataset(work / "d.h5") as dataset:
        classifier = Classifier(load_bundle(work / "bands"))
        result = evaluate(classifier, dataset, calibration=calibrate(classifier, dataset))

    assert result.predictions.own == pytest.approx([0.75, 0.75, 0.75, 0.75, 0.25])
    assert result.predictions.probability == pytest.approx([0.5, 0.5, 0.5, 0.5, 0.25], rel=1e-3)
    assert result.loss == pytest.approx(-(3 * np.log(3 / 4) + np.log(1 / 12) + np.log(1 / 4)) / 5)
    expected = -(3 * np.log(1 / 2) + np.log(1 / 6) + np.log(1 / 4)) / 5
    assert result.loss_after == pytest.approx(expected, rel=1e-3)
    assert [m.probability for m in result.mistakes] == pytest.approx([0.5, 0.25], rel=1e-3)
    assert sum(each.right.total for each in result.bins_after) == 5


def test_a_bundle_that_has_seen_validation_is_not_calibrated_on_it(work: Path) -> None:
    """After --refit, on another packing or without pictures the reason is kept, no threshold."""
    bundle = load_bundle(work / "bands")
    refitted = Bundle(bundle.path, bundle.record | {"refit": True})
    write_dataset(work / "other.h5", {"validation": VALIDATION, "test": TEST}, provenance={"x": 1})
    write_dataset(work / "empty.h5", {"test": TEST})
    with open_dataset(work / "empty.h5") as empty:
        unvalidated = load_bundle(write_bundle(work / "e", provenance=empty.provenance))
        third = calibrate(Classifier(unvalidated), empty)
    with open_dataset(work / "d.h5") as dataset:
        first = calibrate(Classifier(refitted), dataset)
    write_dataset(work / "far.h5", {"validation": TEST, "test": TEST})
    with open_dataset(work / "far.h5") as far:
        second = calibrate(Classifier(bundle), far)

    reasons = ("after --refit", "is not the one kept from the training", "is empty")
    for each, reason in zip((first, second, third), reasons, strict=True):
        assert reason in each.why
        assert each.how == "none was fitted"
        assert (each.temperature, each.fitted, each.thresholds) == (None, False, ())


def test_a_stored_temperature_stands_where_none_can_be_fitted(work: Path) -> None:
    """On another dataset the bundle's temperature is applied, as classify.py does."""
    record_results(work / "bands", calibration={"temperature": 2.0})
    write_dataset(work / "far.h5", {"validation": TEST, "test": TEST})

    with open_dataset(work / "far.h5") as far:
        classifier = Classifier(load_bundle(work / "bands"))
        result = evaluate(classifier, far, calibration=calibrate(classifier, far))
        plain = evaluate(classifier, far)

    assert result.calibration.temperature == plain.calibration.temperature == 2.0
    assert result.calibration.why.startswith("the validation split of")
    assert result.calibration.how == plain.calibration.how == "the bundle's own"
    assert not result.calibration.fitted
    assert result.predictions.probability[0] == pytest.approx(0.5)


def test_a_large_validation_split_is_taken_in_part(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where memory holds five rows of eight, the first five are taken: their order is random."""
    monkeypatch.setattr("inkfold.evaluation.calibrate.MOST", 5 * 4)

    with open_dataset(work / "d.h5") as dataset:
        calibration = calibrate(Classifier(load_bundle(work / "bands")), dataset)

    assert calibration.right == Rate(3, 5)


def test_evaluating_records_the_temperature_and_classify_applies_it(
    work: Path, capfd: Capture
) -> None:
    """classify.py gives the same label before and after, and then the calibrated probability."""
    write_picture(work / "2.png", 2)
    classify(["--model", "bands", "--format", "csv", "2.png"])
    before = capfd.readouterr()

    assert main(["bands", "d.h5"]) == 0
    printed = capfd.readouterr().out
    classify(["--model", "bands", "--format", "csv", "2.png"])
    after = capfd.readouterr()
    classify(["--model", "bands", "--top", "2", "-q", "--reject", "0.6", "2.png"])
    rejected = capfd.readouterr().out

    for lines, expected in ((before.out, 0.75), (after.out, 0.5)):
        label, probability, _ = lines.splitlines()[1].split(",")[1:]
        assert label == "$c"
        assert float(probability) == pytest.approx(expected, rel=1e-3)
    assert rejected == "2.png ? 0.5000 あ 0.1667\n"
    assert "calibrated" not in before.err
    assert "; probabilities calibrated" in after.err
    record = load_bundle(work / "bands").record["calibration"]
    assert record["temperature"] == pytest.approx(2, rel=1e-3)
    assert (record["correct"], record["total"]) == (4, 8)
    assert "temperature        2, fitted on 8 validation pictures, 4 of them wrong" in printed


def test_where_no_temperature_fits_none_is_recorded(work: Path, capfd: Capture) -> None:
    """If every validation answer is right, the bundle gets the score and no temperature."""
    write_dataset(work / "t.h5", {"validation": ((0, 1), (0, 1)), "test": TEST})
    with open_dataset(work / "t.h5") as dataset:
        write_bundle(work / "b", provenance=dataset.provenance)

    assert main(["b", "t.h5"]) == 0

    out = capfd.readouterr().out
    assert "temperature        none fits 2 validation pictures, 0 of them wrong" in out
    record = load_bundle(work / "b").record
    assert "calibration" not in record
    assert record["scores"]["test"]["correct"] == 3


def test_evaluating_twice_gives_the_same_report(work: Path, capfd: Capture) -> None:
    """The temperature that the first run stored in the bundle changes nothing in the second."""
    main(["bands", "d.h5"])
    first = (work / "logs/bands/evaluation/evaluation.json").read_bytes()
    record = (work / "bands" / "bundle.json").read_bytes()
    main(["bands", "d.h5", "--overwrite"])

    assert (work / "logs/bands/evaluation/evaluation.json").read_bytes() == first
    assert (work / "bands" / "bundle.json").read_bytes() == record
    capfd.readouterr()


def test_the_printed_threshold_does_what_the_report_says(work: Path, capfd: Capture) -> None:
    """With --reject as printed classify.py answers as many test pictures as the report says."""
    clear, faint = (0, 1, 2, 3) * 5, (None,) * 4
    truth = (*clear, 1, 2, 3, 0)  # no blank picture is right
    splits = {"validation": ((*clear, *faint), truth), "test": ((0, 1, None), (0, 1, 3))}
    write_dataset(work / "t.h5", splits)
    with open_dataset(work / "t.h5") as dataset:
        write_bundle(work / "b", provenance=dataset.provenance)
    for name, band in (("0", 0), ("1", 1), ("blank", None)):
        write_picture(work / f"{name}.png", band)

    assert main(["b", "t.h5"]) == 0
    figures = json.loads((work / "logs/b/evaluation/evaluation.json").read_text(encoding="utf-8"))
    first = figures["thresholds"][0]
    printed = capfd.readouterr().out
    reject = f"{first['reject']:.9g}"
    classify(["--model", "b", "-q", "--reject", reject, "0.png", "1.png", "blank.png"])

    assert (
        "thresholds for classify --reject by wrong answers allowed, chosen on validation, "
        "measured on test:\n"
    ) in printed
    assert f"\n  5 %    --reject {reject:<9} 2 of 3 answered, wrong 0 of 2, 0.00 % (" in printed
    assert first["wanted"] == 0.05
    chosen = [first["chosen_on_validation"][name] for name in ("answered", "of", "wrong", "error")]
    assert chosen == [20, 24, 0, 0.0]
    assert (first["measured"]["answered"], first["measured"]["wrong"]) == (2, 0)
    assert first["measured"]["error_interval"] == pytest.approx(Rate(0, 2).interval)
    assert capfd.readouterr().out == "0.png あ\n1.png b b\n"


def test_thresholds_are_chosen_among_calibrated_probabilities(work: Path) -> None:
    """The temperature lifts 20 answers from 0.75 to 0.95, so 0.9 parts them from the others."""
    clear, faint = [0] * 20, [None] * 4  # 19 of the 20 are right
    splits = {"validation": ([*clear, *faint], [*[0] * 19, 1, 1, 2, 3, 1]), "test": TEST}
    write_dataset(work / "t.h5", splits)

    with open_dataset(work / "t.h5") as dataset:
        bundle = load_bundle(write_bundle(work / "b", provenance=dataset.provenance))
        calibration = calibrate(Classifier(bundle), dataset)

    assert calibration.temperature == pytest.approx(np.log(9) / np.log(3 * 19), rel=1e-3)
    assert calibration.thresholds[0] == RejectThreshold(0.05, 0.9, Withheld(1, 20, 24))
    assert [threshold.reject for threshold in calibration.thresholds[1:]] == [None] * 3


def test_a_later_temperature_takes_the_place_of_an_earlier_one(work: Path) -> None:
    """A new calibration replaces the old one whole, and the rest of the record stays."""
    before = load_bundle(work / "bands").record
    record_results(work / "bands", calibration={"temperature": 2.0, "total": 3})
    record_results(work / "bands", calibration={"temperature": 3.0})

    after = load_bundle(work / "bands").record
    assert after == before | {"calibration": {"temperature": 3.0}, "seal": after["seal"]}


def test_probabilities_from_python_are_calibrated_too(work: Path) -> None:
    """`predict` gives what classify.py gives; `network_answers` gives the network's own."""
    record_results(work / "bands", calibration={"temperature": 2.0})
    classifier = Classifier(load_bundle(work / "bands"))
    images = np.stack([picture(2), picture(None)])

    np.testing.assert_allclose(
        classifier.predict(images)[0], [1 / 6, 1 / 6, 1 / 2, 1 / 6], rtol=1e-5
    )
    np.testing.assert_allclose(classifier.network_answers(images)[0, 2], 0.75, rtol=1e-5)


def test_a_bundle_of_the_former_version_has_no_temperature(work: Path) -> None:
    """A record without a calibration has no temperature: probabilities are the network's own."""
    bundle = load_bundle(work / "bands")

    assert "calibration" not in bundle.record
    assert bundle.temperature is None
    assert Classifier(bundle).predict(picture(2)[None])[0, 2] == pytest.approx(0.75)


@pytest.mark.parametrize("wrong", [0, -1.5, "2", float("inf"), float("nan")])
def test_a_temperature_that_is_no_positive_number_is_refused(work: Path, wrong: Any) -> None:  # noqa: ANN401, of any kind
    """Loading names the temperature and what was expected, and gives no strange probabilities."""
    record_results(work / "bands", calibration={"temperature": wrong})

    with pytest.raises(InkfoldError, match=r"holds the temperature .* expected a number above 0"):
        Classifier(load_bundle(work / "bands"))


def test_tables_for_machines_hold_the_counts(work: Path, capfd: Capture) -> None:
    """reliability.csv has fifteen bins of all pictures, coverage.csv each probability."""
    main(["bands", "d.h5"])
    out = capfd.readouterr().out
    folder = work / "logs/bands/evaluation"

    with (folder / "reliability.csv").open(encoding="utf-8", newline="") as file:
        bins = list(csv.DictReader(file))
    with (folder / "coverage.csv").open(encoding="utf-8", newline="") as file:
        points = list(csv.DictReader(file))

    assert len(bins) == 15
    assert sum(int(row["pictures_before"]) for row in bins) == 5
    assert sum(int(row["right_after"]) for row in bins) == 3
    assert [(row["answered"], row["wrong"]) for row in points] == [("4", "1"), ("5", "2")]
    figures = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    calibration = figures["calibration"]
    assert calibration["bins"] == 15
    assert calibration["error_before"] == pytest.approx(0.25 / 5)
    assert calibration["error_after"] == pytest.approx((4 * 0.25 + 0.25) / 5, rel=1e-3)
    assert "calibration error  5.00 % over 15 bins; with the temperature 25.00 %, cross-" in out
    assert calibration["validation"]["total"] == 8
    assert figures["risk_coverage_area"] == pytest.approx((4 * 1 / 4 + 2 / 5) / 5)
