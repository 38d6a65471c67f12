"""The faster layers and the faster Adam compute what Keras' own compute."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from inkfold.keras_backend import import_keras
from inkfold.networks.cnn32 import build
from inkfold.training.twins import adam, twin

pytestmark = pytest.mark.slow  # TensorFlow is imported and compiles
CLASSES = 7


def keras() -> Any:  # noqa: ANN401, Keras has no types
    """Keras, seeded, so that a test's figures do not depend on the tests before it."""
    module = import_keras()
    module.utils.set_random_seed(0)
    return module


def network(*layers: Any, shape: tuple[int, ...]) -> Any:  # noqa: ANN401, Keras has no types
    """A model of these layers whose weights differ from the initial zeros and ones."""
    model = keras().Sequential([import_keras().Input(shape), *layers])
    rng = np.random.default_rng(1)
    model.set_weights([w + rng.uniform(0.1, 0.5, w.shape) for w in model.get_weights()])
    return model


def answer_and_gradients(model: Any, x: np.ndarray) -> list[np.ndarray]:  # noqa: ANN401
    """A training step's answer, the gradients of its weighted sum, and the weights after it."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        inputs = tf.constant(x)
        tape.watch(inputs)
        answer = tf.cast(model(inputs, training=True), tf.float32)
        weights = np.random.default_rng(2).normal(size=answer.shape).astype(np.float32)
        total = tf.reduce_sum(answer * weights)
    gradients = tape.gradient(total, [inputs, *(v.value for v in model.trainable_variables)])
    return [np.asarray(part) for part in (answer, *gradients)] + list(model.get_weights())


@pytest.mark.parametrize("shape", [(6, 5, 3), (11,)])
@pytest.mark.parametrize("kind", ["BatchNormalization", "PReLU"])
def test_a_layer_and_its_twin_agree(kind: str, shape: tuple[int, ...]) -> None:
    """Answer, gradients and running statistics differ by a few units of the last digit at most."""
    layer = getattr(import_keras().layers, kind)()
    model = network(layer, shape=shape)
    faster = twin(model)
    x = np.random.default_rng(0).normal(3, 2, (50, *shape)).astype(np.float32)

    pairs = zip(answer_and_gradients(model, x), answer_and_gradients(faster, x), strict=True)

    assert type(faster.layers[0]) is not type(layer), "or nothing was compared"
    for keras_part, twin_part in pairs:
        tolerance = 2e-5 * np.abs(keras_part).max()
        np.testing.assert_allclose(twin_part, keras_part, rtol=2e-5, atol=tolerance)


CHAINS = {
    "normalised and rectified": ("ReLU",),
    "normalised and rectified with slopes": ("PReLU",),
    "normalised, rectified and pooled": ("ReLU", "MaxPooling2D"),
    "normalised, rectified with slopes and pooled": ("PReLU", "MaxPooling2D"),
}


@pytest.mark.parametrize("size", [(6, 8), (7, 5)], ids=["even", "odd"])
@pytest.mark.parametrize("kinds", CHAINS.values(), ids=CHAINS.keys())
def test_layers_that_share_a_pass_agree_with_those_of_keras(
    kinds: tuple[str, ...], size: tuple[int, int]
) -> None:
    """Half of the pixels are paper, so that windows hold equal numbers; one channel is dead."""
    layers = import_keras().layers
    chain = [layers.BatchNormalization(), *(getattr(layers, kind)() for kind in kinds)]
    model = network(*chain, shape=(*size, 3))
    gamma, *others = model.get_weights()
    model.set_weights([gamma * [1, 0, -1], *others])
    rng = np.random.default_rng(0)
    x = rng.normal(3, 2, (50, *size, 3)).astype(np.float32)
    x[rng.random(x.shape[:3]) < 0.5] = -1

    expected, found = (answer_and_gradients(m, x) for m in (model, twin(model)))

    for keras_part, twin_part in zip(expected, found, strict=True):
        tolerance = 2e-5 * np.abs(keras_part).max()
        np.testing.assert_allclose(twin_part, keras_part, rtol=2e-5, atol=tolerance)


@pytest.mark.parametrize("rectified", [False, True])
def test_a_sum_that_joins_the_pass_agrees_with_that_of_keras(*, rectified: bool) -> None:
    """Both summands have their gradients: what was normalised, and what went past it."""
    module = keras()
    inputs = module.Input((6, 5, 3))
    past = module.layers.Conv2D(4, 1)(inputs)
    inner = module.layers.BatchNormalization()(module.layers.Conv2D(4, 1, use_bias=False)(past))
    x = module.layers.Add()([past, inner])
    model = module.Model(inputs, module.layers.ReLU()(x) if rectified else x)
    faster = twin(model)
    images = np.random.default_rng(0).normal(size=(30, 6, 5, 3)).astype(np.float32)

    expected, found = (answer_and_gradients(m, images) for m in (model, faster))

    assert any(
        type(layer).__name__ == "Add" and type(layer) is not module.layers.Add
        for layer in faster.layers
    )
    for keras_part, twin_part in zip(expected, found, strict=True):
        tolerance = 5e-5 * np.abs(keras_part).max()
        np.testing.assert_allclose(twin_part, keras_part, rtol=2e-5, atol=tolerance)


def test_a_rectifier_without_a_normalisation_before_it_is_that_of_keras() -> None:
    """Nothing was noted on its input; its answer has no note either."""
    faster = twin(network(import_keras().layers.ReLU(), shape=(4,)))
    x = np.array([[-1, 0, 2, -3]], np.float32)

    assert np.array_equal(faster(x, training=True), [[0, 0, 2, 0]])


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("ReLU", {"max_value": 1.0}),
        ("ReLU", {"negative_slope": 0.2}),
        ("PReLU", {"shared_axes": [1, 2]}),
        ("MaxPooling2D", {"pool_size": 3}),
        ("MaxPooling2D", {"strides": 1}),
        ("MaxPooling2D", {"padding": "same"}),
    ],
)
def test_layers_of_another_kind_compute_what_keras_computes(
    kind: str, options: dict[str, Any]
) -> None:
    """A layer that cannot join the pass before it works as Keras' own."""
    layers = import_keras().layers
    between = [layers.ReLU()] if kind == "MaxPooling2D" else []
    last = getattr(layers, kind)(**options)
    model = network(layers.BatchNormalization(), *between, last, shape=(7, 6, 3))
    x = np.random.default_rng(0).normal(3, 2, (20, 7, 6, 3)).astype(np.float32)

    expected, found = (answer_and_gradients(m, x) for m in (model, twin(model)))

    for keras_part, twin_part in zip(expected, found, strict=True):
        tolerance = 2e-5 * np.abs(keras_part).max()
        np.testing.assert_allclose(twin_part, keras_part, rtol=2e-5, atol=tolerance)


def test_normalisation_keeps_its_digits_where_means_are_large() -> None:
    """Numbers of mean 1,000 and deviation 1 are normalised once the running mean is near 1,000."""
    model = network(import_keras().layers.BatchNormalization(momentum=0.5), shape=(4,))
    faster = twin(model)
    x = np.random.default_rng(0).normal(1000, 1, (200, 4)).astype(np.float32)
    for _ in range(12):
        answer = np.asarray(faster(x, training=True))

    expected = np.asarray(model(x, training=True))

    np.testing.assert_allclose(answer, expected, atol=2e-3)


def test_dropout_keeps_the_rate_and_the_mean_and_drops_gradients_alike() -> None:
    """Of 401,000 numbers 30 % become zero, the rest is divided by 0.7, and each call differs."""
    model = network(import_keras().layers.Dropout(0.3, seed=4), shape=(1000,))
    faster = twin(model)
    x = np.ones((401, 999 + 1), np.float32)  # an odd batch
    first, slope = answer_and_gradients(faster, x)[:2]
    second = np.asarray(faster(x, training=True))
    weights = np.random.default_rng(2).normal(size=x.shape).astype(np.float32)

    assert abs((first == 0).mean() - 0.3) < 5 * np.sqrt(0.3 * 0.7 / x.size)
    assert set(np.unique(first)) == {0, np.float32(1 / 0.7)}
    assert np.allclose(slope, first * weights)
    assert abs(((first == 0) & (second == 0)).mean() - 0.09) < 0.003
    assert np.array_equal(faster(x, training=False), x)


def test_training_with_the_twin_is_training_with_keras() -> None:
    """Six steps of cnn32 without dropout, with max norm at work, give equal losses and weights."""
    losses, weights = [], []
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (6, 16, 32, 32, 1)).astype(np.uint8)
    labels = rng.integers(0, CLASSES, (6, 16)).astype(np.int32)
    for fused in (False, True):
        model = without_dropout(keras(), build(CLASSES))
        model.set_weights([3 * w if w.ndim > 1 else w for w in model.get_weights()])
        optimizer = adam(1e-4) if fused else import_keras().optimizers.Adam(1e-4)
        model = twin(model) if fused else model
        model.compile(optimizer, "sparse_categorical_crossentropy", jit_compile=False)
        losses.append([float(model.train_on_batch(*b)) for b in zip(images, labels, strict=True)])
        weights.append(model.get_weights())

    np.testing.assert_allclose(losses[1], losses[0], rtol=2e-3)
    longest = np.sqrt(np.square(weights[1][0]).sum(axis=(0, 1, 2))).max()
    assert longest == pytest.approx(4, abs=0.01), "or max norm had nothing to do"
    for keras_part, twin_part in zip(*weights, strict=True):
        assert np.abs(keras_part - twin_part).max() <= 2e-3 * max(1.0, np.abs(keras_part).max())


def without_dropout(keras: Any, model: Any) -> Any:  # noqa: ANN401, Keras has no types
    """The same network without its dropout layers, which are random."""
    kept = [layer for layer in model.layers if not isinstance(layer, keras.layers.Dropout)]
    return keras.Sequential([keras.Input((32, 32, 1)), *kept])


def test_adam_makes_the_steps_of_keras() -> None:
    """Ten steps at two rates from the same gradients give the weights and moments of Keras."""
    rng = np.random.default_rng(0)
    start, gradients = rng.normal(size=(40, 30)), rng.normal(size=(10, 40, 30))
    ended = []
    for make in (keras().optimizers.Adam, adam):
        weight, optimizer = import_keras().Variable(start.astype(np.float32)), make(0.01)
        optimizer.build([weight])
        for step, gradient in enumerate(gradients.astype(np.float32)):
            if step == 5:
                optimizer.learning_rate = 0.001
            optimizer.apply([import_keras().ops.convert_to_tensor(gradient)], [weight])
        ended.append([np.asarray(v) for v in (weight, *optimizer.variables)])

    for keras_part, our_part in zip(*ended, strict=True):
        np.testing.assert_allclose(our_part, keras_part, rtol=1e-5, atol=1e-6)


def test_max_norm_shortens_long_weights_as_keras_does_and_touches_no_others() -> None:
    """Weights within the bound stay to the last bit, and longer ones become Keras' own."""
    module = keras()
    bound = module.constraints.MaxNorm(4, axis=0)
    dense = network(module.layers.Dense(3, kernel_constraint=bound), shape=(50,))
    constraint = twin(dense).layers[0].kernel_constraint
    long = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    short = long / 4

    assert type(constraint) is not type(bound)
    assert np.array_equal(constraint(short), short)
    np.testing.assert_array_equal(np.asarray(constraint(long)), np.asarray(bound(long)))


def test_a_subclass_of_a_keras_model_stays_as_it_is() -> None:
    """A network with a call of its own is trained with Keras' layers."""
    base = keras().Model

    class Own(base):  # type: ignore[misc, valid-type]
        def call(self, inputs: Any) -> Any:  # noqa: ANN401, Keras has no types
            return inputs

    model = Own()

    assert twin(model) is model
