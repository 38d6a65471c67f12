"""Heaps of texts in an HDF5 file: those that HDF5 would never finish reading are found."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from inkfold.hdf5_heaps import BLOCK, SIGNATURE, SMALLEST, endless_heap


def heap(*, whole: bool) -> bytes:
    """A heap with one text; a damaged one has zeros where its free space should be told."""
    text = (1).to_bytes(2, "little") + bytes(6) + (8).to_bytes(8, "little") + b"abcdefgh"
    left = SMALLEST - 16 - len(text)
    free = bytes(8) + (left if whole else 0).to_bytes(8, "little")
    return (SIGNATURE + SMALLEST.to_bytes(8, "little") + text + free).ljust(SMALLEST, b"\0")


@pytest.mark.parametrize(
    "place", [0, 8, BLOCK - SMALLEST, BLOCK - 8, BLOCK - 16, BLOCK, 3 * BLOCK + 8]
)
def test_a_damaged_heap_is_found_wherever_it_lies(tmp_path: Path, place: int) -> None:
    """Heaps across the ends of what is read at a time are found like any other."""
    path = tmp_path / "d"
    path.write_bytes(bytes(place) + heap(whole=False) + bytes(100))

    assert endless_heap(path) == place


def test_whole_heaps_and_odd_places_are_passed_over(tmp_path: Path) -> None:
    """A heap that ends, a signature at no multiple of eight, and an empty file are no fault."""
    path = tmp_path / "d"
    for content in (heap(whole=True) * 3, bytes(3) + heap(whole=False), b"", SIGNATURE):
        path.write_bytes(content)
        assert endless_heap(path) is None


def test_a_real_file_of_texts_is_whole(tmp_path: Path) -> None:
    """Thousands of texts of different lengths make heaps that all end."""
    texts = ["x" * (n % 300) for n in range(20_000)]
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file.create_dataset("texts", data=texts, dtype=h5py.string_dtype())
        file.create_dataset("images", data=np.zeros((1000, 64, 64), np.uint8))

    assert endless_heap(tmp_path / "d.h5") is None


MEASURED = """
import resource, sys
from pathlib import Path
from inkfold.hdf5_heaps import endless_heap
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
endless_heap(Path(sys.argv[1]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux alone")
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Looking through 200 MiB takes less than 20 MiB of memory."""
    with (tmp_path / "d").open("wb") as file:
        file.truncate(200 << 20)

    ended = subprocess.run(
        [sys.executable, "-c", MEASURED, str(tmp_path / "d")],
        check=True,
        capture_output=True,
        text=True,
    )

    assert int(ended.stdout) < 20 << 10
