"""Train and measure every run of docs/results.md; started again, it resumes where it was stopped.

    python benchmarks/field.py FOLDER RUNS                  # or INKFOLD_DATA=FOLDER
    python benchmarks/field.py FOLDER RUNS --only kmnist    # the runs with this in their names
    python benchmarks/field.py FOLDER RUNS --list           # which runs are done and which are open

FOLDER holds `mnist` and `kmnist` (idx files), `emnist-byclass-test` and `emnist-bymerge-test`, and
`kanji`, one folder of pictures for each class. Packed files, bundles and logs go to RUNS. The
record, the log and the tables of a finished run are copied to logs/field. A run is measured once,
when it is trained, and no choice depends on the result. All runs take about six hours on two cores
with AVX512_BF16.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.field_plan import RUNS, Run, packing
from benchmarks.measuring import ROOT
from inkfold.commands import cli

LOGS = ROOT / "logs/field"
KEPT = ("history.csv", "bundle.json")  # files of a bundle that are copied to `LOGS`
AFFINE_OFF = [word for name in ("rotate", "scale", "shear", "shift") for word in (f"--{name}", "0")]


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(path_type=Path, exists=True), envvar="INKFOLD_DATA")
@click.argument("runs", type=click.Path(path_type=Path))
@click.option("--only", default="", help="The runs with this in their names.")
@click.option("--list", "listing", is_flag=True, help="Say what is done and what is not.")
def command(folder: Path, runs: Path, *, only: str, listing: bool) -> int:
    """Run every run that is not done yet, one after another."""
    selected = [run for run in RUNS if only in run.name]
    if listing:
        for run in selected:
            click.echo(f"{'done' if is_done(run) else 'open'}  {run.name}")
        return 0
    (runs / "datasets").mkdir(parents=True, exist_ok=True)
    try:
        for run in selected:
            if not is_done(run):
                do(run, folder.resolve(), runs.resolve())
    except subprocess.CalledProcessError as error:  # the script has printed why
        return abs(error.returncode)
    return 0


def is_done(run: Run) -> bool:
    """Whether the record of a run is in `LOGS`: it is copied there last of all."""
    return (LOGS / run.name / "bundle.json").is_file()


def do(run: Run, folder: Path, runs: Path) -> None:
    """Pack the data where it is missing, train or resume, measure, and keep the record."""
    dataset = packed(run, folder, runs)
    bundle, trained_on = Path(run.name), dataset  # relative to `runs`, as the logs name them
    if run.augmentation == "tenfold":
        trained_on = dataset.with_name(f"{dataset.stem}_elastic.h5")
        if not (runs / trained_on).exists():
            call(runs, "augment.py", dataset, "-o", trained_on)
    if not (runs / bundle / "bundle.json").exists():
        stopped = (runs / f".{run.name}.checkpoint.npz").exists()
        call(runs, *training(run, trained_on, bundle), *(["--resume"] if stopped else []))
    call(runs, "evaluate.py", bundle, trained_on, "-o", f"{run.name}-evaluation", "-q")
    keep(run, runs / bundle, runs / "logs" / run.name / "training.log")


def packed(run: Run, folder: Path, runs: Path) -> Path:
    """The run's dataset, as a path relative to `runs`; packed if it is missing."""
    path = Path("datasets") / f"{run.packed}.h5"
    if not (runs / path).exists():
        call(runs, *packing(run.packed, str(folder)), "-o", path)
    return path


def training(run: Run, dataset: Path, bundle: Path) -> list[object]:
    """The script and the arguments that train a run, for `call`."""
    words: list[object] = [f"models/{run.network}.py", dataset, "-o", bundle, "-q"]
    words += ["--epochs", run.epochs, "--seed", run.seed]
    if run.augmentation in {"elastic", "online"}:
        words += ["--augment", "online"]
    return [*words, *(AFFINE_OFF if run.augmentation == "elastic" else []), *run.words]


def call(cwd: Path, script: object, *words: object) -> None:
    """Run a script of the project in the working folder `cwd`.

    Raises
    ------
    subprocess.CalledProcessError
        If the script ends with another exit code than 0.
    """
    line = [sys.executable, str(ROOT / str(script)), *map(str, words)]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    subprocess.run(line, cwd=cwd, env=os.environ | {"PYTHONPATH": path}, check=True)  # noqa: S603, our own scripts


def keep(run: Run, bundle: Path, log: Path) -> None:
    """Copy the log, the table of classes, the history and, last, the record to `LOGS`."""
    folder = LOGS / run.name
    folder.mkdir(parents=True, exist_ok=True)
    table = bundle.with_name(f"{run.name}-evaluation") / "per_class.csv"
    for file in (log, table, *(bundle / name for name in KEPT)):
        shutil.copyfile(file, folder / file.name)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns its exit code."""
    return cli.run(command, argv)


if __name__ == "__main__":
    sys.exit(main())
