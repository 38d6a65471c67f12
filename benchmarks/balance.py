"""What `--balance` does to a network that is trained on uneven classes.

    python benchmarks/balance.py FOLDER                   # or INKFOLD_DATA=FOLDER
    python benchmarks/balance.py FOLDER --set emnist --only none --only "power 1"

FOLDER holds the public sets as they were downloaded. "kmnist" is made uneven: its ten classes, in
an order drawn by the seed, have 500 training pictures down to 5, one hundredth; validation has 300
of each class, and test is the official one, 1,000 of each class. "emnist" is uneven by itself: one
in twenty of the training pictures of the EMNIST-47 protocol (`benchmarks/emnist47.py`), of which
one in three validates, and one in four of the pictures of its test split, class by class.

Networks are trained with every form of the weights, and the form with the highest mean recall on
validation is taken; test is reported for it, and for the network without weights.

The network is `models/blocks28.py`, trained along one cosine with its last weights kept, so that
validation chooses no epoch. The temperature is fitted on validation pictures that are as uneven as
the training pictures, as a user has them. The rare third are the classes with fewest training
pictures. "adjusted" is no training: the answers of the network without weights, divided by the
share of each class in training (Menon et al., arXiv 2007.07314).
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.emnist47 import emnist47
from inkfold.calibration import calibration_error, fit_temperature, reliability, tempered
from inkfold.commands import cli
from inkfold.commands.cli import progress
from inkfold.crew import Crew
from inkfold.dataset.reader import Dataset, open_dataset
from inkfold.dataset.split import Split
from inkfold.importers import idx
from inkfold.importers.collection import Collection, Glyph, Official
from inkfold.keras_backend import import_keras, policy
from inkfold.metrics import Rate, cross_entropy
from inkfold.networks.blocks28 import RECIPE, build
from inkfold.packing.public_set import Importing, import_collection
from inkfold.recipe import Stage
from inkfold.spec import ImageSpec
from inkfold.training.balance import of_mean_one
from inkfold.training.batches import Batches
from inkfold.training.compile import fresh_network
from inkfold.training.loop import Run, State, Watcher
from inkfold.workers import InProcess

LARGEST, SMALLEST, HELD_OUT = 500, 5, 300  # KMNIST's pictures of a class
EVERY, VALIDATED = 20, 3  # of EMNIST's training pictures, and of those that are taken
MEASURED = 4  # of its test pictures
EPOCHS = {"kmnist": 24, "emnist": 12}
RATE = 2e-3
Counts = NDArray[np.int64]
Probabilities = NDArray[np.float32]
Weights = NDArray[np.float32]


def power(exponent: float) -> Callable[[Counts], Weights]:
    """Weights that fall with a power of the class's size: 1 is the inverse, 0.5 its root."""
    return lambda counts: of_mean_one(np.maximum(counts, 1.0) ** -exponent, counts)


def effective(beta: float) -> Callable[[Counts], Weights]:
    """Weights by the effective number of pictures: Cui et al., arXiv 1901.05555, CVPR 2019."""
    return lambda counts: of_mean_one((1 - beta) / (1 - beta ** np.maximum(counts, 1)), counts)


FORMS: dict[str, Callable[[Counts], Weights] | None] = {
    "none": None,
    "power 0.5": power(0.5),
    "power 1": power(1),
    "effective 0.99": effective(0.99),
    "effective 0.999": effective(0.999),
}


@dataclass(frozen=True, kw_only=True)
class Answers:
    """A network's answers to a split.

    Attributes
    ----------
    probabilities : float32 array of shape (n, C)
    labels : int32 array of shape (n,)
    counts : int64 array of shape (C,)
        Training pictures of each class.
    """

    probabilities: Probabilities
    labels: NDArray[np.int32]
    counts: Counts

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether each answer is right."""
        return np.asarray(self.probabilities.argmax(axis=1) == self.labels)

    def rate(self, rows: NDArray[np.bool_] | None = None) -> Rate:
        """Right answers, of all rows or of some."""
        right = self.right if rows is None else self.right[rows]
        return Rate(int(right.sum()), len(right))

    @property
    def rare(self) -> Rate:
        """Right answers to the pictures of the third of the classes with fewest pictures."""
        order = np.argsort(self.counts, kind="stable")
        return self.rate(np.isin(self.labels, order[: len(order) // 3]))

    @property
    def mean_recall(self) -> float:
        """Mean over the classes of their share of right answers."""
        of_class = np.bincount(self.labels, self.right), np.bincount(self.labels)
        return float((of_class[0] / of_class[1]).mean())

    @property
    def uneven(self) -> NDArray[np.bool_]:
        """Rows that make the split as uneven as training: of each class the first ones."""
        total = np.bincount(self.labels, minlength=len(self.counts))
        share = (total / self.counts).min()
        rows, left = np.zeros(len(self.labels), bool), np.rint(share * self.counts).astype(int)
        for row, label in enumerate(self.labels.tolist()):
            rows[row] = left[label] > 0
            left[label] -= 1
        return rows

    def of(self, rows: NDArray[np.bool_]) -> Answers:
        """The answers to some rows."""
        return replace(self, probabilities=self.probabilities[rows], labels=self.labels[rows])

    def tempered(self, temperature: float | None) -> Answers:
        """The same answers with a temperature."""
        if temperature is None:
            return self
        return replace(self, probabilities=tempered(self.probabilities, temperature))

    @property
    def adjusted(self) -> Answers:
        """The same answers, divided by the share of each class in training."""
        divided = self.probabilities / np.maximum(self.counts, 1)
        return replace(
            self, probabilities=(divided / divided.sum(axis=1, keepdims=True)).astype(np.float32)
        )

    @property
    def error(self) -> float:
        """Expected calibration error, from 0 to 1."""
        bins = reliability(self.probabilities.max(axis=1), self.right)
        return calibration_error(bins) or 0.0

    @property
    def loss(self) -> float:
        """Mean cross-entropy, in nats."""
        return cross_entropy(self.probabilities[np.arange(len(self.labels)), self.labels])


def uneven_kmnist(folder: Path, seed: int) -> Collection:
    """KMNIST with a long tail; `seed` draws which classes are rare."""
    whole = idx.read(folder / "kmnist")
    order = np.random.default_rng(seed).permutation(len(whole.classes))
    ratio = (SMALLEST / LARGEST) ** (1 / (len(order) - 1))
    sizes = {int(label): round(LARGEST * ratio**rank) for rank, label in enumerate(order)}

    def glyphs() -> Iterator[Glyph]:
        seen: dict[int, int] = defaultdict(int)
        for glyph in whole.glyphs():
            split: Official | None = glyph.split
            if split != "test":
                seen[glyph.label] += 1
                over = seen[glyph.label] - sizes[glyph.label]
                if over > HELD_OUT:
                    continue
                split = "train" if over <= 0 else "validation"
            yield replace(glyph, split=split)

    return replace(whole, glyphs=glyphs)


def few_of_emnist(folder: Path, _seed: int) -> Collection:
    """One in twenty of the training pictures of EMNIST-47, and one in four of its test split."""
    whole = emnist47(folder)

    def glyphs() -> Iterator[Glyph]:
        seen: dict[tuple[Official | None, int], int] = defaultdict(int)
        for glyph in whole.glyphs():
            place = seen[glyph.split, glyph.label]
            seen[glyph.split, glyph.label] += 1
            if glyph.split == "test":
                if place % MEASURED == 0:
                    yield glyph
            elif place % EVERY == 0:
                third = place // EVERY % VALIDATED == VALIDATED - 1
                yield replace(glyph, split="validation" if third else "train")

    return replace(whole, glyphs=glyphs)


SETS = {"kmnist": uneven_kmnist, "emnist": few_of_emnist}


def trained(
    dataset: Dataset, weights: Weights | None, epochs: int, seed: int, checkpoint: Path
) -> Any:  # noqa: ANN401, a Keras model
    """The network after its last epoch."""
    recipe = replace(RECIPE, stages=(Stage.cosine(RATE, epochs),))
    nothing = Watcher(
        built=lambda _summary: None,
        planned=lambda _plan, _pictures: None,
        batch_done=lambda _count: None,
        epoch_done=lambda _history: None,
    )
    classes = len(dataset.classes)
    model = fresh_network(build, classes, recipe, seed=seed, kernels="fused", weights=weights)
    batches = Batches([dataset.train], recipe.batch, seed=seed)
    state = State(checkpoint=checkpoint, config={})
    return Run(model, batches, recipe.stages, None, state=state, watcher=nothing).finish().model


def answers(model: Any, split: Split, counts: Counts) -> Answers:  # noqa: ANN401, a Keras model
    """The network's answers to a split."""
    blocks = [
        np.asarray(model.predict(block.images[..., None], batch_size=256, verbose=0))
        for block in split.blocks()
    ]
    return Answers(probabilities=np.concatenate(blocks), labels=split.labels, counts=counts)


def described(name: str, validation: Answers, measured: Answers) -> str:
    """A line for a network: right, mean recall, rare third, calibration on even and uneven sets."""
    known = validation.of(validation.uneven)
    temperature = fit_temperature(known.probabilities, known.labels)
    with_it = measured.tempered(temperature)
    uneven = with_it.of(with_it.uneven)
    own = measured.of(measured.uneven)
    return (
        f"{name:<16} right {measured.rate()}; mean recall {100 * measured.mean_recall:.2f} %; "
        f"rare third {measured.rare}; as uneven as training: right {uneven.rate()}, "
        f"calibration error {100 * own.error:.2f} % to {100 * uneven.error:.2f} % with the "
        f"temperature {temperature or 1:.2f}, cross-entropy {own.loss:.3f} to {uneven.loss:.3f}; "
        f"whole split: calibration error {100 * measured.error:.2f} % to "
        f"{100 * with_it.error:.2f} %, cross-entropy {measured.loss:.3f} to {with_it.loss:.3f}"
    )


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(path_type=Path), envvar="INKFOLD_DATA")
@click.option("--set", "name", type=click.Choice(list(SETS)), default="kmnist", show_default=True)
@click.option("--only", multiple=True, type=click.Choice(list(FORMS)), help="Train these alone.")
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True)
def command(folder: Path, *, name: str, only: Sequence[str], seeds: int) -> int:
    """Train one form after the other; print validation's lines, then those of test."""
    import_keras().config.set_dtype_policy(policy("auto"))
    recalls: dict[str, list[float]] = defaultdict(list)
    lines: dict[str, list[str]] = defaultdict(list)
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as scratch, _packed(folder, name, seed, scratch) as data:
            for form in only or FORMS:
                checkpoint = Path(scratch) / "checkpoint.npz"
                for row in _measured(data, form, EPOCHS[name], seed, checkpoint):
                    click.echo(f"validation, seed {seed}: {row.of_validation}")
                    recalls[row.name].append(row.recall)
                    lines[row.name].append(f"test, seed {seed}: {row.of_test}")
    del recalls["adjusted"]  # is no form of the weights
    best = max(recalls, key=lambda form: sum(recalls[form]))
    click.echo(f"highest mean recall on validation: {best}")
    for form in dict.fromkeys(("none", "adjusted", best)):
        click.echo("\n".join(lines[form]))
    return 0


@contextmanager
def _packed(folder: Path, name: str, seed: int, scratch: str) -> Iterator[Dataset]:
    """The uneven dataset of a seed."""
    path = Path(scratch) / "uneven.h5"
    importing = Importing(format=name, spec=ImageSpec(size=28), seed=seed)
    quiet = partial(progress, quiet=True)
    import_collection(
        SETS[name](folder, seed),
        path,
        importing,
        crew=Crew(InProcess(), lambda: 1),
        overwrite=False,
        progress=quiet,
    )
    with open_dataset(path) as dataset:
        yield dataset


@dataclass(frozen=True, kw_only=True)
class Row:
    """What a network gets right.

    Attributes
    ----------
    name : str
        The form of its weights.
    recall : float
        Mean recall on validation, from 0 to 1.
    of_validation, of_test : str
        The figures of both splits, for people.
    """

    name: str
    recall: float
    of_validation: str
    of_test: str


def _measured(
    dataset: Dataset, form: str, epochs: int, seed: int, checkpoint: Path
) -> Iterator[Row]:
    """Train with a form of the weights and measure; without weights, adjust the answers as well."""
    began = time.perf_counter()
    counts = np.bincount(dataset.train.labels, minlength=len(dataset.classes))
    weights_of = FORMS[form]
    weights = None if weights_of is None else weights_of(counts)
    model = trained(dataset, weights, epochs, seed, checkpoint)
    validation, test = (
        answers(model, split, counts) for split in (dataset.validation, dataset.test)
    )
    seconds = f"; {counts.sum():,} pictures, {time.perf_counter() - began:.0f} s"
    yield _row(form, validation, test, seconds)
    if weights_of is None:
        yield _row("adjusted", validation.adjusted, test.adjusted, seconds)


def _row(name: str, validation: Answers, test: Answers, ending: str) -> Row:
    return Row(
        name=name,
        recall=validation.mean_recall,
        of_validation=described(name, validation, validation) + ending,
        of_test=described(name, validation, test),
    )


if __name__ == "__main__":
    sys.exit(cli.run(command))
