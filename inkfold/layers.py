"""Blocks of layers for model scripts: those of the predecessors' networks, and our own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

MAX_NORM = 4.0  # largest length of the vector of weights that lead to one unit
# Momentum of the running statistics. With Keras' 0.99 they are too far off in the first epochs on
# a small set to validate: of 1,400 digits 25 % were right after the first epoch and 63 % after the
# third; with 0.9 it was 69 % and 99.5 %.
MOMENTUM = 0.9


def convolution_block(
    filters: int, dropout: float, *, pad_before_pooling: int = 0
) -> list[keras.Layer]:
    """5x5 convolution, batch normalisation, PReLU, 2x2 max pooling, dropout.

    The PReLU has one slope for each pixel and channel, as published. Batch normalisation works on
    channels; the predecessor's worked on picture columns, by a mistake with its axis.
    """
    from keras import constraints, layers

    padding = [layers.ZeroPadding2D(pad_before_pooling)] if pad_before_pooling else []
    return [
        layers.Conv2D(
            filters,
            5,
            padding="same",
            kernel_initializer="he_normal",
            kernel_constraint=constraints.MaxNorm(MAX_NORM, axis=(0, 1, 2)),
        ),
        layers.BatchNormalization(momentum=MOMENTUM),
        layers.PReLU(),
        *padding,
        layers.MaxPooling2D(),
        layers.Dropout(dropout),
    ]


def dense_block(units: int, dropout: float = 0.5) -> list[keras.Layer]:
    """Fully connected layer, batch normalisation, PReLU, dropout."""
    from keras import constraints, layers

    return [
        layers.Dense(
            units,
            kernel_initializer="he_normal",
            kernel_constraint=constraints.MaxNorm(MAX_NORM, axis=0),
        ),
        layers.BatchNormalization(momentum=MOMENTUM),
        layers.PReLU(),
        layers.Dropout(dropout),
    ]


def rectified_block(
    filters: int, kernel: int, strides: int = 1, padding: str = "valid"
) -> list[keras.Layer]:
    """Convolution, ReLU, then batch normalisation, which is the order in strided28's original."""
    from keras import layers

    return [
        layers.Conv2D(filters, kernel, strides=strides, padding=padding, activation="relu"),
        layers.BatchNormalization(momentum=MOMENTUM),
    ]


def pooled_block(filters: int) -> list[keras.Layer]:
    """3x3 convolution, batch normalisation, ReLU, 2x2 max pooling."""
    from keras import layers

    return [
        layers.Conv2D(filters, 3, padding="same"),
        layers.BatchNormalization(momentum=MOMENTUM),
        layers.ReLU(),
        layers.MaxPooling2D(),
    ]


def convolved(x: Any, filters: int, kernel: int = 3, strides: int = 1) -> Any:  # noqa: ANN401, Keras' tensors have no types
    """Convolution and batch normalisation of a tensor (n, H, W, C), without bias or activation."""
    from keras import layers

    x = layers.Conv2D(
        filters,
        kernel,
        strides=strides,
        padding="same",
        use_bias=False,  # batch normalisation would subtract it again
        kernel_initializer="he_normal",
    )(x)
    return layers.BatchNormalization(momentum=MOMENTUM)(x)


def residual(x: Any, filters: int) -> Any:  # noqa: ANN401, Keras' tensors have no types
    """Two convolutions whose result is added to the input (He et al., arXiv 1512.03385, fig. 2)."""
    from keras import layers

    inner = layers.ReLU()(convolved(x, filters))
    return layers.ReLU()(layers.Add()([x, convolved(inner, filters)]))
