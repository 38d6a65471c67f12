"""A bundle with its weights in half precision: half the bytes, the same arithmetic.

Weights are rounded to float16 in Keras' weights file and in ONNX. A program that loads the bundle
computes in float32 as before.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from numpy.typing import NDArray

from inkfold.bundle.bundle import ARCHITECTURE, NOVELTY, ONNX, RECORD, WEIGHTS, Bundle
from inkfold.bundle.history import CURVES, HISTORY
from inkfold.bundle.model_card import CARD, model_card
from inkfold.bundle.network import stored_shapes
from inkfold.bundle.record import check_card
from inkfold.bundle.writing import finish_bundle
from inkfold.classifier import Classifier
from inkfold.dataset.split import Split
from inkfold.errors import InkfoldError
from inkfold.folder_kinds import BUNDLE
from inkfold.hdf5_faults import no_write_lost
from inkfold.metrics import SMALLEST, Rate
from inkfold.output import new_folder

if TYPE_CHECKING:
    import onnx

SMALL = 64  # a tensor of ONNX with fewer numbers stays float32: shapes, axes, epsilons


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What half precision did to the answers on a split.

    Attributes
    ----------
    before, after : Rate
        Right answers with full weights and with rounded ones.
    changed : int
        Pictures whose answer changed.
    largest : float
        Largest change of a probability.
    loss : float
        Mean cross-entropy with rounded weights, in nats.
    """

    before: Rate
    after: Rate
    changed: int
    largest: float
    loss: float


@dataclass(frozen=True)
class Shrunk:
    """A bundle that was written in half precision.

    Attributes
    ----------
    comparison : Comparison
    sizes : (int, int)
        Bytes of the old folder and of the new one.
    """

    comparison: Comparison
    sizes: tuple[int, int]


def shrink(bundle: Bundle, validation: Split, output: Path, *, overwrite: bool) -> Shrunk:
    """Write `bundle` with weights in half precision, and measure what that changed.

    The new record holds only a validation score: that of the rounded network, or after ``--refit``
    that of the search. The test split is measured anew by ``evaluate.py``.

    Raises
    ------
    InkfoldError
        If a weight is too large for half precision, if the bundle has no ONNX, or if its weights
        are in half precision already.
    """
    if bundle.record.get("weights") == "float16":
        raise InkfoldError(f"{bundle.path}: its weights are in half precision already")
    if not (bundle.path / ONNX).exists():
        raise InkfoldError(
            f"{bundle.path}: no {ONNX}; write it with: "
            f"python -m inkfold.bundle.onnx_export {bundle.path}"
        )
    check_card(bundle.path / RECORD, bundle.record)
    with new_folder(output, BUNDLE, overwrite=overwrite, inputs=[bundle.path]) as folder:
        for name in (ARCHITECTURE, NOVELTY, HISTORY, CURVES):
            if (bundle.path / name).exists():
                shutil.copyfile(bundle.path / name, folder / name)
        _halve_weights(bundle.path / WEIGHTS, folder / WEIGHTS)
        _halve_onnx(bundle.path / ONNX, folder / ONNX)
        record = dict(bundle.record)
        comparison = _compared(bundle, Bundle(folder, record), validation)
        bundle.check_unchanged()
        score = bundle.scores["validation"]
        if not record.get("refit"):  # after a refit score and calibration stay those of the search
            record.pop("calibration", None)
            rate = comparison.after
            score = score | {"correct": rate.correct, "total": rate.total, "loss": comparison.loss}
        record |= {"scores": {"validation": score}, "weights": "float16"}
        (folder / CARD).write_text(model_card(record), encoding="utf-8")
        finish_bundle(folder, record)
        sizes = _size(bundle.path), _size(folder)
    return Shrunk(comparison, sizes)


def _halve_weights(source: Path, target: Path) -> None:
    """Copy a weights file of Keras with its float32 arrays in float16."""
    stored_shapes(source)  # refuses what is damaged, or lies in another file
    with h5py.File(source, "r") as old, no_write_lost(target), h5py.File(target, "w") as new:

        def copy(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if isinstance(item, h5py.Dataset):
                copied = new.create_dataset(name, data=_halved(item[()], f"{source}: {name}"))
                copied.flush()  # while an error can be raised, not when it is freed
            else:
                copied = new.require_group(name)
            copied.attrs.update(item.attrs)

        old.visititems(copy)
        new.attrs.update(old.attrs)


def _halve_onnx(source: Path, target: Path) -> None:
    """Copy an ONNX file with its large tensors in float16, each cast to float32 when loaded."""
    import onnx

    model = onnx.load(source)
    graph = model.graph
    large = [tensor for tensor in graph.initializer if _is_large(tensor)]
    casts = []
    for tensor in large:
        half = _halved(onnx.numpy_helper.to_array(tensor), f"{source}: {tensor.name}")
        name = tensor.name
        tensor.CopyFrom(onnx.numpy_helper.from_array(half, f"{name}/half"))
        casts.append(
            onnx.helper.make_node("Cast", [f"{name}/half"], [name], to=onnx.TensorProto.FLOAT)
        )
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.save(model, target)


def _is_large(tensor: onnx.TensorProto) -> bool:
    import onnx

    return bool(tensor.data_type == onnx.TensorProto.FLOAT and np.prod(tensor.dims) >= SMALL)


def _halved(values: NDArray[Any], what: str) -> NDArray[Any]:
    """Float32 as float16, other types as they are; `what` names the array in the error."""
    if values.dtype != np.float32:
        return values
    with np.errstate(over="ignore"):
        half = values.astype(np.float16)
    if not np.isfinite(half).all():
        raise InkfoldError(
            f"{what} holds {np.abs(values).max():g}, half precision ends at 65,504; "
            "keep the bundle as it is"
        )
    return half


def _compared(old: Bundle, new: Bundle, split: Split) -> Comparison:
    """The answers of two bundles to every picture of a split, compared."""
    classifiers = Classifier(old), Classifier(new)
    right, changed, largest, loss = np.zeros(2, int), 0, 0.0, 0.0
    for block in split.blocks():
        before, after = (classifier.network_answers(block.images) for classifier in classifiers)
        answers = before.argmax(axis=1), after.argmax(axis=1)
        right += [(classes == block.labels).sum() for classes in answers]
        changed += int((answers[0] != answers[1]).sum())
        largest = max(largest, float(np.abs(before - after).max()))
        of_truth = after[np.arange(len(after)), block.labels].astype(np.float64)
        loss -= float(np.log(np.maximum(of_truth, SMALLEST)).sum())
    total = len(split)
    rates = [Rate(int(count), total) for count in right]
    return Comparison(
        before=rates[0], after=rates[1], changed=changed, largest=largest, loss=loss / total
    )


def _size(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.iterdir())
