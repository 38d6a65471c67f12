"""A real Dask cluster on loopback: a scheduler and workers, each a process with its own folders."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.worlds.scripts import ROOT

PATIENCE = 120  # seconds: a bound for a test that would hang, not a measure


@dataclass
class Cluster:
    """A scheduler and its workers.

    Attributes
    ----------
    folder : Path
        Where the processes have their folders.
    scheduler : subprocess.Popen
    workers : list of subprocess.Popen
    """

    folder: Path
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def file(self) -> Path:
        """The scheduler file."""
        return self.folder / "scheduler.json"

    @property
    def address(self) -> str:
        """The scheduler's address, as ``tcp://127.0.0.1:PORT``."""
        import json

        return str(json.loads(self.file.read_text())["address"])

    def add_worker(
        self, *, threads: int = 1, env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start one more worker; it joins when it is ready."""
        name = f"worker{len(self.workers)}"
        worker = start(
            self.folder / name,
            "distributed.cli.dask_worker",
            *("--scheduler-file", str(self.file), "--nthreads", str(threads), "--name", name),
            *("--no-nanny", "--no-dashboard", "--host", "127.0.0.1", "--memory-limit", "0"),
            env=env,
        )
        self.workers.append(worker)
        return worker

    def running(self) -> list[subprocess.Popen[bytes]]:
        """The workers that have not ended."""
        return [worker for worker in self.workers if worker.poll() is None]

    def wait_for(self, workers: int) -> None:
        """Wait until so many workers have joined."""
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=PATIENCE)


def start(
    folder: Path, module: str, *arguments: str, env: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a module as a process that has `folder` for its files, its home and its scratch."""
    folder.mkdir(parents=True)
    own = {name: str(folder) for name in ("HOME", "TMPDIR", "DASK_TEMPORARY_DIRECTORY")}
    settings = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "60s", "PYTHONPATH": str(ROOT)}
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=folder,
            env=os.environ | own | settings | dict(env or {}),
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )


@contextmanager
def cluster(folder: Path, workers: int, *, threads: int = 1) -> Iterator[Cluster]:
    """A cluster with so many workers; its processes end with the block."""
    scheduler = start(
        folder / "scheduler",
        "distributed.cli.dask_scheduler",
        *("--host", "127.0.0.1", "--port", "0", "--no-dashboard"),
        *("--scheduler-file", str(folder / "scheduler.json")),
    )
    made = Cluster(folder, scheduler)
    try:
        _wait_for_file(made)
        for _ in range(workers):
            made.add_worker(threads=threads)
        if workers:
            made.wait_for(workers)
        yield made
    finally:
        for process in (*made.workers, scheduler):
            _end(process)


def _wait_for_file(made: Cluster) -> None:
    """Wait until the scheduler has written where it listens."""
    deadline = time.monotonic() + PATIENCE
    while not (made.file.exists() and made.file.read_text().rstrip().endswith("}")):
        assert made.scheduler.poll() is None, (made.folder / "scheduler/log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process that this module started, stopped or not."""
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.wait()


def inkfold_in(place: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start ``inkfold ARGUMENTS`` in a folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "inkfold.commands.main", *arguments],
        cwd=place,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def ended(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    """The exit code of a process, and what it wrote to stderr."""
    _, errors = process.communicate(timeout=PATIENCE)
    return process.returncode, errors.decode()


def wait_until(true: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    """Wait for something that a process does."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
