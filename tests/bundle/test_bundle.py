"""The bundle: it loads when it is whole, and names what differs when it is not."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from inkfold.bundle.bundle import (
    RECORD,
    SHIPPED,
    WEIGHTS,
    load_bundle,
    located,
    newest_bundle,
)
from inkfold.bundle.writing import FIELDS, finish_bundle, record_results
from inkfold.dataset.reader import open_dataset
from inkfold.errors import InkfoldError
from inkfold.keras_backend import import_keras
from inkfold.metrics import Rate
from tests.worlds import tiny_network
from tests.worlds.bands import write_bundle
from tests.worlds.packed_strokes import write_packed
from tests.worlds.trained import SILENT, training

CLASSES = ("あ", "b/c", "U+1F600", "d d")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real bundle of the tiny network, trained in the arithmetic that this machine prefers."""
    folder = tmp_path_factory.mktemp("bundle")
    with open_dataset(write_packed(folder / "d.h5", classes=CLASSES)) as dataset:
        output = folder / "tiny"
        training(dataset, output, precision="auto").run(SILENT, resume=False, overwrite=False)
    return output


@pytest.fixture
def bundle(trained: Path, tmp_path: Path) -> Path:
    """A copy of the trained bundle, which a test may damage."""
    return Path(shutil.copytree(trained, tmp_path / "tiny"))


def edit(bundle: Path, **fields: Any) -> None:  # noqa: ANN401, JSON values
    """Change fields of a bundle's record; its hashes stay."""
    path = bundle / RECORD
    record = json.loads(path.read_text()) | fields
    del record["seal"]
    path.write_text(json.dumps(record))


@pytest.mark.slow
def test_class_order_size_and_weights_survive(bundle: Path) -> None:
    """The loaded bundle has the dataset's classes in label order, its spec, and float32 weights."""
    loaded = load_bundle(bundle)
    model = loaded.keras_model()

    assert loaded.classes == CLASSES
    assert loaded.spec.size == 16
    assert loaded.name == "tiny"
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert model.count_params() == loaded.record["parameters"]


@pytest.mark.slow
def test_onnx_and_keras_answer_alike(bundle: Path) -> None:
    """On every picture probabilities differ by less than 1e-4, and the likeliest class agrees."""
    loaded = load_bundle(bundle)
    images = np.random.default_rng(5).integers(0, 256, (50, 16, 16, 1)).astype(np.float32)
    session = loaded.onnx_session()

    onnx = session.run(None, {session.get_inputs()[0].name: images})[0]
    keras = loaded.keras_model().predict(images, verbose=0)

    assert np.abs(onnx - keras).max() < 1e-4
    assert np.array_equal(onnx.argmax(axis=1), keras.argmax(axis=1))


@pytest.mark.slow
def test_onnx_carries_the_class_names(bundle: Path) -> None:
    """Programs that know nothing of bundles find class names and spec in ``model.onnx``."""
    properties = load_bundle(bundle).onnx_session().get_modelmeta().custom_metadata_map

    assert tuple(json.loads(properties["classes"])) == CLASSES
    assert json.loads(properties["spec"])["size"] == 16


@pytest.mark.slow
def test_the_architecture_is_plain_keras(bundle: Path) -> None:
    """Keras alone loads architecture and weights, and the weights file holds no optimizer."""
    keras = import_keras()

    model = keras.models.model_from_json((bundle / "model_architecture.json").read_text())
    model.load_weights(bundle / "model.weights.h5")

    assert model.output_shape == (None, 4)
    with h5py.File(bundle / "model.weights.h5") as file:
        assert "optimizer" not in file


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["model_architecture.json", "model.weights.h5", "model.onnx", "novelty.npz"],
    ids=str,
)
def test_a_changed_or_missing_file_is_named(bundle: Path, name: str) -> None:
    """A file with one flipped bit, and a file that is gone, are refused by their names."""
    path = bundle / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(InkfoldError, match=f"{name}: sha256 is"):
        load_bundle(bundle)
    path.unlink()
    with pytest.raises(InkfoldError, match=f"{name} is missing"):
        load_bundle(bundle)


@pytest.mark.slow
def test_weights_of_a_network_with_more_classes_are_refused(bundle: Path) -> None:
    """Keras loads some such weights without a word; the shapes in the record reveal them."""
    keras = import_keras()
    nine_classes = tiny_network.build(9)
    keras.models.Model.save_weights(nine_classes, bundle / "model.weights.h5")
    finish_bundle(bundle, load_bundle_unchecked(bundle))

    with pytest.raises(InkfoldError, match="its weights file holds"):
        load_bundle(bundle).keras_model()


@pytest.mark.slow
def test_a_class_count_that_does_not_fit_is_refused(bundle: Path) -> None:
    """ONNX and Keras both name the network's number of classes and the record's."""
    edit(bundle, classes=["a", "b", "c"])

    with pytest.raises(InkfoldError, match=r"ONNX answers \[4\], bundle.json says \[3\]"):
        load_bundle(bundle).onnx_session()
    with pytest.raises(InkfoldError, match=r"network answers \(4,\), bundle.json says \(3,\)"):
        load_bundle(bundle).keras_model()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"format": "zip"}, "not the record of an inkfold bundle"),
        ({"format_version": 99}, "bundle format 99, this version reads format 1"),
    ],
)
def test_another_format_or_version_is_refused(
    bundle: Path, fields: dict[str, Any], message: str
) -> None:
    """The message names the format of the record and the one that this version reads."""
    edit(bundle, **fields)

    with pytest.raises(InkfoldError, match=message):
        load_bundle(bundle)


@pytest.mark.slow
def test_a_bundle_without_onnx_says_how_to_write_it_and_gets_it(bundle: Path) -> None:
    """A bundle that was trained without TensorFlow is completed by the command that it names."""
    from inkfold.bundle.onnx_export import main

    record = load_bundle_unchecked(bundle)
    (bundle / "model.onnx").unlink()
    finish_bundle(bundle, record)
    with pytest.raises(InkfoldError, match=r"python -m inkfold\.bundle\.onnx_export"):
        load_bundle(bundle).onnx_session()

    main([str(bundle)])

    session = load_bundle(bundle).onnx_session()
    assert json.loads(session.get_modelmeta().custom_metadata_map["classes"]) == list(CLASSES)


@pytest.mark.slow
def test_a_score_is_recorded_beside_the_others(bundle: Path) -> None:
    """The bundle still loads, with the new score beside validation's, and gives both as rates."""
    assert load_bundle(bundle).rate("test") is None

    record_results(bundle, scores={"test": {"correct": 3, "total": 4}})

    loaded = load_bundle(bundle)
    assert loaded.scores["test"] == {"correct": 3, "total": 4}
    assert loaded.scores["validation"]["total"] == 64
    assert loaded.rate("test") == Rate(3, 4)


@pytest.mark.parametrize(
    ("content", "message"), [(None, "no bundle here"), ("{", "not JSON"), ("[]", "not the record")]
)
def test_what_is_no_bundle_is_refused(tmp_path: Path, content: str | None, message: str) -> None:
    """A folder without a record, one that is not JSON, and a foreign record are refused."""
    if content is not None:
        (tmp_path / RECORD).write_text(content)

    with pytest.raises(InkfoldError, match=message):
        load_bundle(tmp_path)


@pytest.mark.parametrize("field", FIELDS)
def test_a_record_without_a_field_is_refused_by_name(tmp_path: Path, field: str) -> None:
    """Each of the record's fields is needed, and a missing one is named."""
    finish_bundle(tmp_path, {key: {} for key in FIELDS})
    record = json.loads((tmp_path / RECORD).read_text())
    del record[field]
    (tmp_path / RECORD).write_text(json.dumps(record))

    with pytest.raises(InkfoldError, match=f"'{field}' is missing"):
        load_bundle(tmp_path)


def test_the_newest_bundle_is_the_one_trained_last(tmp_path: Path) -> None:
    """The age of the weights decides; a half-written bundle, which has a dot, does not count."""
    with pytest.raises(InkfoldError, match="no trained bundle; train one with"):
        newest_bundle(tmp_path, tmp_path / "none")
    for age, name in enumerate((".part", "new", "old")):
        (tmp_path / name).mkdir()
        (tmp_path / name / RECORD).write_text("{}")
        (tmp_path / name / WEIGHTS).write_bytes(b"")
        os.utime(tmp_path / name / WEIGHTS, (1000 - age, 1000 - age))

    assert newest_bundle(tmp_path) == tmp_path / "new"


def test_the_shipped_bundle_gives_way_to_any_trained_one(tmp_path: Path) -> None:
    """It is taken only where nothing was trained, however new its files are."""
    shipped, own = tmp_path / "shipped/one", tmp_path / "trained/own"
    for path, age in ((shipped, 2000), (own, 1000)):
        path.mkdir(parents=True)
        (path / RECORD).write_text("{}")
        (path / WEIGHTS).write_bytes(b"")
        os.utime(path / WEIGHTS, (age, age))

    assert newest_bundle(tmp_path / "trained", shipped) == own
    assert newest_bundle(tmp_path / "elsewhere", shipped) == shipped


def test_a_name_alone_stands_for_a_trained_bundle_or_else_for_the_one_that_comes_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies in the current folder comes first, models/trained next; no file is looked into."""
    monkeypatch.chdir(tmp_path)

    assert load_bundle("emnist47").path == SHIPPED
    assert located("other") == Path("other")
    assert located("./emnist47") == located(Path("emnist47")) == SHIPPED
    assert located("models/emnist47") == Path("models/emnist47")
    own = Path("models/trained/emnist47")
    own.mkdir(parents=True)
    assert located("emnist47") == SHIPPED, "a folder without a record is no bundle"
    (own / RECORD).write_text("{}")
    assert located("emnist47") == own
    Path("emnist47").mkdir()
    assert located("emnist47") == Path("emnist47")


def test_an_unknown_name_is_refused_with_the_names_that_come_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names what was typed, and the bundles that need no training."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(InkfoldError, match=r"^emnist: no bundle here .*; those .*: emnist47$"):
        load_bundle("emnist")


def test_nothing_is_done_meanwhile_for_a_bundle_that_cannot_be_loaded(tmp_path: Path) -> None:
    """The record is read first, so that a wrong path is reported before slow imports begin."""
    done: list[str] = []
    with pytest.raises(InkfoldError, match="no bundle here"):
        load_bundle(tmp_path / "nowhere", meanwhile=lambda: done.append("nowhere"))
    bundle = write_bundle(tmp_path / "bands")
    load_bundle(bundle, meanwhile=lambda: done.append("bands"))
    (bundle / "model.onnx").unlink()
    with pytest.raises(InkfoldError, match=r"model\.onnx is missing"):
        load_bundle(bundle, meanwhile=lambda: done.append("halved"))

    assert done == ["bands"]


def load_bundle_unchecked(bundle: Path) -> dict[str, Any]:
    """The record, whatever the files are."""
    record: dict[str, Any] = json.loads((bundle / RECORD).read_text(encoding="utf-8"))
    return record
