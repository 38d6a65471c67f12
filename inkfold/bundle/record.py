"""What ``bundle.json`` must hold: its fields, their types, and how they fit together.

docs/formats.md describes them. Nothing here is slow to import, because ``classify.py`` reads a
record before NumPy is loaded.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from inkfold.errors import InkfoldError
from inkfold.records import (
    COUNT,
    HEXADECIMAL,
    NUMBER,
    OBJECT,
    PROVENANCE,
    TEXT,
    YES_OR_NO,
    Kind,
    Schema,
    check_fields,
    shown,
)
from inkfold.spec import ImageSpec

ADVICE = "restore it or train again"
SCORE: Schema = {"correct": COUNT, "total": COUNT}
RECORD_SCHEMA: Schema = {
    "name": TEXT,
    "classes": TEXT.list(),
    "spec": OBJECT,
    "recipe": OBJECT,
    "seed": COUNT,
    "dataset": {"fingerprint": TEXT, "provenance": PROVENANCE},
    "parameters": COUNT,
    "shapes": COUNT.list().list(),
    "scores": OBJECT,
    "sha256": OBJECT,
    "options?": OBJECT,
    "epochs?": COUNT,
    "refit?": YES_OR_NO,
    "calibration?": OBJECT.or_null(),
    "weights?": TEXT,
    "class_weights?": NUMBER.list(),
    "novelty?": {"features": COUNT, "limit": NUMBER, "measures": OBJECT},
    "onnx_error?": NUMBER.or_null(),
    "seal?": TEXT,
}
SEARCH: Schema = {"correct": COUNT, "total": COUNT, "thresholds": OBJECT.list()}
THRESHOLD: Schema = {
    "wanted": NUMBER,
    "reject": NUMBER.or_null(),
    "answered": COUNT,
    "wrong": COUNT,
}
STAGE: Schema = {"learning_rate": NUMBER, "epochs": COUNT, "patience": COUNT, "decay": TEXT}
# what the card of a trained network is written from
CARD_SCHEMA: Schema = {
    "recipe": {
        "stages": OBJECT.list(),
        "batch": COUNT,
        "label_smoothing": NUMBER,
        "weight_decay": NUMBER,
        "distortion": OBJECT,
    },
    "options": {"augment": TEXT, "policy": TEXT},
    "dataset": {"pictures": {"train": COUNT, "validation": COUNT}},
    "scores": {"validation": SCORE},
    "epochs": COUNT,
    "refit": YES_OR_NO,
}
SHA256 = Kind("64 hexadecimal digits", lambda value: HEXADECIMAL.fits(value) and len(value) == 64)


def check_record(path: Path, record: dict[str, Any], needed: tuple[str, ...]) -> None:
    """Refuse a record of which a field is missing, of another type, or contradicts another.

    Parameters
    ----------
    path : Path
        The record's file.
    record : dict
    needed : tuple of str
        The files whose hashes the record must hold.

    Raises
    ------
    InkfoldError
        Naming the first field that is wrong.
    """
    place = str(path)
    check_fields(record, RECORD_SCHEMA, place=place, advice=ADVICE)
    _check_classes(place, record["classes"])
    try:
        ImageSpec.from_json(json.dumps(record["spec"]))
    except InkfoldError as error:
        raise InkfoldError(f"{path}: 'spec': {error}") from None
    for split, score in record["scores"].items():
        check_fields(score, SCORE, place=f"{path}: 'scores.{split}'", advice=ADVICE)
        _check_rate(f"{path}: 'scores.{split}'", score["correct"], score["total"])
    _check_calibration(place, record.get("calibration") or {})
    _check_hashes(place, record["sha256"], needed)
    if "seal" in record and record["seal"] != seal(record):
        raise InkfoldError(
            f"{path}: changed since it was written, for its fields do not fit its 'seal'; {ADVICE} "
            "(if you changed it on purpose, delete the field 'seal')"
        )


def seal(record: dict[str, Any]) -> str:
    """A hash of all fields but ``seal`` itself: a class name that was damaged may be a name still.

    Returns
    -------
    seal : str
        Hexadecimal SHA-256 of the fields as JSON, with sorted keys and without spaces.
    """
    sealed = {name: value for name, value in record.items() if name != "seal"}
    text = json.dumps(sealed, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def check_card(path: Path, record: dict[str, Any]) -> None:
    """Refuse a record that lacks what a model card is written from.

    Raises
    ------
    InkfoldError
        Naming the first field that is missing or of another type.
    """
    check_fields(record, CARD_SCHEMA, place=str(path), advice=ADVICE)
    for stage in record["recipe"]["stages"]:
        check_fields(stage, STAGE, place=f"{path}: 'recipe.stages'", advice=ADVICE)
    for name, amount in record["recipe"]["distortion"].items():
        if not NUMBER.fits(amount):
            raise InkfoldError(
                f"{path}: 'recipe.distortion.{name}' is {shown(amount)}, expected a number; "
                f"{ADVICE}"
            )


def _check_classes(place: str, classes: list[str]) -> None:
    if not classes:
        raise InkfoldError(f"{place}: 'classes' is empty, expected one name or more; {ADVICE}")
    if len(set(classes)) != len(classes):
        twice = next(name for name in classes if classes.count(name) > 1)
        raise InkfoldError(
            f"{place}: 'classes' has {shown(twice)} twice, expected each name once; {ADVICE}"
        )


def _check_rate(place: str, correct: int, total: int) -> None:
    if correct > total:
        raise InkfoldError(f"{place}: {correct} right of {total}, expected no more; {ADVICE}")


def _check_calibration(place: str, calibration: dict[str, Any]) -> None:
    """The temperature is checked where it is used: a bundle without one still answers."""
    if calibration.get("by") != "search":
        return
    place = f"{place}: 'calibration'"
    check_fields(calibration, SEARCH, place=place, advice=ADVICE)
    _check_rate(place, calibration["correct"], calibration["total"])
    for threshold in calibration["thresholds"]:
        check_fields(threshold, THRESHOLD, place=f"{place}.thresholds", advice=ADVICE)
        _check_rate(f"{place}.thresholds", threshold["wrong"], threshold["answered"])
        _check_rate(f"{place}.thresholds", threshold["answered"], calibration["total"])


def _check_hashes(place: str, hashes: dict[str, object], needed: tuple[str, ...]) -> None:
    check_fields(hashes, dict.fromkeys(needed, SHA256), place=f"{place}: 'sha256'", advice=ADVICE)
    for name, digest in hashes.items():
        if "/" in name or "\\" in name or name in ("", ".", "..") or not TEXT.fits(name):
            raise InkfoldError(
                f"{place}: 'sha256' names {shown(name)}, expected files of the bundle's folder; "
                f"{ADVICE}"
            )
        if not SHA256.fits(digest):
            raise InkfoldError(
                f"{place}: 'sha256.{name}' is {shown(digest)}, expected {SHA256.words}; {ADVICE}"
            )
