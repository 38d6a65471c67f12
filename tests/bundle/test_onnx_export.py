"""The process that writes ``model.onnx``: it ends with the process that asked for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from inkfold.bundle.bundle import ARCHITECTURE
from tests.worlds.scripts import ROOT

EXPORT = """
import sys
from pathlib import Path
from inkfold.bundle.onnx_export import export_onnx
export_onnx(Path(sys.argv[1]), classes=["a"], spec={})
"""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a pipe with a name holds the export")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_an_export_ends_with_the_process_that_asked_for_it(
    tmp_path: Path, number: signal.Signals
) -> None:
    """An export that would wait for ever ends after SIGKILL or SIGINT to its parent alone."""
    os.mkfifo(tmp_path / ARCHITECTURE)
    command = [sys.executable, "-c", EXPORT, str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as parent:
        while not (children := psutil.Process(parent.pid).children()):
            time.sleep(0.01)
        time.sleep(1)
        parent.send_signal(number)
    _, alive = psutil.wait_procs(children, timeout=60)
    for process in alive:
        process.kill()

    assert alive == []
