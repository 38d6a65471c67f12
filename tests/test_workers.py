"""Work that is shared among processes: its order, its bounds, its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from random import Random

import psutil
import pytest

from inkfold.crew import Crew
from inkfold.errors import InkfoldError
from inkfold.workers import InProcess, local_crew, numpy_alone, processors
from tests.worlds.scripts import ROOT


def slow_square(number: int) -> int:
    """Take longer for some numbers than for others, so that results are ready out of order."""
    time.sleep(Random(number).random() / 200)
    return number * number


def process_id(_task: int) -> int:
    """The process that does the task."""
    return os.getpid()


def test_results_come_in_the_order_of_the_tasks() -> None:
    """Results are yielded in the order of the tasks, whichever task is done first."""
    with ThreadPoolExecutor(5) as executor:
        assert list(Crew(executor, lambda: 3).in_order(slow_square, range(40))) == [
            number * number for number in range(40)
        ]


@pytest.mark.parametrize("workers", [1, 3])
def test_no_more_results_than_allowed_exist_at_a_time(workers: int) -> None:
    """Tasks are drawn only as fast as results are used, which is the bound on memory."""
    drawn, crew = 0, Crew(InProcess(), lambda: workers)

    def tasks() -> Iterator[int]:
        nonlocal drawn
        for number in range(20):
            drawn += 1
            yield number

    for used, _ in enumerate(crew.in_order(abs, tasks())):
        assert drawn - used <= crew.in_flight == 2 * workers + 2


def test_a_crew_that_grows_is_given_more_work_at_a_time() -> None:
    """How much is at work is asked for anew with each task: workers of a cluster come and go."""
    workers, drawn = 1, 0

    def tasks() -> Iterator[int]:
        nonlocal drawn
        while True:
            drawn += 1
            yield drawn

    results = Crew(InProcess(), lambda: workers).in_order(abs, tasks())
    next(results)
    before, workers = drawn, 10
    next(results)
    results.close()  # type: ignore[attr-defined]  # it is a generator

    assert (before, drawn) == (4, 1 + 22)


def test_no_tasks_give_no_results() -> None:
    """An empty series of tasks ends at once, without waiting for anything."""
    assert list(Crew(InProcess(), lambda: 1).in_order(abs, [])) == []


@pytest.mark.parametrize("begin", [InProcess, partial(ThreadPoolExecutor, 2)])
def test_an_error_in_a_task_reaches_the_caller(begin: Callable[[], Executor]) -> None:
    """The error of a task is raised unchanged, after the results of the tasks before it."""
    with begin() as executor:
        results = Crew(executor, lambda: 1).in_order(lambda number: 6 // number, [3, 2, 0, 1])

        assert next(results) == 2
        assert next(results) == 3
        with pytest.raises(ZeroDivisionError):
            next(results)


def die(_task: int) -> None:
    """End as a process does when the system kills it because memory ran out."""
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_is_killed_is_reported_in_one_line() -> None:
    """A killed worker raises an InkfoldError that advises fewer workers, not a pool's traceback."""
    with local_crew(2) as crew:
        results = crew.in_order(die, range(4))

        with pytest.raises(InkfoldError, match=r"a worker process was killed.*fewer --workers"):
            next(results)


def test_tasks_are_cancelled_when_their_results_are_no_longer_read() -> None:
    """A reader who stops after one result does not leave fifty submitted tasks running."""
    done = []

    def work(number: int) -> int:
        time.sleep(0.01)
        done.append(number)
        return number

    with ThreadPoolExecutor(1) as executor:
        results = Crew(executor, lambda: 24).in_order(work, range(100))
        next(results)
        results.close()  # type: ignore[attr-defined]  # it is a generator

    assert len(done) < 10


def test_one_worker_is_this_process_and_two_are_others() -> None:
    """A single worker works in the calling process; two workers are processes of their own."""
    with local_crew(1) as crew:
        assert set(crew.in_order(process_id, range(4))) == {os.getpid()}
    with local_crew(2) as crew:
        assert os.getpid() not in set(crew.in_order(process_id, range(4)))


def test_processors_are_counted_within_the_machines_number() -> None:
    """A process may use at least one processor, and no more than the machine has."""
    assert 1 <= processors() <= (os.cpu_count() or 1)


POOL = """
import time
from inkfold.workers import local_executor
if __name__ == "__main__":
    with local_executor(2) as pool:
        list(pool.map(abs, range(8)))
        print("ready", flush=True)
        time.sleep(60)
"""


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    """Workers end after SIGKILL to their parent, which no process can catch."""
    script = tmp_path / "pool.py"
    script.write_text(POOL)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, env=environment
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        children = psutil.Process(parent.pid).children(recursive=True)
        parent.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(children, timeout=20)

    assert len(children) >= 2
    assert alive == []


EARLY = """
import os, sys
from inkfold.workers import local_executor, start_early

def seen_by_worker(_task):
    return "this_is_slow" in sys.modules, os.environ.get("OPENBLAS_NUM_THREADS")

if __name__ == "__main__":
    start_early(2, "this_is_slow")
    print(os.environ.get("OPENBLAS_NUM_THREADS"))
    with local_executor(2) as pool:
        print(*pool.submit(seen_by_worker, 0).result(), "this_is_slow" in sys.modules)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere each worker starts afresh")
def test_workers_that_were_started_early_have_their_modules(tmp_path: Path) -> None:
    """The server that workers are forked from imports the modules and keeps BLAS to one thread."""
    script = tmp_path / "pool.py"
    script.write_text(EARLY)
    (tmp_path / "this_is_slow.py").touch()
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    environment.pop("OPENBLAS_NUM_THREADS", None)

    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=True, env=environment
    )

    assert done.stdout.splitlines() == ["None", "True 1 False"]


GROUP = """
import sys, time
from pathlib import Path
from inkfold.workers import local_executor, start_early

def slowly(moment):
    if moment == sys.argv[1]:
        Path("ready").touch()
        time.sleep(1)

if __name__ == "__main__":
    start_early(2, "imported_by_the_server")
    try:
        with local_executor(2) as pool:
            print(pool.submit(slowly, "work").result())
            time.sleep(60)
    except KeyboardInterrupt:
        print("interrupted")
else:
    slowly("worker")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no server")
@pytest.mark.parametrize("moment", ["server", "worker", "work"])
def test_ctrl_c_on_a_terminal_is_seen_by_the_parent_alone(tmp_path: Path, moment: str) -> None:
    """Ctrl-C reaches the whole group while server or worker start, and only the parent answers."""
    (tmp_path / "pool.py").write_text(GROUP)
    (tmp_path / "imported_by_the_server.py").write_text(
        "import sys, time\nfrom pathlib import Path\n"
        + ('Path("ready").touch()\ntime.sleep(1)\n' if moment == "server" else "")
    )
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    with subprocess.Popen(
        [sys.executable, "pool.py", moment],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
        start_new_session=True,
    ) as parent:
        while not (tmp_path / "ready").exists():
            time.sleep(0.005)
        os.killpg(parent.pid, signal.SIGINT)
        assert parent.communicate() == ("interrupted\n", "")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no server")
def test_a_killed_parent_leaves_no_temporary_folder(tmp_path: Path) -> None:
    """After SIGKILL to the parent, the folder of the server's socket is removed by the server."""
    script = tmp_path / "pool.py"
    script.write_text(POOL)
    temporary = Path(tempfile.mkdtemp())  # short enough for the name of a socket
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)}
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, env=environment
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        assert len(list(temporary.iterdir())) == 1, "the socket lies elsewhere"
        children = psutil.Process(parent.pid).children(recursive=True)
        parent.send_signal(signal.SIGKILL)
    psutil.wait_procs(children, timeout=60)

    temporary.rmdir()  # fails unless it is empty


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no server")
def test_workers_start_where_the_folder_for_temporary_files_has_a_long_path(tmp_path: Path) -> None:
    """A TMPDIR that is too long for the name of a socket stays the program's own for all else."""
    script, temporary = tmp_path / "pool.py", tmp_path / ("long" * 37)
    script.write_text(POOL.replace("time.sleep(60)", "print(__import__('tempfile').gettempdir())"))
    temporary.mkdir()
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)}

    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, env=environment, text=True, check=False
    )

    assert done.stdout == f"ready\n{temporary}\n", done.stderr


def test_what_has_begun_is_done_before_a_reader_who_stops_is_let_go() -> None:
    """Work that runs may use a folder that its reader removes next: the reader waits for it."""
    begun, done = threading.Event(), threading.Event()

    def work(number: int) -> int:
        if number == 1:
            begun.set()
            time.sleep(0.3)
            done.set()
        return number

    with ThreadPoolExecutor(1) as executor:
        results = Crew(executor, lambda: 1).in_order(work, range(3))
        next(results)
        assert begun.wait(60)
        results.close()  # type: ignore[attr-defined]  # it is a generator
        assert done.is_set()


def test_importing_the_workers_loads_no_heavy_library() -> None:
    """`inkfold.workers` can be imported before numpy, or `numpy_alone` would come too late."""
    code = "import sys, inkfold.workers; print(*sys.modules)"
    run = [sys.executable, "-c", code]
    loaded = set(subprocess.run(run, capture_output=True, text=True, check=True).stdout.split())

    assert "inkfold.workers" in loaded
    assert loaded & {"numpy", "cv2", "threadpoolctl", "multiprocessing"} == set()


NUMPY_ALONE = """
import json, os
from inkfold.workers import numpy_alone
with numpy_alone():
    import numpy
from threadpoolctl import threadpool_info
(blas,) = [library for library in threadpool_info() if library["user_api"] == "blas"]
print(json.dumps([blas["num_threads"], os.environ.get("OPENBLAS_NUM_THREADS")]))
"""


def threads_and_variable(**variables: str) -> list[int | str | None]:
    """Threads of numpy's BLAS, and the variable after the block, in a process of its own."""
    environment = {
        name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"
    }
    done = subprocess.run(
        [sys.executable, "-c", NUMPY_ALONE],
        env=environment | variables,
        capture_output=True,
        check=True,
    )
    answer: list[int | str | None] = json.loads(done.stdout)
    return answer


def test_numpy_starts_with_one_thread_and_other_processes_are_not_limited() -> None:
    """The BLAS of numpy has one thread, and the variable that limited it is removed afterwards."""
    assert threads_and_variable() == [1, None]


@pytest.mark.skipif(processors() < 2, reason="OpenBLAS takes no more threads than processors")
def test_a_number_of_threads_that_the_user_has_set_stays() -> None:
    """Where the user has set OPENBLAS_NUM_THREADS to 2, numpy's BLAS has two threads."""
    assert threads_and_variable(OPENBLAS_NUM_THREADS="2") == [2, "2"]


def test_nothing_is_set_once_numpy_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable stays unset where numpy is loaded already, for it would be read too late."""
    pytest.importorskip("numpy")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)

    with numpy_alone():
        inside = os.environ.get("OPENBLAS_NUM_THREADS")

    assert inside is None
