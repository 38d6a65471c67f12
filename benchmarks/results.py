"""Run every benchmark in its short form and write down what came out.

    python benchmarks/results.py

The rows go to `benchmarks/results.json`; `benchmarks/results.md` with all of them and the README's
table with a few are made from it, so that no figure is copied by hand.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import ROOT, Row, between, load, rows_of
from inkfold.keras_backend import cpu_flags

SCRIPTS = ("elastic", "augmenting", "packing", "memory", "classifying", "training")
PACKAGES = (
    *("inkfold", "numpy", "scipy", "h5py", "isal", "opencv-python-headless", "keras", "tensorflow"),
    *("onnxruntime", "albumentations", "kornia", "torch", "torchvision"),
)
# of a processor, as Linux names them: those that decide how fast arithmetic is
SETS = {"avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "asimd", "sve"}
KEPT = ROOT / "benchmarks/results.json"
PAGE = ROOT / "benchmarks/results.md"
README = ROOT / "README.md"
BEGIN, END = "<!-- make bench writes from here -->", "<!-- to here -->"
# (stage, peer) of the rows in the README: one or two a stage, the unfavourable ones included
SHOWN = (
    ("elastic copy, 32x32, one core", "albumentations ElasticTransform"),
    ("elastic copy, 32x32, one core", "cv2, picture by picture"),
    (
        "create_dataset.py, 20,000 PNG of 64x64, 2 workers",
        "keras image_dataset_from_directory: the whole process",
    ),
    (
        "create_dataset.py, 20,000 PNG of 64x64, 2 workers",
        "a loop over cv2.imread: the whole process",
    ),
    ("training cnn32, auto", "Keras fit, float32, arrays in memory"),
    ("`classify.py`, one picture, cold process, cnn32", "the same with `--engine keras`"),
    (
        "`classify.py` on 20,000 files, cnn32, a picture",
        "one `model.predict` a picture in a warm process",
    ),
)


@dataclass(frozen=True)
class Results:
    """What `make bench` found: the date, the machine, versions, seconds by script, and the rows."""

    date: str
    machine: dict[str, str]
    versions: dict[str, str]
    seconds: dict[str, float]
    rows: list[Row]


def measure() -> Results:
    """Run the scripts one after the other.

    Raises
    ------
    subprocess.CalledProcessError
        If one of them fails; nothing is written then.
    """
    rows: list[Row] = []
    taken: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in SCRIPTS:
            kept, began = Path(folder) / f"{name}.json", time.perf_counter()
            print(f"benchmarks/{name}.py", file=sys.stderr, flush=True)  # noqa: T201, progress
            script = [sys.executable, str(ROOT / f"benchmarks/{name}.py"), "--rows", str(kept)]
            subprocess.run(script, check=True)  # noqa: S603, our own scripts
            taken[name] = round(time.perf_counter() - began, 1)
            rows += load(kept)
    return Results(time.strftime("%Y-%m-%d"), machine(), versions(), taken, rows)


def machine() -> dict[str, str]:
    """The machine that the benchmarks ran on, as names and values."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": named[0] if named else platform.processor() or platform.machine(),
        "instruction sets": ", ".join(sorted(SETS & cpu_flags())) or "unknown",
        "cores": str(os.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
    }


def versions() -> dict[str, str]:
    """The versions of Inkfold, of the libraries below it, and of the peers that are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


PAGE_TEXT = """\
# What `make bench` measured

Written by `python benchmarks/results.py` on {date}, in {minutes:.1f} minutes; do not edit.
Each figure is the median of several rounds with the smallest and the largest of them.
A ratio is taken round by round, contenders in turn; ratios are what to compare between machines.

{machine}.

{table}

{reached} of {judged} targets reached.
What was tried where one is missed is in [docs/log.md](../docs/log.md).

## Commands

{commands}

## Versions

{versions}.
"""


def page(results: Results) -> str:
    """The text of `results.md`."""
    judged = [row for row in results.rows if row.met is not None]
    return PAGE_TEXT.format(
        date=results.date,
        minutes=sum(results.seconds.values()) / 60,
        machine=", ".join(f"{name}: {value}" for name, value in results.machine.items()),
        table="\n".join(_table(results.rows)),
        reached=sum(row.met is True for row in judged),
        judged=len(judged),
        commands="\n".join(
            f"- `python benchmarks/{name}.py`: {seconds:.0f} s"
            for name, seconds in results.seconds.items()
        ),
        versions=", ".join(f"{name} {found}" for name, found in results.versions.items()),
    )


def _table(rows: Sequence[Row]) -> Iterator[str]:
    yield "| stage | Inkfold | beside | that takes | ratio | target | |"
    yield "|---|---|---|---|---|---|---|"
    for row in rows:
        verdict = {None: "", True: "reached", False: "**missed**"}[row.met]
        beside = f"{row.peer} ({row.note})" if row.note else row.peer
        cells = (row.stage, row.ours, beside, row.theirs, row.ratio.text(), row.target, verdict)
        yield f"| {' | '.join(cells)} |"


def readme_table(results: Results) -> str:
    """The machine, and the rows that `SHOWN` names, in its order, with fewer columns.

    Raises
    ------
    KeyError
        If a row of that stage and peer was not measured.
    """
    named = ", ".join(results.machine[name] for name in ("processor", "instruction sets"))
    lines = [
        f"{named}, {results.machine['cores']} cores, {results.date}:",
        "",
        "| stage | Inkfold | beside | ratio |",
        "|---|---|---|---|",
    ]
    measured = {(row.stage, row.peer): row for row in results.rows}
    for name in SHOWN:
        row = measured[name]
        cells = (row.stage, row.ours, f"{row.peer}: {row.theirs}", row.ratio.text())
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def with_table(readme: str, table: str) -> str:
    """The README's text with `table` between its two marks.

    Raises
    ------
    ValueError
        If a mark is missing.
    """
    return between(readme, table, BEGIN, END)


def read(path: Path = KEPT) -> Results:
    """Read the results that `write` wrote."""
    kept = json.loads(path.read_text(encoding="utf-8"))
    return Results(**(kept | {"rows": rows_of(kept["rows"])}))


def write(results: Results) -> None:
    """Write `results.json`, `results.md` and the README's table."""
    KEPT.write_text(json.dumps(asdict(results), indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(results), encoding="utf-8")
    readme = README.read_text(encoding="utf-8")
    README.write_text(with_table(readme, readme_table(results)), encoding="utf-8")


if __name__ == "__main__":
    write(measure())
