"""A dataset written for other tools: as folders of PNG files, Parquet, arrays of NumPy, or IDX.

Memory holds 256 rows at a time, whatever the format.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.array_files import check_idx, write_idx, write_npz
from inkfold.dataset.class_folders import write_class_folders
from inkfold.dataset.export_rows import ExportRows, export_rows
from inkfold.dataset.parquet import write_parquet
from inkfold.dataset.reader import Dataset
from inkfold.dataset.split import Split
from inkfold.errors import InkfoldError
from inkfold.extras import need
from inkfold.folder_kinds import EXPORT, EXPORTED_FILES
from inkfold.output import check_free, new_folder, write_text
from inkfold.spec import SPLITS

Form = Literal["png", "parquet", "npz", "idx"]
RECORD = "export.json"  # beside the files of every format but class folders
WRITERS = {"parquet": write_parquet, "npz": write_npz, "idx": write_idx}


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What an export wrote, in pictures.

    Attributes
    ----------
    pictures : int
        Pictures written.
    copies : int
        Distorted copies left out.
    edge : int
        Pictures written that have ink along most of their edge: packing takes that ink for paper.
    splits : tuple of str
        The splits that have pictures.
    """

    pictures: int
    copies: int
    edge: int
    splits: tuple[str, ...]


def export_dataset(
    dataset: Dataset,
    folder: Path,
    splits: Sequence[str] = SPLITS,
    *,
    form: Form = "png",
    overwrite: bool,
    advance: Callable[[int], None] = lambda _rows: None,
) -> Exported:
    """Write the pictures of a dataset into a new folder.

    Packing them again at the same size gives the same pictures bit for bit, except those that
    `Exported.edge` counts.

    Parameters
    ----------
    dataset : Dataset
        Of an augmented dataset only the originals are written.
    folder : Path
    splits : sequence of str
        One split alone is written as class folders in `folder`, without a folder of its own.
    form : {"png", "parquet", "npz", "idx"}
    overwrite : bool
    advance : callable
        Called with the number of rows done after every 256.

    Raises
    ------
    InkfoldError
        If `folder` exists and `overwrite` is false, if it exists and is no exported folder or
        holds anything else, if the splits hold no picture, if pyarrow is missing for Parquet, or
        if the classes are not what IDX can hold.
    """
    kind = EXPORT if form == "png" else EXPORTED_FILES
    check_free(folder, overwrite=overwrite, kind=kind, inputs=[dataset.path])
    chosen = [dataset.split(name) for name in splits]
    if not any(map(len, chosen)):
        raise InkfoldError(
            f"{dataset.path}: no picture in {' and '.join(splits)}; export another split"
        )
    if form == "parquet":
        need("Parquet", "pyarrow")
    if form == "idx":
        check_idx(dataset)
    pictures = copies = edge = 0

    def counted(split: Split) -> Iterator[ExportRows]:
        """The rows of a split, which are counted as they are written."""
        nonlocal pictures, copies, edge
        for rows in export_rows(split):
            yield rows
            pictures, copies = pictures + len(rows.rows), copies + rows.copies
            edge += _inked_edges(rows.images, dark=form in ("png", "parquet"))
            advance(len(rows.rows) + rows.copies)

    with new_folder(folder, kind, overwrite=overwrite) as part:
        if form == "png":
            write_class_folders(part, dataset, chosen, counted)
        else:
            WRITERS[form](part, dataset, chosen, counted)
            write_text(part / RECORD, _record(dataset, chosen, form))
        dataset.check_unchanged()
    filled = tuple(split.name for split in chosen if len(split))
    return Exported(pictures=pictures, copies=copies, edge=edge, splits=filled)


def _record(dataset: Dataset, splits: Sequence[Split], form: Form) -> str:
    """What the files were made of, as JSON: classes in label order, counts, spec, fingerprint."""
    record = {
        "format": "inkfold-export",
        "files": form,
        "classes": list(dataset.classes),
        "pictures": {split.name: int(split.originals.sum()) for split in splits},
        "spec": asdict(dataset.spec),
        "fingerprint": dataset.fingerprint,
    }
    return json.dumps(record, ensure_ascii=False, indent=1) + "\n"


def _inked_edges(images: NDArray[np.uint8], *, dark: bool) -> int:
    """How many images have an edge whose median pixel is not paper.

    Of an even number of pixels packing takes the upper of the two in the middle, which is the
    lower one of an image whose ink is written dark.
    """
    sides = images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]
    edges = np.concatenate(sides, axis=1)
    middle = edges.shape[1] // 2 - (1 if dark else 0)
    return int(np.count_nonzero(np.partition(edges, middle, axis=1)[:, middle]))
