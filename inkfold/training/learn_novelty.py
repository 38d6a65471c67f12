"""A bundle learns what does not look like one character: at the end of training, or afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inkfold.bundle.bundle import NOVELTY, ONNX, RECORD, Bundle
from inkfold.bundle.features import add_features, count_features
from inkfold.bundle.network import network_of_keras, onnx_network
from inkfold.bundle.novelty_file import write_novelty
from inkfold.bundle.writing import finish_bundle
from inkfold.dataset.reader import Dataset
from inkfold.errors import InkfoldError
from inkfold.evaluation.compatibility import same_splits
from inkfold.evaluation.refusal import Learned, learn
from inkfold.folder_kinds import BUNDLE
from inkfold.output import new_folder

if TYPE_CHECKING:
    import keras


def learned_of(
    model: keras.Model, dataset: Dataset, *, refit: bool = False, trained_share: float | None = None
) -> Learned | None:
    """What a trained Keras network knows of its dataset; None if it ends in no dense layer."""
    features = count_features(model)
    if features is None:
        return None
    network = network_of_keras(model, features)
    return learn(
        network, dataset.train, dataset.validation, refit=refit, trained_share=trained_share
    )


def write_learned(folder: Path, learned: Learned, fingerprint: str) -> dict[str, Any]:
    """Write the arrays into a bundle's folder; returns the field "novelty" of its record."""
    return write_novelty(folder, learned.novelty) | learned.record(fingerprint)


def add_to_bundle(
    bundle: Bundle, dataset: Dataset, *, advance: Callable[[int], None] = lambda _count: None
) -> Learned:
    """Have an existing bundle learn from its dataset; the bundle is replaced in one step.

    Parameters
    ----------
    bundle : Bundle
    dataset : Dataset
        The one that it was trained on, augmented or not.
    advance : callable
        Called with the number of pictures answered since the last call.

    Raises
    ------
    InkfoldError
        If the bundle was trained on another dataset, has no ONNX, or does not end in a dense layer.
    """
    if not same_splits(bundle, dataset):
        raise InkfoldError(
            f"{dataset.path} is not the dataset that {bundle.path} was trained on: what it refuses "
            "is learned from its own training pictures; give that dataset"
        )
    if not (bundle.path / ONNX).exists():
        raise InkfoldError(
            f"{bundle.path}: no {ONNX}; write it with: "
            f"python -m inkfold.bundle.onnx_export {bundle.path}"
        )
    with new_folder(bundle.path, BUNDLE, overwrite=True) as folder:
        for file in bundle.path.iterdir():
            if file.name not in {RECORD, NOVELTY, ONNX}:
                shutil.copyfile(file, folder / file.name)
        width = _export_features(bundle.path / ONNX, folder / ONNX)
        record = {name: value for name, value in bundle.record.items() if name != "novelty"}
        session = Bundle(folder, record).onnx_session()
        network = onnx_network(bundle.path / ONNX, session, len(bundle.classes), width)
        learned = learn(
            network,
            dataset.train,
            dataset.validation,
            refit=bool(record.get("refit")),
            advance=advance,
        )
        record["novelty"] = write_learned(folder, learned, dataset.fingerprint)
        bundle.check_unchanged()
        dataset.check_unchanged()
        finish_bundle(folder, record)
    return learned


def _export_features(source: Path, target: Path) -> int:
    """Copy an ONNX file with its second output, the features; returns how many there are."""
    import onnx

    model = onnx.load(source)
    if not add_features(model):
        raise InkfoldError(
            f"{source}: ends in no dense layer, whose features would say what its pictures have in "
            "common; only a network that ends in one can tell what does not look like a character"
        )
    onnx.save(model, target)
    return int(model.graph.output[1].type.tensor_type.shape.dim[1].dim_value)
