"""Hashes of a bundle's files, computed while the libraries that will use them are imported."""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Callable, Iterable
from pathlib import Path

# Between two blocks a hashing thread needs Python's lock, for which it waits up to 5 ms beside a
# thread that imports modules: 35 MB took 0.96 s in blocks of 256 KiB, and 0.06 s in these.
BLOCK = 1 << 24  # bytes


def sha256_of_all(paths: Iterable[Path], meanwhile: Callable[[], object]) -> list[str]:
    """Hash every file in a thread of its own.

    Parameters
    ----------
    paths : iterable of Path
    meanwhile : callable
        Runs in this thread at the same time.

    Returns
    -------
    digests : list of str
        Hexadecimal, in the order of `paths`.
    """
    from concurrent.futures import ThreadPoolExecutor  # not before a bundle was found

    with ThreadPoolExecutor() as pool:
        digests = pool.map(sha256, paths)
        meanwhile()
    return list(digests)


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        # mapped memory is filled with zeros as it is touched; a bytearray is filled under the lock
        block = memoryview(mmap.mmap(-1, min(BLOCK, path.stat().st_size + 1)))
        while count := file.readinto(block):
            digest.update(block[:count])
    return digest.hexdigest()
