"""What a bundle keeps to recognise pictures unlike its training set: an array file and numbers.

``novelty.npz`` has the arrays, and the field "novelty" of ``bundle.json`` the limits
(docs/formats.md).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkfold.bundle.bundle import NOVELTY, RECORD, Bundle
from inkfold.bundle.network import unusable
from inkfold.errors import InkfoldError
from inkfold.novelty import Novelty
from inkfold.records import NUMBER, Schema, check_fields
from inkfold.structure import MEASURES

ADVICE = "write it again with: inkfold calibrate"
MEASURE: Schema = {"seen": NUMBER.list(), "usual": NUMBER.list()}


def write_novelty(folder: Path, novelty: Novelty) -> dict[str, Any]:
    """Write ``novelty.npz`` into a bundle's folder; returns the numbers for its record."""
    with (folder / NOVELTY).open("wb") as file:
        np.savez(file, whitening=novelty.whitening, centres=novelty.centres)
    ranges = {
        name: {"seen": novelty.seen[:, at].tolist(), "usual": novelty.usual[:, at].tolist()}
        for at, name in enumerate(MEASURES)
    }
    return {"features": novelty.features, "limit": novelty.limit, "measures": ranges}


def read_novelty(bundle: Bundle) -> Novelty | None:
    """What a bundle learned of its training set; None where it holds nothing of the kind.

    Raises
    ------
    InkfoldError
        If the file is damaged, or file and record contradict each other.
    """
    record = bundle.record.get("novelty")
    if record is None:
        return None
    path = bundle.path / NOVELTY
    with bundle.unchanged():
        whitening, centres = _arrays(path)
    width, axes = record["features"] + len(MEASURES), whitening.shape[-1]
    if whitening.shape != (width, axes) or centres.shape != (len(centres), axes):
        raise InkfoldError(
            f"{path}: holds arrays of the shapes {whitening.shape} and {centres.shape}, expected "
            f"({width}, K) and (C, K); {ADVICE} {bundle.path} DATASET"
        )
    seen, usual = (_ranges(bundle, record, name) for name in ("seen", "usual"))
    return Novelty(
        features=record["features"],
        whitening=whitening,
        centres=centres,
        limit=float(record["limit"]),
        seen=seen,
        usual=usual,
    )


def _arrays(path: Path) -> list[NDArray[np.float32]]:
    """The arrays of the file; nothing in it is run, for a pickled array is refused."""
    try:
        # opened here, because NumPy leaves the file of a damaged archive open
        with path.open("rb") as file, np.load(file, allow_pickle=False) as found:
            arrays = [found[name] for name in ("whitening", "centres")]
    except Exception as error:  # NumPy and zipfile answer damage with errors of many types
        raise unusable(path, "NumPy cannot read it", error) from None
    for array in arrays:
        if array.dtype != np.float32 or array.ndim != 2 or not np.isfinite(array).all():
            raise InkfoldError(
                f"{path}: holds {array.dtype} {array.shape}, expected tables of float32 numbers; "
                f"restore it, or {ADVICE}"
            )
    return arrays


def _ranges(bundle: Bundle, record: dict[str, Any], name: str) -> NDArray[np.float64]:
    """The two ends of each measure's range, (2, 7)."""
    place = f"{bundle.path / RECORD}: 'novelty.measures'"
    check_fields(record["measures"], dict.fromkeys(MEASURES, MEASURE), place=place, advice=ADVICE)
    ends = [record["measures"][measure][name] for measure in MEASURES]
    if any(len(pair) != 2 for pair in ends):
        raise InkfoldError(f"{place}: '{name}' has not two ends for each measure; {ADVICE}")
    return np.array(ends, np.float64).T
