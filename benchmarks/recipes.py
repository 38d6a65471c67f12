"""Compare recipes for the network residual32 on few pictures: all recipes, or those named.

    python import_data.py idx downloads/kmnist --split 0.1,0.9,0 -o datasets/kmnist-tenth.h5
    python benchmarks/recipes.py datasets/kmnist-tenth.h5 --only recipe --only mild

Each recipe is trained on the train split and measured on validation, once, at its end. With a tenth
of the pictures to train on and nine tenths to measure with, minutes are enough to see a recipe's
gain above chance. Two networks of each training are measured: with the last weights, and with the
running mean of the weights. The test split is not read.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from inkfold.commands import cli
from inkfold.dataset.reader import Dataset, open_dataset
from inkfold.elastic import Elastic
from inkfold.keras_backend import import_keras, policy
from inkfold.layers import convolved
from inkfold.metrics import Rate
from inkfold.networks.residual32 import RECIPE, build
from inkfold.recipe import Distortion, Recipe
from inkfold.training.batches import Batches
from inkfold.training.compile import Build, fresh_network
from inkfold.training.loop import Run, State, Watcher
from inkfold.training.scoring import score

if TYPE_CHECKING:
    import keras

OURS = RECIPE.distortion
MILD = Distortion(sigma=6, alpha=24, rotate=5, scale=0.05, shear=5, shift=0.03)
STRONG = Distortion(sigma=6, alpha=47, rotate=15, scale=0.15, shear=15, shift=0.08)
WIDE = replace(OURS, rotate=20, scale=0.15, shift=0.15)
EVERY = 8  # steps between two updates of the running mean: copying weights takes a millisecond
HORIZON = 2  # epochs after which a weight's share in the running mean has fallen to 1/e


def squeezed(x: Any, filters: int) -> Any:  # noqa: ANN401, Keras' tensors have no types
    """A residual block whose filters get a weight that depends on the picture.

    Hu et al., "Squeeze-and-Excitation Networks", arXiv 1709.01507, with a reduction of 8.
    """
    from keras import layers

    inner = convolved(layers.ReLU()(convolved(x, filters)), filters)
    weights = layers.GlobalAveragePooling2D(keepdims=True)(inner)
    weights = layers.Dense(filters // 8, activation="relu")(weights)
    weights = layers.Dense(filters, activation="sigmoid")(weights)
    return layers.ReLU()(layers.Add()([x, layers.Multiply()([inner, weights])]))


def build_squeezed(classes: int) -> keras.Model:
    """Our network with squeeze and excitation; ``build_squeezed(10)`` has 1,098,436 parameters."""
    from keras import Input, Model, layers

    pictures = Input((32, 32, 1))
    x = layers.Rescaling(1 / 255)(pictures)
    for filters, kernel in ((48, 6), (96, 3), (192, 3)):
        x = layers.ReLU()(convolved(x, filters, kernel=kernel, strides=2))
        x = squeezed(x, filters)
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    answers = layers.Dense(classes, activation="softmax", dtype="float32")(x)
    return Model(pictures, answers)


@dataclass(frozen=True)
class Variant:
    """A recipe, and the network that is trained with it; ours if none is given."""

    recipe: Recipe
    build: Build = build


VARIANTS = {
    "recipe": Variant(RECIPE),
    "elastic": Variant(
        replace(RECIPE, distortion=replace(OURS, rotate=0, scale=0, shear=0, shift=0))
    ),
    "mild": Variant(replace(RECIPE, distortion=MILD)),
    "strong": Variant(replace(RECIPE, distortion=STRONG)),
    "wide": Variant(replace(RECIPE, distortion=WIDE)),
    "batch256": Variant(replace(RECIPE, batch=256)),
    "squeezed": Variant(RECIPE, build_squeezed),
}


@dataclass
class RunningMean:
    """An exponential moving average of a network's weights.

    Parameters
    ----------
    horizon : float
        Updates after which a weight's share has fallen to 1/e.
    """

    horizon: float
    weights: list[NDArray[np.float32]] = field(default_factory=list)

    def take(self, weights: list[NDArray[np.float32]]) -> None:
        """Update the mean with `weights`; the first weights are the mean."""
        share = 1 / self.horizon
        before = self.weights or weights
        pairs = zip(before, weights, strict=True)
        self.weights = [old + share * (new - old) for old, new in pairs]


def trained(
    variant: Variant, dataset: Dataset, epochs: int, seed: int, checkpoint: Path
) -> tuple[Rate, Rate]:
    """Train a variant on pictures distorted online.

    Returns
    -------
    last, averaged : Rate
        Right answers on validation with the last weights, and with their running mean.
    """
    recipe, classes = variant.recipe.in_epochs(epochs), len(dataset.classes)
    elastic = Elastic.of(dataset.spec.size, recipe.distortion)
    batches = Batches([dataset.train], recipe.batch, seed=seed, elastic=elastic)
    mean = RunningMean(max(1, HORIZON * batches.steps / EVERY))
    done = 0

    def batch_done(_pictures: int) -> None:
        nonlocal done
        done += 1
        if done % EVERY == 0:
            mean.take(run.model.get_weights())

    run = Run(
        fresh_network(variant.build, classes, recipe, seed=seed, kernels="fused"),
        batches,
        recipe.stages,
        None,
        state=State(checkpoint=checkpoint, config={}),
        watcher=Watcher(
            built=lambda _summary: None,
            planned=lambda _plan, _pictures: None,
            batch_done=batch_done,
            epoch_done=lambda _history: None,
        ),
    )
    model = run.finish().model
    last = score(model, dataset.validation, recipe.batch)
    model.set_weights(mean.weights)
    averaged = score(model, dataset.validation, recipe.batch)
    return Rate(last.correct, last.total), Rate(averaged.correct, averaged.total)


@click.command(help=__doc__)
@click.argument("path", metavar="DATASET", type=click.Path(path_type=Path))
@click.option("--epochs", type=click.IntRange(min=1), default=30, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--only", multiple=True, type=click.Choice(list(VARIANTS)))
def command(path: Path, *, epochs: int, seed: int, only: Sequence[str]) -> int:
    """Train one recipe after the other, and print the scores of each as it ends."""
    with tempfile.TemporaryDirectory() as folder, open_dataset(path) as dataset:
        import_keras().config.set_dtype_policy(policy("auto"))
        for name in only or VARIANTS:
            began, checkpoint = time.perf_counter(), Path(folder) / "checkpoint.npz"
            last, averaged = trained(VARIANTS[name], dataset, epochs, seed, checkpoint)
            seconds = time.perf_counter() - began
            click.echo(f"{name:<12}  {last}; running mean {averaged}; {seconds:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(cli.run(command))
