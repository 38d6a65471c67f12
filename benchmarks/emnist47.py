"""Build the dataset of the EMNIST-47 protocol from EMNIST's own files.

    python benchmarks/emnist47.py FOLDER -o datasets/emnist47.h5      # or INKFOLD_DATA=FOLDER

FOLDER holds `emnist-byclass-test` and `emnist-bymerge-test`, each with the idx files and the
mapping of that official test split as they were downloaded. The test split is the whole of
ByMerge's test split. Train and validation, nine parts to one, are the pictures of ByClass' test
split with their labels merged to ByMerge's 47; a picture with the pixels of a test picture is left
out. That is a seventh of the official training data: whoever compares these figures with published
ones for ByMerge must say so.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from inkfold.commands.cli import Clock, progress, run
from inkfold.commands.options import (
    fit_option,
    overwrite_option,
    public_capture_option,
    size_option,
    threshold_option,
)
from inkfold.commands.packing_notes import made, notes
from inkfold.crew import Crew
from inkfold.importers import emnist
from inkfold.importers.collection import Collection, Glyph
from inkfold.packing.public_set import Importing, import_collection
from inkfold.spec import Capture, Fit, ImageSpec, Threshold
from inkfold.workers import InProcess

MERGED = frozenset("cijklmopsuvwxyz")  # with their capitals: Cohen et al. 2017, arXiv 1702.05373


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(path_type=Path), envvar="INKFOLD_DATA")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("datasets/emnist47.h5"),
    show_default=True,
    help="The file to write.",
)
@size_option
@public_capture_option("scan")
@fit_option
@threshold_option
@overwrite_option
def command(
    folder: Path,
    *,
    output: Path,
    size: int,
    capture: Capture,
    fit: Fit,
    threshold: Threshold,
    overwrite: bool,
) -> int:
    """Read both splits, write one dataset, and print what is in it."""
    clock = Clock()
    spec = ImageSpec.of(size=size, fit=fit, ink="auto", threshold=threshold, capture=capture)
    report = import_collection(
        emnist47(folder),
        output,
        Importing(format="emnist", spec=spec),
        crew=Crew(InProcess(), lambda: 1),
        overwrite=overwrite,
        progress=partial(progress, quiet=False),
    )
    click.echo(made(report, output, folder, "pictures", clock))
    for line in notes(report):
        click.echo(line, err=True)
    return 0


def emnist47(folder: Path) -> Collection:
    """The public set of both splits, with ByMerge's as its own test."""
    byclass = emnist.read(folder / "emnist-byclass-test")
    bymerge = emnist.read(folder / "emnist-bymerge-test")
    test = {glyph.pixels.tobytes() for glyph in bymerge.glyphs()}
    shared = sum(glyph.pixels.tobytes() in test for glyph in byclass.glyphs())
    count = byclass.count - shared + bymerge.count
    glyphs = partial(_glyphs, byclass, bymerge, test)
    return Collection(
        name="emnist47", classes=bymerge.classes, ink=bymerge.ink, count=count, glyphs=glyphs
    )


def _glyphs(byclass: Collection, bymerge: Collection, test: set[bytes]) -> Iterator[Glyph]:
    """ByClass' pictures for training with merged labels, then ByMerge's for testing.

    `test` holds the pixels of every test picture.
    """
    label_of = {name: label for label, name in enumerate(bymerge.classes)}
    merged = [label_of[name.upper() if name in MERGED else name] for name in byclass.classes]
    for glyph in byclass.glyphs():
        if glyph.pixels.tobytes() not in test:
            yield replace(glyph, label=merged[glyph.label], split="train")
    for glyph in bymerge.glyphs():
        yield replace(glyph, split="test")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run(command, argv)


if __name__ == "__main__":
    sys.exit(main())
