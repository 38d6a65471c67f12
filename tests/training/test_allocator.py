"""With the GNU C library, freed memory stays with the process."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

CODE = """
import resource
import numpy as np
from inkfold.training.allocator import keep_freed_memory
KEEP = {keep}
if KEEP:
    assert keep_freed_memory()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
np.ones(64 << 20, np.uint8)
before = faults()
for _ in range(5):
    np.ones(64 << 20, np.uint8)
print(faults() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it acts on the GNU C library alone")
def test_memory_that_was_freed_comes_back_without_page_faults() -> None:
    """Five times 64 MiB cause thousands of page faults without it, and next to none with it."""
    faults = {}
    for keep in (False, True):
        command = [sys.executable, "-c", CODE.format(keep=keep)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        faults[keep] = int(done.stdout)

    assert faults[True] < faults[False] / 4
