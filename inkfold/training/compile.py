"""A network made ready to train: optimizer, loss, and faster twins for TensorFlow on processors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from inkfold.keras_backend import has_accelerator, import_keras, silent
from inkfold.metrics import SMALLEST
from inkfold.recipe import Recipe
from inkfold.training.twins import adam, twin

if TYPE_CHECKING:
    import keras

Build = Callable[[int], "keras.Model"]  # classes -> the untrained network
Loss = Callable[[Any, Any], Any]  # (labels, probabilities) -> the loss of each picture, in nats
Kernels = Literal["keras", "fused"]  # Keras' own layers and Adam, or their faster twins
PLAIN = "sparse_categorical_crossentropy"


def has_fused_kernels() -> bool:
    """Whether the faster twins can be used: on TensorFlow without an accelerator."""
    return import_keras().backend.backend() == "tensorflow" and not has_accelerator()


def fresh_network(
    build: Build,
    classes: int,
    recipe: Recipe,
    *,
    seed: int,
    kernels: Kernels,
    weights: NDArray[np.float32] | None = None,
) -> keras.Model:
    """The untrained network, compiled; `seed` gives its weights and its dropout masks.

    `weights` are those of the classes in the loss, as for `compiled`.
    """
    with silent(2):  # on every backend Keras imports TensorFlow here, which prints about itself
        import_keras().utils.set_random_seed(seed % 2**32)
    return compiled(build(classes), recipe, kernels, weights)


def variables(model: keras.Model) -> list[keras.Variable]:
    """All that a training step changes: weights, random states, and the optimizer's variables."""
    return [*model.variables, *model.optimizer.variables]


def compiled(
    model: keras.Model,
    recipe: Recipe,
    kernels: Kernels = "fused",
    weights: NDArray[np.float32] | None = None,
) -> keras.Model:
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
    weights : float32 array of shape (C,), optional
        How much a picture of each class counts in the loss; without it all count the same.
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
        loss=_loss(recipe.label_smoothing, weights),
        metrics=["accuracy"],
        jit_compile=False if twins else "auto",  # XLA's convolutions are slower than oneDNN's
    )
    return model


def _loss(smoothing: float, weights: NDArray[np.float32] | None) -> Loss | str:
    """Cross-entropy as Keras compiles it: with smoothed labels and weights, where there are any."""
    loss = smoothed(smoothing) if smoothing else PLAIN
    if weights is None:
        return loss
    return weighted(import_keras().losses.get(loss), weights)


def weighted(loss: Loss, weights: NDArray[np.float32]) -> Loss:
    """A loss in which each picture counts with the weight of its class.

    Parameters
    ----------
    loss : callable
        ``loss(labels, probabilities)`` of int (n,) and float (n, C) is float (n,), in nats.
    weights : float32 array of shape (C,)

    Returns
    -------
    loss : callable
        Of the same form.
    """
    ops = import_keras().ops

    def of_classes(labels: Any, probabilities: Any) -> Any:  # noqa: ANN401, tensors of any backend
        own = ops.cast(ops.reshape(labels, (-1,)), "int32")
        return ops.take(ops.convert_to_tensor(weights), own, axis=0) * loss(own, probabilities)

    return of_classes


def smoothed(share: float) -> Loss:
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
