"""--balance: a picture counts in the loss by the inverse of its class's size, and is recorded."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.balance import FORMS
from inkfold.bundle.bundle import load_bundle
from inkfold.bundle.model_card import CARD
from inkfold.dataset.digests import digests
from inkfold.dataset.reader import Dataset, open_dataset
from inkfold.dataset.writer import Rows, writing_dataset
from inkfold.errors import InkfoldError
from inkfold.keras_backend import import_keras
from inkfold.recipe import Stage
from inkfold.spec import SPLITS, ImageSpec
from inkfold.training.balance import class_weights, unequal, weights_of
from inkfold.training.checkpoint import Checkpoint
from inkfold.training.compile import compiled, smoothed, weighted
from tests.worlds import tiny_network
from tests.worlds.scripts import ROOT
from tests.worlds.trained import SILENT, training

HASTY = replace(tiny_network.RECIPE, stages=(Stage(2e-3, epochs=2, patience=2),))
SIZES = {"train": (60, 4), "validation": (15, 2), "test": (1, 1)}
# the weighted loss of a batch as a backend computes it, and as NumPy does; then a step of training
ELSEWHERE = """
import numpy as np
from inkfold.keras_backend import import_keras
from inkfold.training.balance import class_weights
from inkfold.training.compile import compiled
from tests.worlds import tiny_network
import_keras().utils.set_random_seed(0)
weights = class_weights(np.array([24, 8]))
model = compiled(tiny_network.build(2), tiny_network.RECIPE, weights=weights)
images = np.random.default_rng(0).integers(0, 256, (32, 16, 16, 1)).astype(np.uint8)
labels = (np.arange(32) % 4 == 0).astype(np.int32)
of_truth = np.asarray(model.predict_on_batch(images))[np.arange(32), labels]
loss, _accuracy = model.test_on_batch(images, labels)
assert abs(float(loss) / (-np.log(of_truth) * weights[labels]).mean() - 1) < 1e-3
fitted = model.fit(((images, labels) for _ in range(1)), steps_per_epoch=1, verbose=0)
assert np.isfinite(fitted.history["loss"][0])
"""
COUNTS = st.lists(st.integers(1, 100_000), min_size=2, max_size=50).map(np.array)


def write_uneven(path: Path, sizes: dict[str, tuple[int, int]] = SIZES) -> Path:
    """Noise of two classes, of which one has fifteen times the pictures of the other."""
    rng = np.random.default_rng(0)
    with writing_dataset(path, ("a", "b"), ImageSpec(size=16), overwrite=False) as writer:
        for split in SPLITS:
            labels = np.repeat(np.arange(2, dtype=np.int32), sizes[split])
            images = rng.integers(0, 256, (len(labels), 16, 16)).astype(np.uint8)
            source = np.array([f"{split}/{at}.png".encode() for at in range(len(labels))], "S20")
            rows = Rows(images=images, labels=labels, source=source, digest=digests(images))
            with writer.split(split, len(rows), like=rows) as writing:
                writing.append(rows)
        writer.finish({"fingerprint": "uneven"})
    return path


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[Dataset]:
    """The uneven dataset, open."""
    with open_dataset(write_uneven(tmp_path / "uneven.h5")) as opened:
        yield opened


@given(counts=COUNTS)
def test_every_class_has_the_same_part_in_the_loss_and_the_mean_weight_is_1(
    counts: np.ndarray,
) -> None:
    """Weight times size is equal for all classes, and adds up to the number of pictures."""
    weights = class_weights(counts).astype(float)

    assert weights * counts == pytest.approx(counts.sum() / len(counts), rel=1e-4)


def test_a_class_without_pictures_has_a_weight_all_the_same() -> None:
    """It has that of a class with one picture, for pictures that a refit may add."""
    assert class_weights(np.array([8, 0, 1])).tolist() == [0.5625, 4.5, 4.5]


def test_the_form_is_the_one_that_validation_chose_in_the_benchmark() -> None:
    """`benchmarks/balance.py` measures what training does."""
    form, counts = FORMS["power 1"], np.array([500, 5])

    assert form is not None
    assert form(counts) == pytest.approx(class_weights(counts))


def test_distorted_copies_leave_the_weights_as_they_are() -> None:
    """Ten of every original have the weights of the originals."""
    counts = np.array([70, 20, 3])

    assert class_weights(10 * counts) == pytest.approx(class_weights(counts))


@pytest.mark.slow
def test_each_picture_counts_with_the_weight_of_its_class() -> None:
    """A weighted loss is the loss times the weight, also with smoothed labels."""
    keras = import_keras()
    probabilities = np.random.default_rng(0).dirichlet(np.ones(3), 12).astype(np.float32)
    labels, weights = np.arange(12) % 3, np.array([0.5, 1, 4], np.float32)
    for loss in (smoothed(0.1), keras.losses.sparse_categorical_crossentropy):
        plain = keras.ops.convert_to_numpy(loss(labels, probabilities))
        found = keras.ops.convert_to_numpy(weighted(loss, weights)(labels, probabilities))

        assert found == pytest.approx(plain * weights[labels], rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("kernels", ["keras", "fused"])
@pytest.mark.parametrize("arithmetic", ["float32", "mixed_bfloat16"])
def test_a_compiled_network_has_the_weighted_loss(
    kernels: Literal["keras", "fused"], arithmetic: str
) -> None:
    """Keras' layers and their twins, in float32 and bfloat16, report the same weighted mean."""
    keras = import_keras()
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(arithmetic)
    try:
        keras.utils.set_random_seed(0)
        weights = np.array([0.5, 5], np.float32)
        model = compiled(tiny_network.build(2), tiny_network.RECIPE, kernels, weights)
    finally:
        keras.config.set_dtype_policy(before)
    images = np.random.default_rng(0).integers(0, 256, (32, 16, 16, 1)).astype(np.uint8)
    labels = (np.arange(32) % 4 == 0).astype(np.int32)
    of_truth = np.asarray(model.predict_on_batch(images))[np.arange(32), labels]

    loss, _accuracy = model.test_on_batch(images, labels)

    assert float(loss) == pytest.approx((-np.log(of_truth) * weights[labels]).mean(), rel=1e-3)


@pytest.mark.long
@pytest.mark.slow
def test_a_bundle_records_its_weights_also_after_a_refit(dataset: Dataset, tmp_path: Path) -> None:
    """Record and card have the weights of train; without --balance they have none."""
    for refit in (False, True):
        run = training(dataset, tmp_path / f"tiny{refit}", HASTY, balance=True, refit=refit)
        record = run.run(SILENT, resume=False, overwrite=False).record

        assert record["options"]["balance"] is True
        assert record["class_weights"] == pytest.approx([64 / 2 / 60, 64 / 2 / 4])
        assert load_bundle(run.output).record["class_weights"] == record["class_weights"]
        card = (run.output / CARD).read_text(encoding="utf-8")
        assert "| weights of classes in the loss | 0.53 to 8, more for a class with" in card
    plain = training(dataset, tmp_path / "plain", HASTY).run(SILENT, resume=False, overwrite=False)
    assert "class_weights" not in plain.record
    card = (plain.path / CARD).read_text(encoding="utf-8")
    assert "| weights of classes in the loss | none |" in card


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_compute_the_same_weighted_loss(backend: str) -> None:
    """JAX and PyTorch agree with NumPy, and train by Keras' own loop with the weights."""
    pytest.importorskip(backend)
    environment = os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}

    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("balance", "share"), [(False, 0.25), (True, 0.5)])
def test_pictures_that_say_nothing_are_answered_by_the_classes_weights(
    *, balance: bool, share: float
) -> None:
    """Of blank pictures a quarter is b: the network answers b with 25 %, balanced with 50 %."""
    from keras import Input, Sequential, layers

    import_keras().utils.set_random_seed(0)
    network = [Input((4, 4, 1)), layers.Flatten(), layers.Dense(2, activation="softmax")]
    weights = class_weights(np.array([24, 8])) if balance else None
    model = compiled(Sequential(network), tiny_network.RECIPE, weights=weights)
    images, labels = np.zeros((32, 4, 4, 1), np.uint8), (np.arange(32) % 4 == 0).astype(np.int32)

    for _ in range(300):
        model.train_on_batch(images, labels)

    assert model.predict_on_batch(images)[0, 1] == pytest.approx(share, abs=0.01)


def test_a_stopped_run_is_resumed_with_the_same_weights_only(
    dataset: Dataset, tmp_path: Path
) -> None:
    """A checkpoint of a run without --balance is refused by one with it; older ones still fit."""
    plain, balanced = (training(dataset, tmp_path / "t", balance=each) for each in (False, True))
    older = {name: value for name, value in plain.config.items() if name != "balance"}
    path = tmp_path / "c.npz"
    write_empty(path, older)

    assert Checkpoint.load(path, plain.config).history == []
    with pytest.raises(InkfoldError, match="balance None, but now balance is True"):
        Checkpoint.load(path, balanced.config)


def write_empty(path: Path, config: dict[str, object]) -> None:
    """A checkpoint of a run with this config, before its first epoch."""
    from inkfold.training.checkpoint import Position
    from inkfold.training.plan import Plan

    state = Checkpoint(
        config=config, plan=Plan(), position=Position(), history=[], variables=[], best=[]
    )
    state.save(path)


def test_training_says_that_classes_are_unequal(dataset: Dataset, tmp_path: Path) -> None:
    """The largest and the smallest class are named from ten times as many pictures on."""
    line = unequal(dataset)

    assert line is not None
    assert line.startswith("unequal classes: 'a' has 60 training pictures, 'b' 4; with --balance")
    sizes = SIZES | {"train": (39, 4)}
    with open_dataset(write_uneven(tmp_path / "even.h5", sizes)) as even:
        assert unequal(even) is None
        assert weights_of(even) == pytest.approx([43 / 2 / 39, 43 / 2 / 4])
