"""A bundle with its weights in half precision: half the bytes, the same arithmetic.

Weights are rounded to float16 where they lie, in Keras' file and in ONNX; whoever loads them
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

from inkfold.bundle.bundle import ARCHITECTURE, ONNX, WEIGHTS, Bundle, finish_bundle
from inkfold.bundle.model_card import CARD, model_card
from inkfold.classifier import Classifier
from inkfold.dataset.reader import Split
from inkfold.errors import InkfoldError
from inkfold.metrics import SMALLEST, Rate
from inkfold.output import new_folder

if TYPE_CHECKING:
    import onnx

COPIED = ("history.csv", "curves.png")
SMALL = 64  # numbers below which a tensor of ONNX is left as it is: shapes, axes, epsilons


@dataclass(frozen=True)
class Shrunk:
    """What half precision did to the answers on a split.

    Attributes
    ----------
    before, after : Rate
        Right answers.
    changed : int
        Pictures with another answer.
    largest : float
        Largest change of a probability.
    sizes : (int, int)
        Bytes of both folders.
    """

    before: Rate
    after: Rate
    changed: int
    largest: float
    sizes: tuple[int, int]


def shrink(bundle: Bundle, validation: Split, output: Path, *, overwrite: bool) -> Shrunk:
    """Write `bundle` with weights in half precision, and measure what that changed.

    The new record holds the validation score of the rounded network, or after ``--refit`` that of
    the search, and no other: test is measured anew by ``evaluate.py``.

    Raises
    ------
    InkfoldError
        If a weight is too large for half precision, or the bundle has no ONNX or these weights
        already.
    """
    if bundle.record.get("weights") == "float16":
        raise InkfoldError(f"{bundle.path}: its weights are in half precision already")
    if not (bundle.path / ONNX).exists():
        raise InkfoldError(
            f"{bundle.path}: no {ONNX}; write it with: "
            f"python -m inkfold.bundle.onnx_export {bundle.path}"
        )
    with new_folder(output, overwrite=overwrite) as folder:
        for name in (ARCHITECTURE, *COPIED):
            if (bundle.path / name).exists():
                shutil.copyfile(bundle.path / name, folder / name)
        _halve_weights(bundle.path / WEIGHTS, folder / WEIGHTS)
        _halve_onnx(bundle.path / ONNX, folder / ONNX)
        record = dict(bundle.record)
        found, score = _compared(bundle, Bundle(folder, record), validation)
        kept = bundle.scores["validation"]
        # after a refit the network has seen validation: then what its search found stays
        if not record.get("refit"):
            record.pop("calibration", None)
            kept = kept | score
        record |= {"scores": {"validation": kept}, "weights": "float16"}
        (folder / CARD).write_text(model_card(record), encoding="utf-8")
        finish_bundle(folder, record)
        sizes = _size(bundle.path), _size(folder)
    return Shrunk(*found, sizes)


def _halve_weights(source: Path, target: Path) -> None:
    with h5py.File(source, "r") as old, h5py.File(target, "w") as new:

        def copy(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if isinstance(item, h5py.Dataset):
                made = new.create_dataset(name, data=_halved(item[()], f"{source}: {name}"))
            else:
                made = new.require_group(name)
            made.attrs.update(item.attrs)

        old.visititems(copy)
        new.attrs.update(old.attrs)


def _halve_onnx(source: Path, target: Path) -> None:
    """Keep each large tensor as float16, with a node that makes it float32 when it is loaded."""
    import onnx

    model = onnx.load(source)
    graph = model.graph
    large = [one for one in graph.initializer if _is_large(one)]
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


def _compared(
    old: Bundle, new: Bundle, split: Split
) -> tuple[tuple[Rate, Rate, int, float], dict[str, float | int]]:
    """Counts of both, and the new one's score as a record holds it."""
    first, second = Classifier(old), Classifier(new)
    right, changed, largest, loss = np.zeros(2, int), 0, 0.0, 0.0
    for block in split.blocks():
        a, b = (one.network_answers(block.images) for one in (first, second))
        right += [(one.argmax(axis=1) == block.labels).sum() for one in (a, b)]
        changed += int((a.argmax(axis=1) != b.argmax(axis=1)).sum())
        largest = max(largest, float(np.abs(a - b).max()))
        of_truth = b[np.arange(len(b)), block.labels].astype(np.float64)
        loss -= float(np.log(np.maximum(of_truth, SMALLEST)).sum())
    total = len(split)
    before, after = (Rate(int(count), total) for count in right)
    score = {"correct": after.correct, "total": total, "loss": loss / total}
    return (before, after, changed, largest), score


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())
