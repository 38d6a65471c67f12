"""The thorough check of a bundle: hashes, record, both networks, and a blank image answered."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from inkfold.bundle.bundle import ARCHITECTURE, ONNX, Bundle, load_bundle
from inkfold.bundle.history import read_history
from inkfold.bundle.network import network_of_keras, onnx_network
from inkfold.bundle.novelty_file import read_novelty
from inkfold.errors import InkfoldError
from inkfold.spec import ImageSpec

if TYPE_CHECKING:
    import keras

    from inkfold.bundle.network import Outputs

OF_FEATURES = 1e-2  # largest difference of a feature, of one and the largest: halves are rounded
TOLERANCE = 1e-3  # largest difference of a probability between two ways to answer one image


def check_bundle(path: Path) -> dict[str, int]:
    """Load all of a bundle, and answer a blank image with each of its networks.

    Returns
    -------
    counts : dict
        The number of "classes", "parameters", "files" with a hash, and of "epochs" in the history.

    Raises
    ------
    InkfoldError
        Naming the file, and the place in it, that is damaged.
    """
    bundle = load_bundle(path)
    epochs = read_history(path)
    novelty = read_novelty(bundle)
    features = None if novelty is None else novelty.features
    blank = np.zeros((1, bundle.spec.size, bundle.spec.size, 1), np.float32)
    outputs = [network_of_keras(_keras_model(bundle), features)(blank)]
    if (path / ONNX).exists():
        session = bundle.onnx_session(threads=1)
        _check_metadata(bundle, session.get_modelmeta().custom_metadata_map)
        network = onnx_network(path / ONNX, session, len(bundle.classes), features)
        outputs.append(network(blank))
    names = (ARCHITECTURE, ONNX)
    for name, (answer, _) in zip(names, outputs, strict=False):
        if not np.isfinite(answer).all() or abs(float(answer.sum()) - 1) > TOLERANCE:
            raise InkfoldError(
                f"{path / name}: answers a blank image with no probabilities; restore it or "
                "train again"
            )
    if len(outputs) == 2 and not _alike(*outputs):
        raise InkfoldError(
            f"{path / ONNX}: answers a blank image otherwise than {ARCHITECTURE}; write it again "
            f"with: python -m inkfold.bundle.onnx_export {path}"
        )
    bundle.temperature  # noqa: B018, refuses what is no temperature
    return {
        "classes": len(bundle.classes),
        "parameters": bundle.record["parameters"],
        "files": len(bundle.record["sha256"]),
        "epochs": len(epochs),
    }


def _alike(ours: Outputs, theirs: Outputs) -> bool:
    """Whether two networks give the same probabilities, and features, nearly."""
    if np.abs(ours[0] - theirs[0]).max() > TOLERANCE:
        return False
    if ours[1] is None or theirs[1] is None:
        return True
    return bool(np.abs(ours[1] - theirs[1]).max() <= OF_FEATURES * (1 + np.abs(ours[1]).max()))


def _keras_model(bundle: Bundle) -> keras.Model:
    """The Keras network, its number of parameters compared with the record."""
    model = bundle.keras_model()
    if model.count_params() != bundle.record["parameters"]:
        raise InkfoldError(
            f"{bundle.path}: its network has {model.count_params()} parameters, the record says "
            f"{bundle.record['parameters']}; restore it or train again"
        )
    return model


def _check_metadata(bundle: Bundle, found: dict[str, Any]) -> None:
    """Refuse an ONNX file whose own class names or spec are not the record's."""
    expected = {"classes": list(bundle.classes), "spec": _input_of(bundle.spec.to_json())}
    for name, value in expected.items():
        try:
            text = found.get(name)
            same = text is None or value == (
                _input_of(text) if name == "spec" else json.loads(text)
            )
        except (ValueError, InkfoldError):
            same = False
        if not same:
            raise InkfoldError(
                f"{bundle.path / ONNX}: its metadata {name!r} differ from the record's; restore "
                "it or train again"
            )


def _input_of(text: str) -> ImageSpec:
    """The spec of a network's input, whatever pictures it is made of."""
    return replace(ImageSpec.from_json(text), capture="scan")
