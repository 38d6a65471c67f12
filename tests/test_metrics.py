"""The measures: against published values, by hand, and against scikit-learn."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    log_loss,
    precision_recall_fscore_support,
    recall_score,
    top_k_accuracy_score,
)
from sklearn.metrics import confusion_matrix as reference_matrix

from inkfold.metrics import (
    ClassScore,
    Confusion,
    GroupScore,
    Rate,
    balanced_accuracy,
    class_scores,
    confused_pairs,
    confusion_matrix,
    cross_entropy,
    group_scores,
    majority,
    ranks,
    spread,
    wilson,
)

law = settings(deadline=None, derandomize=True, max_examples=100)
answers = st.integers(2, 8).flatmap(
    lambda classes: st.tuples(
        st.just(classes),
        st.lists(
            st.tuples(st.integers(0, classes - 1), st.integers(0, classes - 1)),
            min_size=1,
            max_size=60,
        ),
    )
)
Pairs = tuple[int, list[tuple[int, int]]]


def columns(pairs: list[tuple[int, int]]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Labels of the type that a dataset has, and answers of the type that argmax gives."""
    true, predicted = zip(*pairs, strict=True)
    return np.array(true, np.int32), np.array(predicted, np.int64)


def drawn(seed: int, *, classes: int = 7, rows: int = 40) -> NDArray[np.float32]:
    """Probabilities (rows, classes) made from integers below 10, so that many are equal."""
    raw = np.random.default_rng(seed).integers(1, 10, (rows, classes)).astype(np.float64)
    return np.asarray(raw / raw.sum(axis=1, keepdims=True), np.float32)


@pytest.mark.parametrize(
    ("correct", "total", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 17 (1998), table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        # by hand
        (8, 10, 0.4902, 0.9433),
        (10, 10, 0.7225, 1.0),
    ],
)
def test_wilson_gives_the_published_intervals(
    correct: int, total: int, low: float, high: float
) -> None:
    """Intervals agree to four decimals with published ones, and with two more worked by hand."""
    assert wilson(correct, total) == pytest.approx((low, high), abs=5e-5)


@law
@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_contains_the_share_and_is_mirrored_for_the_misses(
    counts: tuple[int, int],
) -> None:
    """The interval contains the share; that of the misses is (1 - high, 1 - low)."""
    correct, total = counts

    low, high = wilson(correct, total)

    assert 0 <= low <= correct / total <= high <= 1
    assert wilson(total - correct, total) == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize(("correct", "total"), [(0, 0), (3, 2), (-1, 5)])
def test_impossible_counts_have_no_interval(correct: int, total: int) -> None:
    """A ValueError is raised for 0 of 0, for more correct than in total, and for less than 0."""
    with pytest.raises(ValueError, match="is not a share"):
        wilson(correct, total)


def test_a_rate_of_nothing_is_undefined_and_not_zero() -> None:
    """A rate of 0 of 0 has neither share nor interval; 0 of 20 has both."""
    assert (Rate(0, 0).share, Rate(0, 0).interval) == (None, None)
    assert Rate(0, 20).share == 0.0
    assert Rate(0, 20).interval == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_a_rate_reads_as_counts_share_and_interval() -> None:
    """A rate is printed with its counts first, and 0 of 0 with its counts alone."""
    assert str(Rate(8, 10)) == "8 of 10, 80.00 % (95 % interval 49.02 to 94.33)"
    assert str(Rate(1978, 2009)).startswith("1,978 of 2,009, 98.46 % (")
    assert str(Rate(0, 0)) == "0 of 0"


def test_a_rate_is_json_with_null_where_it_is_undefined() -> None:
    """The JSON of a rate holds counts, share and interval; those of 0 of 0 are None."""
    assert Rate(1, 2).as_json() == {
        "correct": 1,
        "total": 2,
        "share": 0.5,
        "interval": pytest.approx((0.0945, 0.9055), abs=5e-5),
    }
    assert Rate(0, 0).as_json() == {"correct": 0, "total": 0, "share": None, "interval": None}


def test_rows_of_the_confusion_matrix_are_the_true_classes() -> None:
    """Two pictures of class 0 that were answered 2 are counted in row 0, column 2."""
    confusion = confusion_matrix(np.array([0, 0, 1, 2]), np.array([2, 2, 1, 2]), 4)

    assert confusion.dtype == np.int64
    assert confusion.tolist() == [[0, 0, 2, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]


def test_small_label_types_do_not_overflow() -> None:
    """Label 20 of 200 classes counts in row 20 although 20 x 200 exceeds a uint8."""
    confusion = confusion_matrix(np.array([20], np.uint8), np.array([3], np.uint8), 200)

    assert np.argwhere(confusion).tolist() == [[20, 3]]


def test_class_scores_of_a_hand_computed_case() -> None:
    """Precision, recall and F1 follow from the counts; without answers precision is undefined."""
    # class 1: 3 pictures, 2 answers, 1 right; class 2 is never answered; class 3 has no pictures
    confusion = np.array([[2, 1, 0, 0], [1, 1, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0]])

    zero, one, two, three = class_scores(confusion)

    assert zero == ClassScore(support=3, predicted=4, correct=2)
    assert (one.precision, one.recall, one.f1) == (Rate(1, 2), Rate(1, 3), 2 / 5)
    assert (two.precision.share, two.recall.share, two.f1) == (None, 0.0, 0.0)
    assert (three.precision.share, three.recall.share, three.f1) == (0.0, None, 0.0)
    assert balanced_accuracy((zero, one, two, three)) == pytest.approx((2 / 3 + 1 / 3 + 0) / 3)


def test_a_class_without_pictures_and_answers_has_no_scores_at_all() -> None:
    """A class with neither pictures nor answers has scores of None, which were never measured."""
    empty = ClassScore(0, 0, 0)

    assert (empty.precision.share, empty.recall.share, empty.f1) == (None, None, None)
    assert balanced_accuracy((empty,)) is None


@law
@given(answers)
def test_counts_equal_scikit_learn(case: Pairs) -> None:
    """Confusion matrix, precision, recall, F1 and support of any answers are scikit-learn's."""
    classes, pairs = case
    true, predicted = columns(pairs)
    names = list(range(classes))

    confusion = confusion_matrix(true, predicted, classes)
    scores = class_scores(confusion)

    assert np.array_equal(confusion, reference_matrix(true, predicted, labels=names))
    precision, recall, f1, support = precision_recall_fscore_support(
        true, predicted, labels=names, zero_division=np.nan
    )
    assert [s.support for s in scores] == support.tolist()
    for ours, reference in (
        ([s.precision.share for s in scores], precision),
        ([s.recall.share for s in scores], recall),
        ([s.f1 for s in scores], f1),
    ):
        filled = [np.nan if value is None else value for value in ours]
        np.testing.assert_allclose(filled, reference)


@law
@given(answers)
def test_balanced_accuracy_equals_scikit_learn(case: Pairs) -> None:
    """Balanced accuracy is scikit-learn's macro recall of the classes that have pictures."""
    classes, pairs = case
    true, predicted = columns(pairs)

    ours = balanced_accuracy(class_scores(confusion_matrix(true, predicted, classes)))

    present = np.unique(true)
    assert ours == pytest.approx(recall_score(true, predicted, labels=present, average="macro"))


@law
@given(answers)
def test_the_confused_pairs_are_the_mistakes(case: Pairs) -> None:
    """The pairs count every wrong answer once and are sorted, the most frequent first."""
    classes, pairs = case

    confused = confused_pairs(confusion_matrix(*columns(pairs), classes))

    assert sum(pair.count for pair in confused) == sum(true != answer for true, answer in pairs)
    assert all(pairs.count((p.true, p.predicted)) == p.count for p in confused)
    assert list(confused) == sorted(confused, key=lambda p: (-p.count, p.true, p.predicted))


def test_right_answers_give_no_confused_pairs() -> None:
    """A diagonal matrix holds no confusion, and finding that out leaves the matrix unchanged."""
    confusion = np.diag([3, 2])

    assert confused_pairs(confusion) == ()
    assert confusion.tolist() == [[3, 0], [0, 2]]
    assert confused_pairs(np.array([[3, 1], [2, 0]])) == (Confusion(1, 0, 2), Confusion(0, 1, 1))


def test_rank_counts_the_likelier_classes() -> None:
    """A label's rank is the number of likelier ones; equal ones rank in label order."""
    probabilities = np.array([[0.1, 0.6, 0.3]] * 3 + [[0.4, 0.4, 0.2]] * 2, np.float32)

    assert ranks(probabilities, np.array([0, 1, 2, 0, 1])).tolist() == [2, 0, 1, 0, 1]


@law
@given(st.integers(0, 1000))
def test_rank_zero_is_argmax(seed: int) -> None:
    """The class that argmax gives has rank 0, and no other has, among many equal probabilities."""
    probabilities = drawn(seed)
    labels = probabilities.argmax(axis=1)

    assert (ranks(probabilities, labels) == 0).all()
    assert (ranks(probabilities, (labels + 1) % 7) > 0).all()


@pytest.mark.parametrize("k", [1, 2, 5])
def test_top_k_counts_equal_scikit_learn(k: int) -> None:
    """Ranks below k count what scikit-learn's top-k accuracy counts, for distinct probabilities."""
    rng = np.random.default_rng(k)
    probabilities = rng.dirichlet(np.ones(7), 200)
    labels = rng.integers(0, 7, 200)

    correct = int((ranks(probabilities, labels) < k).sum())

    reference = top_k_accuracy_score(labels, probabilities, k=k, labels=range(7), normalize=False)
    assert correct == reference


def test_cross_entropy_is_the_mean_and_clips() -> None:
    """A class given probability 0 costs -log 1e-7, about 16.1 nats, and not infinity."""
    loss = cross_entropy(np.array([1.0, 0.5, 0.0], np.float32))

    assert loss == pytest.approx((0 + log(2) + log(1e7)) / 3)


def test_cross_entropy_equals_scikit_learn() -> None:
    """The loss is scikit-learn's log loss on probabilities that need no clipping."""
    rng = np.random.default_rng(3)
    probabilities = rng.dirichlet(np.ones(5), 300)
    labels = rng.integers(0, 5, 300)

    loss = cross_entropy(probabilities[np.arange(300), labels])

    assert loss == pytest.approx(log_loss(labels, probabilities, labels=range(5)))


def test_the_majority_class_is_that_of_the_known_labels() -> None:
    """The commonest known label is compared with the labels to be answered; of ties the lowest."""
    assert majority(np.array([1, 1, 2]), np.array([0, 0, 2])) == (2, Rate(1, 3))
    assert majority(np.array([1, 1]), np.array([1, 1])) == (0, Rate(0, 2))


def test_the_weakest_group_comes_first() -> None:
    """Groups are sorted by share, equal ones by size; pictures of unknown group are left out."""
    groups = ["b", "", "a", "c", "a", "b", "c", "", "c", "c"]
    right = np.array([True, False, True, True, True, True, False, True, True, False])

    assert group_scores(groups, right) == (
        GroupScore("c", Rate(2, 4)),
        GroupScore("a", Rate(2, 2)),
        GroupScore("b", Rate(2, 2)),
    )


def test_without_groups_there_are_no_scores_and_no_spread() -> None:
    """Pictures of unknown group give no group scores, and fewer than two groups no spread."""
    assert group_scores(["", ""], np.array([True, False])) == ()
    assert spread([GroupScore("a", Rate(1, 2))]) is None


@law
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=60))
def test_each_group_agrees_with_scikit_learn(pairs: list[tuple[int, bool]]) -> None:
    """The share of a group is scikit-learn's accuracy on the pictures of that group."""
    groups = np.array([f"writer {number}" for number, _ in pairs])
    right = np.array([hit for _, hit in pairs])

    scores = group_scores(groups.tolist(), right)

    assert sum(score.right.total for score in scores) == len(pairs)
    for score in scores:
        own = right[groups == score.name]
        assert score.right.share == pytest.approx(accuracy_score(np.ones_like(own), own))


def test_the_spread_counts_every_group_the_same() -> None:
    """Shares of 0.5 and 1 have the mean 0.75 although one group has three times the pictures."""
    two = spread([GroupScore("a", Rate(1, 2)), GroupScore("b", Rate(6, 6))])

    assert two is not None
    assert (two.groups, two.mean, two.lowest, two.highest) == (2, 0.75, 0.5, 1.0)
    assert two.deviation == pytest.approx(np.sqrt(0.125))
    assert two.by_chance == pytest.approx(np.sqrt(7 / 8 * 1 / 8 * (1 / 2 + 1 / 6) / 2))


def test_equally_easy_groups_vary_as_much_as_chance_predicts() -> None:
    """Where each picture is right with probability 0.9 the deviation is the one by chance."""
    rng = np.random.default_rng(0)
    totals = rng.integers(20, 61, 600)
    scores = [
        GroupScore(str(number), Rate(int(rng.binomial(total, 0.9)), int(total)))
        for number, total in enumerate(totals)
    ]

    by_luck = spread(scores)

    assert by_luck is not None
    assert by_luck.deviation == pytest.approx(by_luck.by_chance, rel=0.1)
