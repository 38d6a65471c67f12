"""``shrink``: a bundle -> the same bundle with its weights in half precision."""

from __future__ import annotations

from pathlib import Path

import click

from inkfold.commands.cli import echo
from inkfold.commands.next_lines import after_training
from inkfold.commands.options import overwrite_option
from inkfold.extras import need


@click.command("shrink")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("dataset", type=click.Path(path_type=Path))
@click.argument("output", type=click.Path(path_type=Path))
@overwrite_option
def command(bundle: Path, dataset: Path, output: Path, *, overwrite: bool) -> int:
    """Write BUNDLE as OUTPUT with its weights in half precision: half the bytes.

    \b
    Example:
        inkfold shrink models/trained/cnn32 datasets/characters.h5 models/trained/cnn32_small

    Answers are computed as before, from rounded weights. What that changes is measured on the
    validation pictures of DATASET and printed; the test split is for evaluate.
    """
    from inkfold.keras_backend import keras_libraries

    need("shrinking", *keras_libraries(), "onnx")
    from inkfold.bundle.bundle import load_bundle
    from inkfold.dataset.reader import open_dataset
    from inkfold.evaluation.compatibility import check_match
    from inkfold.folder_kinds import BUNDLE
    from inkfold.output import check_free

    loaded = load_bundle(bundle)
    check_free(output, overwrite=overwrite, kind=BUNDLE, inputs=[bundle, dataset])
    with open_dataset(dataset) as opened:
        check_match(loaded, opened, "validation")
        from inkfold.training.half_precision import shrink

        shrunk = shrink(loaded, opened.validation, output, overwrite=overwrite)
        following = after_training(output, opened)
    before, after = (size / 1e6 for size in shrunk.sizes)
    split = "validation, which it was trained on" if loaded.record.get("refit") else "validation"
    comparison = shrunk.comparison
    echo(f"right on {split}: {comparison.after}; with full weights {comparison.before}")
    echo(
        f"other answers: {comparison.changed:,} of {comparison.after.total:,}; largest change of a "
        f"probability {comparison.largest:.1e}"
    )
    echo(f"{output}: {after:.2f} MB, {bundle} has {before:.2f} MB")
    echo(following)
    return 0
