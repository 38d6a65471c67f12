"""Writing a bundle: a trained network, its history, its card and its ONNX, checked and hashed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inkfold.bundle.bundle import ARCHITECTURE, WEIGHTS, Bundle
from inkfold.bundle.history import CURVES, HISTORY, Row, best_row, draw_curves, write_history
from inkfold.bundle.model_card import CARD, model_card
from inkfold.bundle.onnx_export import export_onnx, tensorflow_is_installed
from inkfold.bundle.writing import finish_bundle
from inkfold.dataset.reader import Dataset
from inkfold.dataset.split import Split
from inkfold.folder_kinds import BUNDLE
from inkfold.hdf5_faults import no_write_lost
from inkfold.output import new_folder
from inkfold.training.learn_novelty import learned_of, write_learned
from inkfold.training.scoring import score

if TYPE_CHECKING:
    import keras

BATCH = 256  # pictures in a batch when the finished network is scored
COMPARED = 1000  # pictures on which ONNX is compared with Keras
TOLERANCE = 1e-4  # largest difference of a probability between ONNX and Keras


def write_bundle(
    path: Path,
    model: keras.Model,
    history: list[Row],
    record: dict[str, Any],
    dataset: Dataset,
    *,
    overwrite: bool,
    trained_share: float | None = None,
) -> dict[str, Any]:
    """Write a whole bundle beside `path` and rename it.

    Parameters
    ----------
    path : Path
    model : keras.Model
        The network in float32, with its final weights.
    history : list of dict
        One row for each epoch.
    record : dict
        The bundle's record, without parameters, shapes and scores.
    dataset : Dataset
        Its validation pictures score the network and compare ONNX with Keras, and with those of
        train it is learned what does not look like one character.
    overwrite : bool
    trained_share : float, optional
        After a refit: the share of its own training pictures that the network of the search lets
        lie beyond its limit (`evaluation.refusal`).

    Returns
    -------
    record : dict
        The whole record. ``record["onnx_error"]`` is the largest difference of a probability
        between ONNX and Keras; None where TensorFlow, which writes ONNX, is not installed.
    """
    refit, validation = history[-1]["phase"] == "refit", dataset.validation
    full = record | {
        "parameters": int(model.count_params()),
        "shapes": [list(weight.shape) for weight in model.weights],
        "epochs": len(history),
        "refit": refit,
        "scores": {"validation": _validation_score(model, history, validation, refit=refit)},
        "onnx_error": None,
    }
    with new_folder(path, BUNDLE, overwrite=overwrite) as folder:
        (folder / ARCHITECTURE).write_text(model.to_json(), encoding="utf-8")
        with no_write_lost(path):
            model.save_weights(folder / WEIGHTS)
        write_history(folder / HISTORY, history)
        draw_curves(folder / CURVES, history, title=f"{path.name} on {validation.path.name}")
        (folder / CARD).write_text(model_card(full), encoding="utf-8")
        if tensorflow_is_installed():
            export_onnx(folder, classes=full["classes"], spec=full["spec"])
            images = validation.images[:COMPARED]
            full["onnx_error"] = _onnx_error(Bundle(folder, full), model, images)
        learned = learned_of(model, dataset, refit=refit, trained_share=trained_share)
        if learned is not None:
            full["novelty"] = write_learned(folder, learned, dataset.fingerprint)
        finish_bundle(folder, full)
    return full


def _validation_score(
    model: keras.Model, history: list[Row], validation: Split, *, refit: bool
) -> dict[str, float | int]:
    """The score of the network; after a refit, which has seen validation, that of the search."""
    best = best_row(history)
    if refit:
        score_of_search = {
            name: best[f"validation_{name}"] for name in ("correct", "total", "loss")
        }
        return score_of_search | {"epoch": best["epoch"]}
    counts = score(model, validation, BATCH)
    return {
        "correct": counts.correct,
        "total": counts.total,
        "loss": counts.loss,
        "epoch": best["epoch"],
    }


def _onnx_error(bundle: Bundle, model: keras.Model, images: NDArray[np.uint8]) -> float:
    """The largest difference of a probability between the bundle's ONNX and its Keras model."""
    inputs = images[..., None].astype(np.float32)
    session = bundle.onnx_session()
    answers = session.run(None, {session.get_inputs()[0].name: inputs})[0]
    error = float(np.abs(answers - model.predict(inputs, verbose=0)).max())
    if not error < TOLERANCE:
        raise RuntimeError(f"ONNX and Keras differ by {error:.2g}, more than {TOLERANCE:g}")
    return error
