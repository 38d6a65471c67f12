"""Class folders and pictures with hostile names, through every command that writes names.

    python benchmarks/hostile_names.py [--trials 300]

A trial draws the names of three classes and of their pictures from signs that mean something to a
shell, a spreadsheet, a terminal, a web page, a path, JSON, CSV or printf, and from scripts that
turn around or combine. It holds if packing keeps every class and source exactly, an export packed
again has the same classes and images, the audit's and the export's lists and the answers of
``classify.py`` can be read back exactly, no command ends otherwise than with 0, and no page has a
name as mark-up.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.faults import print_table
from inkfold.commands import cli
from inkfold.dataset.reader import open_dataset
from tests.worlds.bands import write_bundle, write_picture

PIECES = (
    *("a", "b", "é", "e\u0301", "あ", "\u0e14", "\u05d0", "\u0627", "\U0001f989", "\u200b", "ﬁ"),
    *("=1+1", "+2", "-3", "@x", "'", '"', ",", ";", "\t", "\n", "\r", "\r\n", "\u2028", "\ufeff"),
    *("\x1b[31m", "\x07", "\x7f", "\x80", "\u202e", "<script>alert(1)</script>", "&amp;", "</b>"),
    *(
        "%s",
        "%2F",
        "%",
        "{}",
        "{{7*7}}",
        "$HOME",
        "`id`",
        "$(id)",
        "\\",
        "\\n",
        "..",
        ".",
        " ",
        "~",
    ),
    *(
        "CON",
        "nul",
        "aux.txt",
        "*",
        "?",
        "|",
        ":",
        "#",
        "!",
        "--",
        "-o",
        "x" * 60,
        "null",
        "NaN",
        "0",
    ),
)
COLLECTION, CLASSES = "all", 3
NAME_BYTES = 240  # file systems end at 255, and a picture's name gets an ending


def drawn_name(rng: random.Random) -> str:
    """A name that a file system takes and that is not hidden."""
    while True:
        name = "".join(rng.choices(PIECES, k=rng.randint(1, 5)))
        if not name.startswith(".") and len(name.encode()) <= NAME_BYTES and "/" not in name:
            return name


def trial(folder: Path, rng: random.Random) -> str | None:
    """Write pictures with drawn names and run the commands; what was wrong, or None."""
    names: dict[str, None] = {}
    while len(names) < CLASSES:
        names[drawn_name(rng)] = None
    paths = []
    for band, name in enumerate(names):
        for number in range(2):
            path = folder / COLLECTION / name / f"{number}{drawn_name(rng)}.png"
            paths.append(write_picture(path, (band + number) % 4))
    write_bundle(folder / "b")
    with contextlib.chdir(folder):
        return _packed(names, paths) or _exported() or _read_back(paths)


def _packed(names: dict[str, None], paths: list[Path]) -> str | None:
    """Whether packing keeps classes and sources."""
    line = ["create_dataset", COLLECTION, "-o", "d.h5", "--size", "8", "--split", "1,0,0"]
    if problem := _fails([*line, "--workers", "1", "-q"]):
        return problem
    with open_dataset(Path("d.h5")) as dataset:
        expected = {"/".join(path.parts[-2:]) for path in paths}
        if set(dataset.classes) != set(names):
            return f"classes {dataset.classes!r} of {list(names)!r}"
        if set(dataset.train.source) != expected:
            return f"sources {set(dataset.train.source) ^ expected!r}"
    return None


def _exported() -> str | None:
    """Whether an export, packed again, is the same dataset, and its list says where from."""
    again = ["create_dataset", "out", "-o", "again.h5", "--size", "8", "--split", "1,0,0"]
    lines = (
        ["export", "d.h5", "out", "--split", "train", "-q"],
        [*again, "--workers", "1", "--fit", "stretch", "-q"],
    )
    if problem := _fails(*lines):
        return problem
    with open_dataset(Path("d.h5")) as first, open_dataset(Path("again.h5")) as second:
        if len(second.classes) != len(first.classes):
            return f"packed again: classes {second.classes!r}, not {first.classes!r}"
        listed = _rows(Path("out/pictures.csv"))
        if {(row["class"], row["source"]) for row in listed} != {
            (first.classes[label], source)
            for label, source in zip(first.train.labels, first.train.source, strict=True)
        }:
            return "pictures.csv names other classes or sources"
        if any(not Path("out", row["path"]).is_file() for row in listed):
            return "pictures.csv names files that are not there"
    return None


def _read_back(paths: list[Path]) -> str | None:
    """Whether lists and answers can be read back, and pages hold no name as mark-up."""
    given = ["/".join(path.parts[-2:]) for path in paths]  # a class's name comes first
    lines = (
        ["audit", "d.h5", "--quick", "-o", "audit", "-q"],
        ["explore", "d.h5", "-o", "x.html", "-q"],
    )
    if problem := _fails(*lines):
        return problem
    pages = [Path("x.html"), *Path("audit").rglob("*.html")]
    if any(b"<script>alert" in page.read_bytes() for page in pages):
        return "a page holds a name as mark-up"
    for page in Path("audit").rglob("*.csv"):
        _rows(page)
    for form in ("csv", "jsonl"):
        with contextlib.chdir(COLLECTION):
            code, printed = _run(["classify", "--model", "../b", "--format", form, "--", *given])
        if code != 0:
            return f"classify --format {form} ends with {code}"
        if form == "csv":
            rows = csv.DictReader(io.StringIO(printed, newline=""))
            found = [row["filename"].removeprefix("'") for row in rows]
        else:
            found = [json.loads(line)["path"] for line in printed.split("\n") if line]
        if found != given:
            return f"classify --format {form} names {found[:2]!r}, not {given[:2]!r}"
    return None


def _rows(path: Path) -> list[dict[str, str]]:
    """The rows of a list, each text as it was before it was kept from being a formula."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [{key: value.removeprefix("'") for key, value in row.items()} for row in rows]


def _fails(*lines: list[str]) -> str | None:
    """Which of some commands does not end with 0."""
    for line in lines:
        code, printed = _run(line)
        if code != 0:
            return f"{line[0]} ends with {code}: {printed[-300:]}"
    return None


def _run(line: list[str]) -> tuple[int, str]:
    """Run a command in this process; its exit code and what it printed."""
    from inkfold.commands.main import main

    out, errors = (io.TextIOWrapper(io.BytesIO(), "utf-8", "surrogateescape") for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        code = main(line)
    texts = []
    for file in (out, errors):
        file.flush()
        texts.append(file.buffer.getvalue().decode("utf-8", "surrogateescape"))
    return code, texts[0] if code == 0 else texts[1]


def rows(trials: int, seed: int) -> Iterator[tuple[str, int, int]]:
    """The row of the table."""
    broken = 0
    for number in range(trials):
        rng = random.Random(f"{seed} {number}")  # noqa: S311, names need no cryptographic randomness
        with tempfile.TemporaryDirectory() as folder:
            problem = trial(Path(folder), rng)
        if problem:
            click.echo(f"trial {number}: {problem!r}", err=True)
            broken += 1
    yield "create_dataset, export, audit, explore, classify", trials, broken


@click.command()
@click.option("--trials", type=click.IntRange(min=1), default=300, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
def command(trials: int, seed: int) -> int:
    """Run the commands on hostile names, and print a table: tried, held, broken."""
    return print_table("hostile names, through | tried", rows(trials, seed))


if __name__ == "__main__":
    sys.exit(cli.run(command))
