"""A bundle in half precision: half the bytes, loaded by any Keras, its changes measured."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from inkfold.bundle.bundle import ONNX, WEIGHTS, load_bundle
from inkfold.classifier import Classifier
from inkfold.commands.cli import run
from inkfold.commands.main import command
from inkfold.dataset.reader import Dataset, open_dataset
from inkfold.errors import InkfoldError
from inkfold.training.half_precision import shrink
from tests.worlds.packed_strokes import write_packed
from tests.worlds.trained import SILENT, training

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dataset]:
    """A few hundred drawn strokes of four classes."""
    with open_dataset(write_packed(tmp_path_factory.mktemp("data") / "d.h5")) as opened:
        yield opened


@pytest.fixture(scope="module")
def bundle(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of the tiny network with float32 weights."""
    output = tmp_path_factory.mktemp("trained") / "tiny"
    training(dataset, output).run(SILENT, resume=False, overwrite=False)
    return output


@pytest.fixture(scope="module")
def small(bundle: Path, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same bundle in half precision."""
    output = tmp_path_factory.mktemp("small") / "tiny"
    shrink(load_bundle(bundle), dataset.validation, output, overwrite=False)
    return output


def stored(path: Path) -> dict[str, np.ndarray]:
    """Every array of a weights file, by its name."""
    arrays: dict[str, np.ndarray] = {}
    with h5py.File(path, "r") as file:
        file.visititems(
            lambda name, item: (
                arrays.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None
            )
        )
    return arrays


def test_weights_are_the_nearest_numbers_of_half_precision(bundle: Path, small: Path) -> None:
    """Each array keeps its name and shape, and its float32 numbers are rounded to float16."""
    before, after = stored(bundle / WEIGHTS), stored(small / WEIGHTS)

    assert before.keys() == after.keys()
    for name, values in before.items():
        assert after[name].dtype == (np.float16 if values.dtype == np.float32 else values.dtype)
        assert np.array_equal(after[name], values.astype(after[name].dtype))


def test_keras_and_onnx_answer_alike(small: Path, dataset: Dataset) -> None:
    """Keras and ONNX agree to 1e-5, since both compute in float32 from the rounded weights."""
    images = dataset.test.images[:]
    loaded = load_bundle(small)  # hashes and shapes are checked here

    keras, onnx = (Classifier(loaded, engine).predict(images) for engine in ("keras", "onnx"))

    assert np.abs(keras - onnx).max() < 1e-5
    assert {str(w.dtype) for w in loaded.keras_model().weights} <= {"float32", "uint32", "int64"}


def test_large_tensors_take_half_the_bytes(bundle: Path, small: Path) -> None:
    """The tiny network's ONNX is mostly graph, and shrinks by nearly half of its largest kernel."""
    kernel = max(stored(bundle / WEIGHTS).values(), key=lambda array: array.nbytes)
    saved = (bundle / ONNX).stat().st_size - (small / ONNX).stat().st_size

    assert saved > 0.3 * kernel.nbytes


def test_the_record_has_the_rounded_networks_own_score(small: Path, dataset: Dataset) -> None:
    """Validation is counted anew, and neither a test score nor a calibration is taken over."""
    loaded = load_bundle(small)
    answers = Classifier(loaded).predict(dataset.validation.images[:])
    right = int((answers.argmax(axis=1) == dataset.validation.labels).sum())

    assert set(loaded.scores) == {"validation"}
    assert loaded.scores["validation"]["correct"] == right
    assert loaded.record["weights"] == "float16"
    assert loaded.temperature is None


def test_the_command_prints_what_changed(
    bundle: Path, dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It prints the right answers of both and the changed ones, and leaves the old bundle."""
    line = ["shrink", str(bundle), str(dataset.path), str(tmp_path / "s")]

    assert run(command, line) == 0
    printed = capsys.readouterr().out
    assert run(command, line) == 2  # the output exists

    assert "right on validation: " in printed
    assert "other answers: 0 of 64" in printed
    assert "with full weights" in printed
    assert load_bundle(bundle).record.get("weights") is None


def test_a_bundle_in_half_precision_is_not_shrunk_again(
    small: Path, dataset: Dataset, tmp_path: Path
) -> None:
    """Shrinking it is an error, and no folder is left behind."""
    with pytest.raises(InkfoldError, match="in half precision already"):
        shrink(load_bundle(small), dataset.validation, tmp_path / "again", overwrite=False)

    assert list(tmp_path.iterdir()) == []


def test_a_weight_beyond_half_precision_is_refused(
    bundle: Path, dataset: Dataset, tmp_path: Path
) -> None:
    """The error has the largest weight and the end of half precision; no bundle is written."""
    loaded = load_bundle(bundle)
    with h5py.File(bundle / WEIGHTS, "r+") as file:
        name = next(name for name, values in stored(bundle / WEIGHTS).items() if values.ndim == 4)
        original = file[name][()]
        file[name][0, 0, 0, 0] = 1e6
    try:
        with pytest.raises(InkfoldError, match=r"holds 1e\+06, half precision ends at 65,504"):
            shrink(loaded, dataset.validation, tmp_path / "again", overwrite=False)
    finally:
        with h5py.File(bundle / WEIGHTS, "r+") as file:
            file[name][...] = original

    assert list(tmp_path.iterdir()) == []
