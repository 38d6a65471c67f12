"""The packed dataset, format 1 (docs/formats.md): read, written, and turned into files again.

Read damage, digests, split, arrays, reader, originals, writer, check, places. For a dataset in
shards: shard_table, open_shards, shard_folder, shards, index, merge. Then the way back:
export_rows, class_folders, array_files, parquet, export.
"""

from inkfold.dataset.reader import Dataset, open_dataset
from inkfold.dataset.split import Split

__all__ = ["Dataset", "Split", "open_dataset"]
