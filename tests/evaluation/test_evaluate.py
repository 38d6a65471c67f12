"""An evaluation of which every figure is known by hand."""

from __future__ import annotations

from math import log
from pathlib import Path

import numpy as np
import pytest

from inkfold.bundle.bundle import load_bundle
from inkfold.classifier import Classifier
from inkfold.dataset.reader import open_dataset
from inkfold.errors import InkfoldError
from inkfold.evaluation.evaluate import Evaluation, Mistake, evaluate
from inkfold.metrics import ClassScore, Confusion, Rate
from inkfold.spec import ImageSpec
from tests.worlds.bands import CLASSES, write_bundle, write_dataset

# Seven pictures: band 0 in a picture of class 1, and a blank one of class 2, are answered 0.
TEST = ((0, 0, 1, 2, None, 3, 1), (0, 1, 1, 2, 2, 3, 1))
TRAIN = ((2, 2, 0), (2, 2, 0))


@pytest.fixture
def result(tmp_path: Path) -> Evaluation:
    """The evaluation of the test split."""
    path = write_dataset(tmp_path / "d.h5", {"train": TRAIN, "test": TEST})
    classifier = Classifier(load_bundle(write_bundle(tmp_path / "second try")))
    with open_dataset(path) as dataset:
        return evaluate(classifier, dataset)


def test_the_counts_are_those_of_the_pictures(result: Evaluation) -> None:
    """Five of seven pictures are right; with four classes every one is among the first five."""
    assert result.accuracy == Rate(5, 7)
    assert result.top5 == Rate(7, 7)
    assert result.confusion.tolist() == [
        [1, 0, 0, 0],
        [1, 2, 0, 0],
        [1, 0, 1, 0],
        [0, 0, 0, 1],
    ]
    assert result.scores[0] == ClassScore(support=1, predicted=3, correct=1)
    assert result.pairs == (Confusion(1, 0, 1), Confusion(2, 0, 1))


def test_the_loss_is_the_mean_over_pictures(result: Evaluation) -> None:
    """The true class got 3/4 in five pictures, 1/12 in the wrong one, 1/4 in the blank one."""
    expected = -(5 * log(3 / 4) + log(1 / 12) + log(1 / 4)) / 7

    assert result.loss == pytest.approx(expected, rel=1e-5)


def test_the_baseline_is_chosen_on_the_train_split(result: Evaluation) -> None:
    """Class 2 is train's commonest: 2 of 7 test pictures show it, though 3 of 7 show class 1."""
    assert (result.majority, result.baseline) == ("$c", Rate(2, 7))


def test_the_surest_mistake_comes_first(result: Evaluation) -> None:
    """A mistake has its source, both classes and both probabilities; the surest comes first."""
    first, second = result.mistakes

    assert (first.source, first.true, first.predicted) == ("test/1.png", "b b", "あ")
    assert (first.probability, first.of_truth) == pytest.approx((0.75, 1 / 12))
    assert second == Mistake(
        source="test/4.png", true="$c", predicted="あ", probability=0.25, of_truth=0.25
    )


def test_an_evaluation_names_its_bundle_and_its_dataset(result: Evaluation, tmp_path: Path) -> None:
    """It has the bundle's folder, the dataset's path and fingerprint, the split and the classes."""
    with open_dataset(tmp_path / "d.h5") as dataset:
        fingerprint = dataset.fingerprint

    assert (result.bundle, result.split, result.classes) == ("second try", "test", CLASSES)
    assert (result.dataset, result.fingerprint) == (str(tmp_path / "d.h5"), fingerprint)


def test_the_fifth_place_counts_and_the_sixth_does_not(tmp_path: Path) -> None:
    """Of seven equally likely classes class k has place k, so five of seven count for top 5."""
    classes, spec = tuple("abcdefg"), ImageSpec(size=14, fit="stretch", ink="light")
    splits = {"test": ([None] * 7, range(7))}
    path = write_dataset(tmp_path / "d.h5", splits, classes=classes, spec=spec)
    bundle = load_bundle(write_bundle(tmp_path / "bands", classes=classes, spec=spec))

    with open_dataset(path) as dataset:
        result = evaluate(Classifier(bundle), dataset)

    assert (result.accuracy, result.top5) == (Rate(1, 7), Rate(5, 7))
    assert (result.majority, result.baseline) == ("a", Rate(1, 7)), "an empty train split"


def test_every_picture_of_a_large_split_is_answered_once(tmp_path: Path) -> None:
    """4,500 pictures are more than a block of 4,096: none is dropped, and progress counts all."""
    labels = np.arange(4500) % 4
    splits = {"validation": (labels.tolist(), labels.tolist())}
    counts: list[int] = []

    with open_dataset(write_dataset(tmp_path / "d.h5", splits)) as dataset:
        bundle = load_bundle(write_bundle(tmp_path / "bands"))
        result = evaluate(Classifier(bundle), dataset, "validation", advance=counts.append)

    assert result.accuracy == Rate(4500, 4500)
    assert result.confusion.tolist() == np.diag([1125] * 4).tolist()
    assert sum(counts) == 4500
    assert len(counts) > 1


def test_a_dataset_of_other_classes_is_refused(tmp_path: Path) -> None:
    """The function that the command calls checks the classes itself, too."""
    path = write_dataset(tmp_path / "d.h5", {"test": TEST}, classes=("a", "b", "c", "d"))
    classifier = Classifier(load_bundle(write_bundle(tmp_path / "bands")))

    with open_dataset(path) as dataset, pytest.raises(InkfoldError, match="0: 'あ' in the bundle"):
        evaluate(classifier, dataset)
