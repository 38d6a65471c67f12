"""How much memory the plan of a dataset takes for each picture, as the number of pictures grows.

    python benchmarks/plan_memory.py                  # up to 10,000,000 pictures, about a minute

No picture is read: the digests of files and pixels are drawn, one picture in a hundred repeats
another of its class, and with groups 100 pictures share a writer and one picture in ten has no
writer. "In shards" is all that the caller of a sharded run does behind staging: the plan from the
facts in stage files, which row is which picture, the tasks and the index, while nobody writes the
shards (of 1,048,576 rows). Each line is of a process of its own. Memory is the resident set: the
highest while the plan is made, and what is held when it is there, both above what was held before
(`/proc/self`, so it runs on Linux alone). What was held before is a byte for each picture, that it
can be used, and with groups the nine bytes of their numbers.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from inkfold.crew import Crew
from inkfold.dataset.shard_table import Shard
from inkfold.dataset.shards import Slot, WrittenShard
from inkfold.packing.given_split import Official
from inkfold.packing.listing import Listing
from inkfold.packing.pack_shard import PackedShard
from inkfold.packing.packed_rows import photographs_in
from inkfold.packing.plan import Packing, make_plan
from inkfold.packing.scratch import Records, Spool
from inkfold.packing.sharded import Shards, write_shards
from inkfold.packing.split import Groups
from inkfold.packing.stage import FACTS, Files, Prepared, Staged
from inkfold.packing.stage_file import (
    Piece,
    StagedBuckets,
    StagedFacts,
    StageFiles,
    stage_files,
    write_stage_file,
)
from inkfold.spec import ImageSpec
from inkfold.tally import Tally
from inkfold.workers import InProcess

SIZES = (100_000, 1_000_000, 10_000_000)
KINDS = ("alone", "groups", "given split", "in shards")
CLASSES, WRITER, STEP = 50, 100, 100_000
TINY, ROWS = ImageSpec(size=4), 1 << 20


def drawn(count: int, scratch: Path) -> Records:
    """Digests of `count` pictures, one in a hundred of them those of the picture before it."""
    rng, facts = np.random.default_rng(0), Records(scratch / "facts", FACTS)
    for _ in range(0, count, STEP):
        some = np.zeros(STEP, FACTS)
        for name in ("file", "pixels"):
            some[name] = rng.integers(0, 2**64, (STEP, 2), np.uint64)
        some[50::100] = some[49::100]
        facts.append(some)
    return facts


def grouped(count: int) -> Groups:
    """Writers of `WRITER` pictures each, dealt over the classes; one picture in ten has none."""
    numbers = np.arange(count, dtype=np.int64)
    numbers *= 7919
    numbers %= count // WRITER
    named = np.ones(count, bool)
    named[::10] = False
    numbers[::10] = -1 - np.arange(0, count, 10)
    return Groups(numbers, named)


def put_into_buckets(facts: Records, files: StageFiles) -> None:
    """Stage files of pictures of 4x4 pixels with these facts."""
    for number in range(len(files)):
        first = number * files.buckets.files
        rows = np.arange(first, min(first + files.buckets.files, files.count))
        some = facts.take(rows)
        paths = (b"a/1.png",) * len(rows)
        piece = Piece(
            files=Files(b"", paths, TINY),
            groups=None,
            first=first,
            path=files.path(number),
            buckets=files.buckets,
        )
        images = np.zeros((len(rows), TINY.size, TINY.size), np.uint8)
        write_stage_file(piece, Prepared(images, some, ()))


class Idle(Crew):
    """Workers that answer as if they had written their shards."""

    def in_order(self, _function: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[Any]:
        """An answer for each task, as large as a true one."""
        for task in tasks:
            slot: Slot = task.slot
            (slot.folder / slot.name).touch()
            shard = Shard(
                name=slot.name,
                split=slot.split,
                first=slot.first,
                rows=slot.rows,
                size=0,
                digest="0" * 32,
                sha256="0" * 64,
            )
            yield PackedShard(WrittenShard(shard, bytes(16 * len(slot.chunks))))


@contextmanager
def silent(_label: str, _total: int | None) -> Iterator[Callable[[int], None]]:
    """Progress that is not shown."""
    yield lambda _count: None


def status(name: str) -> int:
    """A number of `/proc/self/status`, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(name))


def measure(count: int, kind: str) -> dict[str, float]:
    """Bytes a picture at the highest and afterwards, and microseconds a picture, of one plan."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        listing = Listing(
            classes=tuple(map(str, range(CLASSES))),
            paths=Spool(scratch / "paths"),
            ends=np.arange(1, CLASSES + 1) * (count // CLASSES),
            empty=(),
            ignored=Tally(),
        )
        facts = drawn(count, scratch)
        good, none = np.ones(count, bool), Tally()
        staged = Staged(facts=facts, good=good, fingerprint="", unreadable=none)
        if kind == "in shards":
            files = stage_files(scratch, count, Packing(spec=TINY), rows=ROWS, far=True)
            put_into_buckets(facts, files)
            staged = StagedBuckets(
                facts=StagedFacts(files), files=files, good=good, fingerprint="", unreadable=none
            )
        groups = grouped(count) if kind == "groups" else None
        side = (np.arange(count) % 6 == 0).astype(np.int8) * 2
        official = Official(side, (0.9, 0.1, 0.0)) if kind == "given split" else None
        Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
        before, began = status("VmRSS"), time.perf_counter()
        plan = make_plan(listing, staged, Packing(), groups, official)
        if isinstance(staged, StagedBuckets):
            listing.paths.append(b"a/1.png")  # for the width of a path
            photographs_in(staged, plan)
            write_shards(
                scratch / "d.h5",
                Shards(
                    listing=listing,
                    staged=staged,
                    packing=Packing(spec=TINY),
                    plan=plan,
                    names=None,
                ),
                crew=Idle(InProcess(), lambda: 1),
                overwrite=False,
                progress=silent,
                provenance=lambda _blank: {},
            )
        took = time.perf_counter() - began
        peak, after = status("VmHWM"), status("VmRSS")
        if sum(map(len, plan.orders)) != count:
            raise RuntimeError("the plan left pictures out")
    return {
        "peak": (peak - before) / count,
        "held": (after - before) / count,
        "us": 1e6 * took / count,
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Measure every size and kind in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="pictures (%(default)s)")
    parser.add_argument("--one", metavar="PICTURES,KIND", help="measure this in this process")
    args = parser.parse_args(argv)
    if args.one:
        size, _, kind = args.one.partition(",")
        sys.stdout.write(json.dumps(measure(int(size), kind)))
        return 0
    sys.stdout.write("| pictures | kind | peak, bytes a picture | held after | us a picture |\n")
    sys.stdout.write("|---|---|---|---|---|\n")
    for kind in KINDS:
        for size in map(int, args.sizes.split(",")):
            command = [sys.executable, __file__, "--one", f"{size},{kind}"]
            run = subprocess.run(command, check=True, capture_output=True)  # noqa: S603, this script
            found = json.loads(run.stdout)
            figures = " | ".join(f"{found[name]:.{at}f}" for name, at in FIGURES)
            sys.stdout.write(f"| {size:,} | {kind} | {figures} |\n")
    return 0


FIGURES = (("peak", 1), ("held", 1), ("us", 2))

if __name__ == "__main__":
    sys.exit(main())
