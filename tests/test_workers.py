"""Pieces of work on any executor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from random import Random

import psutil
import pytest

from inkfold.errors import InkfoldError
from inkfold.workers import InProcess, in_order, local_executor, processors
from tests.worlds.scripts import ROOT


def slow_square(number: int) -> int:
    """Takes longer for some numbers than for others, so that results come out of order."""
    time.sleep(Random(number).random() / 200)
    return number * number


def process_id(_task: int) -> int:
    """Who did it."""
    return os.getpid()


def test_results_come_in_the_order_of_the_tasks() -> None:
    """Whoever was done first."""
    with ThreadPoolExecutor(5) as executor:
        assert list(in_order(executor, slow_square, range(40), in_flight=7)) == [
            number * number for number in range(40)
        ]


@pytest.mark.parametrize("in_flight", [1, 3])
def test_no_more_than_so_many_results_exist_at_a_time(in_flight: int) -> None:
    """Tasks are taken only as results are: this is the bound on memory."""
    taken = 0

    def tasks() -> Iterator[int]:
        nonlocal taken
        for number in range(20):
            taken += 1
            yield number

    for given, _ in enumerate(in_order(InProcess(), abs, tasks(), in_flight=in_flight)):
        assert taken - given <= in_flight


def test_no_task_gives_no_result() -> None:
    """And does not wait."""
    assert list(in_order(InProcess(), abs, [], in_flight=3)) == []


@pytest.mark.parametrize("begin", [InProcess, partial(ThreadPoolExecutor, 2)])
def test_an_error_in_a_task_reaches_the_caller(begin: Callable[[], Executor]) -> None:
    """As it was raised, after the results before it."""
    with begin() as executor:
        results = in_order(executor, lambda number: 6 // number, [3, 2, 0, 1], in_flight=1)

        assert next(results) == 2
        assert next(results) == 3
        with pytest.raises(ZeroDivisionError):
            next(results)


def die(_task: int) -> None:
    """What the system does to a process when memory runs out."""
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_is_killed_is_told_in_one_line() -> None:
    """With what to try; not as a traceback from the pool."""
    with local_executor(2) as executor:
        results = in_order(executor, die, range(4), in_flight=2)

        with pytest.raises(InkfoldError, match=r"a worker process was killed.*fewer --workers"):
            next(results)


def test_what_nobody_waits_for_any_more_is_cancelled() -> None:
    """A reader who stops does not leave a hundred tasks running."""
    done = []

    def work(number: int) -> int:
        time.sleep(0.01)
        done.append(number)
        return number

    with ThreadPoolExecutor(1) as executor:
        results = in_order(executor, work, range(100), in_flight=50)
        next(results)
        results.close()  # type: ignore[attr-defined]  # it is a generator

    assert len(done) < 10


def test_one_worker_is_this_process_and_two_are_others() -> None:
    """No pool is started where none is needed."""
    with local_executor(1) as executor:
        assert set(in_order(executor, process_id, range(4), in_flight=2)) == {os.getpid()}
    with local_executor(2) as executor:
        assert os.getpid() not in set(in_order(executor, process_id, range(4), in_flight=2))


def test_the_default_is_one_worker_a_processor() -> None:
    """Of those that this process may use."""
    assert 1 <= processors() <= (os.cpu_count() or 1)


POOL = """
import time
from inkfold.work import local_executor
if __name__ == "__main__":
    with local_executor(2) as pool:
        list(pool.map(abs, range(8)))
        print("ready", flush=True)
        time.sleep(60)
"""


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    """By SIGKILL, which nobody can catch: no orphan is left to wait for ever."""
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
from inkfold.work import local_executor, start_early

def knows(_task):
    return "this_is_slow" in sys.modules, os.environ.get("OPENBLAS_NUM_THREADS")

if __name__ == "__main__":
    start_early(2, "this_is_slow")
    print(os.environ.get("OPENBLAS_NUM_THREADS"))
    with local_executor(2) as pool:
        print(*pool.submit(knows, 0).result(), "this_is_slow" in sys.modules)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere each worker starts afresh")
def test_workers_that_were_begun_early_have_their_modules(tmp_path: Path) -> None:
    """Imported by the process that they are forked from, which keeps to one thread; not by us."""
    script = tmp_path / "pool.py"
    script.write_text(EARLY)
    (tmp_path / "this_is_slow.py").touch()
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    environment.pop("OPENBLAS_NUM_THREADS", None)

    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=True, env=environment
    )

    assert done.stdout.splitlines() == ["None", "True 1 False"]
