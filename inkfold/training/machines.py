"""Which part of a training is done here: machines and devices that share every batch, on JAX.

Each machine runs one process. Every process makes the same batches and feeds its own rows of each,
JAX adds up the gradients, and so the weights are equal everywhere after every step. One machine
with one device, the default, shares nothing and asks nobody.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inkfold.errors import InkfoldError
from inkfold.keras_backend import import_keras
from inkfold.records import differences

if TYPE_CHECKING:
    import keras

EQUAL = "equal"
COUNT = itertools.count()  # of comparisons, which all machines make in one order
PATIENCE = 120  # seconds that one machine waits for another at the beginning


@dataclass(frozen=True, kw_only=True)
class Machines:
    """The machines and devices that train one network together.

    Attributes
    ----------
    rank : int
        The number of this machine, from 0.
    of : int
        How many machines there are.
    devices : tuple of str
        Keras' names of all devices that share a batch, in the order of the machines; empty where
        one device does all of it.
    idle : int
        Devices of this machine that have no part, because the batch cannot be divided by them.
    leave : callable
        Called when this machine needs no other any more; the others are told that all went well.
    """

    rank: int = 0
    of: int = 1
    devices: tuple[str, ...] = ()
    idle: int = 0
    leave: Callable[[], None] = field(default=lambda: None, compare=False)

    @property
    def is_first(self) -> bool:
        """Whether this machine writes the checkpoint, the log and the bundle."""
        return self.rank == 0

    @property
    def shares(self) -> int:
        """Into how many equal parts each batch is divided."""
        return max(1, len(self.devices))

    @property
    def told(self) -> str:
        """A line for people about the devices; empty where there is nothing to say."""
        if not self.idle and self.shares == 1:
            return ""
        where = f" of {self.of} machines" if self.of > 1 else ""
        many = f"{self.shares} devices" if self.shares > 1 else "1 device"
        rest = f"; {self.idle} more cannot, the batch is not a multiple" if self.idle else ""
        return f"each batch is shared by {many}{where}{rest}"

    def rows(self, size: int) -> slice:
        """The rows of a batch of `size` pictures that this machine feeds."""
        return slice(self.rank * size // self.of, (self.rank + 1) * size // self.of)

    def sharing(self) -> AbstractContextManager[None]:
        """Within the block Keras makes variables on all devices and trains on all of them."""
        if self.shares == 1:
            return nullcontext()
        scope: AbstractContextManager[None] = _distribution(self.devices).scope()
        return scope

    def gathered(self, values: NDArray[Any]) -> NDArray[Any]:
        """The arrays of all machines, which have one shape and type, as one of shape (of, ...).

        Every machine must call this, and each waits for all others. The bytes travel, because JAX
        would make float32 of float64.
        """
        if self.of == 1:
            return values[None]
        from jax.experimental.multihost_utils import process_allgather

        own = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
        joined = np.ascontiguousarray(process_allgather(own))
        return joined.view(values.dtype).reshape(self.of, *values.shape)

    def of_first(self, value: float) -> float:
        """The value of machine 0, so that all decide alike; every machine must call this."""
        return value if self.of == 1 else float(self.gathered(np.array(value, float))[0])

    def agree(self, facts: Mapping[str, Any]) -> None:
        """Compare what each machine knows with what machine 0 knows; every machine must call this.

        Parameters
        ----------
        facts : mapping
            JSON values.

        Raises
        ------
        InkfoldError
            On every machine, if one of them differs: its number and the first field that differs
            are named.
        """
        if self.of == 1:
            return
        store, wait, place = key_value_store(), PATIENCE * 1000, f"inkfold/facts/{next(COUNT)}"
        store.key_value_set(f"{place}/{self.rank}", json.dumps(facts))
        if self.is_first:
            verdict = EQUAL
            for rank in range(1, self.of):
                other = json.loads(store.blocking_key_value_get(f"{place}/{rank}", wait))
                if verdict == EQUAL:
                    verdict = _verdict(rank, json.loads(json.dumps(facts)), other)
            store.key_value_set(f"{place}/verdict", verdict)
        else:
            verdict = store.blocking_key_value_get(f"{place}/verdict", 2 * wait)
        if verdict != EQUAL:
            raise InkfoldError(verdict)


def _verdict(rank: int, first: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    difference = next(differences(first, other), None)
    if difference is None:
        return EQUAL
    name, before, now = difference
    return (
        f"the machines are not started alike: {name} is {before!r} on machine 0 and {now!r} on "
        f"machine {rank}; give all of them the same options, dataset and version of Inkfold"
    )


def described(model: keras.Model) -> str:
    """A network in a few words that differ where its layers do.

    Keras' own description is not used, because Keras imports TensorFlow for it.
    """
    layers = [
        (type(layer).__name__, [weight.shape for weight in layer.weights], _plain(layer))
        for layer in model.layers
    ]
    digest = hashlib.sha256(repr(layers).encode()).hexdigest()
    return f"{model.count_params():,} parameters, layers {digest[:16]}"


def _plain(layer: keras.Layer) -> list[tuple[str, object]]:
    """The settings of a layer that are numbers, texts or rows of these."""
    plain = (int, float, str, tuple, list)
    return sorted((k, v) for k, v in layer.get_config().items() if isinstance(v, plain))


def key_value_store() -> Any:  # noqa: ANN401, a class of JAX's C++ without types
    """What the machines tell each other apart from arrays: texts that machine 0 keeps."""
    from jax._src import distributed

    return distributed.global_state.client


@cache
def _distribution(devices: tuple[str, ...]) -> keras.distribution.DataParallel:
    """Keras' plan: every device has all weights and an equal part of each batch."""
    return import_keras().distribution.DataParallel(
        devices=list(devices),
        auto_shard_dataset=False,  # each process feeds its own rows already
    )
