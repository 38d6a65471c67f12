"""A dataset as Parquet in the layout of Hugging Face's ``datasets``: one file for each split."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from inkfold.dataset.export_rows import ExportRows, Rows, png
from inkfold.dataset.reader import Dataset
from inkfold.dataset.split import Split

if TYPE_CHECKING:
    import pyarrow as pa


def write_parquet(folder: Path, dataset: Dataset, splits: Sequence[Split], rows: Rows) -> None:
    """Write ``SPLIT-00000-of-00001.parquet`` for each split that has pictures.

    The columns are image (PNG, dark on white), label (int64, with the names of the classes in the
    schema), source, and group ("" where unknown). A row group has the originals of 256 rows.
    """
    from pyarrow import parquet

    schema = _schema(dataset.classes)
    for split in splits:
        if not split.originals.any():
            continue
        path = folder / f"{split.name}-00000-of-00001.parquet"
        with parquet.ParquetWriter(path, schema, compression="snappy") as writer:
            for chunk in rows(split):
                if chunk.rows:
                    writer.write_batch(_batch(chunk, split.name, schema))


def _batch(chunk: ExportRows, split: str, schema: pa.Schema) -> pa.RecordBatch:
    """The originals of 256 rows as columns."""
    import pyarrow as pa

    columns = {
        "image": list(_pictures(chunk, split)),
        "label": chunk.labels,
        "source": chunk.source,
        "group": chunk.group,
    }
    return pa.RecordBatch.from_pydict(columns, schema=schema)


def _pictures(chunk: ExportRows, split: str) -> Iterator[dict[str, bytes | str]]:
    for image, row in zip(chunk.images, chunk.rows, strict=True):
        yield {"bytes": png(image), "path": f"{split}-{row:07d}.png"}


def _schema(classes: Sequence[str]) -> pa.Schema:
    """The columns, and how ``datasets`` is to take them."""
    import pyarrow as pa

    text = {"dtype": "string", "_type": "Value"}
    features = {
        "image": {"_type": "Image"},
        "label": {"names": list(classes), "_type": "ClassLabel"},
        "source": text,
        "group": text,
    }
    return pa.schema(
        [
            pa.field("image", pa.struct({"bytes": pa.binary(), "path": pa.string()})),
            pa.field("label", pa.int64()),
            pa.field("source", pa.string()),
            pa.field("group", pa.string()),
        ],
        metadata={"huggingface": json.dumps({"info": {"features": features}})},
    )
