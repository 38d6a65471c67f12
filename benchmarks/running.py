"""Commands run to their end, or killed: in a Python of their own, or in a fork of this process.

A fork takes no time to start, where every library is loaded beforehand. TensorFlow may be imported
before a fork, but must not have computed anything: its threads would be missing in the fork. Either
is a session of its own, so that it is killed together with all that it started.
"""

from __future__ import annotations

import contextlib
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmarks.fault_stages import MODULE
from inkfold.keras_backend import set_variables

PATIENCE = 300.0  # seconds after which a command hangs


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes
    ----------
    code : int
        The exit code, or a signal's number, negative.
    errors : str
        What it wrote to standard error.
    """

    code: int
    errors: str


def load_libraries() -> None:
    """Import what the commands import late, with the settings that they would have."""
    set_variables()
    import cv2  # noqa: F401, loaded once for all forks
    import h5py  # noqa: F401, loaded once for all forks
    import keras  # noqa: F401, loaded once for all forks
    import matplotlib.pyplot as plt  # noqa: F401, loaded once for all forks
    import onnxruntime  # noqa: F401, loaded once for all forks
    import sklearn.manifold  # noqa: F401, loaded once for all forks
    import tensorflow as tf  # noqa: F401, loaded once for all forks


def cold(command: Sequence[str], folder: Path, seconds: float = PATIENCE) -> Ended:
    """Run what follows ``python`` in `folder`, and kill it with all its processes after `seconds`.

    By default a command is killed once it has hung.
    """
    return finished([sys.executable, *command], folder, seconds)


def finished(line: Sequence[str], folder: Path, seconds: float = PATIENCE) -> Ended:
    """Run any program in `folder` as `cold` runs Python."""
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(  # noqa: S603, our own commands
            line,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        ) as process,
    ):
        return _ended(process.pid, process.poll, seconds, errors)


def forked(command: Sequence[str], folder: Path, seconds: float = PATIENCE) -> Ended:
    """Run one of Inkfold's commands as `cold` does, in a fork of this process."""
    with tempfile.TemporaryFile() as errors:
        child = os.fork()
        if child == 0:
            _become(command, folder, errors.fileno())

        def poll() -> int | None:
            """The exit code of the fork, once it has ended."""
            ended, status = os.waitpid(child, os.WNOHANG)
            return os.waitstatus_to_exitcode(status) if ended else None

        return _ended(child, poll, seconds, errors)


def _ended(
    process: int, poll: Callable[[], int | None], seconds: float, errors: IO[bytes]
) -> Ended:
    """Wait for a process to end, and end it and its session after some seconds."""
    moment = time.monotonic() + seconds
    while (code := poll()) is None and time.monotonic() < moment:
        time.sleep(0.001)
    with contextlib.suppress(ProcessLookupError):  # a fork may not have begun its session yet
        os.killpg(process, signal.SIGKILL)
    if code is None:
        os.kill(process, signal.SIGKILL)
        while (code := poll()) is None:
            time.sleep(0.001)
    errors.seek(0)
    return Ended(code, errors.read().decode(errors="replace"))


def _become(command: Sequence[str], folder: Path, errors: int) -> None:
    """Turn this fork into the command; never returns."""
    code = 1
    try:
        os.setsid()
        os.chdir(folder)
        with Path(os.devnull).open("wb") as nothing:
            os.dup2(nothing.fileno(), 1)
        os.dup2(errors, 2)
        sys.argv = ["inkfold", *command[2:]]
        try:
            runpy.run_module(MODULE[1], run_name="__main__", alter_sys=True)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
