"""Layers and optimizer of Keras for TensorFlow on a processor: the same law in fewer passes.

Used where TensorFlow is Keras' backend and no accelerator is there. A twin has its layer's name,
configuration and weights; docs/decisions/0009-fused-kernels.md says what it brings.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from inkfold.training import compile
from inkfold.training.compile import Tensor

if TYPE_CHECKING:
    import keras


def twin(model: keras.Model) -> keras.Model:
    """The same network with the same weights, its layers faster where they can be.

    A network that is no graph of layers is given back as it is.
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
    """Keras' layers that have a faster twin: the same name, configuration and weights."""
    import keras

    base = keras.layers

    class BatchNormalization(base.BatchNormalization):  # type: ignore[misc, name-defined]
        def call(self, inputs: Tensor, training: bool | None = None, mask: Tensor = None) -> Tensor:
            plain = self.renorm or self.synchronized or not (self.scale and self.center)
            last = self.axis in {-1, len(inputs.shape) - 1}
            if not (training and self.trainable) or mask is not None or plain or not last:
                return super().call(inputs, training=training, mask=mask)
            before, share = self.moving_mean.value, self.momentum
            answer, mean, variance = compile.normalised(self.epsilon)(
                inputs, self.gamma.value, self.beta.value, before
            )
            self.moving_mean.assign(share * before + (1 - share) * mean)
            self.moving_variance.assign(share * self.moving_variance + (1 - share) * variance)
            return answer

    class PReLU(base.PReLU):  # type: ignore[misc, name-defined]
        def call(self, inputs: Tensor) -> Tensor:
            if self.shared_axes:
                return super().call(inputs)
            return compile.prelu()(inputs, self.alpha.value)

    class Dropout(base.Dropout):  # type: ignore[misc, name-defined]
        def call(self, inputs: Tensor, training: bool = False) -> Tensor:
            if not training or not 0 < self.rate < 1 or self.noise_shape is not None:
                return super().call(inputs, training=training)
            return compile.dropped(self.rate)(inputs, self.seed_generator.next())

    return {
        base.BatchNormalization: BatchNormalization,
        base.PReLU: PReLU,
        base.Dropout: Dropout,
    }


def adam(learning_rate: float) -> keras.optimizers.Adam:
    """Keras' Adam; every weight and its two moments are read and written once a step."""
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


def _max_norm(constraint: keras.constraints.MaxNorm) -> keras.constraints.MaxNorm:
    """Keras' constraint, which writes the weights only where one of the lengths is too large."""
    import keras
    import tensorflow as tf

    class MaxNorm(keras.constraints.MaxNorm):  # type: ignore[misc]
        def __call__(self, w: Tensor) -> Tensor:
            w = tf.convert_to_tensor(w)
            lengths = tf.sqrt(tf.reduce_sum(tf.square(w), self.axis))
            too_long = tf.reduce_any(lengths > self.max_value)
            return tf.cond(too_long, lambda: constraint(w), lambda: w)

    return MaxNorm.from_config(constraint.get_config())
