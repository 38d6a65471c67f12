"""Recipes for `models/residual32.py` compared on few pictures: all of them, or those named.

    python import_data.py idx downloads/kmnist --split 0.1,0.9,0 -o datasets/kmnist-tenth.h5
    python benchmarks/recipes.py datasets/kmnist-tenth.h5 --only recipe --only mild

Each is trained on the train split and measured on validation, once, at its end: with a tenth to
train on and nine to measure with, what a recipe adds stands out of chance in minutes. The test
split is not read.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from inkfold.batches import Batches
from inkfold.commands import cli
from inkfold.dataset import Dataset, open_dataset
from inkfold.elastic import Elastic
from inkfold.keras_import import import_keras
from inkfold.metrics import Rate
from inkfold.nouns import Distortion, Recipe
from inkfold.precision import policy
from inkfold.schedule import in_epochs
from inkfold.scoring import score
from inkfold.training_loop import Run
from inkfold.training_nouns import State, Watcher
from models.residual32 import RECIPE, build

OURS = RECIPE.distortion
MILD = Distortion(sigma=6, alpha=24, rotate=5, scale=0.05, shear=5, shift=0.03)
WIDE = replace(OURS, rotate=20, scale=0.15, shift=0.15)
VARIANTS = {
    "recipe": RECIPE,
    "elastic": replace(RECIPE, distortion=replace(OURS, rotate=0, scale=0, shear=0, shift=0)),
    "mild": replace(RECIPE, distortion=MILD),
    "wide": replace(RECIPE, distortion=WIDE),
}


def trained(recipe: Recipe, dataset: Dataset, seed: int, checkpoint: Path) -> Rate:
    """Train with it, distorted online; what is right on validation."""
    classes = len(dataset.classes)
    elastic = Elastic.of(dataset.spec.size, recipe.distortion)
    batches = Batches([dataset.train], recipe.batch, seed, elastic)
    run = Run(
        build,
        classes,
        batches,
        recipe,
        None,
        seed=seed,
        state=State(checkpoint, {}),
        watcher=Watcher(lambda _: None, lambda _: None, lambda _: None),
    )
    found = score(run.finish().model, dataset.validation, recipe.batch)
    return Rate(found.correct, found.total)


@click.command(help=__doc__)
@click.argument("path", metavar="DATASET", type=click.Path(path_type=Path))
@click.option("--epochs", type=click.IntRange(min=1), default=30, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--only", multiple=True, type=click.Choice(list(VARIANTS)))
def command(path: Path, *, epochs: int, seed: int, only: Sequence[str]) -> int:
    """Train one after the other, and tell each as it ends."""
    with tempfile.TemporaryDirectory() as folder, open_dataset(path) as dataset:
        import_keras().config.set_dtype_policy(policy("auto"))
        for name in only or VARIANTS:
            recipe = VARIANTS[name]
            recipe = replace(recipe, stages=in_epochs(recipe.stages, epochs))
            began = time.perf_counter()
            right = trained(recipe, dataset, seed, Path(folder) / "checkpoint.npz")
            click.echo(f"{name:<12}  {right}  {time.perf_counter() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(cli.run(command))
