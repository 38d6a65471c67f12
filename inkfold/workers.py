"""The processes and threads of this machine.

Nothing heavy is imported at the top: `numpy_alone` is called before numpy is there.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from threading import Thread, current_thread, main_thread
from typing import TYPE_CHECKING, Any

from inkfold.crew import Crew
from inkfold.errors import InkfoldError

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext

    from threadpoolctl import ThreadpoolController

# Begins a progress bar from its title and its total (None while that is unknown); within the block
# the callable that it gives adds a count to what is done.
Progress = Callable[[str, int | None], AbstractContextManager[Callable[[int], None]]]
BLAS_THREADS = "OPENBLAS_NUM_THREADS"  # the variable that OpenBLAS reads when it is loaded
LONGEST_SOCKET_NAME = 107  # bytes, on Linux
ADDED_TO_SOCKET_NAME = len("/pymp-12345678/listener-12345678")
SOCKET_FOLDER = "INKFOLD_SOCKET_FOLDER"  # the variable that inkfold.fork_server reads


@contextmanager
def local_crew(workers: int) -> Iterator[Crew]:
    """A crew of `workers` processes on this machine; a single worker is this process itself."""
    with local_executor(workers) as executor:
        yield Crew(executor, lambda: workers)


def local_executor(workers: int) -> AbstractContextManager[Executor]:
    """A pool of `workers` processes on this machine; a single worker is this process itself.

    No process is forked from this one, which may hold an open HDF5 file or threads. Ctrl-C is for
    this process alone, from the first moment of the others.
    """
    if workers == 1:
        return InProcess()
    from concurrent.futures import ProcessPoolExecutor

    class Pool(ProcessPoolExecutor):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401, the base class's signature
            with _signals_held():  # a worker is started when there is work for it
                return super().submit(fn, *args, **kwargs)

    start_early(workers)
    return Pool(workers, mp_context=_context(), initializer=_follow_the_parent)


@contextmanager
def _signals_held() -> Iterator[None]:
    """Keep SIGINT and SIGTERM waiting until the block ends, so that a process starts whole.

    A process or thread that is started within the block never sees SIGINT, that is Ctrl-C, at all.
    """
    came: list[int] = []
    handlers = {}
    if current_thread() is main_thread():  # elsewhere Python takes no handlers
        found = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        handlers = {number: handler for number, handler in found.items() if callable(handler)}
    blocking = hasattr(signal, "pthread_sigmask")  # not on Windows
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if blocking else set()
    try:
        for number in handlers:  # blocking is not enough: a thread of OpenBLAS may be given it
            signal.signal(number, lambda number, _frame: came.append(number))
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if blocking:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for late in came:
            signal.raise_signal(late)


class InProcess(Executor):
    """Runs each task at once, in the caller's process: what a single worker needs."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401, the base class's signature
        """Run ``fn(*args, **kwargs)`` now; the future that comes back is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def start_early(workers: int, *modules: str) -> None:
    """Begin what `local_executor` will need, while the caller still has much to import.

    On Linux workers are forked from a small server process, which imports `modules` once for all
    of them; this starts the server, and does not wait for it. Elsewhere, or for a single worker,
    nothing happens.
    """
    if workers == 1 or sys.platform != "linux":
        return
    from multiprocessing import forkserver, resource_tracker

    _check_open_files(workers)
    _context().set_forkserver_preload(["inkfold.fork_server", *modules])
    # A server with a single thread is safe to fork from: OpenBLAS starts its own when imported.
    resource_tracker.ensure_running()  # to start it would let interrupts in again
    variables = {BLAS_THREADS: "1", SOCKET_FOLDER: _socket_folder()}
    with _signals_held(), _environment(variables):
        forkserver.ensure_running()


def _socket_folder() -> str:
    """The folder that the server's socket is made in, where TMPDIR allows it among its files.

    The name of a socket has at most 107 bytes (``man 7 unix``), of which 32 are added to the folder
    of temporary files: below a longer one no worker would start.
    """
    import tempfile
    from multiprocessing import util

    chosen = tempfile.gettempdir()
    if len(os.fsencode(chosen)) > LONGEST_SOCKET_NAME - ADDED_TO_SOCKET_NAME:
        tempfile.tempdir = _writable(("/tmp", "/var/tmp", "/dev/shm"), chosen)  # noqa: S108, mkdtemp makes a folder of its own in it
    try:
        return util.get_temp_dir()
    finally:
        tempfile.tempdir = chosen


def _writable(folders: Sequence[str], chosen: str) -> str:
    """The first of some folders that this process may write in, in place of the `chosen` one."""
    for folder in folders:
        if os.access(folder, os.W_OK | os.X_OK):
            return folder
    raise InkfoldError(
        f"{chosen}: the path of this folder for temporary files is too long for the socket of "
        "worker processes; set TMPDIR to a shorter one, or use --workers 1"
    )


def _check_open_files(workers: int) -> None:
    """Refuse to start processes whose pipes the system will not let be opened."""
    from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit

    needed, (limit, _) = 20 + 4 * workers, getrlimit(RLIMIT_NOFILE)
    if limit != RLIM_INFINITY and limit < needed:
        raise InkfoldError(
            f"{workers} worker processes need {needed} open files, the limit is {limit}; "
            "allow more with ulimit -n, or use --workers 1"
        )


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables of the environment for the processes that are started within the block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _context() -> BaseContext:
    """How processes are started: on Linux from a server, which is quicker than a fresh start."""
    from multiprocessing import get_context

    return get_context("forkserver" if sys.platform == "linux" else "spawn")


def _follow_the_parent() -> None:
    """Leave Ctrl-C to the parent process, and end when that ends, even by SIGKILL.

    A pool's worker holds both ends of its queue, so it never sees the queue close.
    """
    from multiprocessing import parent_process

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=watch, daemon=True).start()


def end_with_stdin() -> None:
    """End this process when its standard input ends: when the parent closes it, or is killed."""

    def watch() -> None:
        while os.read(0, 4096):
            pass
        os._exit(1)

    # a daemon that reads without Python's buffer, whose lock would be in the way of an ordinary end
    Thread(target=watch, daemon=True).start()


def processors() -> int:
    """The number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def numpy_alone() -> Iterator[None]:
    """Keep numpy's BLAS from starting threads, if numpy is first imported within the block.

    Starting them takes 15 of the 60 ms of an import on two processors, and a program that leaves
    matrix products to another library has no use for them. A number of threads that the user has
    set stays.
    """
    if "numpy" in sys.modules or BLAS_THREADS in os.environ:
        yield
        return
    os.environ[BLAS_THREADS] = "1"
    try:
        yield
    finally:
        del os.environ[BLAS_THREADS]  # processes that this one starts shall not inherit it


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep OpenCV and BLAS to one thread within the block.

    Two workers with two threads each would fight for two processors; and the result of a single
    worker is then computed in the same way as that of many.
    """
    import cv2

    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with _libraries().limit(limits=1, user_api="blas"):
            yield
    finally:
        cv2.setNumThreads(before)


@cache
def _libraries() -> ThreadpoolController:
    """The BLAS libraries of this process: 2.5 ms to find, 0.02 ms to limit once found."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
