"""Global heaps of an HDF5 file, which hold its texts of variable length, checked before HDF5 reads.

The HDF5 library walks the objects of a heap by their sizes and does not look whether a size is 0:
in a heap with a block of zeros it walks for ever, and no signal but SIGKILL ends it.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

# HDF5 File Format Specification, version 3, III.E: signature, version, three reserved bytes, size
SIGNATURE = b"GCOL\x01\x00\x00\x00"
HEADER = OBJECT = 16  # bytes of the heap's header, and of an object's before its data
SMALLEST = 4096  # bytes of a heap


def endless_heap(path: Path) -> int | None:
    """The place of the first global heap that HDF5 would never finish reading; None without one.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    with path.open("rb") as file:
        if not path.stat().st_size:
            return None
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return next((at for at in _heaps(data) if not _ends(data, at)), None)


def _heaps(data: mmap.mmap) -> Iterator[int]:
    """Where each global heap begins; heaps begin at multiples of eight."""
    at = data.find(SIGNATURE)
    while at >= 0:
        if at % 8 == 0:
            yield at
        at = data.find(SIGNATURE, at + 1)


def _ends(data: mmap.mmap, at: int) -> bool:
    """Whether the walk over the objects of the heap at `at` comes to an end."""
    size = int.from_bytes(data[at + 8 : at + HEADER], "little")
    end = at + size
    if size < SMALLEST or end > len(data):
        return True  # HDF5 refuses it
    at += HEADER
    while at + OBJECT <= end:
        number = int.from_bytes(data[at : at + 2], "little")
        length = int.from_bytes(data[at + 8 : at + OBJECT], "little")
        # object 0 is the free space, and its size includes its header
        step = length if number == 0 else OBJECT + -(-length // 8) * 8
        if step == 0:
            return False
        at += step
    return True
