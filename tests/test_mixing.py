"""Mixup: a blend and its targets tell the same shares."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkfold.commands.cli import run
from inkfold.commands.train import train_command
from inkfold.mixing import Mixup
from tests import tiny_network
from tests.packed import write_packed
from tests.trained import weights

CLASSES = 4


def flat(labels: list[int]) -> np.ndarray:
    """One even picture of 2x2 pixels for each label: grey level 60 times the label."""
    levels = 60 * np.array(labels, np.uint8)
    return np.broadcast_to(levels[:, None, None, None], (len(labels), 2, 2, 1)).copy()


@given(
    st.lists(st.integers(0, CLASSES - 1), min_size=1, max_size=40),
    st.floats(0.05, 4),
    st.integers(0, 2**32),
)
def test_a_blend_is_as_grey_as_its_targets_say(
    labels: list[int], strength: float, seed: int
) -> None:
    """Grey level 60 a label: the mean of the labels by their shares, to half a level."""
    mixup = Mixup(strength, CLASSES)

    images, targets = mixup.mix(
        flat(labels), np.array(labels, np.int32), np.random.default_rng(seed)
    )

    assert images.dtype == np.uint8
    assert targets.dtype == np.float32
    assert targets.sum(axis=1) == pytest.approx(1)
    assert (targets >= 0).all()
    expected = np.broadcast_to(
        (60 * targets @ np.arange(CLASSES))[:, None, None, None], images.shape
    )
    assert images == pytest.approx(expected, abs=0.51)


def test_shares_are_even_over_a_batch() -> None:
    """Strength 1: half a blend is its own picture, half a random one; no class is favoured."""
    labels = np.repeat(np.arange(CLASSES, dtype=np.int32), 500)

    _, targets = Mixup(1.0, CLASSES).mix(flat(labels.tolist()), labels, np.random.default_rng(0))

    own = targets[np.arange(len(labels)), labels]
    assert targets.sum(axis=0) == pytest.approx(np.full(CLASSES, 500), abs=60)
    assert own.mean() == pytest.approx(0.5 + 0.5 / CLASSES, abs=0.03)


def test_a_small_strength_leaves_most_pictures_nearly_alone() -> None:
    """Beta(0.2, 0.2) lies near 0 and 1, Beta(4, 4) about one half."""
    labels = np.arange(2000, dtype=np.int32) % CLASSES

    def near_one_class(strength: float) -> float:
        mixup = Mixup(strength, CLASSES)
        _, targets = mixup.mix(flat(labels.tolist()), labels, np.random.default_rng(0))
        return float((targets.max(axis=1) > 0.9).mean())

    assert near_one_class(0.2) > 0.6
    assert near_one_class(4.0) < 0.4


def test_the_same_generator_gives_the_same_blends() -> None:
    """And another one others."""
    labels = np.arange(64, dtype=np.int32) % CLASSES
    mixup, images = Mixup(0.5, CLASSES), flat(labels.tolist())

    first, again, other = (
        mixup.mix(images, labels, np.random.default_rng(seed)) for seed in (3, 3, 4)
    )

    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])
    assert not np.array_equal(first[1], other[1])


@pytest.mark.slow
def test_a_network_is_trained_with_the_mixup_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its record and its card say so; the same seed without it ends with other weights."""
    monkeypatch.chdir(tmp_path)
    data = str(write_packed(tmp_path / "d.h5"))
    tiny = train_command(tiny_network.build, tiny_network.RECIPE, program="tiny")
    plain, mixed = tmp_path / "plain", tmp_path / "mixed"

    assert run(tiny, [data, "-o", str(plain), "--epochs", "1", "-q"]) == 0
    assert run(tiny, [data, "-o", str(mixed), "--epochs", "1", "-q", "--mixup", "0.3"]) == 0

    recipes = [json.loads((b / "bundle.json").read_text())["recipe"] for b in (plain, mixed)]
    assert [recipe["mixup"] for recipe in recipes] == [0, 0.3]
    assert "; mixup 0.3 |" in (mixed / "MODEL_CARD.md").read_text()
    assert "mixup" not in (plain / "MODEL_CARD.md").read_text()
    same = [np.array_equal(a, b) for a, b in zip(weights(plain), weights(mixed), strict=True)]
    assert not all(same)
