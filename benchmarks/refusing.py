"""How well a bundle tells characters from what is none, kind by kind, as counts and as a figure.

    python benchmarks/refusing.py FOLDER DATASET [BUNDLE]     # or INKFOLD_DATA=FOLDER

FOLDER holds kmnist, kuzushiji-kanji-subset, omniglot-small and mnist, DATASET is what the bundle
was trained on; without BUNDLE the shipped one is measured. The score and its constants were chosen
with `--choosing`: pictures drawn with another seed, words of the validation split, KMNIST, and the
Omniglot alphabets of `CHOSEN_WITH`. Without it stand the pictures that are reported: another seed,
words of the test split, kanji, and the other alphabets. Omniglot's Latin and MNIST are characters
that the bundle knows; Greek shares letters with them.

Beside the share that is refused by default stands what the plain maximum of the probabilities
refuses, at the threshold that refuses 1 % of the validation pictures.
"""

from __future__ import annotations

import gzip
import sys
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.not_characters import KINDS, beside
from inkfold.bundle.bundle import ONNX, SHIPPED, load_bundle
from inkfold.bundle.network import onnx_network
from inkfold.bundle.novelty_file import read_novelty
from inkfold.commands.cli import run
from inkfold.dataset.reader import Dataset, open_dataset
from inkfold.dataset.split import Split
from inkfold.metrics import Rate
from inkfold.novelty import REFUSED, Flag
from inkfold.picture import as_grey, decode, is_blank, prepare
from inkfold.spec import ImageSpec
from inkfold.structure import measures

DRAWN = 300  # pictures of each kind that a program draws
WORDS = 400  # of each number of letters
MOST = 3000  # of one script
HELD_OUT = 20_000  # characters of the test split
CHOSEN_WITH = {"Korean", "Balinese", "Early_Aramaic"}
KNOWN = {"Latin of Omniglot", "MNIST"}
Images = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was found for a kind of picture.

    Attributes
    ----------
    distances, confidences : float arrays of shape (n,)
        Without blank pictures.
    flags : list
        Of all pictures, the blank ones included.
    """

    distances: NDArray[np.float32]
    confidences: NDArray[np.float32]
    flags: list[Flag | None]

    @property
    def refused(self) -> Rate:
        """Pictures that are refused by default."""
        return Rate(sum(flag is not None for flag in self.flags), len(self.flags))


class Meter:
    """Measures pictures with a bundle."""

    def __init__(self, path: Path) -> None:
        bundle = load_bundle(path)
        novelty = read_novelty(bundle)
        if novelty is None:
            raise click.UsageError(f"{path} has learned nothing: inkfold calibrate {path} DATASET")
        self.spec, self.novelty = bundle.spec, novelty
        self._network = onnx_network(
            path / ONNX, bundle.onnx_session(), len(bundle.classes), novelty.features
        )

    def measured(self, images: Images) -> Measured:
        """What the bundle says of images."""
        shown = images[~is_blank(images)]
        flags: list[Flag | None] = ["blank"] * (len(images) - len(shown))
        confidences, distances = [np.empty(0, np.float32)], [np.empty(0, np.float32)]
        for start in range(0, len(shown), 64):
            part = shown[start : start + 64]
            probabilities, features = self._network(part[..., None].astype(np.float32))
            if features is None:
                raise ValueError("the network gives no features")
            flags += self.novelty.flags(part, features)
            distances.append(self.novelty.distances(features, measures(part)))
            confidences.append(probabilities.max(axis=1))
        return Measured(
            distances=np.concatenate(distances),
            confidences=np.concatenate(confidences),
            flags=flags,
        )


def drawn(spec: ImageSpec, seed: int) -> Iterator[tuple[str, Images]]:
    """The kinds that a program draws."""
    rng = np.random.default_rng(seed)
    for group, kinds in KINDS.items():
        for name, draw in kinds.items():
            yield f"{group}: {name}", np.stack([prepare(draw(rng), spec) for _ in range(DRAWN)])


def written(
    split: Split, classes: Sequence[str], spec: ImageSpec, seed: int
) -> Iterator[tuple[str, Images]]:
    """Letters, and digits, of a split beside each other."""
    rng = np.random.default_rng(seed)
    block = split[:HELD_OUT]
    is_digit = np.array([name.isdigit() for name in classes])[block.labels]
    for what, rows, counts in (
        ("words", np.flatnonzero(~is_digit), (2, 3, 4, 5, 6)),
        ("numbers", np.flatnonzero(is_digit), (2, 3, 4)),
    ):
        for count in counts if len(rows) else ():
            chosen = (block.images[rng.choice(rows, count)] for _ in range(WORDS))
            images = np.stack([prepare(beside(list(each), rng), spec) for each in chosen])
            yield f"{what} of {count}", images


def foreign(folder: Path, spec: ImageSpec, *, choosing: bool) -> Iterator[tuple[str, Images]]:
    """Characters of other scripts, and of known ones from elsewhere."""
    if choosing:
        yield "KMNIST", _prepared(_idx(folder / "kmnist/t10k-images-idx3-ubyte.gz"), spec)
    else:
        yield "kanji", _prepared(_zipped(folder / "kuzushiji-kanji-subset/kkanji-314x64.zip"), spec)
        yield "MNIST", _prepared(_idx(folder / "mnist/t10k-images-idx3-ubyte.gz"), spec)
    for alphabet in (
        *("Balinese", "Early_Aramaic", "Greek", "Korean", "Latin"),
        *("Japanese_(katakana)", "Sanskrit", "Tagalog"),
    ):
        if (alphabet in CHOSEN_WITH) == choosing:
            # Greek and Latin stand in both files: the same pictures twice
            both = (folder / f"omniglot-small/images_background_small{n}.zip" for n in ("1", "2"))
            pictures = next(filter(None, (list(_zipped(path, alphabet)) for path in both)))
            yield f"{alphabet.replace('_', ' ')} of Omniglot", _prepared(pictures, spec)


def _prepared(pictures: Iterable[Images], spec: ImageSpec) -> Images:
    """Pictures as the network takes them, at most `MOST`, evenly taken."""
    listed = list(pictures)
    step = -(-len(listed) // MOST)
    return np.stack([prepare(picture, spec) for picture in listed[::step]])


def _idx(path: Path) -> Images:
    """The pictures of an idx file, dark on light."""
    data = gzip.decompress(path.read_bytes())
    return 255 - np.frombuffer(data[16:], np.uint8).reshape(-1, 28, 28)


def _zipped(path: Path, folder: str = "") -> Iterator[Images]:
    """The pictures in a folder of a zip file."""
    with zipfile.ZipFile(path) as file:
        for name in sorted(file.namelist()):
            if name.endswith(".png") and f"{folder}/" in name:
                yield as_grey(decode(file.read(name)))


def area(real: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """The area under the ROC curve: how often `other` has the larger of two scores; ties half."""
    order = np.sort(real)
    below = np.searchsorted(order, other, side="left") + np.searchsorted(order, other, side="right")
    return float(below.mean() / 2 / len(real))


def table(real: Measured, held_out: Measured, kinds: dict[str, Measured]) -> Iterator[str]:
    """The lines of the report.

    `real` are characters of the split that is reported, `held_out` those that give the plain
    maximum its threshold.
    """
    sure = np.quantile(held_out.confidences, REFUSED)
    yield "| kind | pictures | refused | AUC | by maximum | AUC |"
    yield "|---|---|---|---|---|---|"
    for name, found in {"characters of the split": real, **kinds}.items():
        blank = found.flags.count("blank")
        plain = Rate(int((found.confidences < sure).sum()), len(found.confidences))
        areas = ["", ""]
        if found is not real and plain.total:
            areas = [
                f"{area(real.distances, found.distances):.3f}",
                f"{area(-real.confidences, -found.confidences):.3f}",
            ]
        refused = str(found.refused).replace("(95 % interval ", "(")
        by_maximum = f"{100 * plain.share:.1f} %" if plain.share is not None else ""
        blanks = f" ({blank:,} blank)" if blank else ""
        yield (
            f"| {name} | {len(found.flags):,}{blanks} | {refused} | {areas[0]} | "
            f"{by_maximum} | {areas[1]} |"
        )


def draw_curves(path: Path, real: Measured, kinds: dict[str, Measured]) -> None:
    """The ROC curves of groups of kinds: by distance, and by the maximum of the probabilities."""
    from matplotlib.figure import Figure

    groups: dict[str, list[Measured]] = {}
    for name, found in kinds.items():
        if name not in KNOWN and len(found.distances):
            groups.setdefault(_group(name), []).append(found)
    figure = Figure(figsize=(10, 4.6), layout="constrained")
    for axes, how in zip(figure.subplots(1, 2, sharey=True), ("distance", "maximum"), strict=True):
        for name, members in groups.items():
            scores = np.concatenate([_scores(member, how) for member in members])
            levels = np.quantile(_scores(real, how), 1 - np.geomspace(1e-3, 1, 200))
            hit = [float((scores > level).mean()) for level in levels]
            axes.plot(100 * np.geomspace(1e-3, 1, 200), 100 * np.array(hit), label=name)
        axes.axvline(100 * REFUSED, color="#57564f", linewidth=0.8)
        axes.set(xscale="log", xlabel="per cent of real characters refused", ylim=(0, 101))
        axes.set_xticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
        axes.set_title({"distance": "by the distance", "maximum": "by the probability"}[how])
    axes.legend(fontsize=8, loc="lower right")
    figure.axes[0].set_ylabel("per cent of the others refused")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def _group(name: str) -> str:
    if name.startswith(("words", "numbers")):
        return "words and numbers, by hand"
    group, _, kind = name.partition(": ")
    return group if kind else "other scripts"


def _scores(found: Measured, how: str) -> NDArray[np.float32]:
    return found.distances if how == "distance" else -found.confidences


def rows(split: Split, most: int) -> Images:
    """The first pictures of a split; rows stand in random order."""
    return np.asarray(split[:most].images)


def kinds_of(
    meter: Meter, dataset: Dataset, folder: Path | None, *, choosing: bool
) -> Iterator[tuple[str, Images]]:
    """Every kind of picture, by its name."""
    seed, split = (1, dataset.validation) if choosing else (2, dataset.test)
    yield from written(split, dataset.classes, meter.spec, seed)
    yield from drawn(meter.spec, seed)
    if folder is not None:
        yield from foreign(folder, meter.spec, choosing=choosing)


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(path_type=Path), envvar="INKFOLD_DATA")
@click.argument("dataset", type=click.Path(path_type=Path))
@click.argument("bundle", type=click.Path(path_type=Path), default=SHIPPED)
@click.option("--choosing", is_flag=True, help="Measure the pictures that choices are made with.")
@click.option("--without-scripts", is_flag=True, help="Leave out the scripts in FOLDER.")
@click.option("--figure", type=click.Path(path_type=Path), help="Draw the ROC curves into a PNG.")
def command(
    folder: Path,
    dataset: Path,
    bundle: Path,
    *,
    choosing: bool,
    without_scripts: bool,
    figure: Path | None,
) -> int:
    """Measure every kind and print the table."""
    meter = Meter(bundle)
    with open_dataset(dataset) as opened:
        held_out = meter.measured(rows(opened.validation, HELD_OUT))
        real = held_out if choosing else meter.measured(rows(opened.test, HELD_OUT))
        kinds = {}
        data = None if without_scripts else folder
        for name, images in kinds_of(meter, opened, data, choosing=choosing):
            kinds[name] = meter.measured(images)
            click.echo(f"{name}: {kinds[name].refused}", err=True)
    for line in table(real, held_out, kinds):
        click.echo(line)
    if figure is not None:
        draw_curves(figure, real, kinds)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run(command, argv)


if __name__ == "__main__":
    sys.exit(main())
