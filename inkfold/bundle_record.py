"""The record of a bundle, ``bundle.json``: its fields, its reading and its writing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from inkfold import __version__
from inkfold.errors import InkfoldError
from inkfold.hashing import sha256
from inkfold.output import new_file

FORMAT = "inkfold-bundle"
VERSION = 1
ARCHITECTURE = "model_architecture.json"
WEIGHTS = "model.weights.h5"  # Keras 3 refuses any other ending
ONNX = "model.onnx"
RECORD = "bundle.json"
FIELDS = ("name", "classes", "spec", "recipe", "seed", "dataset", "parameters", "shapes", "scores")
ADVICE = "train one with: python models/cnn32.py"
LIBRARIES = ("keras", "numpy", "onnx", "onnxruntime", "tensorflow", "jax", "torch")


def finish_bundle(folder: Path, record: dict[str, Any]) -> None:
    """Hash the model's files in `folder` and write ``bundle.json``, the last file of a bundle.

    `record` holds the fields of `FIELDS` (and may hold more); format, versions and hashes are
    added here.
    """
    missing = [name for name in FIELDS if name not in record]
    if missing:
        raise ValueError(f"a bundle's record needs {missing}")
    names = [name for name in (ARCHITECTURE, WEIGHTS, ONNX) if (folder / name).exists()]
    libraries = {name: found for name in LIBRARIES if (found := _version(name))}
    full = record | {
        "format": FORMAT,
        "format_version": VERSION,
        "version": __version__,
        "libraries": libraries,
        "sha256": {name: sha256(folder / name) for name in names},
    }
    _write(folder, full)


def record_score(path: Path, split: str, score: dict[str, Any]) -> None:
    """Put the score on a split into the bundle's record, in place of an earlier one."""
    record = json.loads((path / RECORD).read_text(encoding="utf-8"))
    record["scores"][split] = score
    _write(path, record)


def record_calibration(path: Path, calibration: dict[str, Any]) -> None:
    """Put what calibrates the bundle's probabilities into its record."""
    record = json.loads((path / RECORD).read_text(encoding="utf-8"))
    _write(path, record | {"calibration": calibration})


def _write(folder: Path, record: dict[str, Any]) -> None:
    """Write ``bundle.json`` beside and rename it."""
    text = json.dumps(record, ensure_ascii=False, indent=1, sort_keys=True)
    with new_file(folder / RECORD, overwrite=True) as part:
        part.write_text(text + "\n", encoding="utf-8")


def read_record(folder: Path) -> dict[str, Any]:
    """The content of ``bundle.json``.

    Raises
    ------
    InkfoldError
        If there is none, it is of another version, or a field is missing.
    """
    path = folder / RECORD
    if not path.is_file():
        raise InkfoldError(f"{folder}: no bundle here ({RECORD} is missing); {ADVICE}")
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InkfoldError(f"{path}: not JSON ({error}); restore or train again") from None
    _check_record(path, record)
    return record


def _check_record(path: Path, record: dict[str, Any]) -> None:
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise InkfoldError(f"{path}: not the record of an inkfold bundle; {ADVICE}")
    if record.get("format_version") != VERSION:
        raise InkfoldError(
            f"{path}: bundle format {record.get('format_version')}, this version reads format "
            f"{VERSION}; train again, or use the version of inkfold that wrote it"
        )
    missing = [name for name in (*FIELDS, "sha256") if name not in record]
    if missing:
        raise InkfoldError(f"{path}: {missing[0]!r} is missing; restore it or train again")


def _version(name: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version  # slow, and only writing asks

    try:
        return version(name)
    except PackageNotFoundError:
        return None
