"""What an evaluation says to do next: only what its figures give a ground for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from inkfold.calibration import RejectThreshold, Withheld
from inkfold.evaluation.advice import Learned, advice, apart, found
from inkfold.evaluation.calibrate import Calibration
from inkfold.evaluation.evaluate import Evaluation, Mistake
from inkfold.metrics import Rate
from tests.evaluation.test_report import evaluation


def result_of(matrix: NDArray[np.int64] | list[list[int]], classes: str) -> Evaluation:
    """A result with this confusion matrix, and as many mistakes as it has."""
    counts = np.array(matrix)
    mistake = Mistake(source="a.png", true="a", predicted="b", probability=0.6, of_truth=0.3)
    wrong = int(counts.sum() - np.trace(counts))
    return evaluation(counts, classes, mistakes=(mistake,) * wrong)


def only(pieces: list[str], word: str) -> str:
    """The one piece of advice that has a word in it."""
    (piece,) = [piece for piece in pieces if word in piece]
    return piece


def test_what_was_found_is_a_count_and_how_often() -> None:
    """A tenth wrong is one in ten; where nothing is wrong nothing is said of mistakes."""
    assert found(result_of([[90, 10], [10, 90]], "ab")) == (
        "Of 200 pictures 180 were answered rightly and 20 wrongly, one in 10."
    )
    assert found(result_of([[1, 0], [0, 1]], "ab")) == "All 2 pictures were answered rightly."


def test_a_faultless_result_on_many_pictures_has_no_advice() -> None:
    """Where every answer is right and the interval is narrow there is nothing to do."""
    assert advice(result_of(np.diag([2000, 2000]), "ab"), Learned(1.0, distorted=False)) == []


def test_a_network_that_learned_nothing_is_not_said_to_confuse_classes() -> None:
    """If always answering one class is as good, that is the one thing that is said."""
    (piece,) = advice(result_of([[60, 0], [40, 0]], "ab"))

    assert "not better than always answering a" in piece


def test_pairs_count_in_both_directions() -> None:
    """Answers a for b and b for a are one confusion: 30 and 12 make 42 of the 45 wrong answers."""
    pieces = advice(result_of([[500, 30, 3], [12, 500, 0], [0, 0, 500]], "abc"))

    text = only(pieces, "confused most often")
    assert "a and b (42); a and c (3). That is 45 of the 45 wrong answers" in text


def test_only_is_advised_where_kinds_of_characters_are_confused() -> None:
    """Digits that are taken for letters: 8 of their 9 wrong answers need no digit as answer."""
    matrix = np.diag([100] * 4)
    matrix[0, 2], matrix[0, 1] = 8, 1

    text = only(advice(result_of(matrix, "01AB")), "--only")
    assert "8 of 9 for digits (--only 0-9)." in text
    assert "--only" not in str(advice(result_of(matrix, "abcd"))), "one kind alone"


def test_wrong_answers_within_a_kind_give_no_ground_for_only() -> None:
    """Where digits are taken for digits, ruling letters out would change nothing."""
    matrix = np.diag([100] * 4)
    matrix[0, 1] = matrix[2, 3] = 9

    assert "--only" not in str(advice(result_of(matrix, "01AB")))


def test_sure_mistakes_are_counted_and_an_audit_is_advised() -> None:
    """Only answers with 95 % or more are sure."""
    plain = result_of([[300, 2], [0, 300]], "ab")
    sure, unsure = (replace(plain.mistakes[0], probability=p) for p in (0.95, 0.94))

    text = only(advice(replace(plain, mistakes=(sure, unsure))), "inkfold audit")
    assert text.startswith("1 picture was answered wrongly with 95 % or more")
    assert "inkfold audit" not in str(advice(plain))


def test_more_pictures_are_asked_for_where_small_classes_are_recognised_less() -> None:
    """20 of 50 of the smallest class, all of the largest: a ground; 49 of 50: none."""
    sizes = np.array([10, 100, 1000])

    for right, said in ((20, True), (49, False)):
        plain = result_of([[right, 50 - right, 0], [0, 300, 0], [0, 0, 300]], "abc")
        text = str(advice(replace(plain, training_counts=sizes)))
        assert ("--balance" in text) == said
    assert "--balance" not in str(advice(plain)), "unknown sizes"


def test_distortion_is_advised_where_training_is_better_and_had_none() -> None:
    """99 % in training and 90 % here is a gap; 91 % in training is within the interval."""
    plain = result_of([[450, 50], [50, 450]], "ab")

    assert "--augment online" in str(advice(plain, Learned(0.99, distorted=False)))
    distorted = str(advice(plain, Learned(0.99, distorted=True)))
    assert "more pictures would help." in distorted
    assert "--augment online" not in distorted
    assert "trained on better" not in str(advice(plain, Learned(0.91, distorted=False)))


def test_a_threshold_is_advised_that_leaves_clearly_fewer_wrong_answers() -> None:
    """The threshold for 2 % withholds the wrong answers; that for 5 % withholds nothing."""
    plain = result_of([[450, 50], [50, 450]], "ab")
    right = plain.predictions.right
    probability = np.where(right, 0.9, 0.5).astype(np.float32)
    thresholds = (
        RejectThreshold(0.05, 0.0, Withheld(4, 100, 100)),
        RejectThreshold(0.02, 0.75, Withheld(0, 90, 100)),
    )
    result = replace(
        plain,
        predictions=replace(plain.predictions, probability=probability),
        calibration=Calibration(temperature=None, how="", thresholds=thresholds),
    )

    assert "--reject 0.75 answers 900 of these 1,000 pictures, 0 of them wrongly" in only(
        advice(result), "cost more"
    )
    assert "cost more" not in str(advice(plain))


def test_more_test_pictures_are_asked_for_where_the_interval_is_wide() -> None:
    """40 pictures leave 90 % open by more than 2 points; 40,000 do not."""
    few, many = (result_of([[18 * k, 2 * k], [2 * k, 18 * k]], "ab") for k in (1, 1000))

    assert only(advice(few), "points either way").startswith("40 pictures tell")
    assert "points either way" not in str(advice(many))


@pytest.mark.parametrize(("first", "second", "expected"), [(1, 40, True), (30, 40, False)])
def test_shares_are_apart_where_their_intervals_do_not_overlap(
    first: int, second: int, *, expected: bool
) -> None:
    """1 and 40 of 100 are apart, 30 and 40 are not."""
    assert apart(Rate(first, 100), Rate(second, 100)) == expected
