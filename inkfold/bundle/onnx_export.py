"""Write ``model.onnx`` with Keras' own exporter, in a process of its own.

    python -m inkfold.bundle.onnx_export BUNDLE

The exporter needs TensorFlow. A network that was trained on JAX or PyTorch is exported as well,
because the new process starts Keras on TensorFlow. Run by hand, this module adds ``model.onnx`` to
a bundle that was trained where TensorFlow was not installed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inkfold.bundle.bundle import ARCHITECTURE, ONNX, RECORD, WEIGHTS, Bundle, load_bundle
from inkfold.bundle.features import add_features
from inkfold.bundle.network import keras_network, load_weights
from inkfold.bundle.writing import finish_bundle
from inkfold.extras import missing
from inkfold.keras_backend import import_keras
from inkfold.workers import end_with_stdin

CHILD = "--child"  # behind the folder: end when standard input does, even in the middle of the work


def tensorflow_is_installed() -> bool:
    """Whether this environment can write ``model.onnx``: TensorFlow and what exports it."""
    return not missing("tensorflow", "onnx", "tf2onnx")


def export_onnx(folder: Path, *, classes: Sequence[str], spec: dict[str, Any]) -> None:
    """Write ``model.onnx`` from the architecture and the weights in `folder`.

    Class names (JSON) and image spec travel in the model's metadata, for programs that know
    nothing of bundles.
    """
    environment = os.environ | {"KERAS_BACKEND": "tensorflow"}
    command = [sys.executable, "-m", "inkfold.bundle.onnx_export", str(folder), CHILD]
    with subprocess.Popen(  # noqa: S603, the command is this very module
        command,
        env=environment,
        stdin=subprocess.PIPE,  # nothing is written to it: its end is the end of this process
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="backslashreplace",
    ) as process:
        errors = "" if process.stderr is None else process.stderr.read()
    if process.returncode:
        raise RuntimeError(f"the ONNX export failed:\n{errors}")
    _describe(folder / ONNX, classes, spec)


def _describe(path: Path, classes: Sequence[str], spec: dict[str, Any]) -> None:
    """Put class names and image spec into an ONNX file's metadata, and add its features' output."""
    import onnx

    model = onnx.load(path)
    add_features(model)
    properties = {
        "classes": json.dumps(list(classes), ensure_ascii=False),
        "spec": json.dumps(spec),
    }
    onnx.helper.set_model_props(model, properties)
    onnx.save(model, path)


def _export_in_this_process(folder: Path) -> None:
    keras = import_keras()
    model = keras_network(folder / ARCHITECTURE)
    load_weights(model, folder / WEIGHTS)
    model(keras.ops.zeros((1, *model.input_shape[1:])))  # Keras exports a model only after a call
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tf2onnx uses names that NumPy is about to drop
        model.export(str(folder / ONNX), format="onnx", verbose=False)


def main(argv: Sequence[str]) -> None:
    """Export the network in the folder ``argv[0]``; of a finished bundle, write the record anew."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    folder = Path(argv[0])
    if CHILD in argv[1:]:
        end_with_stdin()
    finished = (folder / RECORD).exists()
    bundle = load_bundle(folder) if finished else Bundle(folder, {})
    _export_in_this_process(folder)
    if finished:
        _describe(folder / ONNX, bundle.record["classes"], bundle.record["spec"])
        bundle.check_unchanged(ARCHITECTURE, WEIGHTS)  # their hashes are about to be renewed
        finish_bundle(folder, bundle.record)


if __name__ == "__main__":
    main(sys.argv[1:])
