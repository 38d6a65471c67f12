"""Writing a bundle's record: once at its end, and again with what an evaluation found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from inkfold import __version__
from inkfold.bundle.bundle import (
    ARCHITECTURE,
    FORMAT,
    NOVELTY,
    ONNX,
    RECORD,
    VERSION,
    WEIGHTS,
    read_record,
)
from inkfold.bundle.hashing import sha256
from inkfold.bundle.record import seal
from inkfold.locks import only_writer
from inkfold.output import new_file

NO_SCORES: Mapping[str, dict[str, Any]] = MappingProxyType({})
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
    names = [name for name in (ARCHITECTURE, WEIGHTS, ONNX, NOVELTY) if (folder / name).exists()]
    libraries = {name: version for name in LIBRARIES if (version := _installed(name))}
    full = record | {
        "format": FORMAT,
        "format_version": VERSION,
        "version": __version__,
        "libraries": libraries,
        "sha256": {name: sha256(folder / name) for name in names},
    }
    _write(folder, full)


def record_results(
    path: Path,
    *,
    scores: Mapping[str, dict[str, Any]] = NO_SCORES,
    calibration: dict[str, Any] | None = None,
) -> None:
    """Put what an evaluation found into the bundle's record, in one write.

    Parameters
    ----------
    path : Path
        The bundle's folder.
    scores : mapping of str to dict
        The score on each of some splits, in place of an earlier one.
    calibration : dict, optional
        What calibrates the bundle's probabilities, in place of an earlier one.
    """
    with _only_writer_of_record(path):
        record = read_record(path)
        record["scores"] |= scores
        _write(path, record if calibration is None else record | {"calibration": calibration})


def _only_writer_of_record(path: Path) -> AbstractContextManager[None]:
    """Keep a second evaluation from writing the record between its reading and its writing here."""
    return only_writer(path.with_name(f"{path.name}.record"), wait=True)


def _write(folder: Path, record: dict[str, Any]) -> None:
    """Write ``bundle.json`` beside its place and rename it."""
    plain = json.loads(json.dumps(record))  # as a reader will see it: lists, and text as keys
    text = json.dumps(plain | {"seal": seal(plain)}, ensure_ascii=False, indent=1, sort_keys=True)
    with new_file(folder / RECORD, overwrite=True) as part:
        part.write_text(text + "\n", encoding="utf-8")


def _installed(name: str) -> str | None:
    """The installed version of a library; None where it is not installed."""
    from importlib.metadata import PackageNotFoundError, version  # slow; only writing needs it

    try:
        return version(name)
    except PackageNotFoundError:
        return None
