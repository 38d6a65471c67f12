"""Damaged files, and what every command that reads them answers: counts of tried, held and broken.

    python -m benchmarks.damage --count 300
    python -m benchmarks.damage --count 5 --only check --only classify

Each trial is a copy of a small file with bytes flipped, its end cut off, a block of zeros, two
blocks swapped, or a field of its JSON changed, given to a command in a process of its own. A trial
holds when the command refuses the file in one line with exit code 2, or writes what it writes of
the whole file. Anything else is broken: a traceback, another output without a word, the end by a
signal, a command that hangs.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import click
import numpy as np

from benchmarks import damaged_files
from benchmarks.damaged_files import mend_hash
from benchmarks.running import load_libraries
from inkfold.bundle.bundle import ONNX, RECORD
from inkfold.bundle.history import HISTORY, Row
from inkfold.commands import cli
from inkfold.dataset.reader import open_dataset
from inkfold.errors import InkfoldError
from inkfold.training.checkpoint import Arrays, Checkpoint, Position, check_fits
from inkfold.training.plan import Plan
from tests.worlds.bands import CLASSES, write_bundle, write_dataset, write_picture
from tests.worlds.mutations import Count, Trials, damage_file, mutated_json
from tests.worlds.packed_strokes import write_packed

DATASET, CHECKPOINT = "d.h5", "c.npz"
ARRAYS: Arrays = [np.linspace(0, 1, 600, dtype=np.float32).reshape(20, 30), np.arange(7)]
OF_DATASETS = {
    "check": ["check", DATASET],
    "export": ["export", DATASET, "out/e", "-q"],
    "augment": ["augment", DATASET, "-o", "out/a.h5", "--copies", "1", "--workers", "1", "-q"],
    "augment in workers": [
        *("augment", DATASET, "-o", "out/a.h5", "--copies", "1", "--workers", "2", "-q"),
    ],
    "explore": ["explore", DATASET, "-o", "out/x.html", "-q"],
    "audit": ["audit", DATASET, "--quick", "-o", "out/audit", "-q"],
}
CLASSIFY = ["classify", "--model", "b", "1.png", "--format", "csv"]
EVALUATE = ["evaluate", "b", "bands.h5", "-o", "out/e", "-q"]


def _run(arguments: list[str]) -> int:
    """Run ``inkfold`` in this process, which is a fork."""
    from inkfold.commands.main import main

    return main(arguments)


def _dataset(arguments: list[str], count: int, seed: int) -> Count:
    """A command that reads a dataset."""
    with tempfile.TemporaryDirectory() as name:
        path = write_packed(Path(name) / DATASET, (300, 40, 40))
        trials = Trials(Path(name), partial(_run, arguments), name=DATASET)
        return damage_file(trials, path, count, seed)


def _bundle(arguments: list[str], file: str, count: int, seed: int) -> Count:
    """A command that reads a bundle, of which one file is damaged and its hash put right."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bundle = write_bundle(folder / "b")
        write_picture(folder / "1.png", 1)
        bands = ([0, 1, 2, 3] * 5, [0, 1, 2, 3] * 5)
        write_dataset(folder / "bands.h5", {"validation": bands, "test": bands}, classes=CLASSES)
        (bundle / HISTORY).write_text("epoch,loss,accuracy\n1,0.5,0.5\n2,0.25,0.75\n")
        trials = Trials(
            folder,
            partial(_run, arguments),
            name="b",
            read=_answers,
            rehashed=file in (ONNX, RECORD),
        )
        if file == RECORD:
            return _damage_record(trials, bundle / RECORD, count, seed)

        return damage_file(trials, bundle / file, count, seed, partial(mend_hash, bundle, file))


def _damage_record(trials: Trials, path: Path, count: int, seed: int) -> Count:
    """Damage a record, without its seal, by its fields, and every fourth time by its bytes."""
    record = json.loads(path.read_bytes())
    del record["seal"]
    whole = json.dumps(record).encode()
    for number in range(count):
        path.write_bytes(whole)
        if number % 4 == 0:
            damage_file(trials, path, 1, seed + number)
            continue
        rng = np.random.default_rng((seed, number))
        path.write_text(json.dumps(mutated_json(record, rng)))
        trials.try_once(f"{RECORD}, seed {(seed, number)}")
    return trials.count


def _read_by_training(path: Path) -> int:
    """Read every row as training does, and write all of it to ``out``."""
    return _told(path, lambda: _rows(path))


def _rows(path: Path) -> Iterator[bytes]:
    with open_dataset(path) as dataset:
        for split in (dataset.train, dataset.validation):
            for block in split.blocks(np.random.default_rng(0)):
                yield block.images.tobytes() + block.labels.tobytes()


def _read_by_resuming(path: Path) -> int:
    """Read a checkpoint as ``--resume`` does, and write all of it to ``out``."""
    return _told(path, lambda: _state(path))


def _state(path: Path) -> Iterator[bytes]:
    saved = Checkpoint.load(path, {})
    check_fits(path, saved.variables, ARRAYS)
    check_fits(path, saved.best, ARRAYS)
    yield repr((saved.position, saved.plan, saved.history)).encode()
    yield from (array.tobytes() for array in (*saved.variables, *saved.best))


def _told(path: Path, read: Callable[[], Iterable[bytes]]) -> int:
    """Write what `read` gives to ``out``; an error is told as `cli.run` tells it."""
    try:
        (path.parent / "out" / "read").write_bytes(b"".join(read()))
    except InkfoldError as error:
        cli.echo(f"error: {error}", err=True)
        return cli.MISTAKE
    return 0


def _training(count: int, seed: int) -> Count:
    """Training's reading of a dataset, without the network."""
    with tempfile.TemporaryDirectory() as name:
        path = write_packed(Path(name) / DATASET, (300, 40, 40))
        trials = Trials(Path(name), partial(_read_by_training, path), name=DATASET)
        return damage_file(trials, path, count, seed)


def _checkpoint(count: int, seed: int) -> Count:
    """The reading of a checkpoint by ``--resume``, without the network."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / CHECKPOINT
        row: Row = {"epoch": 1, "stage": 1, "best": 1, "learning_rate": 0.1, "loss": 1.5}
        row |= {"accuracy": 0.5, "seconds": 1.0, "phase": "search", "pictures": 64}
        Checkpoint(
            config={},
            plan=Plan(told="as measured"),
            position=Position(epoch=1, stage_epoch=1, best=0.5, best_epoch=1, path=(1,)),
            history=[row],
            variables=ARRAYS,
            best=ARRAYS,
        ).save(path)
        trials = Trials(Path(name), partial(_read_by_resuming, path), name=CHECKPOINT)
        return damage_file(trials, path, count, seed)


def _answers(out: Path) -> Iterable[bytes]:
    """What a command printed, without paths' names and times."""
    yield (out.parent / "stdout").read_bytes().partition(b" pictures answered in")[0]


def subjects() -> dict[str, Callable[[int, int], Count]]:
    """Each kind of damage by its name: a function of the number of trials and of the seed."""
    found: dict[str, Callable[[int, int], Count]] = {
        f"{DATASET}: {name}": partial(_dataset, arguments)
        for name, arguments in OF_DATASETS.items()
    }
    found[f"{DATASET}: training"] = _training
    found[f"{CHECKPOINT}: resume"] = _checkpoint
    for file in (RECORD, ONNX):
        found[f"{file}: classify"] = partial(_bundle, CLASSIFY, file)
    for file in (RECORD, HISTORY, ONNX):
        found[f"{file}: evaluate"] = partial(_bundle, EVALUATE, file)
    return found | damaged_files.subjects(_run)


@click.command()
@click.option("--count", type=click.IntRange(1), default=300, show_default=True, help="Trials.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Same damage.")
@click.option("--only", multiple=True, help="Kinds of damage whose name holds this word.")
def main(count: int, seed: int, only: tuple[str, ...]) -> None:
    """Damage files, and count what every command that reads them answers."""
    load_libraries()
    broken = 0
    for name, trial in subjects().items():
        if only and not any(word in name for word in only):
            continue
        found = trial(count, seed)
        click.echo(f"{name}: {found}")
        for example in found.examples[:10]:
            click.echo(f"    {example}", err=True)
        broken += sum(found.broken.values())
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
