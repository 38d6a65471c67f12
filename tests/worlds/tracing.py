"""Whether strace can watch a process on this machine, and the mark of tests that need it."""

from __future__ import annotations

import shutil
import subprocess

import pytest


def strace_works() -> bool:
    """Whether strace is installed and may watch a process here."""
    if (strace := shutil.which("strace")) is None:
        return False
    return subprocess.run([strace, "-f", "true"], capture_output=True, check=False).returncode == 0


watched = pytest.mark.skipif(not strace_works(), reason="strace is missing, or may not watch here")
