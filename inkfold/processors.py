"""How many processors there are, and what is asked of them while a command starts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def processors() -> int:
    """The number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def numpy_alone() -> Iterator[None]:
    """Where numpy is imported first within the block, its BLAS starts no threads.

    Starting them takes 15 ms of an import of 60, on two processors, and a program that leaves the
    products to another library has no use for them. What a user has set holds.
    """
    name = "OPENBLAS_NUM_THREADS"
    if "numpy" in sys.modules or name in os.environ:
        yield
        return
    os.environ[name] = "1"
    try:
        yield
    finally:
        del os.environ[name]  # other processes are not meant
