"""An augmented dataset in shards: the rows of the one file, whoever writes them."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from inkfold.augmentation.augment import Augmentation, augment_dataset
from inkfold.augmentation.shards import ShardTask, augment_shards, augmented_shard
from inkfold.dataset.reader import open_dataset
from inkfold.dataset.shards import Slot
from inkfold.recipe import Distortion
from inkfold.workers import local_crew
from tests.dataset.test_shards import content
from tests.worlds.packed_strokes import write_packed
from tests.worlds.scripts import ROOT
from tests.worlds.sharded import write_sharded

PLAN = Augmentation(Distortion(sigma=4, alpha=30, rotate=5), copies=3, seed=5)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """700 training pictures: two whole chunks of 256 and one of 188."""
    return write_packed(tmp_path_factory.mktemp("packed") / "small.h5", (700, 300, 64))


def sharded(source: Path, target: Path, rows: int = 512, *, workers: int = 1) -> Path:
    """Augment `source` into shards as the command does."""
    target.parent.mkdir(exist_ok=True)
    with open_dataset(source) as packed, local_crew(workers) as crew:
        augment_shards(packed, target, PLAN, rows, crew=crew)
    return target


@pytest.mark.parametrize("rows", [256, 768, 4096])
def test_every_array_and_the_fingerprint_equal_those_of_one_file(
    source: Path, tmp_path: Path, rows: int
) -> None:
    """Images, labels, source, digest, origin and copy, in the same rows."""
    with open_dataset(source) as packed, local_crew(1) as crew:
        augment_dataset(packed, tmp_path / "one.h5", PLAN, crew=crew)
    sharded(source, tmp_path / "many.h5", rows)

    with open_dataset(tmp_path / "one.h5") as one, open_dataset(tmp_path / "many.h5") as many:
        assert one.provenance == many.provenance
        for ours, theirs in zip(many.splits, one.splits, strict=True):
            assert np.array_equal(ours.images[:], theirs.images[:])
            assert np.array_equal(ours.labels, theirs.labels)
            assert np.array_equal(ours.digest, theirs.digest)
            assert ours.source == theirs.source
            assert (ours.origin is None) == (theirs.origin is None)
            if ours.origin is not None:
                assert np.array_equal(ours.origin, np.asarray(theirs.origin))
                assert np.array_equal(np.asarray(ours.copy), np.asarray(theirs.copy))
        assert len(many.shards or ()) == -(-2800 // rows) + -(-300 // rows) + 1


def test_the_same_bytes_for_any_number_of_workers_and_for_a_source_in_shards(
    source: Path, tmp_path: Path
) -> None:
    """Index and shards are equal; of a source in shards the shards are, under other names."""
    expected = content(sharded(source, tmp_path / "one" / "d.h5").parent)
    assert content(sharded(source, tmp_path / "two" / "d.h5", workers=2).parent) == expected
    write_sharded(source, tmp_path / "source.h5", 256)
    found = content(sharded(tmp_path / "source.h5", tmp_path / "three" / "d.h5").parent)
    del expected["d.h5"], found["d.h5"]
    assert sorted(found.values()) == sorted(expected.values())


def test_little_travels_back_for_a_row(tmp_path: Path) -> None:
    """16 bytes a chunk, and a record of a few hundred bytes a shard, however large that is."""
    packed = write_packed(tmp_path / "large.h5", (4096, 4, 4), size=8)
    with open_dataset(packed) as dataset:
        identity = dataset.identity
    sizes = []
    for rows in (256, 16384):
        slot = Slot(folder=tmp_path, name="train-00000-0.h5", split="train", first=0, rows=rows)
        task = ShardTask(dataset=identity, originals=4096, augmentation=PLAN, slot=slot)
        sizes.append((len(pickle.dumps(task)), len(pickle.dumps(augmented_shard(task)))))
    (small_task, small), (task_size, large) = sizes
    assert task_size <= small_task + 8
    assert task_size < 1200
    assert large - small == pytest.approx(63 * 16, abs=16)
    assert (task_size + large) / 16384 < 0.2


class ForgetfulError(Exception):
    """Ends a run in its middle."""


def test_a_run_that_is_repeated_makes_only_what_is_missing(source: Path, tmp_path: Path) -> None:
    """Progress counts the rows that are there as well, and the outcome says how many there were."""
    done: list[int] = []

    def advance(rows: int) -> None:
        done.append(rows)
        if len(done) == 3:
            raise ForgetfulError

    with open_dataset(source) as packed, local_crew(1) as crew:
        with pytest.raises(ForgetfulError):
            augment_shards(packed, tmp_path / "d.h5", PLAN, 512, crew=crew, advance=advance)
        assert not (tmp_path / "d.h5").exists()
        written = augment_shards(packed, tmp_path / "d.h5", PLAN, 512, crew=crew, advance=advance)
    assert (written.shards, written.kept) == (8, 3)
    assert sum(done[3:]) == 2800
    assert content(tmp_path) == content(sharded(source, tmp_path / "new" / "d.h5").parent)


def killed(command: list[str], folder: Path, number: int, shards: int) -> int:
    """Run a command until so many shards are there, then send it a signal; its exit code."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    while len(list(folder.glob("big.shards/train-*"))) < shards:
        assert process.poll() is None, "it ended before it was killed"
        time.sleep(0.005)
    os.kill(process.pid, number)
    return process.wait(timeout=120)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_command_that_is_ended_is_finished_by_the_same_command(
    tmp_path: Path, number: int
) -> None:
    """Shards and journal are left, a part after SIGKILL alone; the next run says what it keeps."""
    write_packed(tmp_path / "packed.h5", (6000, 64, 64), size=32)
    command = [sys.executable, str(ROOT / "augment.py"), "packed.h5", "-o", "big.h5"]
    command += ["--shards", "2048", "--copies", "5", "--workers", "2", "-q"]
    code = killed(command, tmp_path, number, 3)

    assert code == (-number if number == signal.SIGKILL else 128 + number)
    assert not (tmp_path / "big.h5").exists()
    folder = tmp_path / "big.shards"
    left = len(list(folder.glob("train-*")))
    assert left >= 3
    if number != signal.SIGKILL:
        assert not list(folder.glob(".*"))
        assert not list(tmp_path.glob(".*"))
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    kept = int(done.stdout.partition(" of them by an earlier run")[0].rpartition("(")[2])
    assert 1 <= kept <= left, "shards that were under way had not been noted"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["big.h5", "big.shards", "packed.h5"]
    assert not [path for path in folder.iterdir() if not path.name.endswith(".h5")]
    with open_dataset(tmp_path / "big.h5") as dataset:
        digest = dataset.train.digest
    merge = [sys.executable, "-m", "inkfold.commands.main", "merge", "big.h5", "-o", "one.h5"]
    subprocess.run(merge, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    with open_dataset(tmp_path / "one.h5") as dataset:
        assert np.array_equal(dataset.train.digest, digest)


def test_a_disk_that_fills_up_in_a_worker_is_one_line_with_the_shards_path(tmp_path: Path) -> None:
    """Exit code 2; no part is left, and no index."""
    write_packed(tmp_path / "d.h5", (2000, 100, 100))
    line = 'ulimit -f 300; exec "$@"'
    command = ["bash", "-c", line, "bash", sys.executable, str(ROOT / "augment.py"), "d.h5"]
    done = subprocess.run(
        [*command, "--workers", "2", "--shards", "8192"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2, done.stderr
    assert "d_elastic.shards/train-0000" in done.stderr
    assert ": File too large; " in done.stderr
    assert ".part" not in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.rglob("*.part"))
    assert not (tmp_path / "d_elastic.h5").exists()
