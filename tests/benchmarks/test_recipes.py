"""The comparison of recipes on few pictures: running mean, variants, and a whole comparison."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.recipes import OURS, VARIANTS, RunningMean, Variant, build_squeezed, trained
from inkfold.dataset.reader import open_dataset
from inkfold.networks.residual32 import RECIPE, build
from inkfold.recipe import Stage
from tests.worlds import tiny_network
from tests.worlds.packed_strokes import write_packed


def test_older_weights_fade_from_the_running_mean() -> None:
    """With a horizon of 2 each update halves what was: 8, then 6 after a 4, then 3 after a 0."""
    mean = RunningMean(2)

    for weight in (8.0, 4.0, 0.0):
        mean.take([np.full(3, weight, np.float32)])

    assert [part.tolist() for part in mean.weights] == [[3.0, 3.0, 3.0]]


def test_variants_differ_from_the_recipe_in_what_they_are_named_for() -> None:
    """Each variant differs in one thing: the distortion, the batch size, or the network."""
    recipes = {name: variant.recipe for name, variant in VARIANTS.items()}

    assert recipes["recipe"] == recipes["squeezed"] == RECIPE
    assert replace(recipes["batch256"], batch=RECIPE.batch) == RECIPE
    for name in ("elastic", "mild", "strong", "wide"):
        assert recipes[name] != RECIPE
        assert replace(recipes[name], distortion=OURS) == RECIPE
    networks = {name: variant.build for name, variant in VARIANTS.items()}
    assert networks.pop("squeezed") is build_squeezed
    assert set(networks.values()) == {build}


@pytest.mark.slow
def test_squeezing_adds_two_small_layers_to_each_block() -> None:
    """Layers of f/8 and of f units, for f = 48, 96, 192, have 630, 2,412 and 9,432 parameters."""
    added = build_squeezed(10).count_params() - build(10).count_params()

    assert added == 630 + 2_412 + 9_432


@pytest.mark.slow
def test_a_variant_is_measured_with_its_last_weights_and_their_mean(tmp_path: Path) -> None:
    """Both are measured on all of validation; in a first epoch the mean is behind the last."""
    recipe = replace(tiny_network.RECIPE, stages=(Stage(3e-3, 1, 1),), batch=8)
    variant = Variant(recipe, tiny_network.build)
    with open_dataset(write_packed(tmp_path / "d.h5", (320, 200, 4))) as dataset:
        last, mean = trained(variant, dataset, 1, 0, tmp_path / "checkpoint.npz")

    assert last.total == mean.total == 200
    assert last.correct > 60  # a guess has 50
    assert mean.correct < last.correct
