"""Running the project's scripts as a user does: in a process of their own, in any folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run_script(
    script: str,
    *arguments: str | Path,
    cwd: Path,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run ``python SCRIPT ARGUMENTS`` to its end, with `stdin` as its standard input.

    `env` is added to the environment.
    """
    command = [sys.executable, str(ROOT / script), *map(str, arguments)]
    environment = os.environ | dict(env or {})
    return subprocess.run(
        command, cwd=cwd, input=stdin, capture_output=True, check=False, env=environment
    )
