"""The C library's memory: what training frees is kept for its next step.

The GNU C library gives large blocks back to the kernel when they are freed. A training step frees
and takes hundreds of megabytes, and each page that comes back costs a page fault and is cleared.
"""

from __future__ import annotations

import ctypes
import platform

# the numbers of mallopt's parameters in glibc's malloc.h
TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8
LARGEST = 2**31 - 1  # bytes; mallopt takes an int


def keep_freed_memory() -> bool:
    """Have the C library keep what this process frees, until the process ends.

    All threads share one arena, because the others are limited to 64 MiB, which is less than a
    batch of activations.

    Returns
    -------
    kept : bool
        Whether it took effect: it does with the GNU C library, and nothing happens elsewhere.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    settings = {TRIM_THRESHOLD: LARGEST, MMAP_THRESHOLD: LARGEST, ARENA_MAX: 1}
    return all(mallopt(parameter, value) == 1 for parameter, value in settings.items())
