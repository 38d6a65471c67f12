"""The ``inkfold`` command: every stage under one name."""

from __future__ import annotations

from collections.abc import Sequence

import click

from inkfold import __version__
from inkfold.commands import (
    audit,
    augment,
    calibrate,
    check,
    classify,
    cluster,
    create_dataset,
    demo,
    draw,
    evaluate,
    explore,
    export,
    import_data,
    merge,
    networks,
    shrink,
    train,
)
from inkfold.commands.cli import run


@click.group(name="inkfold")
@click.version_option(__version__)
def command() -> None:
    """Turn folders of handwritten-character pictures into a trained, measured classifier.

    \b
    A first session:
        inkfold create_dataset FOLDER
        inkfold augment
        inkfold train cnn32
        inkfold classify a.png b.png
    """


for stage in (
    create_dataset,
    import_data,
    export,
    audit,
    explore,
    augment,
    merge,
    networks,
    train,
    evaluate,
    shrink,
    calibrate,
    check,
    classify,
    cluster,
    draw,
    demo,
):
    command.add_command(stage.command)


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``inkfold STAGE ...``; returns its exit code."""
    return run(command, argv)


if __name__ == "__main__":
    import sys

    sys.exit(main())
