"""A refit has been trained on validation: what is said of its probabilities is the search's."""

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
from inkfold.training.engine import Options, Training
from inkfold.training.half_precision import shrink
from tests.worlds import tiny_network
from tests.worlds.packed_strokes import write_packed
from tests.worlds.trained import SILENT

pytestmark = pytest.mark.slow
# an epoch at a low rate: it still makes mistakes, and so has a temperature
HASTY = replace(tiny_network.RECIPE, stages=(Stage(2e-3, epochs=1, patience=1),))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dataset]:
    """A few hundred drawn strokes of four classes."""
    with open_dataset(write_packed(tmp_path_factory.mktemp("data") / "d.h5")) as opened:
        yield opened


def trained(dataset: Dataset, output: Path, **options: Any) -> Bundle:  # noqa: ANN401, passed on
    """The tiny network after an epoch, and after another training where it is refitted."""
    chosen = Options(precision="float32", **options)
    Training(tiny_network.build, HASTY, dataset, chosen, output).run(
        SILENT, resume=False, overwrite=False
    )
    return load_bundle(output)


@pytest.fixture(scope="module")
def search(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Trained, and not again."""
    return trained(dataset, tmp_path_factory.mktemp("search") / "tiny")


@pytest.fixture(scope="module")
def refit(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The same, trained again on train and validation."""
    return trained(dataset, tmp_path_factory.mktemp("refit") / "tiny", refit=True)


def test_a_refit_has_the_temperature_and_the_thresholds_of_its_search(
    dataset: Dataset, search: Bundle, refit: Bundle
) -> None:
    """Those that evaluating the same training without --refit chooses."""
    wanted = calibrate(Classifier(search), dataset)
    found = calibrate(Classifier(refit), dataset)

    assert wanted.temperature is not None
    assert found.temperature == pytest.approx(wanted.temperature, rel=1e-3)
    assert found.right == wanted.right
    assert [one.wanted for one in found.thresholds] == [one.wanted for one in wanted.thresholds]
    assert [one.chosen for one in found.thresholds] == [one.chosen for one in wanted.thresholds]
    for one, other in zip(found.thresholds, wanted.thresholds, strict=True):
        assert one.reject == pytest.approx(other.reject, rel=1e-3)
    assert found.how == f"of the network before --refit, {wanted.how}"
    assert not found.fitted, "nothing to record anew"
    assert found == as_stored(refit)


def test_without_refit_training_says_nothing_of_probabilities(search: Bundle) -> None:
    """That is for evaluate.py (decision 10)."""
    assert "calibration" not in search.record


def test_evaluating_a_refit_tells_them_and_leaves_the_record_as_it_is(
    dataset: Dataset,
    refit: Bundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The table of thresholds is measured on the test split."""
    monkeypatch.chdir(tmp_path)

    assert main([str(refit.path), str(dataset.path), "-q"]) == 0

    told = capfd.readouterr().out
    assert ", of the network before --refit, fitted on " in told
    assert "(chosen on validation), on test:" in told
    assert load_bundle(refit.path).record["calibration"] == refit.record["calibration"]


def test_shrinking_a_refit_keeps_what_its_search_found(
    dataset: Dataset, refit: Bundle, tmp_path: Path
) -> None:
    """Its own figure on validation would be one on pictures that it was trained on."""
    shrink(refit, dataset.validation, tmp_path / "small", overwrite=False)
    small = load_bundle(tmp_path / "small")
    found = refit.scores["validation"]

    assert small.scores["validation"] == found
    assert small.record["calibration"] == refit.record["calibration"]
    told = f"before it was trained on that too: {found['correct']:,} of {found['total']:,}"
    assert told in (small.path / CARD).read_text()
