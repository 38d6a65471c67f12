"""From a fitted network to a bundle on the disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inkfold.bundle.bundle import ARCHITECTURE, WEIGHTS, Bundle, finish_bundle
from inkfold.bundle.history import Row, best_row, draw_curves, write_history
from inkfold.bundle.model_card import CARD, model_card
from inkfold.bundle.onnx_export import export_onnx, tensorflow_is_installed
from inkfold.dataset.reader import Split
from inkfold.output import new_folder
from inkfold.training.loop import score

if TYPE_CHECKING:
    import keras

BATCH = 256  # pictures at a time when the finished network is scored
TOLERANCE = 1e-4  # largest difference of a probability between ONNX and Keras


def write_bundle(
    path: Path,
    model: keras.Model,
    history: list[Row],
    record: dict[str, Any],
    validation: Split,
    *,
    overwrite: bool,
) -> dict[str, Any]:
    """Write a whole bundle beside `path` and rename it.

    Parameters
    ----------
    path : Path
    model : keras.Model
        The network in float32, with its final weights.
    history : list of dict
        One row an epoch.
    record : dict
        What the bundle says of itself, without parameters, shapes and scores.
    validation : Split
        Its real pictures score the network and check ONNX against Keras.
    overwrite : bool

    Returns
    -------
    record : dict
        The whole record. ``record["onnx_error"]`` is the largest difference of a probability
        between ONNX and Keras; None where TensorFlow, which writes ONNX, is not installed.
    """
    full = record | {
        "parameters": int(model.count_params()),
        "shapes": [list(weight.shape) for weight in model.weights],
        "epochs": len(history),
        "refit": history[-1]["phase"] == "refit",
        "scores": {"validation": _validation_score(model, history, validation)},
        "onnx_error": None,
    }
    with new_folder(path, overwrite=overwrite) as folder:
        (folder / ARCHITECTURE).write_text(model.to_json(), encoding="utf-8")
        model.save_weights(folder / WEIGHTS)
        write_history(folder / "history.csv", history)
        draw_curves(folder / "curves.png", history, title=str(record["name"]))
        (folder / CARD).write_text(model_card(full), encoding="utf-8")
        if tensorflow_is_installed():
            export_onnx(folder, classes=full["classes"], spec=full["spec"])
            pictures = next(validation.blocks()).images[:1000]
            full["onnx_error"] = _onnx_error(Bundle(folder, full), model, pictures)
        finish_bundle(folder, full)
    return full


def _validation_score(
    model: keras.Model, history: list[Row], validation: Split
) -> dict[str, float | int]:
    """Counts of the bundle's own network; a refit has seen validation, so the search's stand."""
    best = best_row(history)
    if history[-1]["phase"] == "refit":
        found = {name: best[f"validation_{name}"] for name in ("correct", "total", "loss")}
        return found | {"epoch": best["epoch"]}
    counted = score(model, validation, BATCH)
    return {
        "correct": counted.correct,
        "total": counted.total,
        "loss": counted.loss,
        "epoch": best["epoch"],
    }


def _onnx_error(bundle: Bundle, model: keras.Model, pictures: NDArray[np.uint8]) -> float:
    images = pictures[..., None].astype(np.float32)
    session = bundle.onnx_session()
    answers = session.run(None, {session.get_inputs()[0].name: images})[0]
    error = float(np.abs(answers - model.predict(images, verbose=0)).max())
    if not error < TOLERANCE:
        raise RuntimeError(f"ONNX and Keras differ by {error:.2g}, more than {TOLERANCE:g}")
    return error
