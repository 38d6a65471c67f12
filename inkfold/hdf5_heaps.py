"""Global heaps of an HDF5 file, which hold its texts of variable length, checked before HDF5 reads.

The HDF5 library walks the objects of a heap by their sizes and does not look whether a size is 0:
in a heap with a block of zeros it walks for ever, and no signal but SIGKILL ends it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

# HDF5 File Format Specification, version 3, III.E: signature, version, three reserved bytes, size
SIGNATURE = b"GCOL\x01\x00\x00\x00"
HEADER = OBJECT = 16  # bytes of the heap's header, and of an object's before its data
SMALLEST = 4096  # bytes of a heap
BLOCK = 1 << 20  # bytes that are in memory: the pages of a mapped file would count as memory, too


def endless_heap(path: Path) -> int | None:
    """The place of the first global heap that HDF5 would never finish reading; None without one.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    with path.open("rb", buffering=0) as file:
        content = _Content(file.fileno())
        return next((at for at in _heaps(content) if not _ends(content, at)), None)


class _Content:
    """The bytes of an open file, of which one block is in memory."""

    def __init__(self, file: int) -> None:
        self._file, self.size = file, os.fstat(file).st_size
        self._start, self._block = 0, b""

    def at(self, place: int, count: int) -> bytes:
        """`count` bytes, fewer at the end; up to `BLOCK`."""
        first = place - self._start
        if first < 0 or first + count > len(self._block):
            self._start, first = place, 0
            self._block = os.pread(self._file, BLOCK, place)
        return self._block[first : first + count]


def _heaps(content: _Content) -> Iterator[int]:
    """Where each global heap begins; heaps begin at multiples of eight."""
    for start in range(0, content.size, BLOCK - len(SIGNATURE) + 1):
        block = content.at(start, BLOCK)
        at = block.find(SIGNATURE)
        while at >= 0:
            if (start + at) % 8 == 0:
                yield start + at
            at = block.find(SIGNATURE, at + 1)


def _ends(content: _Content, at: int) -> bool:
    """Whether the walk over the objects of the heap at `at` comes to an end."""
    size = int.from_bytes(content.at(at, HEADER)[8:], "little")
    end = at + size
    if size < SMALLEST or end > content.size:
        return True  # HDF5 refuses it
    at += HEADER
    while at + OBJECT <= end:
        head = content.at(at, OBJECT)
        number, length = int.from_bytes(head[:2], "little"), int.from_bytes(head[8:], "little")
        # object 0 is the free space, and its size includes its header
        step = length if number == 0 else OBJECT + -(-length // 8) * 8
        if step == 0:
            return False
        at += step
    return True
