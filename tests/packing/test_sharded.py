"""Packing in shards: the dataset is that of one file, for any options and any crew."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inkfold.commands.cli import Advance
from inkfold.crew import Crew
from inkfold.dataset.merge import merge_dataset
from inkfold.dataset.reader import open_dataset
from inkfold.errors import InkfoldError
from inkfold.packing import buckets
from inkfold.packing import stage as staging
from inkfold.packing.pack import Report, pack
from inkfold.packing.plan import Packing
from inkfold.packing.sharded import overlaps
from inkfold.spec import ImageSpec
from inkfold.workers import InProcess, local_crew
from tests.worlds.drawn_pictures import encode, write_picture
from tests.worlds.many_kinds import CLASSES, differing, write_many_kinds
from tests.worlds.packing_run import packed, silent

SMALL = Packing(spec=ImageSpec(size=8), allow_bad=5)
COUNT = 700


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 700 files, of which 7 are damaged."""
    return write_many_kinds(tmp_path_factory.mktemp("many") / "in", COUNT)


@pytest.fixture(autouse=True)
def little_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lower the sizes, so that a few pictures make many buckets, runs and stage files."""
    monkeypatch.setattr(buckets, "TOGETHER", 90 * 8**2)
    monkeypatch.setattr(staging, "FILES", 64)


def both(
    folder: Path, work: Path, packing: Packing = SMALL, crew: Crew | None = None, rows: int = 256
) -> tuple[Report, Report]:
    """Pack to one file and to shards; fails where a reader or the merged bytes differ."""
    reports = (
        packed(folder, work / "one.h5", packing, crew),
        packed(folder, work / "many.h5", packing, crew, shards=rows),
    )
    with open_dataset(work / "one.h5") as one, open_dataset(work / "many.h5") as many:
        assert differing(one, many) == []
        merge_dataset(many, work / "merged.h5", overwrite=True, advance=lambda _count: None)
    assert (work / "merged.h5").read_bytes() == (work / "one.h5").read_bytes()
    (work / "merged.h5").unlink()
    return reports


@pytest.mark.parametrize("workers", [1, 2])
def test_shards_hold_the_rows_of_the_single_file(
    tmp_path: Path, pictures: Path, workers: int
) -> None:
    """Arrays, fingerprint, record and report are equal, on one worker and on two processes."""
    with local_crew(workers) as crew:
        one, many = both(pictures, tmp_path, replace(SMALL, group_by=r"w(\d+)_"), crew)

    assert one.blank == many.blank
    assert one.blank.count > 2
    assert one.unreadable == many.unreadable
    assert one.unreadable.count > COUNT // 100
    assert one.further == many.further
    assert one.further.count >= COUNT // 100
    assert one.plan.duplicates == many.plan.duplicates > 0
    assert one.plan.conflicts == many.plan.conflicts
    assert one.plan.conflicts.count > 0
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["many.h5", "many.shards", "one.h5"]
    assert len(list((tmp_path / "many.shards").iterdir())) == 5


@pytest.mark.slow
@settings(deadline=None, derandomize=True, max_examples=20)
@given(
    st.builds(
        Packing,
        spec=st.sampled_from([ImageSpec(size=8), ImageSpec(size=5, threshold="otsu")]),
        fractions=st.sampled_from([(0.8, 0.1, 0.1), (0.5, 0.0, 0.5), (0.34, 0.33, 0.33)]),
        seed=st.integers(0, 9),
        per_class=st.sampled_from([None, 30, 120]),
        group_by=st.sampled_from([None, r"w(\d+)_", "deep"]),
        min_per_class=st.sampled_from([1, 65]),
        allow_bad=st.just(5.0),
        label_by=st.sampled_from([None, r"(\d)\.png"]),
    ),
    st.sampled_from([256, 512, 4096]),
    st.integers(20, 400),
)
@example(SMALL, 256, 20)
def test_any_options_give_the_rows_of_the_single_file(
    pictures: Path, packing: Packing, rows: int, together: int
) -> None:
    """Whatever is chosen, grouped and divided, and however large buckets and shards are."""
    work = pictures.parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buckets, "TOGETHER", together * 8**2)
        one, many = both(pictures, work, packing, rows=rows)

    assert one.blank == many.blank
    assert one.photographs == many.photographs


@pytest.mark.slow
def test_tables_archives_and_split_folders_pack_in_shards(tmp_path: Path, pictures: Path) -> None:
    """Rows that were not found class by class, and files in archives, have their own pictures."""
    paths = sorted(path.relative_to(pictures) for path in pictures.rglob("*.png"))
    lines = [
        f"{path},{index % 3},{('train', 'test')[index % 2]},{index % 11 or ''}"
        for index, path in enumerate(paths)
    ]
    table = tmp_path / "table.csv"
    table.write_text("\n".join(["path,label,split,writer", *lines]) + "\n")
    split = tmp_path / "split"
    for side in ("train", "test"):
        shutil.copytree(pictures, split / side)
    archives = [
        Path(shutil.make_archive(str(tmp_path / kind), kind, pictures)) for kind in ("zip", "gztar")
    ]

    both(pictures, tmp_path, replace(SMALL, labels=table))
    both(split, tmp_path)
    for archive in archives:
        both(archive, tmp_path)


def test_a_picture_that_is_there_very_often_is_gathered_in_several_runs(tmp_path: Path) -> None:
    """All copies of a file are in one bucket, which is then far larger than the others."""
    rng = np.random.default_rng(0)
    same = encode(".png", rng.integers(0, 256, (6, 6)).astype(np.uint8))
    for index in range(600):
        path = tmp_path / f"in/{index % 2}/{index}.png"
        if index % 3:
            write_picture(path, rng.integers(0, 256, (6, 6)).astype(np.uint8))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(same)

    both(tmp_path / "in", tmp_path)


def test_no_picture_travels_to_or_from_the_caller(tmp_path: Path, pictures: Path) -> None:
    """Workers are given paths and numbers, and answer with what they cannot leave on the disk."""
    given_to: list[tuple[str, int, int]] = []

    class Counting(Crew):
        def in_order(self, function: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[Any]:
            for task in tasks:
                done = function(task)
                sizes = len(pickle.dumps(task)), len(pickle.dumps(done))
                given_to.append((function.__name__, *sizes))
                yield done

    packed(pictures, tmp_path / "many.h5", SMALL, Counting(InProcess(), lambda: 1), shards=512)

    staged = [sizes for name, *sizes in given_to if name == "stage_piece"]
    written = [sizes for name, *sizes in given_to if name == "pack_shard"]
    assert len(staged) + len(written) == len(given_to)
    assert len(staged) > 2
    assert sum(task for task, _ in staged) < COUNT * 64, "a picture has 64 bytes, a path 15"
    assert sum(done for _, done in staged) < COUNT * 4
    assert max(max(sizes) for sizes in written) < 3000, "at most 512 rows"


@dataclass
class Stopping:
    """Progress that raises an error once so many steps of writing are done."""

    after: int
    steps: list[int] = field(default_factory=list)

    @contextmanager
    def __call__(self, label: str, _total: int | None) -> Iterator[Advance]:
        """Count the steps of writing."""

        def advance(count: int) -> None:
            if label == "writing":
                self.steps.append(count)
                if len(self.steps) == self.after:
                    raise KeyboardInterrupt

        yield advance


def test_a_run_after_one_that_ended_early_keeps_the_shards(tmp_path: Path, pictures: Path) -> None:
    """Whole shards are not written again, they are counted, and the dataset is the same."""
    crew = Crew(InProcess(), lambda: 1)
    with pytest.raises(KeyboardInterrupt):
        pack(
            pictures,
            tmp_path / "many.h5",
            SMALL,
            crew=crew,
            overwrite=False,
            progress=Stopping(2),
            shards=256,
        )
    folder = tmp_path / "many.shards"
    noted = [json.loads(line) for line in (folder / "plan.jsonl").read_text().splitlines()][1:]
    names = [record["name"] for record in noted]
    written = [(folder / name).stat().st_mtime_ns for name in names]

    one, many = both(pictures, tmp_path)

    assert len(names) == 2
    assert "shards that an earlier run had written, and that are whole: 2" in many.remarks
    assert one.blank == many.blank, "those in kept shards are counted too"
    assert [(folder / name).stat().st_mtime_ns for name in names] == written


def test_shards_of_another_group_are_not_taken_for_those_of_this_run(
    tmp_path: Path, pictures: Path
) -> None:
    """A table that names other groups makes another plan, though the pictures are the same."""
    paths = sorted(path.relative_to(pictures) for path in pictures.rglob("*.png"))
    table = tmp_path / "table.csv"
    packing = replace(SMALL, labels=table)

    def say(writer: str) -> None:
        rows = [f"{path},{path.parts[0]},{writer}{index}" for index, path in enumerate(paths)]
        table.write_text("\n".join(["path,label,writer", *rows]) + "\n")

    say("v")
    with pytest.raises(KeyboardInterrupt):
        pack(
            pictures,
            tmp_path / "many.h5",
            packing,
            crew=Crew(InProcess(), lambda: 1),
            overwrite=False,
            progress=Stopping(2),
            shards=256,
        )
    say("w")

    _, many = both(pictures, tmp_path, packing)

    assert not [remark for remark in many.remarks if "earlier run" in remark]


def test_a_scratch_file_that_is_cut_short_stops_the_run(tmp_path: Path, pictures: Path) -> None:
    """A stage file that lost its end is an error in one line, and no dataset is there."""

    @contextmanager
    def cutting(label: str, _total: int | None) -> Iterator[Advance]:
        if label == "writing":
            stage = max(tmp_path.glob(".many.h5.*.scratch/*.stage"))
            stage.write_bytes(stage.read_bytes()[:-20])
        yield lambda _count: None

    with pytest.raises(InkfoldError, match="a scratch file is shorter than it was written"):
        pack(
            pictures,
            tmp_path / "many.h5",
            SMALL,
            crew=Crew(InProcess(), lambda: 1),
            overwrite=False,
            progress=cutting,
            shards=256,
        )
    assert not (tmp_path / "many.h5").exists()
    assert list(tmp_path.glob(".*")) == []


def test_an_existing_dataset_is_refused_or_replaced(tmp_path: Path, pictures: Path) -> None:
    """Shards replace a single file, and a single file the shards, with --overwrite alone."""
    output = tmp_path / "d.h5"
    packed(pictures, output, SMALL)
    with pytest.raises(InkfoldError, match="already exists; add --overwrite"):
        pack(
            pictures,
            output,
            SMALL,
            crew=Crew(InProcess(), lambda: 1),
            overwrite=False,
            progress=silent,
            shards=256,
        )

    packed(pictures, output, SMALL, shards=256)
    assert (tmp_path / "d.shards").is_dir()
    packed(pictures, output, SMALL)

    assert [path.name for path in tmp_path.iterdir()] == ["d.h5"]


def test_no_picture_left_is_the_error_of_the_single_file(tmp_path: Path, pictures: Path) -> None:
    """What packing refuses it refuses in shards too, with the same words, and leaves nothing."""
    for packing, words in (
        (replace(SMALL, min_per_class=999), "no class has 999 readable pictures"),
        (replace(SMALL, allow_bad=0), "8 of 700 files cannot be read"),
    ):
        with pytest.raises(InkfoldError, match=words):
            packed(pictures, tmp_path / "many.h5", packing, shards=256)
        assert list(tmp_path.iterdir()) == []


@settings(deadline=None, derandomize=True, max_examples=200)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=12), st.data())
def test_the_buckets_of_some_rows_are_those_that_hold_them(
    counts: list[int], data: st.DataObject
) -> None:
    """Counted one row after another, the buckets and the rows in each are the same."""
    bucket_of = [bucket for bucket, count in enumerate(counts) for _ in range(count)]
    first = data.draw(st.integers(0, max(len(bucket_of) - 1, 0)))
    rows = data.draw(st.integers(1, max(len(bucket_of) - first, 1)))
    if not bucket_of:
        return

    bucket, parts = overlaps(np.cumsum(counts), first, rows)

    inside = bucket_of[first : first + rows]
    assert bucket == inside[0]
    assert parts.tolist() == [inside.count(each) for each in range(inside[0], inside[-1] + 1)]


def test_classes_are_those_of_the_folders(tmp_path: Path, pictures: Path) -> None:
    """The sharded dataset has the folders' classes, in the order of their names' bytes."""
    packed(pictures, tmp_path / "many.h5", SMALL, shards=512)

    with open_dataset(tmp_path / "many.h5") as dataset:
        assert dataset.classes == tuple(sorted(CLASSES, key=str.encode))
