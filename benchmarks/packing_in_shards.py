"""Packing in shards beside packing to one file: pictures a second, by the same two workers.

    python benchmarks/packing_in_shards.py        # 50,000 pictures, about two minutes

Both pack the same folder of 8x8 pictures at 32x32, in turn, in processes that run already, so what
is compared is reading, planning and writing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import Spread
from benchmarks.memory import write_tiny
from inkfold.commands.cli import Advance
from inkfold.packing.pack import pack
from inkfold.packing.plan import Packing
from inkfold.workers import local_crew

ROUNDS = 5


@contextmanager
def silent(_label: str, _total: int | None) -> Iterator[Advance]:
    """Progress that is not shown."""
    yield lambda _count: None


def main(argv: Sequence[str] | None = None) -> int:
    """Pack in turn, and print the rates and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--pictures", type=int, default=50_000)
    parser.add_argument("--rows", type=int, default=8192, help="of a shard")
    args = parser.parse_args(argv)
    taken: dict[int | None, list[float]] = {None: [], args.rows: []}
    with tempfile.TemporaryDirectory() as name, local_crew(2) as crew:
        folder = write_tiny(Path(name) / "in", args.pictures)
        for _ in range(ROUNDS):
            for rows, seconds in taken.items():
                began = time.perf_counter()
                pack(
                    folder,
                    Path(name) / f"{rows}.h5",
                    Packing(),
                    crew=crew,
                    overwrite=True,
                    progress=silent,
                    shards=rows,
                )
                seconds.append(time.perf_counter() - began)
    one, many = taken[None], taken[args.rows]
    for what, seconds in (("one file", one), (f"shards of {args.rows:,} rows", many)):
        rate = Spread.of([args.pictures / each for each in seconds]).text()
        sys.stdout.write(f"{what}: {rate} pictures a second\n")
    ratio = Spread.of([first / second for first, second in zip(one, many, strict=True)]).text()
    sys.stdout.write(f"shards against one file: {ratio}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
