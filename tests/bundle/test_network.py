"""What a bundle brings along is never run, and a network that does not load is told in one line."""

from __future__ import annotations

import base64
import json
import marshal
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from inkfold.bundle.bundle import ONNX, load_bundle
from inkfold.bundle.check import check_bundle
from inkfold.bundle.network import keras_network, load_weights, stored_shapes
from inkfold.bundle.writing import finish_bundle
from inkfold.classifier import Classifier
from inkfold.errors import InkfoldError
from tests.worlds import tiny_network
from tests.worlds.bands import picture, write_bundle

MARK = "ran.txt"  # a file that a program in a bundle would write


class Trap:
    """An object that writes a file when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str, ...]]:
        """Have `exec` called while the object is loaded."""
        return exec, (f"open({MARK!r}, 'w').close()",)


def layer(module: str | None, class_name: Any, config: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401, hostile JSON
    """A layer as Keras describes it."""
    return {
        "module": module,
        "class_name": class_name,
        "config": config,
        "registered_name": None,
        "build_config": {"input_shape": [None, 16, 16, 1]},
    }


def network(*layers: dict[str, Any]) -> dict[str, Any]:
    """A sequence of layers as Keras describes it."""
    start = layer(
        "keras.layers", "InputLayer", {"batch_shape": [None, 16, 16, 1], "dtype": "float32"}
    )
    config = {"name": "n", "trainable": True, "layers": [start, *layers]}
    return layer("keras", "Sequential", config)


def bytecode() -> dict[str, Any]:
    """A function as Keras stores it: Python's bytecode."""
    code = compile(f"open({MARK!r}, 'w').close()", "trap", "exec")
    return {
        "class_name": "__lambda__",
        "config": {
            "code": base64.b64encode(marshal.dumps(code)).decode(),
            "defaults": None,
            "closure": None,
        },
    }


PICKLED = base64.b64encode(pickle.dumps(Trap())).decode()
LAMBDA = layer("keras.layers", "Lambda", {"name": "l", "function": bytecode()})
PROGRAMS: dict[str, dict[str, Any]] = {
    "lambda": network(LAMBDA),
    "lambda inside a layer": network(
        layer("keras.layers", "TimeDistributed", {"name": "t", "layer": LAMBDA})
    ),
    "lambda of another spelling": network(
        layer("keras.src.layers.core.lambda_layer", "Lambda", {"function": bytecode()})
    ),
    "activation": network(
        layer("keras.layers", "Activation", {"name": "a", "activation": bytecode()})
    ),
    "module": network(layer("trap", "Trap", {})),
    "module of the machine": network(layer("os", "system", {"command": f"touch {MARK}"})),
    "function of the machine": network(
        layer("builtins", "function", {"module": "builtins", "function_name": "exec"})
    ),
    "saved model": network(layer("keras.layers", "TFSMLayer", {"filepath": "."})),
    "pickled": network(layer("keras.layers", "TorchModuleWrapper", {"module": PICKLED})),
    "no text": network(layer("keras.layers", ["Lambda"], {})),
    "utility": layer("keras.utils", "get_file", {"fname": MARK, "origin": "file:///etc/passwd"}),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", PROGRAMS)
def test_nothing_that_a_network_brings_along_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    """Functions, modules and pickled objects in an architecture are refused, and none runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "trap.py").write_text(f"open({MARK!r}, 'w').close()\nclass Trap: pass\n")
    path = tmp_path / "model_architecture.json"
    path.write_text(json.dumps(PROGRAMS[case]))

    with pytest.raises(InkfoldError, match=f"^{path}: ") as caught:
        keras_network(path)
    assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / MARK).exists()


WRONG = ["", "{", "[]", "null", "7", '"keras"', "{}", '{"class_name": "Sequential"}', "[" * 100_000]


@pytest.mark.slow
@pytest.mark.parametrize("text", WRONG, ids=range(len(WRONG)))
def test_an_architecture_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    """Text that is no JSON, or JSON that describes no network, is told in one line."""
    path = tmp_path / "model_architecture.json"
    path.write_text(text)

    with pytest.raises(InkfoldError, match=f"^{path}: ") as caught:
        keras_network(path)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.slow
def test_a_whole_network_is_read_with_its_weights(tmp_path: Path) -> None:
    """What Keras writes of a network is read back to the same answers."""
    model = tiny_network.build(4)
    path, weights = tmp_path / "a.json", tmp_path / "a.weights.h5"
    path.write_text(model.to_json())
    model.save_weights(weights)
    image = np.full((1, 16, 16, 1), 7, np.float32)

    read = keras_network(path)
    load_weights(read, weights)

    assert sorted(tuple(weight.shape) for weight in model.weights) == stored_shapes(weights)
    assert np.array_equal(read.predict_on_batch(image), model.predict_on_batch(image))


def test_weights_that_lie_in_another_file_are_refused(tmp_path: Path) -> None:
    """Neither a link nor an array of raw bytes leads a reader to other files of the machine."""
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["a"] = np.zeros(3)
    for name, link in (
        ("external", h5py.ExternalLink("other.h5", "/a")),
        ("soft", h5py.SoftLink("/a")),
    ):
        with h5py.File(tmp_path / f"{name}.weights.h5", "w") as file:
            file["w"] = link
        with pytest.raises(InkfoldError, match="'w' leads elsewhere"):
            stored_shapes(tmp_path / f"{name}.weights.h5")
    with h5py.File(tmp_path / "raw.weights.h5", "w") as file:
        file.create_dataset("w", (4,), "u1", external=[("/etc/passwd", 0, 4)])
    with pytest.raises(InkfoldError, match="'w' lies in another file"):
        stored_shapes(tmp_path / "raw.weights.h5")


@pytest.mark.parametrize("damage", ["empty", "text", "torn", "another network"])
def test_an_onnx_file_that_does_not_load_is_told_though_its_hash_is_right(
    tmp_path: Path, damage: str
) -> None:
    """A bundle whose record was written after the damage is refused when its network is loaded."""
    bundle = write_bundle(tmp_path / "b")
    record = load_bundle(bundle).record
    whole = (bundle / ONNX).read_bytes()
    contents = {"empty": b"", "text": b"no network", "torn": whole[: len(whole) // 2]}
    other = write_bundle(tmp_path / "other", classes=("a", "b", "c"))
    contents["another network"] = (other / ONNX).read_bytes()
    (bundle / ONNX).write_bytes(contents[damage])
    finish_bundle(bundle, record)

    with pytest.raises(InkfoldError, match=f"^{bundle}") as caught:
        Classifier(load_bundle(bundle)).network_answers(np.stack([picture(0)]))
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.slow
def test_the_check_refuses_a_bundle_whose_keras_files_are_none(tmp_path: Path) -> None:
    """Its ONNX answers and all hashes are right, but it cannot be answered with Keras."""
    with pytest.raises(InkfoldError, match=r"model_architecture\.json: "):
        check_bundle(write_bundle(tmp_path / "b"))
