"""The features of Keras' networks, and of what is exported of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inkfold.bundle.bundle import NOVELTY, load_bundle
from inkfold.bundle.check import check_bundle
from inkfold.bundle.features import count_features
from inkfold.classifier import Classifier
from inkfold.dataset.reader import open_dataset
from inkfold.training.half_precision import shrink
from tests.worlds import tiny_network
from tests.worlds.packed_strokes import write_packed
from tests.worlds.trained import SILENT, training

pytestmark = pytest.mark.slow


def test_training_teaches_a_bundle_and_both_engines_flag_alike(tmp_path: Path) -> None:
    """A trained bundle flags few of its own pictures and all noise, with ONNX and with Keras."""
    rng = np.random.default_rng(3)
    noise = rng.integers(0, 256, (20, 16, 16)).astype(np.uint8)
    with open_dataset(write_packed(tmp_path / "d.h5", (400, 200, 100))) as dataset:
        training(dataset, tmp_path / "b").run(SILENT, resume=False, overwrite=False)
        images = np.concatenate([dataset.test.images[:], noise])
        shrink(load_bundle(tmp_path / "b"), dataset.validation, tmp_path / "s", overwrite=False)
    bundle, small = load_bundle(tmp_path / "b"), load_bundle(tmp_path / "s")
    flags = Classifier(bundle).answers_and_flags(images)[1]

    assert flags[:100].count(None) >= 90
    assert None not in flags[100:]
    assert Classifier(bundle, engine="keras").answers_and_flags(images)[1] == flags
    assert bundle.record["novelty"]["refused"] <= 2
    assert check_bundle(tmp_path / "b")["files"] == 4
    assert (small.path / NOVELTY).read_bytes() == (bundle.path / NOVELTY).read_bytes()
    of_small = Classifier(small).answers_and_flags(images)[1]
    assert sum(a != b for a, b in zip(flags, of_small, strict=True)) <= 3


def test_a_refit_takes_over_the_share_that_its_search_refuses(tmp_path: Path) -> None:
    """After --refit the limit stands where the search's share of trained pictures lies beyond."""
    with open_dataset(write_packed(tmp_path / "d.h5", (400, 200, 100))) as dataset:
        training(dataset, tmp_path / "b", refit=True).run(SILENT, resume=False, overwrite=False)
    record = load_bundle(tmp_path / "b").record

    assert record["novelty"]["by"] == "search"
    assert "trained_share" not in record["calibration"]


def test_a_network_that_ends_in_another_layer_has_no_features() -> None:
    """A sequence of layers has as many features as its last dense layer takes; else none."""
    from keras import Input, Sequential, layers

    flat = Sequential([Input((8, 8, 1)), layers.GlobalAveragePooling2D(), layers.Softmax()])

    assert count_features(tiny_network.build(4)) == 196
    assert count_features(flat) is None
