"""From a fitted network to a bundle on the disk."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inkfold.bundle import ARCHITECTURE, WEIGHTS, Bundle, finish_bundle
from inkfold.checkpoint import Row, best_row
from inkfold.curves import draw_curves
from inkfold.model_card import model_card
from inkfold.onnx_export import export_onnx, tensorflow_is_here
from inkfold.output import new_folder
from inkfold.training_loop import Fitted

if TYPE_CHECKING:
    import keras

TOLERANCE = 1e-4  # largest difference of a probability between ONNX and Keras


def write_bundle(
    path: Path,
    build: Callable[[], keras.Model],
    fitted: Fitted,
    record: dict[str, Any],
    pictures: NDArray[np.uint8],
    *,
    overwrite: bool,
) -> float | None:
    """Write a whole bundle beside `path` and rename it.

    The network is built again in float32 and given the fitted weights, so that anybody's Keras
    and every engine load plain float32, whatever precision it was trained in.

    Parameters
    ----------
    path : Path
    build : callable
        Gives the untrained network.
    fitted : Fitted
    record : dict
        What the bundle says of itself, without parameters, shapes and scores.
    pictures : uint8 array of shape (N, H, W)
        Real pictures on which ONNX is checked against Keras.
    overwrite : bool

    Returns
    -------
    error : float or None
        Largest difference of a probability on `pictures`; None where TensorFlow is not installed.
    """
    model = build()
    model.set_weights(fitted.model.get_weights())
    best = best_row(fitted.history)
    full = record | {
        "parameters": int(model.count_params()),
        "shapes": [list(weight.shape) for weight in model.weights],
        "epochs": len(fitted.history),
        "refit": fitted.history[-1]["phase"] == "refit",
        "scores": {
            "validation": {
                "correct": best["validation_correct"],
                "total": best["validation_total"],
                "loss": best["validation_loss"],
                "epoch": best["epoch"],
            }
        },
    }
    with new_folder(path, overwrite=overwrite) as folder:
        (folder / ARCHITECTURE).write_text(model.to_json(), encoding="utf-8")
        model.save_weights(folder / WEIGHTS)
        write_history(folder / "history.csv", fitted.history)
        draw_curves(folder / "curves.png", fitted.history, title=str(record["name"]))
        (folder / "MODEL_CARD.md").write_text(model_card(full), encoding="utf-8")
        if not tensorflow_is_here():
            finish_bundle(folder, full)
            return None
        export_onnx(folder, classes=full["classes"], spec=full["spec"])
        error = _onnx_error(Bundle(folder, full), model, pictures)
        finish_bundle(folder, full | {"onnx_error": error})
    return error


def write_history(path: Path, history: list[Row]) -> None:
    """One line an epoch; a refit's epochs have no validation figures."""
    names = list(dict.fromkeys(name for row in history for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(history)


def _onnx_error(bundle: Bundle, model: keras.Model, pictures: NDArray[np.uint8]) -> float:
    images = pictures[..., None].astype(np.float32)
    session = bundle.onnx_session()
    answers = session.run(None, {session.get_inputs()[0].name: images})[0]
    error = float(np.abs(answers - model.predict(images, verbose=0)).max())
    if not error < TOLERANCE:
        raise RuntimeError(f"ONNX and Keras differ by {error:.2g}, more than {TOLERANCE:g}")
    return error
