"""Runs that write shards: taken up again, refused or replaced; nothing that is not ours is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from inkfold.dataset import index
from inkfold.dataset.index import writing_shards
from inkfold.dataset.reader import open_dataset
from inkfold.dataset.shard_folder import JOURNAL, read_journal
from inkfold.dataset.shard_table import Shard
from inkfold.dataset.shards import write_shard
from inkfold.dataset.writer import read_rows
from inkfold.errors import InkfoldError
from inkfold.locks import only_writer
from inkfold.spec import SPLITS
from tests.dataset.test_shards import content
from tests.worlds.packed_strokes import write_packed
from tests.worlds.scripts import ROOT
from tests.worlds.sharded import write_sharded


class StoppedError(Exception):
    """Ends a run in its middle."""


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """1,100 training pictures and 300 for validation: five shards and two of 256 rows."""
    (tmp_path / "in").mkdir()
    return write_packed(tmp_path / "in" / "whole.h5", (1100, 300, 0), size=8)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The dataset to be written, alone in its folder."""
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "d.h5"


def stopped(source: Path, target: Path, *, after: int, overwrite: bool = False) -> None:
    """A run as that of `write_sharded` that ends after some shards."""
    with pytest.raises(StoppedError):
        _run(source, target, after=after, overwrite=overwrite)


def _run(source: Path, target: Path, *, after: int, overwrite: bool) -> None:
    with open_dataset(source) as packed:
        counts = {name: len(packed.split(name)) for name in SPLITS}
        with writing_shards(
            target,
            packed.classes,
            packed.spec,
            rows=256,
            plan={"fingerprint": packed.fingerprint},
            overwrite=overwrite,
        ) as out:
            for number, slot in enumerate(out.slots(counts)):
                if number == after:
                    raise StoppedError
                arrays = packed.split(slot.split).arrays
                rows = read_rows(arrays, slot.first, slot.first + slot.rows)
                out.add(write_shard(slot, like=rows[:0], chunks=[(rows, {})]))


def names(folder: Path) -> list[str]:
    """The names of all that lies in a folder, the random part of shards' names left out."""
    return sorted(path.name.split("-")[0] for path in folder.iterdir())


def test_a_run_that_ended_early_is_taken_up_by_the_same_run(whole: Path, out: Path) -> None:
    """Three shards and the journal are left, no index; the next run keeps the three."""
    stopped(whole, out, after=3)
    assert names(out.parent) == ["d.shards"]
    assert names(out.with_suffix(".shards")) == ["plan.jsonl", "train", "train", "train"]

    assert write_sharded(whole, out) == 3
    assert names(out.parent) == ["d.h5", "d.shards"]
    assert JOURNAL not in names(out.with_suffix(".shards"))
    written = content(out.parent)
    other = out.parent / "other"
    other.mkdir()
    write_sharded(whole, other / "d.h5")
    assert written == content(other), "the bytes of an unbroken run"


def test_a_shard_that_was_damaged_in_between_is_written_anew(whole: Path, out: Path) -> None:
    """Its SHA-256 is not that of the journal; one that is missing is written as well."""
    stopped(whole, out, after=4)
    first, second, *_ = sorted(out.with_suffix(".shards").glob("train-*"))
    data = bytearray(first.read_bytes())
    data[len(data) // 2] ^= 1
    first.write_bytes(data)
    second.unlink()

    assert write_sharded(whole, out) == 2
    with open_dataset(out) as dataset, open_dataset(whole) as packed:
        assert np.array_equal(dataset.train.images[:], packed.train.images[:])


def test_a_journal_that_was_cut_short_is_read_as_far_as_it_is_whole(whole: Path, out: Path) -> None:
    """The last line is half written; the next run adds its own on a line of its own."""
    stopped(whole, out, after=3)
    journal = out.with_suffix(".shards") / JOURNAL
    journal.write_bytes(journal.read_bytes()[:-20])
    stopped(whole, out, after=4)

    found = read_journal(journal.parent)
    assert found is not None
    assert len(found.shards) == 4


def test_a_run_without_a_finished_shard_leaves_nothing(whole: Path, out: Path) -> None:
    """Neither the folder nor the journal."""
    stopped(whole, out, after=0)
    assert names(out.parent) == []


def test_shards_of_a_run_with_another_plan_are_refused_without_overwrite(
    whole: Path, out: Path
) -> None:
    """With it they are removed, and none of them is in the new dataset."""
    stopped(whole, out, after=3)
    other = write_packed(whole.with_name("other.h5"), (600, 10, 10), seed=1, size=8)
    before = content(out.parent)

    with pytest.raises(InkfoldError, match="holds 3 shards of a run with other options") as error:
        write_sharded(other, out)
    assert "--overwrite" in str(error.value)
    assert content(out.parent) == before

    assert write_sharded(other, out, overwrite=True) == 0
    with open_dataset(out) as dataset:
        listed = {shard.name for shard in dataset.shards or ()}
    assert {path.name for path in out.with_suffix(".shards").iterdir()} == listed


def test_the_old_dataset_stays_until_the_new_index_stands(whole: Path, out: Path) -> None:
    """A run with --overwrite that ends early leaves it whole; its own shards lie beside."""
    old = write_packed(whole.with_name("old.h5"), (600, 10, 10), seed=1, size=8)
    write_sharded(old, out)
    stopped(whole, out, after=3, overwrite=True)
    with open_dataset(out) as dataset, open_dataset(old) as packed:
        assert dataset.fingerprint == packed.fingerprint
        assert np.array_equal(dataset.train.images[:], packed.train.images[:])

    assert write_sharded(whole, out, overwrite=True) == 3
    assert names(out.with_suffix(".shards")) == ["train"] * 5 + ["validation"] * 2


def test_a_reader_of_the_old_dataset_never_gets_pictures_of_the_new(whole: Path, out: Path) -> None:
    """It reads its own rows or an error, whether the new dataset is one file or in shards."""
    old = write_packed(whole.with_name("old.h5"), (600, 10, 10), seed=1, size=8)
    for new in (
        lambda: write_sharded(whole, out, overwrite=True),
        lambda: write_packed(out, (1100, 300, 0), size=8),
    ):
        write_sharded(old, out, overwrite=True)
        with open_dataset(out) as dataset:
            assert len(dataset.train[:256].images) == 256
            new()
            for start in (0, 256, 512):
                with pytest.raises(InkfoldError, match=r"changed while|cannot be read"):
                    dataset.train[start : start + 88]


def test_one_file_in_the_place_of_shards_removes_them(whole: Path, out: Path) -> None:
    """Nothing is left over; and shards in the place of the file leave no file over."""
    write_sharded(whole, out)
    write_packed(out, (60, 10, 10), size=8)
    assert names(out.parent) == ["d.h5"]
    write_sharded(whole, out, overwrite=True)
    assert names(out.parent) == ["d.h5", "d.shards"]


def test_what_is_not_ours_is_never_removed(whole: Path, out: Path) -> None:
    """A foreign file is refused before any work, and stays where one file replaces the shards."""
    folder = out.with_suffix(".shards")
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(InkfoldError, match=r"holds mine\.txt, which is no shard"):
        write_sharded(whole, out, overwrite=True)
    (folder / "mine.txt").rename(out.with_name("mine.txt"))
    write_sharded(whole, out)
    out.with_name("mine.txt").rename(folder / "mine.txt")

    write_packed(out, (60, 10, 10), size=8)
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]


def test_shards_of_a_dataset_that_was_renamed_are_never_removed(whole: Path, out: Path) -> None:
    """``new.h5`` still lists ``d.shards``: a dataset that is written as ``d.h5`` is refused."""
    write_sharded(whole, out)
    renamed = out.with_name("new.h5")
    out.rename(renamed)
    with pytest.raises(InkfoldError, match=r"holds 7 shards that no d\.h5 lists"):
        write_sharded(whole, out, overwrite=True)
    write_packed(out, (60, 10, 10), size=8)
    write_packed(out, (60, 10, 10), size=8)
    with open_dataset(renamed) as dataset:
        assert len(dataset.train[:1100].images) == 1100

    write_packed(renamed, (60, 10, 10), size=8)
    assert len(list(out.with_suffix(".shards").iterdir())) == 7, "perhaps another's: left alone"


def test_shards_of_a_renamed_dataset_stay_beside_those_of_an_unfinished_run(
    whole: Path, out: Path
) -> None:
    """A run is stopped, and the dataset that it was to replace renamed: neither is removed."""
    old = write_packed(whole.with_name("old.h5"), (600, 10, 10), seed=1, size=8)
    write_sharded(old, out)
    stopped(whole, out, after=3, overwrite=True)
    out.rename(out.with_name("new.h5"))
    before = content(out.parent)

    for source in (whole, old):
        with pytest.raises(InkfoldError, match=r"holds 5 shards that no d\.h5 lists"):
            write_sharded(source, out, overwrite=True)
    assert content(out.parent) == before


def test_two_runs_do_not_write_one_dataset(whole: Path, out: Path) -> None:
    """The second is refused while the first lives."""
    with (
        only_writer(out.with_suffix(".shards")),
        pytest.raises(InkfoldError, match=f"process {os.getpid()} is writing it"),
    ):
        write_sharded(whole, out)


def test_parts_of_other_machines_are_swept(whole: Path, out: Path) -> None:
    """A worker that was killed elsewhere left one."""
    folder = out.with_suffix(".shards")
    folder.mkdir()
    (folder / ".train-00001-01234567.h5.elsewhere-00ff.77.part").write_bytes(b"half")
    write_sharded(whole, out)
    assert names(folder) == ["train"] * 5 + ["validation"] * 2


def test_a_shard_that_a_worker_wrote_elsewhere_is_told(
    whole: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller looks for every shard before it writes the index."""
    noted: list[str] = []

    def note(folder: Path, shard: Shard) -> None:
        (folder / shard.name).unlink()
        noted.append(shard.name)

    monkeypatch.setattr(index, "note", note)
    with pytest.raises(InkfoldError, match="a worker wrote this shard, and it is not here"):
        write_sharded(whole, out)
    assert len(noted) == 7
    assert not out.exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from inkfold.dataset import shards
from tests.worlds.sharded import write_sharded

whole, out, number = Path(sys.argv[1]), Path(sys.argv[2]), getattr(signal, sys.argv[3])
hashed, done = shards.sha256_of, []

def sha256_of(path, **options):
    done.append(path)
    if len(done) == 3:
        os.kill(os.getpid(), number)
    return hashed(path, **options)

shards.sha256_of = sha256_of
write_sharded(whole, out)
"""


def test_a_caller_that_is_killed_leaves_its_shards_to_the_next_run(whole: Path, out: Path) -> None:
    """SIGKILL in the middle of the third shard: its part is swept, the first two are kept."""
    command = [sys.executable, "-c", KILLED, str(whole), str(out), "SIGKILL"]
    done = subprocess.run(command, cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    folder = out.with_suffix(".shards")
    assert len(list(folder.glob(".*.part"))) == 1

    assert write_sharded(whole, out) == 2
    assert not list(folder.glob(".*"))
    assert names(out.parent) == ["d.h5", "d.shards"]
