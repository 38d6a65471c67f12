"""How many more pictures are right when the answers to eight distorted copies are averaged.

    python benchmarks/averaging.py BUNDLE DATASET      # --json FILE keeps the counts

Each test picture is distorted mildly, eight times, and the probabilities of the eight copies are
averaged. The strength of the distortion was fixed before any test split was read.
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
from inkfold.evaluation.compatibility import check_match
from inkfold.evaluation.paired import mcnemar
from inkfold.metrics import Rate
from inkfold.recipe import Distortion

VIEWS = 8
MILD = Distortion(sigma=6, alpha=24, rotate=5, scale=0.05, shear=5, shift=0.03)


def averaged(
    classifier: Classifier, images: NDArray[np.uint8], block: int, views: int = VIEWS
) -> NDArray[np.float32]:
    """Mean probabilities over `views` distorted copies: uint8 (n, H, W) -> float32 (n, C).

    `block` is the number of the block; it seeds the distortion together with the view.
    """
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
@click.option("--json", "output", type=click.Path(path_type=Path), help="Where to keep the counts.")
def command(bundle: Path, dataset: Path, *, split: str, output: Path | None) -> int:
    """Count right answers with and without averaging, on the same pictures."""
    loaded = load_bundle(bundle)
    classifier = Classifier(loaded)
    plain_blocks, averaged_blocks = [], []
    with open_dataset(dataset) as opened:
        check_match(loaded, opened, split)
        for number, block in enumerate(opened.split(split).blocks()):
            labels = classifier.network_answers(block.images).argmax(axis=1)
            plain_blocks.append(labels == block.labels)
            labels = averaged(classifier, block.images, number).argmax(axis=1)
            averaged_blocks.append(labels == block.labels)
    plain, mean = np.concatenate(plain_blocks), np.concatenate(averaged_blocks)
    total = len(plain)
    p = mcnemar(int((plain & ~mean).sum()), int((~plain & mean).sum()))
    click.echo(f"{split}, one answer a picture: {Rate(int(plain.sum()), total)}")
    click.echo(f"{split}, mean of {VIEWS} views: {Rate(int(mean.sum()), total)}")
    click.echo(f"McNemar's exact test: p = {p:.2g}")
    if output is not None:
        counts = {"views": VIEWS, "correct": int(mean.sum()), "total": total, "p": p}
        output.write_text(json.dumps(counts) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(cli.run(command))
