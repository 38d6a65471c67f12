"""A network made ready to train: optimizer, loss, and the kernels of ours where they are faster."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from inkfold import tensorflow_twins
from inkfold.keras_backend import has_accelerator, import_keras
from inkfold.metrics import SMALLEST
from inkfold.recipe import Recipe

if TYPE_CHECKING:
    import keras

PLAIN = "sparse_categorical_crossentropy"


def compiled(model: keras.Model, recipe: Recipe) -> keras.Model:
    """The network, or its faster twin, with the recipe's Adam and loss.

    The learning rate is that of the first stage; the loop sets it anew for every step. Only kernels
    decay, and the optimizer's variables are there already.
    """
    keras = import_keras()
    fused = keras.backend.backend() == "tensorflow" and not has_accelerator()
    if fused:
        model = tensorflow_twins.twin(model)
    adam = tensorflow_twins.adam if fused else keras.optimizers.Adam
    optimizer = adam(recipe.stages[0].learning_rate)
    if recipe.weight_decay:
        optimizer.weight_decay = recipe.weight_decay
        others = [weight for weight in model.trainable_variables if weight.name != "kernel"]
        optimizer.exclude_from_weight_decay(var_list=others)
    optimizer.build(model.trainable_variables)
    model.compile(
        optimizer=optimizer,
        loss=smoothed(recipe.label_smoothing) if recipe.label_smoothing else PLAIN,
        metrics=["accuracy"],
        jit_compile=False if fused else "auto",  # the kernels are compiled, each by itself
    )
    return model


def smoothed(share: float) -> Callable[[Any, Any], Any]:
    """Cross-entropy with labels of which `share` is spread over all classes.

    Szegedy et al., arXiv 1512.00567, section 7. Keras has it for one-hot labels alone.

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
