"""``classify``: pictures -> one line of output a picture."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from io import FileIO
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inkfold.bundle.bundle import Bundle, load_bundle, newest_bundle
from inkfold.commands.answering import Answering, Counts, content_of, shared_answers
from inkfold.commands.classify_lines import Format, csv_header
from inkfold.commands.cli import SOME_FAILED, echo, run
from inkfold.commands.crews import chosen_crew, cluster_option, workers_of
from inkfold.commands.options import only_option, quiet_option, reject_option, strict_option
from inkfold.extras import need

if TYPE_CHECKING:
    from inkfold.classifier import Engine
LOOKED_FOR = 16  # of the paths given: so many are looked for on the workers of a cluster


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
@cluster_option
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
    cluster: str | None,
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
    workers_of(None, cluster)  # refuses a cluster where its library is missing
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
    refusal = Refusal.of(reject, strict=strict)
    answering = Answering(
        bundle=bundle.path.absolute(),
        content=content_of(bundle),
        engine=engine,
        top=min(top, len(chosen or bundle.classes)),
        only=chosen,
        form=form,
        refusal=refusal,
    )
    if form == "csv":
        echo(csv_header(answering.top), nl=False)
    counts = Counts()
    with ExitStack() as stack:
        archives = Archives(stack, far=cluster is not None)
        given = archives.expand(expand(paths, _unbuffered_stdin), Deferred)
        if cluster is None:
            classifier = Classifier(bundle, engine, top, chosen)
            answers = answering.answers(classifier.classify(given), counts)
        else:
            sees = [bundle.path, *islice(filter(Path.exists, map(Path, paths)), LOOKED_FOR)]
            crew = stack.enter_context(chosen_crew(1, cluster, sees=sees))
            answers = shared_answers(crew, answering, given, counts)
        for answer in answers:
            echo(answer.line, nl=False)
            if answer.error is not None:
                echo(answer.error, err=True)
            if answer.note is not None and not quiet:
                echo(answer.note, err=True)
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


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``classify.py``; returns its exit code."""
    return run(command, argv)
