"""A network made ready to train: the recipe's decay and smoothing reach optimizer and loss."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from inkfold.keras_backend import import_keras
from inkfold.training.compile import compiled, smoothed
from tests.worlds import tiny_network

if TYPE_CHECKING:
    import keras

pytestmark = pytest.mark.slow
RATE = tiny_network.RECIPE.stages[0].learning_rate


def after_a_step_without_gradient(weight_decay: float) -> tuple[keras.Model, list[np.ndarray]]:
    """The tiny network after a step in which every gradient is zero, and its weights before."""
    keras = import_keras()
    keras.utils.set_random_seed(0)
    recipe = replace(tiny_network.RECIPE, weight_decay=weight_decay)
    model = compiled(tiny_network.build(3), recipe)
    for weight in model.trainable_variables:
        weight.assign(weight + 1)  # zeros would show nothing
    before = [np.array(weight.numpy()) for weight in model.trainable_variables]
    gradients = [keras.ops.zeros_like(weight) for weight in model.trainable_variables]
    model.optimizer.apply(gradients)
    return model, before


def test_weight_decay_shrinks_kernels_alone() -> None:
    """A step shrinks kernels by rate times decay (Loshchilov and Hutter) and nothing else."""
    model, before = after_a_step_without_gradient(0.1)

    for weight, old in zip(model.trainable_variables, before, strict=True):
        factor = 1 - RATE * 0.1 if weight.name == "kernel" else 1
        assert np.asarray(weight.numpy()) == pytest.approx(old * factor, rel=1e-6)


def test_without_weight_decay_nothing_shrinks() -> None:
    """A recipe's default decay of 0 leaves all weights as they are in a step without gradient."""
    model, before = after_a_step_without_gradient(0.0)

    for weight, old in zip(model.trainable_variables, before, strict=True):
        assert np.array_equal(weight.numpy(), old)


def test_label_smoothing_is_cross_entropy_with_spread_labels() -> None:
    """Smoothing by 0.2 over four classes has the loss of the label 0.85, 0.05, 0.05, 0.05."""
    probabilities = np.array([[0.7, 0.1, 0.1, 0.1], [0.25, 0.25, 0.25, 0.25]], np.float32)
    labels = np.array([0, 3])
    wanted = np.full((2, 4), 0.05)
    wanted[[0, 1], labels] = 0.85

    loss = import_keras().ops.convert_to_numpy(smoothed(0.2)(labels, probabilities))

    assert loss == pytest.approx(-(wanted * np.log(probabilities)).sum(axis=1), rel=1e-5)


def test_label_smoothing_of_nothing_is_keras_own_cross_entropy() -> None:
    """A share of 0 gives the loss that recipes without smoothing are trained with."""
    keras = import_keras()
    probabilities = np.random.default_rng(0).dirichlet(np.ones(5), 20).astype(np.float32)
    labels = np.arange(20) % 5

    loss = keras.ops.convert_to_numpy(smoothed(0.0)(labels, probabilities))

    expected = keras.losses.sparse_categorical_crossentropy(labels, probabilities)
    assert loss == pytest.approx(keras.ops.convert_to_numpy(expected), rel=1e-5)


def test_a_recipe_with_label_smoothing_is_trained_with_it() -> None:
    """The compiled loss of one right answer of 0.999 is that of the smoothed label."""
    keras = import_keras()
    model = compiled(tiny_network.build(2), replace(tiny_network.RECIPE, label_smoothing=0.1))
    sure = keras.ops.convert_to_tensor([[0.999, 0.001]])

    loss = model.compute_loss(y=keras.ops.convert_to_tensor([0]), y_pred=sure)

    assert float(loss) == pytest.approx(-0.95 * np.log(0.999) - 0.05 * np.log(0.001), rel=1e-4)
