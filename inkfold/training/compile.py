"""A network made ready to train: optimizer, loss, and faster kernels for TensorFlow on processors.

Keras writes batch normalisation, PReLU and dropout as a dozen operations each, and every operation
reads and writes all activations of a batch. On a processor `compiled` replaces these layers by
twins that do all elementwise work in one compiled pass, in float32, rounded once at its end.
TensorFlow's own sums are faster than compiled ones, so sums stay with it
(docs/decisions/0009-fused-kernels.md).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from inkfold.keras_backend import has_accelerator, import_keras
from inkfold.metrics import SMALLEST
from inkfold.recipe import Recipe

if TYPE_CHECKING:
    import keras

Build = Callable[[int], "keras.Model"]  # classes -> the untrained network
Tensor = Any  # TensorFlow has no types that mypy could read
Kernels = Literal["keras", "fused"]  # Keras' own layers and Adam, or their faster twins
PLAIN = "sparse_categorical_crossentropy"


def has_fused_kernels() -> bool:
    """Whether the faster twins can be used: on TensorFlow without an accelerator."""
    return import_keras().backend.backend() == "tensorflow" and not has_accelerator()


def fresh_network(
    build: Build, classes: int, recipe: Recipe, *, seed: int, kernels: Kernels
) -> keras.Model:
    """The untrained network, compiled; `seed` gives its weights and its dropout masks."""
    import_keras().utils.set_random_seed(seed % 2**32)
    return compiled(build(classes), recipe, kernels)


def variables(model: keras.Model) -> list[keras.Variable]:
    """All that a training step changes: weights, random states, and the optimizer's variables."""
    return [*model.variables, *model.optimizer.variables]


def compiled(model: keras.Model, recipe: Recipe, kernels: Kernels = "fused") -> keras.Model:
    """The network, or a twin of it, with the recipe's Adam and loss.

    The learning rate is that of the first stage; the loop sets it anew for every step. Weight decay
    shrinks kernels only. The optimizer's variables are created here, so that a checkpoint can be
    restored before the first step.

    Parameters
    ----------
    model : keras.Model
    recipe : Recipe
        Its first learning rate, label smoothing and weight decay are used.
    kernels : {"keras", "fused"}
        "fused" gives a twin with faster layers where `has_fused_kernels`, and is "keras" elsewhere.
    """
    keras = import_keras()
    twins = has_fused_kernels()
    fused = twins and kernels == "fused"
    if fused:
        model = twin(model)
    make = adam if fused else keras.optimizers.Adam
    optimizer = make(recipe.stages[0].learning_rate)
    if recipe.weight_decay:
        optimizer.weight_decay = recipe.weight_decay
        spared = [weight for weight in model.trainable_variables if weight.name != "kernel"]
        optimizer.exclude_from_weight_decay(var_list=spared)
    optimizer.build(model.trainable_variables)
    model.compile(
        optimizer=optimizer,
        loss=smoothed(recipe.label_smoothing) if recipe.label_smoothing else PLAIN,
        metrics=["accuracy"],
        jit_compile=False if twins else "auto",  # XLA's convolutions are slower than oneDNN's
    )
    return model


def smoothed(share: float) -> Callable[[Any, Any], Any]:
    """Cross-entropy with smoothed labels: `share` of each is spread over all classes.

    Szegedy et al., arXiv 1512.00567, section 7. Keras smooths one-hot labels only.

    Returns
    -------
    loss : callable
        ``loss(labels, probabilities)`` of int (n,) and float (n, C) is float (n,), in nats.
    """
    ops = import_keras().ops

    def loss(labels: Any, probabilities: Any) -> Any:  # noqa: ANN401, tensors of any backend
        logarithms = ops.log(ops.clip(probabilities, SMALLEST, 1.0))
        labels = ops.cast(ops.reshape(labels, (-1, 1)), "int32")
        right = ops.take_along_axis(logarithms, labels, axis=-1)[:, 0]
        return -(1 - share) * right - share * ops.mean(logarithms, axis=-1)

    return loss


def adam(learning_rate: float) -> keras.optimizers.Adam:
    """Keras' Adam in one pass: a step reads and writes each weight and its two moments once."""
    import keras
    import tensorflow as tf

    class Adam(keras.optimizers.Adam):  # type: ignore[misc]
        def update_step(self, gradient: Tensor, variable: Tensor, learning_rate: Tensor) -> None:
            index, step = self._get_variable_index(variable), self.iterations + 1
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=self._momentums[index].value.handle,
                v=self._velocities[index].value.handle,
                beta1_power=self.beta_1 ** tf.cast(step, variable.dtype),
                beta2_power=self.beta_2 ** tf.cast(step, variable.dtype),
                lr=tf.cast(learning_rate, variable.dtype),
                beta1=self.beta_1,
                beta2=self.beta_2,
                epsilon=self.epsilon,
                grad=tf.cast(gradient, variable.dtype),
            )

    return Adam(learning_rate)


def twin(model: keras.Model) -> keras.Model:
    """A copy of the network with equal weights, in which faster layers replace those of `_layers`.

    A subclass of keras.Model with a call of its own is returned as it is.
    """
    import keras

    faster = _layers()

    def copied(layer: keras.Layer) -> keras.Layer:
        kind = type(layer)
        if layer.compute_dtype in {"float32", "bfloat16"}:
            kind = faster.get(kind, kind)
        copy = kind.from_config(layer.get_config())
        for name, value in vars(layer).items():
            if type(value) is keras.constraints.MaxNorm:
                setattr(copy, name, _max_norm(value))
        return copy

    try:
        copy = keras.models.clone_model(model, clone_function=copied)
    except ValueError:  # a subclass of keras.Model with a call of its own
        return model
    copy.set_weights(model.get_weights())
    return copy


@cache
def _layers() -> dict[type, type]:
    """By Keras' layer, its faster twin, which has the same name, configuration and weights."""
    import keras

    base = keras.layers

    class BatchNormalization(base.BatchNormalization):  # type: ignore[misc, name-defined]
        def call(self, inputs: Tensor, training: bool | None = None, mask: Tensor = None) -> Tensor:
            plain = self.renorm or self.synchronized or not (self.scale and self.center)
            last = self.axis in {-1, len(inputs.shape) - 1}
            if not (training and self.trainable) or mask is not None or plain or not last:
                return super().call(inputs, training=training, mask=mask)
            before, share = self.moving_mean.value, self.momentum
            answer, mean, variance = normalised(self.epsilon)(
                inputs, self.gamma.value, self.beta.value, before
            )
            self.moving_mean.assign(share * before + (1 - share) * mean)
            self.moving_variance.assign(share * self.moving_variance + (1 - share) * variance)
            return answer

    class PReLU(base.PReLU):  # type: ignore[misc, name-defined]
        def call(self, inputs: Tensor) -> Tensor:
            if self.shared_axes:
                return super().call(inputs)
            return prelu()(inputs, self.alpha.value)

    class Dropout(base.Dropout):  # type: ignore[misc, name-defined]
        def call(self, inputs: Tensor, training: bool = False) -> Tensor:
            if not training or not 0 < self.rate < 1 or self.noise_shape is not None:
                return super().call(inputs, training=training)
            return dropped(self.rate)(inputs, self.seed_generator.next())

    return {
        base.BatchNormalization: BatchNormalization,
        base.PReLU: PReLU,
        base.Dropout: Dropout,
    }


def _max_norm(constraint: keras.constraints.MaxNorm) -> keras.constraints.MaxNorm:
    """Keras' constraint; the weights are written only if one of the lengths is too large."""
    import keras
    import tensorflow as tf

    class MaxNorm(keras.constraints.MaxNorm):  # type: ignore[misc]
        def __call__(self, w: Tensor) -> Tensor:
            w = tf.convert_to_tensor(w)
            lengths = tf.sqrt(tf.reduce_sum(tf.square(w), self.axis))
            too_long = tf.reduce_any(lengths > self.max_value)
            return tf.cond(too_long, lambda: constraint(w), lambda: w)

    return MaxNorm.from_config(constraint.get_config())


@cache
def normalised(epsilon: float) -> Any:  # noqa: ANN401, a function of tensors
    """``f(x, gamma, beta, near)`` gives the normalised x, its means and variances by channel.

    Squares are taken about `near`, the running means. The means of x itself are known only after a
    pass over it, and squares about zero lose digits where means are large.
    """
    import tensorflow as tf

    @_compiled
    def moved(x: Tensor, near: Tensor) -> tuple[Tensor, Tensor]:
        x = _wide(x) - near
        return x, tf.square(x)

    @_compiled
    def scaled(x: Tensor, factor: Tensor, shift: Tensor) -> Tensor:
        return tf.cast(_wide(x) * factor + shift, x.dtype)

    @_compiled
    def weighed(slope: Tensor, x: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
        slope = _wide(slope)
        return slope, slope * (_wide(x) - mean)

    @_compiled
    def back(slope: Tensor, x: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
        return tf.cast(_wide(slope) * a + _wide(x) * b + c, x.dtype)

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def apply(x: Tensor, gamma: Tensor, beta: Tensor, near: Tensor) -> Any:  # noqa: ANN401
        count = tf.cast(tf.size(x) // x.shape[-1], tf.float32)
        off, squares = (_channel_sums(part) / count for part in moved(x, near))
        mean, variance = near + off, tf.maximum(squares - off * off, 0)
        inverse = tf.math.rsqrt(variance + epsilon)
        answer = scaled(x, gamma * inverse, beta - mean * gamma * inverse)

        def gradient(slope: Tensor, *_: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
            total, along = map(_channel_sums, weighed(slope, x, mean))
            a = gamma * inverse
            b = -a * inverse * inverse * along / count
            c = -a * total / count - b * mean
            return back(slope, x, a, b, c), along * inverse, total, None

        return (answer, mean, variance), gradient

    return apply


@cache
def prelu() -> Any:  # noqa: ANN401, a function of tensors
    """``f(x, alpha)``: x where it is positive, elsewhere alpha times x."""
    import tensorflow as tf

    @_compiled
    def forth(x: Tensor, alpha: Tensor) -> Tensor:
        wide = _wide(x)
        return tf.cast(tf.where(wide > 0, wide, _wide(alpha) * wide), x.dtype)

    @_compiled
    def back(slope: Tensor, x: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
        wide, slope = _wide(x), _wide(slope)
        return (
            tf.cast(tf.where(wide > 0, slope, _wide(alpha) * slope), x.dtype),
            slope * tf.minimum(wide, 0),
        )

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def apply(x: Tensor, alpha: Tensor) -> Any:  # noqa: ANN401, custom_gradient's contract
        def gradient(slope: Tensor) -> tuple[Tensor, Tensor]:
            to_x, to_alpha = back(slope, x, alpha)
            rows = tf.reshape(to_alpha, (tf.shape(x)[0], -1))
            total = tf.ones((1, tf.shape(x)[0])) @ rows
            return to_x, tf.cast(tf.reshape(total, tf.shape(alpha)), alpha.dtype)

        return forth(x, alpha), gradient

    return apply


@cache
def dropped(rate: float) -> Any:  # noqa: ANN401, a function of tensors
    """``f(x, seed)``: each number is zero with probability `rate`, else divided by 1 - rate.

    A number takes 16 random bits, so that the probability differs from `rate` by at most 1 in
    131,072.
    """
    import tensorflow as tf

    bound = round(rate * 2**16)

    @_compiled
    def masked(x: Tensor, bits: Tensor) -> Tensor:
        bits = tf.reshape(tf.reshape(tf.bitcast(bits, tf.uint16), [-1])[: tf.size(x)], tf.shape(x))
        kept = _wide(x) / (1 - rate)
        return tf.cast(tf.where(tf.cast(bits, tf.int32) >= bound, kept, 0.0), x.dtype)

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def apply(x: Tensor, seed: Tensor) -> Any:  # noqa: ANN401, custom_gradient's contract
        bits = tf.random.stateless_uniform(
            [(tf.size(x) + 1) // 2], tf.cast(seed, tf.int64), None, None, tf.int32
        )
        return masked(x, bits), lambda slope: (masked(slope, bits), None)

    return apply


def _compiled(function: Any) -> Any:  # noqa: ANN401, any function of tensors
    """The function compiled by XLA: one pass over memory instead of one for each operation."""
    import tensorflow as tf

    return tf.function(function, jit_compile=True, autograph=False)


def _wide(x: Tensor) -> Tensor:
    """The tensor in float32."""
    import tensorflow as tf

    return tf.cast(x, tf.float32)


def _channel_sums(x: Tensor) -> Tensor:
    """Sums over all axes but the last, as a matrix product: twice as fast as ``reduce_sum``."""
    import tensorflow as tf

    rows = tf.reshape(x, (-1, x.shape[-1]))
    return tf.reshape(tf.ones((1, tf.shape(rows)[0])) @ rows, [-1])
