"""``calibrate``: a bundle learns from its dataset what does not look like one character."""

from __future__ import annotations

from pathlib import Path

import click

from inkfold.commands.cli import echo, progress
from inkfold.commands.options import quiet_option


@click.command("calibrate")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("dataset", type=click.Path(path_type=Path))
@quiet_option
def command(bundle: Path, dataset: Path, *, quiet: bool) -> int:
    """Teach BUNDLE which pictures do not look like one character of its classes.

    \b
    Example:
        inkfold calibrate models/trained/cnn32 datasets/characters.h5

    Training does this at its end; a bundle of an earlier version gets it here, from the DATASET
    that it was trained on. The network's answers do not change: model.onnx gets a second output,
    and novelty.npz is written. At most 1 % of the validation pictures are refused.
    """
    from inkfold.bundle.bundle import load_bundle
    from inkfold.dataset.reader import open_dataset
    from inkfold.evaluation.compatibility import check_match

    loaded = load_bundle(bundle)
    with open_dataset(dataset) as opened:
        for split in ("train", "validation"):
            check_match(loaded, opened, split)
        from inkfold.training.learn_novelty import add_to_bundle

        count = len(opened.train) + len(opened.validation)
        with progress("pictures", count, quiet=quiet) as advance:
            learned = add_to_bundle(loaded, opened, advance=advance)
    pictures = "validation pictures"
    if learned.by != "validation":
        pictures += ", which it was trained on: of new ones it refuses more"
    echo(f"refused: {learned.refused:,} of {learned.total:,} {pictures}")
    echo(f"{bundle}: it tells now what does not look like one character")
    return 0
