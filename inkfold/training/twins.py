"""Faster twins of Keras' layers and of its Adam, for TensorFlow on processors.

Keras writes batch normalisation, PReLU and dropout as a dozen operations each, and every operation
reads and writes all activations of a batch. The twins do their elementwise work in compiled passes
(`inkfold.training.kernels`). What stands behind a batch normalisation, a rectifier and a pooling,
joins its pass: a twin leaves on its answer how it was made, the next one makes its own answer from
there, and TensorFlow never computes an answer that nothing reads.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from inkfold.training.kernels import (
    Activation,
    Tensor,
    dropped,
    moments,
    normalised,
    prelu,
)

if TYPE_CHECKING:
    import keras


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


@dataclass(frozen=True, kw_only=True)
class Made:
    """How a tensor was made of a convolution's answer, so that the next layer can join the pass.

    Attributes
    ----------
    x : Tensor of shape (n, ..., C)
        What was normalised.
    statistics : tuple of four tensors of shape (C,)
        Its gamma and beta, mean and variance.
    epsilon : float
        What normalisation adds to the variance.
    skip : Tensor of the shape of x, or float
        What was added to it then.
    activation : {"linear", "relu", "prelu"}
        What came behind both.
    alpha : Tensor of shape (..., C), or float
        The slopes of "prelu".
    """

    x: Tensor
    statistics: tuple[Tensor, Tensor, Tensor, Tensor]
    epsilon: float
    skip: Tensor = 0.0
    activation: Activation = "linear"
    alpha: Tensor = 0.0

    def answer(self, *, pooled: bool = False) -> Tensor:
        """The tensor, with a note on it that says how it was made."""
        import tensorflow as tf

        apply = normalised(self.epsilon, self.activation, pooled=pooled)
        skip, alpha = tf.convert_to_tensor(self.skip), tf.convert_to_tensor(self.alpha)
        answer = apply(self.x, *self.statistics, skip, alpha)
        if not pooled:
            answer.made = self
        return answer

    def then(self, **changes: Any) -> Tensor:  # noqa: ANN401, values of the attributes
        """The tensor that the next layer makes of this one, with its own note."""
        return replace(self, **changes).answer()

    @property
    def has_skip(self) -> bool:
        """Whether something was added."""
        return not isinstance(self.skip, float)


def made(tensor: Tensor, *activations: Activation) -> Made | None:
    """How a twin made the tensor, if one of `activations` was the last that it did."""
    note: Made | None = getattr(tensor, "made", None)
    return note if note is not None and note.activation in activations else None


@cache
def _layers() -> dict[type, type]:
    """By Keras' layer, its faster twin, which has the same name, configuration and weights."""
    twins = (_normalisation(), _sum(), *_rectifiers(), _pooling(), _dropout())
    return {faster.__mro__[1]: faster for faster in twins}


def _normalisation() -> type:
    import tensorflow as tf
    from keras import layers

    class BatchNormalization(layers.BatchNormalization):  # type: ignore[misc]
        def call(self, inputs: Tensor, training: bool | None = None, mask: Tensor = None) -> Tensor:
            plain = self.renorm or self.synchronized or not (self.scale and self.center)
            last = self.axis in {-1, len(inputs.shape) - 1}
            if not (training and self.trainable) or mask is not None or plain or not last:
                return super().call(inputs, training=training, mask=mask)
            before, share = self.moving_mean.value, self.momentum
            mean, variance = moments(inputs, before)
            self.moving_mean.assign(share * before + (1 - share) * mean)
            self.moving_variance.assign(share * self.moving_variance + (1 - share) * variance)
            gamma, beta = (tf.convert_to_tensor(w.value) for w in (self.gamma, self.beta))
            statistics = (gamma, beta, mean, variance)
            return Made(x=inputs, statistics=statistics, epsilon=self.epsilon).answer()

    return BatchNormalization


def _sum() -> type:
    from keras import layers

    class Add(layers.Add):  # type: ignore[misc]
        def call(self, inputs: list[Tensor]) -> Tensor:
            pairs = [inputs, inputs[::-1]] if len(inputs) == 2 else []
            for one, other in pairs:
                note, alike = (
                    made(one, "linear"),
                    (one.shape, one.dtype) == (other.shape, other.dtype),
                )
                if note is not None and alike and not note.has_skip:
                    return note.then(skip=other)
            return super().call(inputs)

    return Add


def _rectifiers() -> tuple[type, type]:
    import tensorflow as tf
    from keras import layers

    class ReLU(layers.ReLU):  # type: ignore[misc]
        def call(self, inputs: Tensor) -> Tensor:
            plain = self.max_value is None and not self.negative_slope and not self.threshold
            note = made(inputs, "linear") if plain else None
            return super().call(inputs) if note is None else note.then(activation="relu")

    class PReLU(layers.PReLU):  # type: ignore[misc]
        def call(self, inputs: Tensor) -> Tensor:
            if self.shared_axes:
                return super().call(inputs)
            alpha, note = tf.convert_to_tensor(self.alpha.value), made(inputs, "linear")
            if note is None:
                return prelu()(inputs, alpha)
            return note.then(activation="prelu", alpha=alpha)

    return ReLU, PReLU


def _pooling() -> type:
    from keras import layers

    class MaxPooling2D(layers.MaxPooling2D):  # type: ignore[misc]
        def call(self, inputs: Tensor) -> Tensor:
            quarters = self.pool_size == self.strides == (2, 2) and self.padding == "valid"
            plain = quarters and self.data_format == "channels_last"
            note = made(inputs, "relu", "prelu") if plain else None
            if note is None or note.has_skip:
                return super().call(inputs)
            return note.answer(pooled=True)

    return MaxPooling2D


def _dropout() -> type:
    from keras import layers

    class Dropout(layers.Dropout):  # type: ignore[misc]
        def call(self, inputs: Tensor, training: bool = False) -> Tensor:
            if not training or not 0 < self.rate < 1 or self.noise_shape is not None:
                return super().call(inputs, training=training)
            return dropped(self.rate)(inputs, self.seed_generator.next())

    return Dropout


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
