"""The work of one machine, shared among the processes of a real cluster: the same bytes."""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import inkfold
from inkfold.cluster import cluster_crew
from inkfold.errors import InkfoldError
from tests.worlds.clusters import PATIENCE, Cluster, cluster, ended, inkfold_in, wait_until
from tests.worlds.drawn_pictures import write_classes
from tests.worlds.foreign_files import write_idx
from tests.worlds.scripts import ROOT, run_script

pytest.importorskip("distributed", reason="wants distributed: pip install 'inkfold[cluster]'")
pytestmark = pytest.mark.slow

COPIES = ("--copies", "30")  # enough work to interrupt
AUGMENT = ("augment", "packed.h5", *COPIES)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with pictures, and what one process makes of them."""
    place = tmp_path_factory.mktemp("place")
    counts = {"a": 900, "b": 700, "ö": 800}
    write_classes(place / "in", counts)
    (place / "in/b/0003.png").write_bytes(b"torn")
    write_idx(place / "set", "train", [0, 1, 2] * 200)
    packed = ("in", "-o", "packed.h5", "--size", "64", "--workers", "1")
    assert run_script("create_dataset.py", *packed, cwd=place).returncode == 1
    alone = ("packed.h5", *COPIES, "-o", "alone.h5", "--workers", "1")
    assert run_script("augment.py", *alone, cwd=place).returncode == 0
    return place


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster that begins with one worker."""
    with cluster(tmp_path_factory.mktemp("cluster") / "made", 1) as made:
        yield made


@pytest.fixture
def two(started: Cluster) -> Cluster:
    """The cluster with at least two workers that run."""
    while len(started.running()) < 2:
        started.add_worker()
    started.wait_for(2)
    return started


def unfinished(place: Path, output: str) -> list[Path]:
    """The hidden files that are beside an output while it is written."""
    return list(place.glob(f".{output}.*"))


def interrupted(
    place: Path, output: str, *arguments: str, do: Callable[[], object]
) -> tuple[int, str]:
    """Start a command, do something once it has begun to write `output`, and wait for its end."""
    process = inkfold_in(place, *arguments, "-o", output, "--overwrite")
    wait_until(lambda: written(place, output) > 200_000, process)
    do()
    assert process.poll() is None, "it was over before it could be interrupted"
    return ended(process)


def written(place: Path, output: str) -> int:
    """How many bytes of an unfinished output there are."""
    total = 0
    for path in unfinished(place, output):
        for file in (path, *path.rglob("*")):
            if file.is_file():
                total += file.stat().st_size
    return total


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_every_stage_gives_on_a_cluster_what_it_gives_in_one_process(
    started: Cluster, place: Path, workers: int
) -> None:
    """One, two or three workers pack, augment, import and classify with one process's bytes."""
    while len(started.running()) < workers:
        started.add_worker()
    started.wait_for(workers)
    far = ("--cluster", started.address)

    packing = run_script(
        "create_dataset.py", "in", "-o", "far.h5", "--overwrite", "--size", "64", *far, cwd=place
    )
    augmenting = run_script(
        "augment.py", "far.h5", "-o", "far2.h5", "--overwrite", *COPIES, *far, cwd=place
    )
    importing = [
        run_script("import_data.py", "idx", "set", "-o", name, "--overwrite", *more, cwd=place)
        for name, more in (("set.h5", ()), ("far3.h5", far))
    ]
    asked = ("in/a", "in/b", "nowhere.png", "--format", "csv", "--top", "2")
    answers = [run_script("classify.py", *asked, *more, cwd=place) for more in ((), far)]

    assert packing.returncode == 1, packing.stderr
    assert b"b/0003.png" in packing.stderr
    assert augmenting.returncode == 0, augmenting.stderr
    assert (place / "far.h5").read_bytes() == (place / "packed.h5").read_bytes()
    assert (place / "far2.h5").read_bytes() == (place / "alone.h5").read_bytes()
    assert [run.returncode for run in importing] == [0, 0], importing[1].stderr
    assert (place / "far3.h5").read_bytes() == (place / "set.h5").read_bytes()
    assert answers[0].stdout == answers[1].stdout
    assert answers[0].stderr == answers[1].stderr
    assert answers[0].returncode == answers[1].returncode == 1
    assert answers[0].stdout.count(b"\n") > 1500


def test_a_worker_that_is_killed_costs_time_alone(two: Cluster, place: Path) -> None:
    """The work of a worker that ended by SIGKILL is done by another; the file is the same."""
    victim = two.running()[0]
    far = ("--cluster", two.address)

    code, errors = interrupted(place, "killed.h5", *AUGMENT, *far, do=victim.kill)

    assert code == 0, errors
    assert (place / "killed.h5").read_bytes() == (place / "alone.h5").read_bytes()
    assert unfinished(place, "killed.h5") == []


def test_a_worker_that_stands_still_for_ten_seconds_is_waited_for(
    two: Cluster, place: Path
) -> None:
    """A worker that is stopped and continued ends its piece; the file is the same."""
    worker = two.running()[0]

    def pause() -> None:
        worker.send_signal(signal.SIGSTOP)
        time.sleep(10)
        worker.send_signal(signal.SIGCONT)

    packing = ("create_dataset", "in", "--size", "64", "--cluster", two.address)
    process = inkfold_in(place, *packing, "-o", "paused.h5", "--overwrite")
    wait_until(lambda: unfinished(place, "paused.h5"), process)
    pause()

    code, errors = ended(process)

    assert code == 1, errors
    assert (place / "paused.h5").read_bytes() == (place / "packed.h5").read_bytes()


def test_two_commands_share_one_cluster(two: Cluster, place: Path) -> None:
    """Two callers at once get their own answers, also where both ask for the same work."""
    far = ("--cluster", two.address)
    names = ("first.h5", "second.h5")

    both = [inkfold_in(place, *AUGMENT, *far, "-o", name, "--overwrite") for name in names]

    assert [ended(process)[0] for process in both] == [0, 0]
    for name in names:
        assert (place / name).read_bytes() == (place / "alone.h5").read_bytes()


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_caller_that_is_asked_to_end_leaves_nothing(
    two: Cluster, place: Path, number: signal.Signals, expected: int
) -> None:
    """SIGTERM and Ctrl-C end the command and remove its output; the cluster works on for others."""
    far = ("--cluster", two.address)
    process = inkfold_in(place, *AUGMENT, *far, "-o", "ended.h5", "--overwrite")
    wait_until(lambda: written(place, "ended.h5") > 200_000, process)

    process.send_signal(number)
    code, errors = ended(process)

    assert code == expected, errors
    assert "Traceback" not in errors
    assert unfinished(place, "ended.h5") == []
    assert not (place / "ended.h5").exists()
    with cluster_crew(two.address) as crew:
        assert list(crew.in_order(abs, [-1, -2])) == [1, 2]


def test_what_a_killed_caller_left_is_removed_by_the_next_run(two: Cluster, place: Path) -> None:
    """A command that SIGKILL ended leaves hidden files, which the same command takes away."""
    far = ("--cluster", two.address)

    process = inkfold_in(place, *AUGMENT, *far, "-o", "again.h5", "--overwrite")
    wait_until(lambda: written(place, "again.h5") > 200_000, process)
    process.kill()
    process.communicate(timeout=PATIENCE)
    assert unfinished(place, "again.h5") != []
    code, errors = ended(inkfold_in(place, *AUGMENT, *far, "-o", "again.h5", "--overwrite"))

    assert code == 0, errors
    assert unfinished(place, "again.h5") == []
    assert (place / "again.h5").read_bytes() == (place / "alone.h5").read_bytes()


def test_a_scheduler_that_is_killed_ends_the_command_in_one_line(
    tmp_path: Path, place: Path
) -> None:
    """Without its scheduler a run cannot end: exit code 2, one line, no output, nothing left."""
    with cluster(tmp_path / "made", 1) as made:
        far = ("--cluster", made.address)
        code, errors = interrupted(place, "gone.h5", *AUGMENT, *far, do=made.scheduler.kill)

    assert code == 2
    assert errors.startswith("error: the cluster's scheduler is gone")
    assert errors.count("\n") == 1
    assert unfinished(place, "gone.h5") == []
    assert not (place / "gone.h5").exists()


def die(_task: int) -> None:
    """End the worker that does this."""
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_task_that_ends_every_worker_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work that kills whoever does it is told in one line, and does not kill all of a cluster."""
    monkeypatch.setenv("DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", "0")
    with (
        cluster(tmp_path / "made", 2) as made,
        cluster_crew(made.address) as crew,
        pytest.raises(InkfoldError, match="gave up a piece of work whose worker ended each time"),
    ):
        list(crew.in_order(die, [1]))


def test_a_worker_with_another_version_is_refused(tmp_path: Path, place: Path) -> None:
    """A worker that has another Inkfold is named with both versions, before any work."""
    other = tmp_path / "other"
    shutil.copytree(ROOT / "inkfold", other / "inkfold", ignore=shutil.ignore_patterns("shipped"))
    door = other / "inkfold/__init__.py"
    text, found = re.subn(r'__version__ = "[^"]+"', '__version__ = "0.0.9"', door.read_text())
    assert found == 1
    door.write_text(text)
    with cluster(tmp_path / "made", 0) as made:
        made.add_worker(env={"PYTHONPATH": str(other)})
        made.wait_for(1)
        far = ("--cluster", str(made.file))

        code, errors = ended(inkfold_in(place, *AUGMENT, *far, "-o", "old.h5"))
        checked, told = ended(inkfold_in(place, "cluster", "check", str(made.file)))

    version = inkfold.__version__
    assert (code, checked) == (2, 2)
    for line in (errors, told):
        assert f" has inkfold 0.0.9, expected {version}, as here; install the same" in line
    assert not (place / "old.h5").exists()


def test_a_worker_that_does_not_see_the_input_is_refused(two: Cluster, place: Path) -> None:
    """A path that leads elsewhere on a worker's side is named, before any work."""
    # for each process this leads to its own working folder, as a local disk does on each machine
    mine = "/proc/self/cwd/in"
    far = ("--cluster", two.address)

    code, errors = ended(inkfold_in(place, "create_dataset", mine, *far, "-o", "unseen.h5"))
    checked, told = ended(inkfold_in(place, "cluster", "check", two.address, mine))

    assert (code, checked) == (2, 2)
    for line in (errors, told):
        assert "does not see /proc/self/cwd/in (No such file or directory)" in line
    assert not (place / "unseen.h5").exists()


def test_a_worker_that_joins_late_is_held_to_the_same_conditions(
    started: Cluster, tmp_path: Path
) -> None:
    """Each piece of work is refused by a worker that does not see what the caller saw."""
    seen = tmp_path / "seen"
    seen.mkdir()
    with cluster_crew(started.address, sees=[seen]) as crew:
        assert list(crew.in_order(abs, [-1])) == [1]
        seen.rmdir()  # as if it were not there on the machine of the next worker
        with pytest.raises(InkfoldError, match=rf"worker \d+ on \S+ does not see {seen}"):
            list(crew.in_order(abs, [-1]))


def test_a_worker_that_joins_is_counted(started: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crew gives more work at a time as soon as another worker has joined its cluster."""
    monkeypatch.setattr("inkfold.cluster.ASKED_EVERY", 0.1)
    with cluster_crew(started.address) as crew:
        before, deadline = crew.at_a_time(), time.monotonic() + PATIENCE
        started.add_worker(threads=2)
        while crew.at_a_time() != before + 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_wrong_address_is_told_in_one_line(tmp_path: Path) -> None:
    """A scheduler that does not answer, no address at all and a missing file are exit code 2."""
    for address, reason in (
        ("tcp://127.0.0.1:1", "no scheduler of Dask answers there within 10 s"),
        ("localhost", "expected tcp://HOST:PORT, tls://HOST:PORT, or the scheduler file"),
        ("nowhere.json", "nowhere.json: no such scheduler file; start the cluster first"),
    ):
        code, errors = ended(inkfold_in(tmp_path, "cluster", "check", address))

        assert code == 2
        assert reason in errors
        assert errors.count("\n") == 1


def test_workers_here_and_a_cluster_exclude_each_other(place: Path) -> None:
    """``--workers`` and ``--cluster`` together are refused as a mistake of usage."""
    both = ("--workers", "2", "--cluster", "tcp://127.0.0.1:1")

    done = run_script("augment.py", "packed.h5", *both, cwd=place)

    assert done.returncode == 2
    assert b"--workers is about this machine; leave it out, or --cluster" in done.stderr


def test_a_cluster_that_can_work_is_told_with_what_it_costs(two: Cluster, place: Path) -> None:
    """``cluster check`` counts workers, says what they see, and measures a task and a byte."""
    checking = inkfold_in(place, "cluster", "check", two.address, "in")

    output, errors = checking.communicate(timeout=PATIENCE)

    assert (checking.returncode, errors) == (0, b"")
    lines = output.decode().splitlines()
    assert re.match(rf"{two.address}: \d+ workers on 1 machine, \d+ tasks at a time", lines[0])
    assert lines[1].endswith("are installed here, and see in")
    assert re.match(r"a task takes [\d.]+ ms .*; results come at [\d,]+ MB a second$", lines[2])
    assert lines[3].endswith(f"FOLDER --cluster {two.address}")
