"""What a bundle keeps to recognise what is no character: read back, and refused when damaged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from inkfold.bundle.bundle import NOVELTY, ONNX, RECORD, load_bundle
from inkfold.bundle.features import add_features
from inkfold.bundle.novelty_file import read_novelty
from inkfold.bundle.writing import finish_bundle
from inkfold.classifier import Classifier
from inkfold.dataset.reader import open_dataset
from inkfold.errors import InkfoldError
from inkfold.training.learn_novelty import add_to_bundle
from tests.worlds.bands import picture, write_bundle
from tests.worlds.taught import BETWEEN, TWO, bars, write_bars, write_taught


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bundle that knows what its classes look like, and the dataset."""
    folder = tmp_path_factory.mktemp("taught")
    write_taught(folder)
    return folder


@pytest.fixture
def taught(whole: Path, tmp_path: Path) -> Path:
    """A copy of the bundle, which a test may damage; the dataset lies beside it."""
    shutil.copyfile(whole / "bars.h5", tmp_path / "bars.h5")
    return Path(shutil.copytree(whole / "bands", tmp_path / "bands"))


def rewrite(bundle: Path, **novelty: Any) -> None:  # noqa: ANN401, JSON values
    """Change fields of "novelty" in the record, and seal it again."""
    record = load_bundle(bundle).record
    finish_bundle(bundle, record | {"novelty": record["novelty"] | novelty})


def test_answers_stay_and_flags_are_added(tmp_path: Path) -> None:
    """Teaching a bundle changes no probability, and it flags what it did not flag before."""
    with open_dataset(write_bars(tmp_path / "d.h5")) as dataset:
        path = write_bundle(tmp_path / "b", provenance=dataset.provenance)
        before = Classifier(load_bundle(path))
        learned = add_to_bundle(load_bundle(path), dataset)
    after = Classifier(load_bundle(path))
    images = np.concatenate([bars(200, seed=5)[0], [TWO, BETWEEN]])

    assert np.array_equal(before.predict(images), after.predict(images))
    assert set(before.answers_and_flags(images)[1]) == {None}
    assert after.answers_and_flags(images)[1][-2:] == ["several", "unlike"]
    assert (before.knows_characters, after.knows_characters) == (False, True)
    assert learned.refused <= 3
    assert learned.total == 300
    assert load_bundle(path).record["novelty"]["by"] == "validation"


def test_teaching_twice_gives_the_same_files(taught: Path, tmp_path: Path) -> None:
    """The same bundle and dataset give the same bytes again."""
    before = [(taught / name).read_bytes() for name in (NOVELTY, ONNX, RECORD)]
    with open_dataset(tmp_path / "bars.h5") as dataset:
        add_to_bundle(load_bundle(taught), dataset)

    assert [(taught / name).read_bytes() for name in (NOVELTY, ONNX, RECORD)] == before


def test_another_dataset_is_refused(taught: Path, tmp_path: Path) -> None:
    """A bundle learns from the pictures that it was trained on, and from no others."""
    with (
        open_dataset(write_bars(tmp_path / "other.h5", (60, 20, 0))) as dataset,
        pytest.raises(InkfoldError, match=r"other\.h5 is not the dataset that"),
    ):
        add_to_bundle(load_bundle(taught), dataset)


def test_a_flipped_bit_in_the_arrays_is_named(taught: Path) -> None:
    """The arrays are hashed as the other files are, and a bundle without them is not whole."""
    data = bytearray((taught / NOVELTY).read_bytes())
    data[len(data) // 2] ^= 1
    (taught / NOVELTY).write_bytes(data)
    with pytest.raises(InkfoldError, match=r"novelty\.npz: sha256 is"):
        load_bundle(taught)
    (taught / NOVELTY).unlink()
    with pytest.raises(InkfoldError, match=r"novelty\.npz is missing"):
        load_bundle(taught)


def test_a_record_that_forgets_the_file_is_refused(taught: Path) -> None:
    """A record with the numbers must have the hash of the arrays."""
    record = json.loads((taught / RECORD).read_text(encoding="utf-8"))
    del record["sha256"][NOVELTY], record["seal"]
    (taught / RECORD).write_text(json.dumps(record), encoding="utf-8")

    with pytest.raises(InkfoldError, match=r"'novelty\.npz' is missing"):
        load_bundle(taught)


DAMAGE = {
    "empty": b"",
    "text": b"no arrays",
    "pickle": b"\x80\x04K\x01.",
}


@pytest.mark.parametrize("case", [*DAMAGE, "other shapes", "whole numbers", "nan"])
def test_arrays_that_are_none_are_told_though_the_hash_is_right(taught: Path, case: str) -> None:
    """Damage from before the record was written is told in one line, and nothing is unpickled."""
    novelty = read_novelty(load_bundle(taught))
    assert novelty is not None
    arrays = {"whitening": novelty.whitening, "centres": novelty.centres}
    changed: dict[str, dict[str, Any]] = {
        "other shapes": {"centres": arrays["centres"][:, 1:]},
        "whole numbers": {"centres": arrays["centres"].astype(np.int64)},
        "nan": {"whitening": arrays["whitening"] * np.float32("nan")},
    }
    if case in DAMAGE:
        (taught / NOVELTY).write_bytes(DAMAGE[case])
    else:
        both: dict[str, Any] = {**arrays, **changed[case]}
        np.savez(taught / NOVELTY, **both)
    finish_bundle(taught, load_record(taught))

    with pytest.raises(InkfoldError, match=r"novelty\.npz: ") as caught:
        Classifier(load_bundle(taught))
    assert len(str(caught.value).splitlines()) == 1


def load_record(bundle: Path) -> dict[str, Any]:
    """The record as it stands, without a check."""
    record: dict[str, Any] = json.loads((bundle / RECORD).read_text(encoding="utf-8"))
    return record


@pytest.mark.parametrize(
    "fields",
    [
        {"limit": None},
        {"limit": "far"},
        {"features": 63},
        {"measures": {}},
        {"measures": []},
    ],
    ids=str,
)
def test_numbers_that_contradict_the_arrays_are_refused(taught: Path, fields: Any) -> None:  # noqa: ANN401, JSON values
    """A field of another type or value ends in one line that names it."""
    rewrite(taught, **fields)

    with pytest.raises(InkfoldError) as caught:
        Classifier(load_bundle(taught)).predict(picture(0)[None])
    assert len(str(caught.value).splitlines()) == 1


def test_an_onnx_file_without_features_is_refused(taught: Path, tmp_path: Path) -> None:
    """A bundle with arrays whose ONNX was exported by an earlier version says what is wrong."""
    plain = write_bundle(tmp_path / "plain")
    (taught / ONNX).write_bytes((plain / ONNX).read_bytes())
    finish_bundle(taught, load_record(taught))

    with pytest.raises(InkfoldError, match="gives no features"):
        Classifier(load_bundle(taught)).predict(picture(0)[None])


def test_the_features_are_what_the_last_product_is_given(tmp_path: Path) -> None:
    """They are the input of a product with weights at the end; asked twice, nothing is added."""
    model = onnx.load(write_bundle(tmp_path / "b") / ONNX)

    assert add_features(model)
    assert add_features(model)

    assert [output.name for output in model.graph.output] == ["probabilities", "features"]
    assert model.graph.output[1].type.tensor_type.shape.dim[1].dim_value == 64
    assert model.graph.node[-1].input[0] == "flat"


def test_a_network_that_ends_in_no_product_has_no_features(tmp_path: Path) -> None:
    """Nothing is added, and `inkfold calibrate` says why it cannot help."""
    with open_dataset(write_bars(tmp_path / "d.h5", (60, 20, 0))) as dataset:
        path = write_bundle(tmp_path / "b", provenance=dataset.provenance)
        model = onnx.load(path / ONNX)
        model.graph.node[1].op_type = "Einsum"
        assert not add_features(model)
        onnx.save(model, path / ONNX)
        finish_bundle(path, load_record(path))
        with pytest.raises(InkfoldError, match="ends in no dense layer"):
            add_to_bundle(load_bundle(path), dataset)


def told(bundle: Path) -> str:
    """The message with which a bundle is refused; empty if it answers."""
    try:
        Classifier(load_bundle(bundle)).answers_and_flags(np.stack([picture(0), TWO]))
    except InkfoldError as error:
        return str(error)
    return ""


def test_any_damage_to_the_arrays_is_told_or_harmless(taught: Path) -> None:
    """Bytes changed at random, with the hash put right, end in one line or in an answer."""
    rng, whole = np.random.default_rng(0), (taught / NOVELTY).read_bytes()
    messages = []
    for _ in range(120):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), rng.integers(1, 9)):
            data[place] = rng.integers(256)
        if rng.random() < 0.2:
            del data[rng.integers(len(data)) :]
        (taught / NOVELTY).write_bytes(data)
        finish_bundle(taught, load_record(taught))
        message = told(taught)
        messages += [message] if message else []

    assert len(messages) > 60
    assert all(message.isprintable() for message in messages)
