"""How long the same 20,000 pictures take from every source that packing reads.

    python benchmarks/sources.py [--before CHECKOUT] [--store]

A class folder, a zip, a tar and a compressed tar of it, split folders, a table and --label-by are
packed in turn, as whole processes with two workers. With --before, the class folder is also packed
by another checkout of Inkfold, so that the ratio says what a change has cost. With --store, zip and
tar are also read from an S3 server on loopback (moto, a process beside the two workers): that shows
what the requests and the libraries cost a processor, and nothing of a network's delay and breadth.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import MappingProxyType

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import ROOT, Spread, in_turn, ratios
from benchmarks.packing import write_pictures
from inkfold.commands import cli

COUNT = 20_000
SPLITS = ("train", "val", "test")


def sources(work: Path) -> dict[str, Sequence[str | Path]]:
    """The arguments of `create_dataset.py` for each source, all with the same pictures."""
    folder = write_pictures(work / "pictures", COUNT)
    paths = sorted(folder.glob("*/*.png"))
    for number, path in enumerate(paths):
        copy = work / "splits" / SPLITS[number % 3] / path.parent.name / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        os.link(path, copy)
    with (work / "t.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("path", "label"))
        rows.writerows((path.relative_to(folder), path.parent.name) for path in paths)
    archives = {
        kind: shutil.make_archive(str(work / "pictures"), kind, folder)
        for kind in ("zip", "tar", "gztar")
    }
    return {
        "class folder": [folder],
        "zip": [archives["zip"]],
        "tar": [archives["tar"]],
        "tar.gz": [archives["gztar"]],
        "split folders": [work / "splits"],
        "table": [folder, "--labels", work / "t.csv"],
        "--label-by": [folder, "--label-by", "^([^/]+)/"],
    }


def packed(
    checkout: Path,
    work: Path,
    arguments: Sequence[str | Path],
    env: Mapping[str, str] = MappingProxyType({}),
) -> float:
    """Pack by the script of a checkout; the seconds of the whole process."""
    options = ("-o", work / "d.h5", "--workers", "2", "--overwrite", "-q")
    line = [sys.executable, checkout / "create_dataset.py", *arguments, *options]
    begin = time.perf_counter()
    subprocess.run(  # noqa: S603, our own script
        [str(part) for part in line],
        check=True,
        capture_output=True,
        cwd=work,
        env=os.environ | dict(env) | {"PYTHONPATH": str(checkout)},
    )
    return time.perf_counter() - begin


def stored(work: Path, stack: ExitStack) -> dict[str, Callable[[], object]]:
    """The contenders that read from a server, which ends with the stack."""
    from tests.worlds.object_store import CREDENTIALS, object_store

    os.environ.update(CREDENTIALS)
    store = stack.enter_context(object_store(work))
    urls = {
        kind: store.put(f"pictures.{kind}", (work / f"pictures.{kind}").read_bytes())
        for kind in ("zip", "tar")
    }
    return {
        f"{kind}, S3 server on loopback": partial(packed, ROOT, work, [url], store.environment)
        for kind, url in urls.items()
    }


@click.command(help=__doc__)
@click.option("--before", type=click.Path(path_type=Path, exists=True))
@click.option("--store", "with_store", is_flag=True, help="Read from an S3 server as well.")
@click.option("--rounds", type=click.IntRange(min=1), default=7, show_default=True)
def command(*, before: Path | None, with_store: bool, rounds: int) -> int:
    """Time each source, and print its ratio to the class folder."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        contenders: dict[str, Callable[[], object]] = {
            name: partial(packed, ROOT, work, arguments)
            for name, arguments in sources(work).items()
        }
        if before is not None:
            contenders["class folder, before"] = partial(packed, before, work, [work / "pictures"])
        with ExitStack() as stack:
            if with_store:
                contenders |= stored(work, stack)
            timed = in_turn(contenders, rounds)
    for name, seconds in timed.items():
        ratio = ratios(seconds, timed["class folder"])
        click.echo(f"{name}: {Spread.of(seconds).text()} s, {ratio.text()} of the class folder's")
    return 0


if __name__ == "__main__":
    sys.exit(cli.run(command))
