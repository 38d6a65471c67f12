"""A prediction as a line of output: text, CSV or JSON. Lines are bytes, as paths are."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Literal

from inkfold.output import csv_row

if TYPE_CHECKING:
    from inkfold.prediction import Prediction, Refusal

Format = Literal["text", "csv", "jsonl"]
Line = Callable[["Prediction"], bytes]
REJECTED = "?"  # in text, in place of a label that is withheld


def line_maker(form: Format, *, refusal: Refusal, top: int) -> Line:
    """The function that makes a prediction's line.

    Parameters
    ----------
    form : {"text", "csv", "jsonl"}
        In text and CSV the line of a picture that could not be read is empty, and in text that of
        a blank picture.
    refusal : Refusal
        Which of the best labels are withheld.
    top : int
        How many classes are named, for the empty cells of a blank picture in CSV.
    """
    makers: dict[Format, Callable[[Prediction, bool], bytes]] = {
        "text": _text,
        "csv": partial(_csv, top=top),
        "jsonl": _json,
    }
    make = makers[form]
    return lambda prediction: make(prediction, _is_rejected(prediction, refusal))


def csv_header(top: int) -> bytes:
    """``filename,label,probability``, the columns of the next likeliest classes, and ``flag``."""
    others = [f"{name}_{place}" for place in range(2, top + 1) for name in ("label", "probability")]
    return csv_row(["filename", "label", "probability", *others, "flag"]).encode()


def _is_rejected(prediction: Prediction, refusal: Refusal) -> bool:
    return prediction.error is None and refusal.withholds(
        prediction.flag, prediction.probabilities[0]
    )


def _text(prediction: Prediction, rejected: bool) -> bytes:
    """``path label``, or ``path label p label p ...`` for several classes.

    The path is written in the bytes in which it was given, even if they are not UTF-8.
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


def _csv(prediction: Prediction, rejected: bool, *, top: int) -> bytes:
    """One row under `csv_header`; that of a blank picture has path and flag alone."""
    if prediction.error is not None and not prediction.blank:
        return b""
    labels = list(prediction.labels)
    if rejected:
        labels[0] = ""
    pairs = zip(labels, prediction.probabilities, strict=True)
    cells = [cell for label, p in pairs for cell in (label, f"{p:.9g}")] or [""] * (2 * top)
    row = csv_row([os.fspath(prediction.path), *cells, prediction.flag])
    return row.encode("utf-8", "surrogateescape")  # the path in the bytes in which it was given


def _json(prediction: Prediction, rejected: bool) -> bytes:
    """One JSON object; bytes of a path that are not UTF-8 become lone surrogates, as in Python."""
    line: dict[str, object] = {"path": os.fspath(prediction.path)}
    if prediction.blank:
        line |= {"label": None, "probability": None, "top": [], "blank": True}
        line["flag"] = prediction.flag
    elif prediction.error is not None:
        line["error"] = prediction.error
    else:
        top = [
            [label, float(f"{p:.9g}")]
            for label, p in zip(prediction.labels, prediction.probabilities, strict=True)
        ]
        line["label"] = None if rejected else prediction.labels[0]
        line["probability"] = top[0][1]
        line["top"] = top
        line["flag"] = prediction.flag
        if rejected:
            line["rejected"] = True
    if prediction.photograph:
        line["capture"] = "photo"
    try:
        return json.dumps(line, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:  # lone surrogates have no UTF-8: escape everything
        return json.dumps(line).encode() + b"\n"
