"""``check``: a dataset or a bundle -> whether it is whole, or where it is damaged."""

from __future__ import annotations

from pathlib import Path

import click

from inkfold.bundle.bundle import located
from inkfold.commands.cli import Clock, echo, progress
from inkfold.commands.options import quiet_option
from inkfold.errors import InkfoldError
from inkfold.extras import need


@click.command("check")
@click.argument("path", metavar="FILE|BUNDLE", type=click.Path(path_type=Path))
@quiet_option
def command(path: Path, *, quiet: bool) -> int:
    """Read all of a dataset or of a bundle, and tell whether it is whole.

    \b
    Examples:
        inkfold check datasets/characters.h5
        inkfold check models/trained/cnn32

    Of a dataset every picture is compared with its digest, and all labels and classes with the
    file's fingerprint. Of a bundle every hash and every shape is compared with its record, and a
    blank image is answered with Keras and with ONNX Runtime. What is damaged is named by file and
    place, with exit code 2. Nothing is written.
    """
    path = located(path)
    if not path.exists():
        raise InkfoldError(f"{path}: nothing there; give a dataset's file or a bundle's folder")
    clock = Clock()
    if path.is_dir():
        from inkfold.keras_backend import keras_libraries

        need("checking a bundle", *keras_libraries())
        from inkfold.bundle.check import check_bundle

        found = check_bundle(path)
        words = f"{found['parameters']:,} parameters, {found['files']} files, "
        words += f"{found['epochs']} epochs in its history"
    else:
        from inkfold.dataset.check import check_dataset
        from inkfold.dataset.reader import open_dataset

        with open_dataset(path) as opened:
            total = sum(map(len, opened.splits))
        with progress("reading", total, quiet=quiet) as advance:
            found = check_dataset(path, advance)
        words = ", ".join(f"{name} {found[name]:,}" for name in ("train", "validation", "test"))
    name = click.format_filename(path)
    echo(f"{name}: whole; {found['classes']:,} classes, {words}; {clock.seconds:.1f} s")
    return 0
