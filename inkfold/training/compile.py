"""Batch normalisation, PReLU and dropout for TensorFlow on a processor, in fewer passes.

Keras writes each of them as a dozen operations, and every one of these reads and writes all
activations of a batch. Here what works number by number is compiled into one pass (in float32,
rounded once at its end); sums stay with TensorFlow, whose are faster.
"""

from __future__ import annotations

from functools import cache
from typing import Any

Tensor = Any  # TensorFlow has no types that mypy could read


@cache
def normalised(epsilon: float) -> Any:  # noqa: ANN401, a function of tensors
    """``f(x, gamma, beta, near)`` gives the normalised x, its means and variances by channel.

    The squares are taken about `near`, the running means: those of x itself are known only after a
    pass, and squares about zero lose digits where means are large.
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

    A number takes 16 random bits, so that `rate` is kept to 1 in 131,072.
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
    """One pass over memory in place of one for each operation."""
    import tensorflow as tf

    return tf.function(function, jit_compile=True, autograph=False)


def _wide(x: Tensor) -> Tensor:
    import tensorflow as tf

    return tf.cast(x, tf.float32)


def _channel_sums(x: Tensor) -> Tensor:
    """Sums over all axes but the last, as a matrix product: twice as fast as ``reduce_sum``."""
    import tensorflow as tf

    rows = tf.reshape(x, (-1, x.shape[-1]))
    return tf.reshape(tf.ones((1, tf.shape(rows)[0])) @ rows, [-1])
