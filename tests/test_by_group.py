"""Groups: counts by hand, against scikit-learn, and what chance alone would do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score

from inkfold.metrics import GroupScore, Rate, group_scores, spread

law = settings(deadline=None, derandomize=True, max_examples=100)


def test_the_weakest_group_comes_first() -> None:
    """Of equal shares the one with more pictures; pictures of unknown group are left out."""
    groups = ["b", "", "a", "c", "a", "b", "c", "", "c", "c"]
    right = np.array([True, False, True, True, True, True, False, True, True, False])

    found = group_scores(groups, right)

    assert found == (
        GroupScore("c", Rate(2, 4)),
        GroupScore("a", Rate(2, 2)),
        GroupScore("b", Rate(2, 2)),
    )


def test_where_no_group_is_known_there_are_none() -> None:
    """And of fewer than two there is no spread."""
    assert group_scores(["", ""], np.array([True, False])) == ()
    assert spread([GroupScore("a", Rate(1, 2))]) is None


@law
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=60))
def test_each_group_agrees_with_scikit_learn(pairs: list[tuple[int, bool]]) -> None:
    """Its accuracy on the group's own pictures."""
    groups, right = np.array([f"writer {g}" for g, _ in pairs]), np.array([r for _, r in pairs])

    found = group_scores(groups.tolist(), right)

    assert sum(one.right.total for one in found) == len(pairs)
    for one in found:
        own = right[groups == one.name]
        assert one.right.share == pytest.approx(accuracy_score(np.ones_like(own), own))


def test_the_spread_counts_every_group_the_same() -> None:
    """Shares 0.5 and 1: mean 0.75, sample deviation 0.3536; by chance from the pooled share."""
    found = spread([GroupScore("a", Rate(1, 2)), GroupScore("b", Rate(6, 6))])

    assert found is not None
    assert (found.groups, found.mean, found.lowest, found.highest) == (2, 0.75, 0.5, 1.0)
    assert found.deviation == pytest.approx(np.sqrt(0.125))
    assert found.by_chance == pytest.approx(np.sqrt(7 / 8 * 1 / 8 * (1 / 2 + 1 / 6) / 2))


def test_equally_easy_groups_lie_as_far_apart_as_chance_has_it() -> None:
    """600 groups of 20 to 60 pictures, each picture right with 0.9."""
    rng = np.random.default_rng(0)
    totals = rng.integers(20, 61, 600)
    scores = [
        GroupScore(str(at), Rate(int(rng.binomial(total, 0.9)), int(total)))
        for at, total in enumerate(totals)
    ]

    found = spread(scores)

    assert found is not None
    assert found.deviation == pytest.approx(found.by_chance, rel=0.1)
