"""Shards that the workers of a real cluster write: the same dataset, whoever is killed."""

from __future__ import annotations

import re
import resource
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.worlds.clusters import Cluster, cluster, ended, inkfold_in, wait_until
from tests.worlds.drawn_pictures import write_classes
from tests.worlds.relays import relay
from tests.worlds.scripts import run_script

pytest.importorskip("distributed", reason="wants distributed: pip install 'inkfold[cluster]'")
pytestmark = pytest.mark.slow

COPIES = ("--copies", "40")
ROWS = 2048  # of a shard
PACK = ("create_dataset", "in", "--size", "48", "--shards", "256")
AUGMENT = ("augment", "packed.h5", *COPIES, "--shards", str(ROWS))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with pictures, and what one process makes of them without shards."""
    place = tmp_path_factory.mktemp("place")
    write_classes(place / "in", {"a": 500, "b": 400, "ö": 300})
    packed = ("in", "-o", "packed.h5", "--size", "48", "--workers", "1")
    assert run_script("create_dataset.py", *packed, cwd=place).returncode == 0
    alone = ("packed.h5", *COPIES, "-o", "alone.h5", "--workers", "1")
    assert run_script("augment.py", *alone, cwd=place).returncode == 0
    return place


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster of two workers."""
    with cluster(tmp_path / "cluster", 2) as made:
        yield made


def begun(place: Path, name: str, made: Cluster, *, shards: int) -> subprocess.Popen[bytes]:
    """Start to augment in shards, and wait until so many shards are noted as finished."""
    journal = place / f"{name}.shards/plan.jsonl"
    process = inkfold_in(place, *AUGMENT, "-o", f"{name}.h5", "--cluster", made.address)
    wait_until(lambda: journal.exists() and len(journal.read_text().splitlines()) > shards, process)
    return process


def left(place: Path, name: str) -> list[str]:
    """What there is of a dataset beside its index and its shards."""
    found = [path.name for path in place.glob(f".{name}.*")]
    inside = [path.name for path in (place / f"{name}.shards").iterdir()]
    return found + [each for each in inside if not re.fullmatch(r"\w+-\d+(-\w+)?\.h5", each)]


def merged(place: Path, name: str) -> bytes:
    """The bytes of the one file that a dataset in shards becomes."""
    merging = inkfold_in(place, "merge", f"{name}.h5", "-o", f"{name}-one.h5", "--overwrite")
    assert ended(merging)[0] == 0
    return (place / f"{name}-one.h5").read_bytes()


def test_shards_of_a_cluster_are_the_unsharded_file(two: Cluster, place: Path) -> None:
    """Packed and augmented by two workers in shards, and merged, the files have the same bytes."""
    far = ("--cluster", two.address)

    packing = ended(inkfold_in(place, *PACK, "-o", "p.h5", *far))
    augmenting = ended(
        inkfold_in(place, "augment", "p.h5", *COPIES, "--shards", str(ROWS), "-o", "a.h5", *far)
    )

    assert packing[0] == 0, packing[1]
    assert augmenting[0] == 0, augmenting[1]
    assert merged(place, "p") == (place / "packed.h5").read_bytes()
    assert merged(place, "a") == (place / "alone.h5").read_bytes()
    assert left(place, "p") == left(place, "a") == []


def test_a_killed_worker_leaves_no_part_behind(two: Cluster, place: Path) -> None:
    """The shard of a worker that ended by SIGKILL is written by another, and its part is gone."""
    process = begun(place, "w", two, shards=2)
    two.running()[0].kill()
    assert process.poll() is None, "it was over before the worker was killed"

    code, errors = ended(process)

    assert code == 0, errors
    assert left(place, "w") == []
    assert merged(place, "w") == (place / "alone.h5").read_bytes()


def test_a_run_whose_scheduler_was_killed_is_finished_by_another(
    two: Cluster, place: Path, tmp_path: Path
) -> None:
    """The command fails in one line; repeated on another cluster it makes what is missing."""
    process = begun(place, "s", two, shards=3)
    two.scheduler.kill()
    code, errors = ended(process)
    assert code == 2
    assert errors.startswith("error: the cluster's scheduler is gone")
    assert errors.count("\n") == 1
    assert not (place / "s.h5").exists()
    before = {path: path.stat().st_mtime_ns for path in (place / "s.shards").glob("*.h5")}
    assert len(before) >= 3

    with cluster(tmp_path / "next", 1) as other:
        again = inkfold_in(place, *AUGMENT, "-o", "s.h5", "--cluster", other.address)
        code, errors = ended(again)

    assert code == 0, errors
    assert left(place, "s") == []
    kept = [path for path, time in before.items() if path.stat().st_mtime_ns == time]
    assert len(kept) >= 3, "whole shards were made again"
    assert merged(place, "s") == (place / "alone.h5").read_bytes()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_whose_caller_was_ended_is_finished_by_the_next(
    two: Cluster, place: Path, number: signal.Signals
) -> None:
    """The same command skips the shards that are whole, and gives the same file."""
    name = f"c{int(number)}"
    process = begun(place, name, two, shards=3)
    process.send_signal(number)
    assert ended(process)[0] in (-int(number), 128 + int(number))
    before = {path: path.stat().st_mtime_ns for path in (place / f"{name}.shards").glob("*.h5")}

    code, errors = ended(inkfold_in(place, *AUGMENT, "-o", f"{name}.h5", "--cluster", two.address))

    assert code == 0, errors
    kept = [path for path, time in before.items() if path.stat().st_mtime_ns == time]
    assert len(kept) >= 3, "whole shards were made again"
    assert left(place, name) == []
    assert merged(place, name) == (place / "alone.h5").read_bytes()


def test_a_worker_without_room_is_named_in_one_line(two: Cluster, place: Path) -> None:
    """A worker whose files may not grow, as on a full disk, ends the run with exit code 2."""
    for worker in two.workers:
        psutil.Process(worker.pid).rlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    code, errors = ended(inkfold_in(place, *AUGMENT, "-o", "f.h5", "--cluster", two.address))

    assert code == 2
    assert errors.count("\n") == 1, errors
    assert re.match(r"error: (worker \d+ on \S+: )?.*f\.shards/.*: File too large", errors), errors
    assert not (place / "f.h5").exists()
    assert not list(place.glob("f.shards/.*.part"))


def test_of_shards_little_passes_through_the_scheduler(two: Cluster, place: Path) -> None:
    """Shards travel by the disk: fewer than ten bytes a row pass between caller and scheduler."""
    rows = 41 * 960
    with relay(int(two.address.rsplit(":", 1)[1])) as counter:
        far = ("--cluster", f"tcp://127.0.0.1:{counter.port}")

        code, errors = ended(inkfold_in(place, *AUGMENT, "-o", "t.h5", *far))

        assert code == 0, errors
        assert counter.count < 10 * rows
