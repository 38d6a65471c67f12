"""``demo``: the whole work from picture files to a measured bundle, on 1,797 real digits."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from inkfold.bundle.bundle import recorded_rate
from inkfold.commands import augment, classify, create_dataset, evaluate, train
from inkfold.commands.cli import Clock, echo, progress, run
from inkfold.commands.options import output_option, overwrite_option, quiet_option
from inkfold.errors import InkfoldError
from inkfold.extras import PAGE, need
from inkfold.folder_kinds import DEMO
from inkfold.keras_backend import keras_libraries
from inkfold.networks import cnn32
from inkfold.output import new_folder
from inkfold.program import typed
from inkfold.recipe import DEFAULT_DATASET

EPOCHS = 4
MINUTES = 2  # for training, on a processor that cannot do four epochs in them
CLASSIFIED = 5  # test pictures that are classified at the end
TENFOLD = "datasets/characters_elastic.h5"
BUNDLE, PREVIEW = "models/trained/cnn32", "preview.png"
DARKEST = 16  # grey level of full ink in the digits' own files, which have 0 for paper


@dataclass(frozen=True)
class Step:
    """One step of the demo: the line that a user would type, and how long it took."""

    line: str
    seconds: float


@click.command("demo")
@output_option("demo", "Folder for everything that the demo writes.")
@overwrite_option
@quiet_option
def command(output: Path, *, overwrite: bool, quiet: bool) -> int:
    """Run the whole job on 1,797 real handwritten digits; it takes under three minutes.

    \b
    Example:
        inkfold demo

    It writes the digits as class folders, packs them, makes nine distorted copies of each, trains
    a network, measures it on pictures that it never saw, and names a few of them.
    """
    need("the demo", *keras_libraries(), "tensorboard", *PAGE, "sklearn")
    # the steps run in the folder: it gets its final name at the end, so only relative paths hold
    with new_folder(output, DEMO, overwrite=overwrite) as folder, chdir(folder):
        steps = _run_until_evaluation(quiet=quiet)
        pictures = _test_pictures()
        steps.append(_run("classify", classify.main, [*pictures, "--model", BUNDLE], quiet=quiet))
        table = _table(steps)
        Path("measured.txt").write_text(table + "\n", encoding="utf-8")
    echo(f"\n{table}\n\nworth opening:")
    for name in (PREVIEW, f"{BUNDLE}/curves.png", "logs/cnn32/evaluation/report.html"):
        echo(f"  {output / name}")
    return 0


def _run_until_evaluation(*, quiet: bool) -> list[Step]:
    """Write, pack, augment, train and evaluate in the current folder; the steps that were run."""
    clock = Clock()
    with progress("digits", 1797, quiet=quiet) as advance:
        count = write_digits(Path("pictures"), advance)
    echo(f"pictures: {count:,} digits in class folders")
    written = Step("(write the digits as picture files)", clock.seconds)
    return [
        written,
        _run("create_dataset", create_dataset.main, ["pictures"], quiet=quiet),
        _run("augment", augment.main, ["--preview", PREVIEW], quiet=quiet),
        _run(
            "train cnn32",
            lambda arguments: train.main(cnn32.build, cnn32.RECIPE, arguments),
            [TENFOLD, "--epochs", str(EPOCHS), "--minutes", str(MINUTES)],
            quiet=quiet,
        ),
        _run("evaluate", evaluate.main, [BUNDLE, DEFAULT_DATASET], quiet=quiet),
    ]


def write_digits(folder: Path, advance: Callable[[int], None]) -> int:
    """Write ``folder/DIGIT/NNNN.png``, 8x8 pixels, dark ink on white paper.

    The digits are those of the "Optical Recognition of Handwritten Digits" set (Alpaydin and
    Kaynak, 1998) that scikit-learn ships.

    Returns
    -------
    count : int
        Pictures written.
    """
    import cv2
    from sklearn.datasets import load_digits

    digits = load_digits()
    for number, (ink, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        path = folder / str(label) / f"{number:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.rint(255 - ink * (255 / DARKEST)).astype(np.uint8)
        path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
        advance(1)
    return len(digits.images)


def _run(
    stage: str, main: Callable[[Sequence[str]], int], arguments: list[str], *, quiet: bool
) -> Step:
    """Print the line that a user would type, and run it in this process."""
    line = f"{typed(stage)} {shlex.join(arguments)}"
    echo(f"\n$ {line}")
    clock = Clock()
    code = main([*arguments, *(["-q"] if quiet else [])])
    if code:
        raise InkfoldError(f"the demo stopped: {line} ended with exit code {code}; see above")
    return Step(line, clock.seconds)


def _test_pictures() -> list[str]:
    """A few picture files of the test split, which took no part in training."""
    from inkfold.dataset.reader import open_dataset

    with open_dataset(DEFAULT_DATASET) as dataset:
        return [f"pictures/{source}" for source in dataset.test.source[:CLASSIFIED]]


def _table(steps: list[Step]) -> str:
    """The seconds of each step, and the right answers on validation and test, as text."""
    record = json.loads(Path(BUNDLE, "bundle.json").read_text(encoding="utf-8"))
    return "\n".join(
        [
            *(f"{step.seconds:7.1f} s  {_shortened(step.line)}" for step in steps),
            f"{sum(step.seconds for step in steps):7.1f} s  in all",
            "",
            f"validation  {recorded_rate(record, 'validation')}",
            f"test        {recorded_rate(record, 'test')}",
        ]
    )


def _shortened(line: str) -> str:
    return line if len(line) <= 70 else f"{line[:67]}..."


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``inkfold demo``; returns its exit code."""
    return run(command, argv)
