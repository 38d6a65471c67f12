"""Elementwise work of a training step on TensorFlow and a processor, in few passes over memory.

Everything that works number by number is compiled into one pass, in float32, rounded once at its
end. TensorFlow's own sums are faster than compiled ones, so sums stay with it
(docs/decisions/0009-fused-kernels.md).
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

Tensor = Any  # TensorFlow has no types that mypy could read
Activation = Literal["linear", "relu", "prelu"]
WINDOW = ((0, 0), (0, 1), (1, 0), (1, 1))  # rows and columns of a 2x2 window, in pooling's order


def moments(x: Tensor, near: Tensor) -> tuple[Tensor, Tensor]:
    """Means and variances by channel; `normalised` has their part in the gradient.

    Squares are taken about `near`, the running means. The means of x itself are known only after a
    pass over it, and squares about zero lose digits where means are large.
    """
    import tensorflow as tf

    off, squares = (_channel_sums(part) / _count(x) for part in _moved()(x, near))
    mean, variance = near + off, tf.maximum(squares - off * off, 0)
    return tf.stop_gradient(mean), tf.stop_gradient(variance)


@cache
def _moved() -> Any:  # noqa: ANN401, a function of tensors
    import tensorflow as tf

    @_compiled
    def moved(x: Tensor, near: Tensor) -> tuple[Tensor, Tensor]:
        x = _wide(x) - near
        return x, tf.square(x)

    return moved


@cache
def normalised(epsilon: float, activation: Activation, *, pooled: bool) -> Any:  # noqa: ANN401, a function of tensors
    """``f(x, gamma, beta, mean, variance, skip, alpha)``: normalised x plus `skip`, activated.

    The gradient by x is that of batch normalisation, which knows that mean and variance are those
    of x (Ioffe and Szegedy, arXiv 1502.03167, section 3). `skip` has the shape of x, or is 0.
    `alpha` are the slopes of "prelu", one for each pixel and channel; the other activations do not
    read it. Pooling, which needs a skip of 0, takes the largest number of each 2x2 window; only
    that one has a gradient, the first of equal ones, so that most of the way back works on a
    quarter of the numbers.
    """
    import tensorflow as tf

    @_compiled
    def forth(x: Tensor, line: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return _forth(activation, x, line, pooled=pooled)

    @_compiled
    def weighed(
        slope: Tensor, came: tuple[Tensor, ...], line: tuple[Tensor, ...], mean: Tensor
    ) -> tuple[Tensor, ...]:
        factor, shift, skip, alpha = line
        x, slope = _wide(came[0]), _wide(slope)
        inner = x * factor + shift + _wide(skip)
        slopes = _chosen(came[1], _slopes(activation, alpha)) if pooled else alpha
        before = _before(activation, slope, inner, slopes)
        if activation != "prelu":
            return before, before * (x - mean)
        to_slopes = slope * tf.minimum(inner, 0)
        if pooled:
            to_slopes = _spread(to_slopes, came[1], alpha.shape)
        return before, before * (x - mean), tf.reshape(to_slopes, (tf.shape(x)[0], -1))

    @_compiled
    def back(
        before: Tensor, came: tuple[Tensor, ...], x: Tensor, by_x: tuple[Tensor, ...]
    ) -> Tensor:
        routed = before * by_x[0]
        if pooled:
            routed = _spread(routed, came[1], x.shape[1:])
        return tf.cast(routed + _wide(x) * by_x[1] + by_x[2], x.dtype)

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def apply(*tensors: Tensor) -> Any:  # noqa: ANN401, custom_gradient's contract
        x, gamma, beta, mean, variance, skip, alpha = tensors
        inverse = tf.math.rsqrt(variance + epsilon)
        factor = gamma * inverse
        line = (factor, beta - mean * factor, skip, _wide(alpha))
        answer, *came = forth(x, line)
        came = tuple(came) or (x,)  # what had a way through the windows, and its places in them

        def gradient(slope: Tensor) -> tuple[Tensor | None, ...]:
            before, along, *to_alpha = weighed(slope, came, line, mean)
            total, along = _channel_sums(before), _channel_sums(along)
            by_square = -factor * inverse * inverse * along / _count(x)
            by_x = (factor, by_square, -factor * total / _count(x) - by_square * mean)
            to_skip = tf.cast(before, skip.dtype) if skip.shape.rank else None
            slopes = [tf.reshape(_row_sums(part), alpha.shape) for part in to_alpha]
            to_slopes = tf.cast(slopes[0], alpha.dtype) if slopes else None
            to_x, to_gamma = back(before, came, x, by_x), along * inverse
            return to_x, to_gamma, total, None, None, to_skip, to_slopes

        return answer, gradient

    return apply


def _forth(
    activation: Activation, x: Tensor, line: tuple[Tensor, ...], *, pooled: bool
) -> tuple[Tensor, ...]:
    """The answer; if pooled, also the x that came through each window, and its place there."""
    import tensorflow as tf

    factor, shift, skip, alpha = line

    def answer(part: Tensor, slopes: Tensor) -> Tensor:
        return _activated(activation, _wide(part) * factor + shift + _wide(skip), slopes)

    if not pooled:
        return (tf.cast(answer(x, alpha), x.dtype),)
    parts = _windows(x)
    answers = [answer(*pair) for pair in zip(parts, _slopes(activation, alpha), strict=True)]
    which, best = _first_largest(answers)
    return tf.cast(best, x.dtype), _chosen(which, parts), which


def _activated(activation: Activation, x: Tensor, slopes: Tensor) -> Tensor:
    import tensorflow as tf

    if activation == "relu":
        return tf.maximum(x, 0)
    return tf.where(x > 0, x, slopes * x) if activation == "prelu" else x


def _before(activation: Activation, slope: Tensor, inner: Tensor, slopes: Tensor) -> Tensor:
    """The gradient before the activation, where it read `inner`, from the one behind it."""
    import tensorflow as tf

    if activation == "linear":
        return slope
    return tf.where(inner > 0, slope, slopes * slope if activation == "prelu" else 0.0)


def _windows(x: Tensor) -> list[Tensor]:
    """The four places of the 2x2 windows (..., H, W, C), each (..., H // 2, W // 2, C)."""
    height, width = (length // 2 * 2 for length in x.shape[-3:-1])
    return [x[..., row:height:2, column:width:2, :] for row, column in WINDOW]


def _slopes(activation: Activation, alpha: Tensor) -> list[Tensor]:
    """PReLU's slopes at the four places; the other activations read none."""
    return _windows(alpha) if activation == "prelu" else [alpha] * len(WINDOW)


def _first_largest(answers: list[Tensor]) -> tuple[Tensor, Tensor]:
    """The place, as int8, and the value of the largest; of equal ones the first."""
    import tensorflow as tf

    best, which = answers[0], tf.zeros_like(answers[0], tf.int8)
    for place, answer in enumerate(answers[1:], 1):
        which = tf.where(answer > best, tf.constant(place, tf.int8), which)
        best = tf.maximum(best, answer)
    return which, best


def _chosen(which: Tensor, values: list[Tensor]) -> Tensor:
    """The value at the place that `which` names."""
    import tensorflow as tf

    chosen = values[0]
    for place, value in enumerate(values[1:], 1):
        chosen = tf.where(which == place, value, chosen)
    return chosen


def _spread(quarter: Tensor, which: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Each number at its place in its 2x2 window of (n, \\*shape), and zeros elsewhere."""
    import tensorflow as tf

    height, width, channels = shape
    rows, columns = height // 2, width // 2
    places = tf.reshape(tf.constant([*range(len(WINDOW))], tf.int8), (1, 1, 2, 1, 2, 1))
    here = which[:, :, None, :, None] == places
    spread = tf.where(here, quarter[:, :, None, :, None], 0.0)
    spread = tf.reshape(spread, (-1, 2 * rows, 2 * columns, channels))
    return tf.pad(spread, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)))


@cache
def prelu() -> Any:  # noqa: ANN401, a function of tensors
    """``f(x, alpha)``: x where it is positive, elsewhere alpha times x."""
    import tensorflow as tf

    @_compiled
    def forth(x: Tensor, alpha: Tensor) -> Tensor:
        return tf.cast(_activated("prelu", _wide(x), _wide(alpha)), x.dtype)

    @_compiled
    def back(slope: Tensor, x: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
        wide, slope = _wide(x), _wide(slope)
        before = _before("prelu", slope, wide, _wide(alpha))
        return tf.cast(before, x.dtype), slope * tf.minimum(wide, 0)

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def apply(x: Tensor, alpha: Tensor) -> Any:  # noqa: ANN401, custom_gradient's contract
        def gradient(slope: Tensor) -> tuple[Tensor, Tensor]:
            to_x, to_alpha = back(slope, x, alpha)
            total = _row_sums(tf.reshape(to_alpha, (tf.shape(x)[0], -1)))
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


def _count(x: Tensor) -> Tensor:
    """How many numbers each channel has, as float32."""
    import tensorflow as tf

    return tf.cast(tf.size(x) // x.shape[-1], tf.float32)


def _channel_sums(x: Tensor) -> Tensor:
    """Sums over all axes but the last."""
    import tensorflow as tf

    return _row_sums(tf.reshape(x, (-1, x.shape[-1])))


def _row_sums(rows: Tensor) -> Tensor:
    """The sum of rows, as a product of matrices: twice as fast as ``reduce_sum``."""
    import tensorflow as tf

    return tf.reshape(tf.ones((1, tf.shape(rows)[0])) @ rows, [-1])
