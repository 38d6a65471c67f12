"""The workers of a Dask cluster that somebody else has started, as a crew (docs/cluster.md).

Nothing here starts a scheduler or a worker. Before any work, and in each worker again before each
piece of it, what must be equal everywhere is compared: versions, and the files that are read.
"""

from __future__ import annotations

import errno
import logging
import os
import platform
import socket
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from pkgutil import resolve_name
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Self

from inkfold import __version__
from inkfold.crew import Crew
from inkfold.errors import DISK, InkfoldError
from inkfold.extras import need

if TYPE_CHECKING:
    from distributed import Client

SCHEDULER_SECONDS = 10  # until a scheduler that does not answer is given up
WORKER_SECONDS = 60  # until a scheduler without a worker is given up
ASKED_EVERY = 10.0  # seconds between two looks at how many workers there are
# What decides the bytes that a worker makes, and what it says: equal everywhere, or refused.
LIBRARIES = (
    "distributed",
    "numpy",
    "opencv-python-headless",
    "pillow",
    "isal",
    "h5py",
    "onnxruntime",
)
EXPECTED = "expected tcp://HOST:PORT, tls://HOST:PORT, or the scheduler file of a cluster, *.json"
Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A file or folder as this process sees it, which every worker must see as well.

    Attributes
    ----------
    path : str
        Absolute.
    size : int or None
        Of a file, in bytes; None for a folder.
    """

    path: str
    size: int | None

    @classmethod
    def of(cls, path: Path) -> Self:
        """What is at `path` now; it must be there."""
        whole = path.absolute()
        return cls(path=str(whole), size=None if whole.is_dir() else whole.stat().st_size)

    def objection(self) -> str | None:
        """How this process sees something else; None where it sees the same."""
        try:
            found = Seen.of(Path(self.path))
        except OSError as error:
            return f"does not see {self.path} ({os.strerror(error.errno or errno.ENOENT)})"
        if found != self:
            return f"sees {found._what} at {self.path}, here it is {self._what}"
        return None

    @property
    def _what(self) -> str:
        return "a folder" if self.size is None else f"a file of {self.size:,} bytes"


@dataclass(frozen=True)
class Conditions:
    """What a worker must have as this process has it, or its answers could differ.

    Attributes
    ----------
    versions : tuple of (str, str)
        Of Inkfold, Python and `LIBRARIES`.
    sees : tuple of Seen
    """

    versions: tuple[tuple[str, str], ...]
    sees: tuple[Seen, ...] = ()

    def objection(self) -> str | None:
        """What this process has otherwise, and what to do; None where all is equal."""
        here = dict(versions())
        for name, wanted in self.versions:
            if here[name] != wanted:
                return f"has {name} {here[name]}, expected {wanted}, as here; {SAME_VERSION}"
        for seen in self.sees:
            if (objection := seen.objection()) is not None:
                return f"{objection}; {SHARED}"
        return None


SAME_VERSION = "install the same version everywhere and start the workers again"
SHARED = "put it where all machines see it under this path, or mount that there"


@cache
def versions() -> tuple[tuple[str, str], ...]:
    """The versions of this process: of Inkfold, Python and `LIBRARIES`."""
    major, minor, _ = platform.python_version_tuple()
    libraries = ((name, _version(name)) for name in LIBRARIES)
    return ("inkfold", __version__), ("python", f"{major}.{minor}"), *libraries


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "unknown"


def under(conditions: Conditions, function: Callable[[Any], Any], task: Any) -> Any:  # noqa: ANN401, any task and answer
    """Do a task in a worker that fulfils the conditions; runs in the worker.

    Raises
    ------
    InkfoldError
        If it does not, or if its disk fails; the message names the machine.
    """
    place = f"worker {os.getpid()} on {socket.gethostname()}"
    if (objection := conditions.objection()) is not None:
        raise InkfoldError(f"{place} {objection}")
    try:
        return function(task)
    except OSError as error:
        if error.errno not in DISK | {errno.ENOENT, errno.ESTALE}:
            raise
        path = os.fsdecode(error.filename2 or error.filename or "the output")
        raise InkfoldError(f"{place}: {path}: {os.strerror(error.errno)}; mend that") from None


@contextmanager
def cluster_crew(
    address: str, *, sees: Sequence[Path] = (), tell: Tell = lambda _line: None
) -> Iterator[Crew]:
    """The workers of the cluster at `address`.

    Parameters
    ----------
    address : str
        ``tcp://HOST:PORT`` or ``tls://HOST:PORT`` of its scheduler, or the path of the scheduler
        file (``.json``) that it wrote. Certificates are Dask's own configuration.
    sees : sequence of Path
        Files and folders that every worker must see under the same absolute path.
    tell : callable
        Called with a line when the work waits for a worker.

    Raises
    ------
    InkfoldError
        If distributed is not installed, no scheduler answers, no worker comes, or a worker has
        another version or does not see a path.
    """
    need("--cluster", "distributed")
    with connected(address) as client:
        wait_for_a_worker(client, address, tell)
        conditions = Conditions(versions(), tuple(map(Seen.of, sees)))
        for worker, objection in objections(client, conditions).items():
            if objection is not None:
                raise InkfoldError(f"worker {worker} {objection}")
        with _counted(client, tell) as threads:
            executor = client.get_executor(pure=False)  # else an equal task could be answered once
            yield Crew(executor, threads, far=True, prepared=partial(partial, under, conditions))


@contextmanager
def connected(address: str) -> Iterator[Client]:
    """A client of the scheduler at `address`; what Dask logs is left to the errors raised here."""
    with _quiet_log():
        client = _client(address)
        try:
            yield client
        finally:
            client.close(timeout=2)  # a scheduler that is gone shall not be waited for


@contextmanager
def _quiet_log() -> Iterator[None]:
    """Within the block the loggers of distributed say nothing below CRITICAL."""
    import distributed  # noqa: F401, importing it gives its loggers their levels

    names = [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]
    levels = {name: logging.getLogger(name).level for name in names}
    for name in levels:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def _client(address: str) -> Client:
    """Connect to a scheduler."""
    from distributed import Client

    by_file = address.endswith(".json")
    if by_file and not Path(address).is_file():
        raise InkfoldError(f"{address}: no such scheduler file; start the cluster first")
    if not by_file and not address.startswith(("tcp://", "tls://")):
        raise InkfoldError(f"--cluster {address}: {EXPECTED}")
    where = {"scheduler_file": address} if by_file else {"address": address}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # versions are compared below
            return Client(**where, timeout=SCHEDULER_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError, KeyError) as error:  # a wrong file or address as well
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise InkfoldError(
            f"{address}: no scheduler of Dask answers there within {SCHEDULER_SECONDS} s "
            f"({reason}); start one with: dask scheduler, or give the address that it printed"
        ) from None


def wait_for_a_worker(client: Client, address: str, tell: Tell) -> None:
    """Wait until a scheduler has a worker.

    Raises
    ------
    InkfoldError
        If none comes.
    """
    if client.nthreads():
        return
    tell(f"{address}: no worker yet; waiting up to {WORKER_SECONDS} s for one")
    try:
        client.wait_for_workers(1, timeout=WORKER_SECONDS)
    except TimeoutError:
        raise InkfoldError(
            f"{address}: the scheduler has had no worker for {WORKER_SECONDS} s; start some with: "
            f"dask worker {address}"
        ) from None


def objections(client: Client, conditions: Conditions) -> Mapping[str, str | None]:
    """What each worker of a cluster has otherwise than the conditions say, by its address.

    The version is asked for first: a worker with another one may not know `Conditions`.
    """
    found: dict[str, str | None] = {}
    # a function of the standard library, which each worker has
    answers = client.run(resolve_name, "inkfold:__version__", on_error="return")
    for worker, answer in answers.items():
        if isinstance(answer, ImportError):
            found[worker] = f"has no inkfold, expected {__version__}, as here; {SAME_VERSION}"
        elif answer != __version__:
            found[worker] = f"has inkfold {answer}, expected {__version__}, as here; {SAME_VERSION}"
    equal = [worker for worker in answers if worker not in found]
    if equal:
        more = client.run(conditions.objection, workers=equal, on_error="return")
        found |= {worker: _in_words(answer) for worker, answer in more.items()}
    return {worker: found[worker] for worker in sorted(found)}


def _in_words(answer: str | BaseException | None) -> str | None:
    if isinstance(answer, BaseException):
        return f"cannot answer ({type(answer).__name__}: {answer}); {SAME_VERSION}"
    return answer


@contextmanager
def _counted(client: Client, tell: Tell) -> Iterator[Callable[[], int]]:
    """How many tasks a cluster does at once, looked at every 10 s in a thread: workers may join."""
    threads, over = sum(client.nthreads().values()), Event()

    def watch() -> None:
        nonlocal threads
        while not over.wait(ASKED_EVERY):
            try:
                now = sum(client.nthreads().values())
            except Exception:  # the scheduler is gone: whoever waits for work tells it
                return
            if not now and threads:
                tell("the cluster has lost its last worker; waiting for another one")
            elif now and not threads:
                tell("a worker has joined the cluster; the work goes on")
            threads = now

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield lambda: threads
    finally:
        over.set()
