"""The packed dataset, format 1 (docs/formats.md): read, written, and turned into folders again.

Read damage, digests, reader, originals, writer, check, class_folders, in this order.
"""

from inkfold.dataset.reader import Dataset, Split, open_dataset

__all__ = ["Dataset", "Split", "open_dataset"]
