"""The quick network that judges labels: how long it trains, and what it does not judge."""

from __future__ import annotations

import numpy as np
import pytest

from inkfold.audit.suspects import epochs_of, suspects_of


def test_small_sets_get_more_epochs() -> None:
    """The epochs make up 1,500 steps of 128 pictures on four fifths of the set, from 5 to 60."""
    assert epochs_of(1_000_000) == epochs_of(60_000) == 5
    assert epochs_of(16_000) == 15
    assert epochs_of(1) == epochs_of(1_797) == 60


def test_labels_of_a_single_class_are_not_judged() -> None:
    """A class of fewer than ten pictures is left out; with one class left there are no suspects."""
    pytest.importorskip("cleanlab", reason="the extra [audit] is not installed")
    images = np.zeros((30, 8, 8), np.uint8)
    labels = np.repeat(np.array([0, 1], np.int32), [21, 9])
    digest = np.zeros((30, 2), np.uint64)

    assert suspects_of(images, labels, digest, np.ones(30, bool), classes=2) is None
