"""The thorough check of a dataset: everything in the file is read and compared.

Opening a dataset looks at names, types, shapes and labels. `check_dataset` also reads every chunk,
compares each row's digest with its pixels, and computes the fingerprint anew (docs/formats.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from inkfold.dataset.damage import damaged, reading
from inkfold.dataset.digests import check_digests
from inkfold.dataset.index import check_maps
from inkfold.dataset.merge import check_hashes
from inkfold.dataset.reader import Dataset, open_dataset
from inkfold.dataset.split import BLOCK, CHUNK, Split


def check_dataset(
    path: Path, advance: Callable[[int], None] = lambda _rows: None
) -> dict[str, int]:
    """Read all of a dataset.

    Parameters
    ----------
    path : Path
    advance : callable
        Called with the number of rows read since the last call.

    Returns
    -------
    counts : dict
        The number of "classes", and of rows in "train", "validation" and "test".

    Raises
    ------
    InkfoldError
        Naming the first place that is damaged.
    """
    with open_dataset(path) as dataset:
        summary = hashlib.blake2b(digest_size=16)
        with h5py.File(path, "r") as file, reading(path, "its attribute spec"):
            text = str(file.attrs["spec"])
            if dataset.shards is not None:
                check_maps(path, file)
        summary.update("\0".join([text, *dataset.classes]).encode())
        check_hashes(dataset)
        groups = {split.name for split in dataset.splits if split.group is not None}
        if groups and len(groups) != len(dataset.splits):
            raise damaged(path, "group", f"in {', '.join(sorted(groups))} only, expected in all")
        for split in dataset.splits:
            _check_written(split)
            _check_copies(path, split)
            if len(split.source) != len(split):
                raise damaged(path, f"/{split.name}/source", "of another length than the pictures")
            summary.update(_checked_split(path, split, advance))
        _check_fingerprint(dataset, summary.hexdigest())
        return {"classes": len(dataset.classes)} | {s.name: len(s) for s in dataset.splits}


def _check_written(split: Split) -> None:
    """Refuse an array with a chunk for which nothing is stored: HDF5 reads it as zeros."""
    for group in split.arrays.groups():
        _check_group(Path(group.file.filename), split.name, group)


def _check_group(path: Path, split: str, group: h5py.Group) -> None:
    for name in group:
        array = group[name]
        with reading(path, f"/{split}/{name}"):
            if array.chunks is None:
                continue
            expected = int(
                np.prod([-(-n // c) for n, c in zip(array.shape, array.chunks, strict=True)])
            )
            found = array.id.get_num_chunks()
        if found != expected:
            what = f"{found} chunks are stored, expected {expected}"
            raise damaged(path, f"/{split}/{name}", what)


def _check_copies(path: Path, split: Split) -> None:
    """Refuse copies without an original, and copies that differ from it in label or source."""
    origin, copy = split.origin, split.copy
    if origin is None or copy is None:
        return
    place = f"/{split.name}/origin"
    if split.name != "train":
        raise damaged(path, place, "expected in train alone")
    originals = np.flatnonzero(copy == 0)
    if copy.min(initial=0) < 0 or sorted(origin[originals]) != list(range(len(originals))):
        raise damaged(path, f"/{split.name}/copy", "not one original, of copy 0, for each origin")
    if origin.min(initial=0) < 0 or origin.max(initial=-1) >= len(originals):
        raise damaged(path, place, f"out of range, expected 0 to {len(originals) - 1}")
    row_of = originals[np.argsort(origin[originals])]
    source = np.array(split.source)
    for name, values in (("labels", split.labels), ("source", source)):
        wrong = np.flatnonzero(values != values[row_of[origin]])
        if len(wrong):
            found = f"row {wrong[0]} differs from its original, row {row_of[origin[wrong[0]]]}"
            raise damaged(path, f"/{split.name}/{name}", found)


def _checked_split(path: Path, split: Split, advance: Callable[[int], None]) -> bytes:
    """Compare every row's digest with its pixels; the digest of the split for the fingerprint."""
    summary = hashlib.blake2b(f"/{split.name}".encode(), digest_size=16)
    stored, labels = split.digest, split.labels.astype("<i4")
    for start in range(0, len(split), BLOCK):
        images = split.images[start : start + BLOCK]
        check_digests(path, split.name, start, images, stored[start : start + BLOCK])
        for at in range(start, start + len(images), CHUNK):
            part = hashlib.blake2b(labels[at : at + CHUNK].tobytes(), digest_size=16)
            part.update(stored[at : at + CHUNK].tobytes())
            summary.update(part.digest())
        advance(len(images))
    return summary.digest()


def _check_fingerprint(dataset: Dataset, computed: str) -> None:
    if computed != dataset.fingerprint:
        raise damaged(
            dataset.path,
            "its attribute provenance",
            f"fingerprint {dataset.fingerprint[:12]!a}..., classes, spec, labels and digests give "
            f"{computed[:12]}...",
        )
