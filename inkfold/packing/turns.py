"""In which order the pictures of an object in a store are read, so that few requests do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from inkfold.archives.stored import StoredObject
from inkfold.packing.large_arrays import Rows, row_type
from inkfold.packing.scratch import BATCH, Spool

if TYPE_CHECKING:
    from inkfold.packing.source import Source


def reading_order(source: Source, paths: Spool) -> Rows | None:
    """The places of the paths in the order in which they are read; None for that of the paths.

    A piece of work is read by one request if its members lie side by side, so the members of an
    object are read in the order in which they lie there. Files and archives on a disk are read in
    the order of the paths: there a picture costs a call of the system, wherever it lies.

    Parameters
    ----------
    source : Folder or Archive
    paths : Spool

    Returns
    -------
    order : int array of shape (N,), optional
    """
    if not isinstance(source.file, StoredObject):
        return None
    starts = np.empty(len(paths), np.int64)
    for start in range(0, len(paths), BATCH):
        members = source.members(paths.read(start, start + BATCH))
        if members is not None:
            starts[start : start + BATCH] = members["start"]
    if (np.diff(starts) >= 0).all():
        return None
    return np.argsort(starts, kind="stable").astype(row_type(len(starts)))
