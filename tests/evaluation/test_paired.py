"""Two classifiers on the same pictures: the test, the interval, and the sentence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from inkfold.evaluation.paired import Paired, mcnemar, verdict

law = settings(deadline=None, derandomize=True, max_examples=200)
COUNTS = st.integers(0, 400)
NAMES = ("one", "two")


@law
@given(COUNTS, COUNTS)
def test_mcnemar_agrees_with_the_binomial_test(only_first: int, only_second: int) -> None:
    """McNemar's p is that of SciPy's exact test of a fair coin; without a throw it is 1."""
    total = only_first + only_second
    expected = binomtest(only_first, total).pvalue if total else 1.0

    assert mcnemar(only_first, only_second) == pytest.approx(expected, rel=1e-9)
    assert mcnemar(only_first, only_second) == mcnemar(only_second, only_first)


def test_mcnemar_by_hand() -> None:
    """Five throws of the same side have p = 2/32, three of four p = 2 * 5/16, two of four p = 1."""
    assert mcnemar(5, 0) == pytest.approx(2 / 32)
    assert mcnemar(1, 3) == pytest.approx(2 * 5 / 16)
    assert mcnemar(2, 2) == 1.0


@law
@given(COUNTS, COUNTS, st.integers(0, 1000))
def test_the_interval_is_scipys_and_agrees_with_the_test(
    only_first: int, only_second: int, alike: int
) -> None:
    """It leaves 0 out exactly where p is below 0.05, and it holds the difference itself."""
    uneven = only_first + only_second
    total = uneven + alike + 1
    paired = Paired(only_first=only_first, only_second=only_second, total=total)

    low, high = paired.interval

    assert low <= paired.difference <= high
    assert (low > 0 or high < 0) == (paired.p_value < 0.05)
    if uneven:
        share = binomtest(only_second, uneven).proportion_ci(method="exact")
        expected = [(2 * end - 1) * uneven / total for end in (share.low, share.high)]
        np.testing.assert_allclose((low, high), expected, atol=1e-9)


def test_as_many_pictures_as_are_asked_for_tell_the_difference_in_four_of_five() -> None:
    """Drawn 4,000 times with the shares that were seen, the test tells it in 80 % (78 to 82)."""
    paired = Paired(only_first=30, only_second=45, total=1000)
    assert paired.needed is not None
    rng = np.random.default_rng(0)
    shares = [0.030, 0.045, 0.925]

    drawn = rng.multinomial(paired.needed, shares, 4000)[:, :2].tolist()

    told = sum(mcnemar(first, second) < 0.05 for first, second in drawn) / len(drawn)
    assert 0.76 < told < 0.83


@pytest.mark.parametrize(
    ("only_first", "only_second", "said"),
    [
        (
            10,
            60,
            "two is better than one: it has 5.00 points more of the same 1,000 pictures",
        ),
        (
            60,
            10,
            "one is better than two: it has 5.00 points more of the same 1,000 pictures",
        ),
        (
            30,
            36,
            "These 1,000 pictures cannot tell which is better: two has 0.60 points more",
        ),
        (36, 30, "cannot tell which is better: one has 0.60 points more right than two"),
        (7, 7, "one and two have equally many of the 1,000 pictures right"),
        (0, 0, "one and two have equally many of the 1,000 pictures right (95 % interval 0.00 to"),
    ],
)
def test_the_sentence_names_the_better_one_or_what_could_tell(
    only_first: int, only_second: int, said: str
) -> None:
    """It has the points with their interval; where nothing is shown, the number that would."""
    paired = Paired(only_first=only_first, only_second=only_second, total=1000)

    text = verdict(paired, NAMES)

    assert said in text
    assert "95 % interval" in text
    asked = "pictures would tell" in text
    assert asked == (paired.needed is not None and paired.p_value >= 0.05)
    if asked:
        assert f"about {paired.needed:,} pictures would tell" in text
