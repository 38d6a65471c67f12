"""A refit was trained on validation, so its temperature and thresholds are the search's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inkfold.bundle.bundle import Bundle, load_bundle
from inkfold.bundle.model_card import CARD
from inkfold.classifier import Classifier
from inkfold.commands.evaluate import main
from inkfold.dataset.reader import Dataset, open_dataset
from inkfold.evaluation.calibrate import as_stored, calibrate
from inkfold.recipe import Stage
from inkfold.training.half_precision import shrink
from tests.worlds import tiny_network
from tests.worlds.packed_strokes import write_packed
from tests.worlds.trained import SILENT, training

pytestmark = pytest.mark.slow
# one epoch at a low rate: the network still makes mistakes, and so has a temperature
HASTY = replace(tiny_network.RECIPE, stages=(Stage(2e-3, epochs=1, patience=1),))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dataset]:
    """A few hundred drawn strokes of four classes."""
    with open_dataset(write_packed(tmp_path_factory.mktemp("data") / "d.h5")) as opened:
        yield opened


def trained(dataset: Dataset, output: Path, **options: Any) -> Bundle:  # noqa: ANN401, passed on
    """A bundle of the tiny network after one epoch, and with refit=True after one of each phase."""
    training(dataset, output, HASTY, **options).run(SILENT, resume=False, overwrite=False)
    return load_bundle(output)


@pytest.fixture(scope="module")
def search(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle that was trained without --refit."""
    return trained(dataset, tmp_path_factory.mktemp("search") / "tiny")


@pytest.fixture(scope="module")
def refit(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle that was trained with --refit, from the same seed."""
    return trained(dataset, tmp_path_factory.mktemp("refit") / "tiny", refit=True)


def test_a_refit_has_the_temperature_and_the_thresholds_of_its_search(
    dataset: Dataset, search: Bundle, refit: Bundle
) -> None:
    """They are those that evaluating the same training without --refit chooses."""
    of_search = calibrate(Classifier(search), dataset)
    of_refit = calibrate(Classifier(refit), dataset)

    assert of_search.temperature is not None
    assert of_refit.temperature == pytest.approx(of_search.temperature, rel=1e-3)
    assert of_refit.right == of_search.right
    for ours, theirs in zip(of_refit.thresholds, of_search.thresholds, strict=True):
        assert (ours.wanted, ours.chosen) == (theirs.wanted, theirs.chosen)
        assert ours.reject == pytest.approx(theirs.reject, rel=1e-3)
    assert of_refit.how == f"of the network before --refit, {of_search.how}"
    assert not of_refit.fitted, "nothing to record anew"
    assert of_refit == as_stored(refit)


def test_without_refit_training_records_no_calibration(search: Bundle) -> None:
    """The record has no temperature until evaluate.py fits one (decision 10)."""
    assert "calibration" not in search.record


def test_evaluating_a_refit_prints_them_and_leaves_the_record_as_it_is(
    dataset: Dataset,
    refit: Bundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The thresholds of the search are measured on the test split, and nothing is recorded."""
    monkeypatch.chdir(tmp_path)

    assert main([str(refit.path), str(dataset.path), "-q"]) == 0

    printed = capfd.readouterr().out
    assert ", of the network before --refit, fitted on " in printed
    assert ", chosen on validation, measured on test:" in printed
    assert load_bundle(refit.path).record["calibration"] == refit.record["calibration"]


def test_shrinking_a_refit_keeps_the_score_and_the_calibration_of_its_search(
    dataset: Dataset, refit: Bundle, tmp_path: Path
) -> None:
    """A score of its own would count validation pictures that the network was trained on."""
    shrink(refit, dataset.validation, tmp_path / "small", overwrite=False)
    small = load_bundle(tmp_path / "small")
    score = refit.scores["validation"]

    assert small.scores["validation"] == score
    assert small.record["calibration"] == refit.record["calibration"]
    line = f"before it was trained on that too: {score['correct']:,} of {score['total']:,}"
    assert line in (small.path / CARD).read_text()
