"""The record of a bundle, ``bundle.json``: its fields and its writing."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from inkfold import __version__
from inkfold.output import new_file

FORMAT = "inkfold-bundle"
VERSION = 1
ARCHITECTURE = "model_architecture.json"
WEIGHTS = "model.weights.h5"  # Keras 3 refuses any other ending
ONNX = "model.onnx"
RECORD = "bundle.json"
FIELDS = ("name", "classes", "spec", "recipe", "seed", "dataset", "parameters", "shapes", "scores")
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


def _write(folder: Path, record: dict[str, Any]) -> None:
    """Write ``bundle.json`` beside and rename it."""
    text = json.dumps(record, ensure_ascii=False, indent=1, sort_keys=True)
    with new_file(folder / RECORD, overwrite=True) as part:
        part.write_text(text + "\n", encoding="utf-8")


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
