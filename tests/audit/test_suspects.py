"""The quick network that judges labels: how long it trains, and what it does not judge."""

from __future__ import annotations

import numpy as np
import pytest

from inkfold.audit.suspects import Lesson, ask, compiled, epochs_of, suspects_of, train


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


def test_a_fold_learns_as_if_no_fold_had_been_before_it() -> None:
    """A network that learnt another lesson first gives the answers of one that did not."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 8, 8), dtype=np.uint8)
    places, labels = np.arange(60), np.arange(60) % 3
    lesson = Lesson(images=images, places=places[:40], labels=labels[:40], classes=3)
    other = Lesson(images=images, places=places[20:], labels=labels[20:][::-1], classes=3)
    first, second = compiled(8, 3), compiled(8, 3)

    train(first, lesson, epochs=2, seed=5, advance=lambda _count: None)
    train(second, other, epochs=2, seed=4, advance=lambda _count: None)
    between = ask(second, images, places)
    train(second, lesson, epochs=2, seed=5, advance=lambda _count: None)

    answers = ask(first, images, places)
    assert not np.array_equal(between, answers)
    assert np.array_equal(ask(second, images, places), answers)
