"""Batches as a data set of TensorFlow that ends when it ends.

Keras makes one of a generator by itself, but with autotuning: a thread then wakes after 10 ms, 20
ms, 40 ms and so on, up to a minute, and taking the data set down waits for it to wake once more.
An epoch of 80 s so took 144.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from inkfold.training.batches import Batch

if TYPE_CHECKING:
    import tensorflow as tf

AHEAD = 2  # batches that are made while one is learned from


def feed(batches: Iterator[Batch]) -> tf.data.Dataset:
    """The same batches in the same order; at least one."""
    import tensorflow as tf

    first = next(batches)
    signature = tuple(tf.TensorSpec(part.shape, part.dtype) for part in first)
    dataset = tf.data.Dataset.from_generator(
        lambda: chain([first], batches), output_signature=signature
    )
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.prefetch(AHEAD).with_options(options)
