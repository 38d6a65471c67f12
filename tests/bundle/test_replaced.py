"""A bundle whose files change after they were hashed: it is refused, never mixed with another."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from math import log
from pathlib import Path

import pytest

from inkfold.bundle.bundle import ONNX, RECORD, load_bundle
from inkfold.bundle.writing import record_results
from inkfold.classifier import Classifier
from inkfold.errors import InkfoldError
from tests.worlds.bands import write_bundle

CHANGED = "changed while it was read"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle, with another one of the same classes beside it: `bundle` and `other`."""
    write_bundle(tmp_path / "other", weight=log(3) / 4000)
    return write_bundle(tmp_path / "bundle")


def exchange(bundle: Path) -> None:
    """Put the other bundle in the place of the first, as a training with --overwrite does."""
    bundle.rename(bundle.with_name("old"))
    bundle.with_name("other").rename(bundle)


def exchange_network(bundle: Path) -> None:
    """Put the other bundle's network into the first one."""
    (bundle.with_name("other") / ONNX).replace(bundle / ONNX)


def write_network(bundle: Path) -> None:
    """Write the other bundle's network over that of the first."""
    shutil.copyfile(bundle.with_name("other") / ONNX, bundle / ONNX)


def remove_network(bundle: Path) -> None:
    """Remove the bundle's network."""
    (bundle / ONNX).unlink()


CHANGES = [exchange, exchange_network, write_network, remove_network]


@pytest.mark.parametrize("change", CHANGES)
def test_a_bundle_that_changed_after_it_was_loaded_answers_nothing(
    bundle: Path, change: Callable[[Path], None]
) -> None:
    """No classifier is made of one bundle's record and another bundle's network."""
    loaded = load_bundle(bundle)
    change(bundle)

    with pytest.raises(InkfoldError, match=CHANGED):
        Classifier(loaded)
    with pytest.raises(InkfoldError, match=CHANGED):
        loaded.check_unchanged()


@pytest.mark.parametrize("change", CHANGES)
def test_a_bundle_that_changes_while_it_is_hashed_is_not_loaded(
    bundle: Path, change: Callable[[Path], None]
) -> None:
    """Whichever file the hashing threads met, the error says that the bundle changed."""
    with pytest.raises(InkfoldError, match=CHANGED):
        load_bundle(bundle, meanwhile=lambda: change(bundle))


def test_a_classifier_answers_on_after_its_bundle_was_replaced(bundle: Path) -> None:
    """A server keeps the network that it has loaded, and reads nothing of the new bundle."""
    classifier = Classifier(load_bundle(bundle))
    exchange(bundle)

    assert len(classifier.bundle.classes) == 4
    assert classifier.temperature is None


def test_a_score_that_another_program_records_is_no_change(bundle: Path) -> None:
    """Two evaluations of one bundle may end in any order: only the hashed files must stay."""
    loaded = load_bundle(bundle)
    record_results(bundle, scores={"test": {"correct": 3, "total": 4}})

    loaded.check_unchanged()
    Classifier(loaded)
    assert load_bundle(bundle).scores["test"]["correct"] == 3


def test_only_the_named_files_are_asked_about(bundle: Path) -> None:
    """An export that has just written model.onnx asks whether the other files are as they were."""
    loaded = load_bundle(bundle)
    os.utime(bundle / ONNX)

    loaded.check_unchanged("model.weights.h5")
    with pytest.raises(InkfoldError, match=f"{ONNX}: {CHANGED}"):
        loaded.check_unchanged(ONNX)
    assert (bundle / RECORD).exists()
