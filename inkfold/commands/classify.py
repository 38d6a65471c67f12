"""``classify``: pictures -> one line of output a picture."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inkfold.bundle.bundle import Bundle, load_bundle, newest_bundle
from inkfold.commands.classify_lines import Format, csv_header, line_maker
from inkfold.commands.cli import SOME_FAILED, echo, run
from inkfold.commands.options import only_option, quiet_option, reject_option, strict_option
from inkfold.extras import need

if TYPE_CHECKING:
    from inkfold.classifier import Engine
    from inkfold.prediction import Prediction, Refusal

NO_CHARACTER = "pictures got no label, for they do not look like one character"
FURTHER = b": has several frames or pages; the first was answered"

PHOTOGRAPHS = "pictures taken for photographs; what is written on the sheet was answered"


@dataclass
class Counts:
    """What the pictures of a run were like, for the notes at its end."""

    given: int = 0
    failed: int = 0
    photographs: int = 0
    withheld: Counter[str] = field(default_factory=Counter)  # labels withheld for a flag, by flag

    def add(self, prediction: Prediction, refusal: Refusal) -> None:
        """Count one more picture."""
        self.given += 1
        self.photographs += prediction.photograph
        if prediction.error is not None:
            self.failed += 1
        elif prediction.flag is not None and refusal.flagged:
            self.withheld[prediction.flag] += 1

    def notes(self, *, strict: bool) -> Iterator[str]:
        """One sentence for each thing that a user should know of."""
        if self.photographs:
            yield f"{self.photographs:,} of {self.given:,} {PHOTOGRAPHS}"
        if self.withheld:
            kinds = ", ".join(f"{flag} {count:,}" for flag, count in self.withheld.most_common())
            way = "" if strict else "; --reject 0 gives every label"
            yield f"{self.withheld.total():,} of {self.given:,} {NO_CHARACTER} ({kinds}){way}"


@click.command("classify")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    help="The bundle that answers.  [default: the newest under models/trained, else the one that "
    "comes along: digits and letters]",
)
@click.option(
    "--top",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How many of the likeliest classes to name.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "csv", "jsonl"]),
    default="text",
    show_default=True,
    help="text is for people; csv and jsonl keep any path and label apart.",
)
@reject_option(
    "Withhold labels: ? in text, empty in csv, null in jsonl. auto: of pictures that do not look "
    "like one character; P: of all with a lower probability than P, so that 0 withholds none.",
)
@strict_option
@click.option(
    "--engine",
    type=click.Choice(["onnx", "keras"]),
    default="onnx",
    show_default=True,
    help="keras starts slowly and answers the same.",
)
@only_option
@quiet_option
def command(
    *,
    paths: tuple[str, ...],
    model: Path | None,
    top: int,
    form: Format,
    reject: float | None,
    strict: bool,
    engine: Engine,
    only: str | None,
    quiet: bool,
) -> int:
    """Say which character each picture shows, one line a picture, in the order given.

    \b
    Examples:
        inkfold classify a.png b.png
        find scans -name '*.png' -print0 | inkfold classify --top 3 --format csv -

    A folder or an archive (.zip, .tar, .tar.gz, .tgz; s3://BUCKET/letters.zip with inkfold[cloud])
    stands for the pictures in it, - for a list of paths on stdin. A file that cannot be read, and a
    picture in which nothing is written, is named on stderr and gets no label; the others are
    answered, and the exit code is 1. A picture that does not look like one character gets a flag:
    several, not writing, or unlike all that was learned. Formats: those of create_dataset.
    """
    if engine == "keras":
        from inkfold.keras_backend import keras_libraries

        need("--engine keras", *keras_libraries())
    bundle = load_bundle(model or newest_bundle(), meanwhile=partial(_import_engine, engine))
    from inkfold.archives.pictures import Archives
    from inkfold.class_choice import chosen_classes
    from inkfold.classifier import Classifier
    from inkfold.given import Deferred
    from inkfold.picture_files import expand
    from inkfold.prediction import Refusal

    chosen = None if only is None else chosen_classes(only, bundle.classes)
    if not quiet:
        echo(_introduction(bundle, chosen), err=True)
    classifier = Classifier(bundle, engine, top, chosen)
    refusal = Refusal.of(reject, strict=strict)
    make_line = line_maker(form, refusal=refusal, top=classifier.top)
    if form == "csv":
        echo(csv_header(classifier.top), nl=False)
    counts = Counts()
    with ExitStack() as stack:
        archives = Archives(stack)
        pictures = archives.expand(expand(paths, _unbuffered_stdin), Deferred)
        for prediction in classifier.classify(pictures):
            echo(make_line(prediction), nl=False)
            counts.add(prediction, refusal)
            if prediction.error is not None:
                echo(_error_line(prediction), err=True)
            if prediction.further and not quiet:
                echo(b"note: " + os.fsencode(prediction.path) + FURTHER, err=True)
        archives.check_unchanged()
    for note in () if quiet else counts.notes(strict=strict):
        echo(f"note: {note}", err=True)
    return SOME_FAILED if counts.failed else 0


def _import_engine(engine: Engine) -> None:
    """Import what takes long and is not needed to check a bundle, while its hashes are computed."""
    from inkfold.workers import numpy_alone

    with numpy_alone():
        import inkfold.archives.pictures
        import inkfold.classifier
        import inkfold.picture_files

    inkfold.classifier.import_engine(engine)


def _unbuffered_stdin() -> FileIO:
    """Standard input without a buffer, whose lock a waiting thread would hold at Python's exit."""
    return FileIO(0, closefd=False)


def _introduction(bundle: Bundle, only: Sequence[str] | None) -> str:
    """Which bundle answers, and its test score, or its validation score where that is missing."""
    text = f"{bundle.path} answers: {len(bundle.classes):,} classes"
    if only is not None:
        text = f"{bundle.path} answers: {len(only):,} of its {len(bundle.classes):,} classes"
    for split in ("test", "validation"):
        if rate := bundle.rate(split):
            text += f", on {split} {rate}{'' if only is None else ' with all of them'}"
            break
    if bundle.temperature is not None:
        text += "; probabilities calibrated"
    if "novelty" not in bundle.record:
        text += (
            "; it cannot tell what is no character of its classes (inkfold calibrate "
            f"{bundle.path} DATASET adds that)"
        )
    return text


def _error_line(prediction: Prediction) -> bytes:
    """``error: path: reason``, with the path in the bytes in which it was given."""
    path, reason = os.fsencode(prediction.path), prediction.error or ""
    if path == b"-":
        reason = "no paths on stdin"
    elif os.path.isdir(path) and os.access(path, os.R_OK):  # noqa: PTH112, bytes
        reason = "no pictures in this folder"
    return b"error: " + path + f": {reason}".encode()


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``classify.py``; returns its exit code."""
    return run(command, argv)
