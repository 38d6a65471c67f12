"""A prediction as a line of output: text, CSV or JSON, as bytes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from inkfold.output import csv_row

if TYPE_CHECKING:
    from inkfold.classifier import Prediction

Format = Literal["text", "csv", "jsonl"]
Line = Callable[["Prediction"], bytes]
REJECTED = "?"


def line_maker(form: Format, *, reject: float) -> Line:
    """The function that gives a prediction's line, or nothing for what the format leaves out.

    Parameters
    ----------
    form : {"text", "csv", "jsonl"}
        Text and CSV leave out what could not be read.
    reject : float
        Below this probability the best label is withheld.
    """
    make = {"text": _text, "csv": _csv, "jsonl": _json}[form]
    return lambda prediction: make(prediction, _is_rejected(prediction, reject))


def csv_header(top: int) -> bytes:
    """``filename,label,probability`` and the columns of the next likeliest classes."""
    others = [f"{name}_{place}" for place in range(2, top + 1) for name in ("label", "probability")]
    return csv_row(["filename", "label", "probability", *others]).encode()


def _is_rejected(prediction: Prediction, reject: float) -> bool:
    return prediction.error is None and prediction.probabilities[0] < reject


def _text(prediction: Prediction, rejected: bool) -> bytes:
    """``path label``; with more than one class asked for, ``path label p label p ...``.

    The path's bytes are as they were given, whatever they are.
    """
    if prediction.error is not None:
        return b""
    labels = list(prediction.labels)
    if rejected:
        labels[0] = REJECTED
    words = labels
    if len(labels) > 1:
        pairs = zip(labels, prediction.probabilities, strict=True)
        words = [word for label, p in pairs for word in (label, f"{p:.4f}")]
    return os.fsencode(prediction.path) + f" {' '.join(words)}\n".encode()


def _csv(prediction: Prediction, rejected: bool) -> bytes:
    if prediction.error is not None:
        return b""
    labels = ["" if rejected else prediction.labels[0], *prediction.labels[1:]]
    pairs = zip(labels, prediction.probabilities, strict=True)
    cells = [cell for label, p in pairs for cell in (label, f"{p:.9g}")]
    row = csv_row([os.fspath(prediction.path), *cells])
    return row.encode("utf-8", "surrogateescape")  # the path's bytes as they were given


def _json(prediction: Prediction, rejected: bool) -> bytes:
    """One object; bytes of a path that are no text become lone surrogates, as Python reads them."""
    answer: dict[str, object] = {"path": os.fspath(prediction.path)}
    if prediction.error is not None:
        answer["error"] = prediction.error
    else:
        top = [
            [label, float(f"{p:.9g}")]
            for label, p in zip(prediction.labels, prediction.probabilities, strict=True)
        ]
        answer["label"] = None if rejected else prediction.labels[0]
        answer["probability"] = top[0][1]
        answer["top"] = top
        if rejected:
            answer["rejected"] = True
    try:
        return json.dumps(answer, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:
        return json.dumps(answer).encode() + b"\n"
