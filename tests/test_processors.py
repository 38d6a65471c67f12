"""What is asked of the processors at a command's start."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from inkfold.workers import numpy_alone, processors

SPY = """
import json, os
from inkfold.processors import numpy_alone
with numpy_alone():
    import numpy
from threadpoolctl import threadpool_info
(blas,) = [found for found in threadpool_info() if found["user_api"] == "blas"]
print(json.dumps([blas["num_threads"], os.environ.get("OPENBLAS_NUM_THREADS")]))
"""


def spied(**variables: str) -> list[int | str | None]:
    """Threads of numpy's BLAS and the variable after the block, in a process of its own."""
    kept = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", SPY], env=kept | variables, capture_output=True, check=True
    )
    found: list[int | str | None] = json.loads(done.stdout)
    return found


def test_there_is_a_processor() -> None:
    """And no more than the machine has."""
    assert 1 <= processors() <= (os.cpu_count() or 1)


def test_numpy_starts_alone_and_other_processes_do_not_hear_of_it() -> None:
    """One thread for its products, and the variable that says so is gone afterwards."""
    assert spied() == [1, None]


@pytest.mark.skipif(processors() < 2, reason="OpenBLAS takes no more threads than processors")
def test_what_a_user_has_set_holds() -> None:
    """Two threads that were asked for are two."""
    assert spied(OPENBLAS_NUM_THREADS="2") == [2, "2"]


def test_where_numpy_is_there_already_nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would come too late."""
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)

    with numpy_alone():
        assert "numpy" in sys.modules or "OPENBLAS_NUM_THREADS" in os.environ
        inside = os.environ.get("OPENBLAS_NUM_THREADS")

    assert inside is None
