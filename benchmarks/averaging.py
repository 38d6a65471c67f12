"""What averaging the answers to distorted views of a picture adds to a bundle.

    python benchmarks/averaging.py BUNDLE DATASET      # --json FILE keeps the counts

Each test picture is answered eight times, as eight mildly distorted copies of itself, and the
probabilities are averaged; how mild was fixed before any test split was read.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from inkfold.bundle.bundle import load_bundle
from inkfold.classifier import Classifier
from inkfold.commands import cli
from inkfold.dataset.reader import open_dataset
from inkfold.elastic import Elastic, chunk_rng
from inkfold.evaluation.compare import mcnemar
from inkfold.evaluation.compatibility import check_match
from inkfold.metrics import Rate
from inkfold.recipe import Distortion

VIEWS = 8
MILD = Distortion(sigma=6, alpha=24, rotate=5, scale=0.05, shear=5, shift=0.03)


def averaged(
    classifier: Classifier, images: NDArray[np.uint8], block: int, views: int = VIEWS
) -> NDArray[np.float32]:
    """Mean of the probabilities of `views` distorted copies: uint8 (n, H, W) -> float32 (n, C)."""
    elastic = Elastic.of(images.shape[1], MILD)
    answers = [
        classifier.network_answers(elastic.distort(images, chunk_rng(0, view, block)))
        for view in range(1, views + 1)
    ]
    return np.asarray(np.mean(answers, axis=0))


@click.command(help=__doc__)
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("dataset", type=click.Path(path_type=Path))
@click.option("--split", type=click.Choice(["test", "validation"]), default="test")
@click.option("--json", "kept", type=click.Path(path_type=Path), help="Where to keep the counts.")
def command(bundle: Path, dataset: Path, *, split: str, kept: Path | None) -> int:
    """Count right answers with and without averaging, on the same pictures."""
    loaded = load_bundle(bundle)
    classifier = Classifier(loaded)
    single, mean = [], []
    with open_dataset(dataset) as opened:
        check_match(loaded, opened, split)
        for number, block in enumerate(opened.split(split).blocks()):
            own = classifier.network_answers(block.images).argmax(axis=1)
            single.append(own == block.labels)
            views = averaged(classifier, block.images, number).argmax(axis=1)
            mean.append(views == block.labels)
    one, eight = np.concatenate(single), np.concatenate(mean)
    total = len(one)
    p = mcnemar(int((one & ~eight).sum()), int((~one & eight).sum()))
    click.echo(f"{split}, one answer a picture: {Rate(int(one.sum()), total)}")
    click.echo(f"{split}, mean of {VIEWS} views: {Rate(int(eight.sum()), total)}")
    click.echo(f"McNemar's exact test: p = {p:.2g}")
    if kept is not None:
        counts = {"views": VIEWS, "correct": int(eight.sum()), "total": total, "p": p}
        kept.write_text(json.dumps(counts) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(cli.run(command))
