"""The machines of a training come together, and leave: in good order, or with one line why.

JAX holds them together by a coordinator in machine 0's process. If that goes without a farewell,
JAX ends the others by SIGABRT with a text of its own; whoever can, says farewell.
"""

from __future__ import annotations

import atexit
import os
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from importlib.metadata import version
from threading import Event, Thread
from typing import Any, NoReturn

import numpy as np

import inkfold
from inkfold.errors import InkfoldError
from inkfold.keras_backend import import_keras, set_variables, silent
from inkfold.training.machines import PATIENCE, Machines, key_value_store
from inkfold.training.places import Place

HEARTBEAT = 30  # seconds without a sign after which JAX takes a machine for lost
LINGER = 3.0  # seconds that machine 0 waits at most while the others leave
ENDED, LEFT, WELL = "inkfold/ended", "inkfold/left", "well"
LOST = ("Gloo", "NCCL", "coordination", "Coordination", "DEADLINE_EXCEEDED", "UNAVAILABLE")
ADVICE = "start all machines again, with --resume if an epoch was done"


def on_this_machine(batches: Sequence[int]) -> Machines:
    """One machine alone, with as many of its devices as divide every size of a batch."""
    if os.environ.get("KERAS_BACKEND") != "jax":
        return Machines()
    names = import_keras().distribution.list_devices()
    count = max(n for n in range(1, len(names) + 1) if all(size % n == 0 for size in batches))
    devices = tuple(names[:count]) if count > 1 else ()
    return Machines(devices=devices, idle=len(names) - count)


def check_backend() -> None:
    """Refuse several machines where ``KERAS_BACKEND`` does not name JAX, before anything slow."""
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    if backend != "jax":
        raise InkfoldError(
            f"--machines: Keras trains on several machines on JAX alone, its backend is {backend}; "
            "set KERAS_BACKEND=jax on every machine"
        )


def check_batches(place: Place, batches: Sequence[int]) -> None:
    """Refuse sizes of batches that cannot be divided among the machines, before they meet."""
    _check_divisible(batches, place.of, f"{place.of} machines")


@contextmanager
def joined(
    place: Place,
    batches: Sequence[int],
    *,
    ended: Callable[[str], NoReturn],
    patience: float = PATIENCE,
) -> Iterator[Machines]:
    """Come together with the other machines for the time of the block.

    Nothing may have used JAX before. If the block fails, the others are told, and this process ends
    without the end that JAX would take, which waits for all machines.

    Parameters
    ----------
    place : Place
    batches : sequence of int
        The sizes of batches that will be shared.
    ended : callable
        Ends this process with a line that says why; called in another thread when machine 0 ends
        in the middle of the work.
    patience : float
        Seconds that the machines wait for each other.

    Raises
    ------
    InkfoldError
        If not all machines come in time, if machine 0 cannot listen, if their versions or numbers
        of devices differ, if a batch cannot be divided among their devices, or if a machine is lost
        later.
    """
    leaving = Event()
    try:
        _start(place, patience)
        if place.rank > 0:
            Thread(target=_watch, args=(place.rank, leaving, ended), daemon=True).start()
        yield _together(place, batches, leaving)
    except BaseException as error:
        leaving.set()
        told = _in_one_line(place, error)
        if _still_joined():
            _say_farewell(place, str(told) if isinstance(told, Exception) else "it was stopped")
            atexit.register(_end, _exit_code(told))  # it runs before JAX's own, which waits
        raise told from None
    _leave(place, leaving)


def _start(place: Place, patience: float) -> None:
    """Start JAX's coordinator on machine 0 and connect every machine to it."""
    if place.rank == 0:
        _check_listening(place)
    else:
        _wait_for_first(place, patience)
    set_variables()
    import jax

    # with it SIGTERM would be JAX's, and a run that is stopped could not keep its checkpoint
    jax.config.update("jax_enable_preemption_service", False)
    outcome: list[Exception | None] = []

    def start() -> None:
        try:
            jax.distributed.initialize(
                place.address,
                place.of,
                place.rank,
                cluster_detection_method="deactivate",
                coordinator_bind_address=place.address,  # by default it would be every address
                initialization_timeout=int(patience) + 60,  # after it JAX aborts the process
                heartbeat_timeout_seconds=HEARTBEAT,
            )
            outcome.append(None)
        except Exception as error:  # JAX raises errors of several types
            outcome.append(error)

    # in a thread, for in C++ no signal would end the waiting
    thread = Thread(target=start, daemon=True)
    thread.start()
    thread.join(patience)
    if not outcome:
        raise InkfoldError(
            f"not all {place.of} machines have come to {place.address} within {patience:.0f} s; "
            f"start the same command on each, with --rank 0 to {place.of - 1}"
        )
    if outcome[0] is not None:
        raise InkfoldError(f"{place.address}: the machines cannot meet ({_first_line(outcome[0])})")
    _tell_gloo(place)


def _check_listening(place: Place) -> None:
    """Refuse an address that is not this machine's, or is taken: JAX would abort the process."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            place.host, place.port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise InkfoldError(
            f"machine 0 cannot listen at {place.address} ({error.strerror or error}); give an "
            "address of the machine that has --rank 0, and a free port"
        ) from None


def _wait_for_first(place: Place, patience: float) -> None:
    """Wait until machine 0 listens: JAX would abort the process if it never does."""
    until = time.monotonic() + patience
    while True:
        try:
            with socket.create_connection((place.host, place.port), timeout=2):
                return
        except OSError as error:
            if time.monotonic() > until:
                raise InkfoldError(
                    f"machine 0 does not answer at {place.address} within {patience:.0f} s "
                    f"({error.strerror or error}); start it with --rank 0 and the same --machines"
                ) from None
        time.sleep(0.2)


def _tell_gloo(place: Place) -> None:
    """Have processors exchange arrays through the address that leads to machine 0.

    Otherwise Gloo listens where this machine's name leads, which on many systems is 127.0.1.1. JAX
    0.10 has no public setting for it; where a later one lacks these names, Gloo decides by itself.
    """
    try:
        from jax._src import distributed, xla_bridge
        from jax._src.lib import _jax

        gloo, make = _jax.make_gloo_tcp_collectives, xla_bridge.make_cpu_client
        register = xla_bridge.register_backend_factory
    except (ImportError, AttributeError):
        return
    own = _own_address(place)

    def client() -> Any:  # noqa: ANN401, a class of JAX's C++ without types
        store = distributed.global_state.client
        return make(collectives=gloo(distributed_client=store, hostname=own))

    register("cpu", client, priority=0, fail_quietly=False)


def _own_address(place: Place) -> str:
    """The address of this machine from which a packet to machine 0 would leave; none is sent."""
    family, _, _, _, address = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect(address)
        return str(probe.getsockname()[0])


def _together(place: Place, batches: Sequence[int], leaving: Event) -> Machines:
    """Compare versions and devices, and connect the devices."""
    alone = Machines(rank=place.rank, of=place.of, leave=partial(_leave, place, leaving))
    alone.agree({"--of": place.of} | _versions())
    import jax

    keras = import_keras()
    devices = sorted(jax.devices(), key=lambda device: (device.process_index, device.id))
    owned = Counter(device.process_index for device in devices)
    if len({owned[rank] for rank in range(place.of)}) > 1:
        counts = ", ".join(str(owned[rank]) for rank in range(place.of))
        raise InkfoldError(
            f"the machines have {counts} devices; each needs as many as the others: hide some, as "
            "with CUDA_VISIBLE_DEVICES"
        )
    what = f"{place.of} machines of {owned[0]} devices each"
    _check_divisible(batches, len(devices), what)
    with silent(1):  # Gloo prints that it is connected
        alone.gathered(np.zeros(1, np.uint8))
    names = {str(device.id): f"{device.platform}:{device.id}" for device in devices}
    known = set(keras.distribution.list_devices())
    return Machines(
        rank=place.rank,
        of=place.of,
        devices=tuple(name for name in names.values() if name in known),
        leave=alone.leave,
    )


def _versions() -> dict[str, str]:
    return {
        "version of Inkfold": inkfold.__version__,
        **{f"version of {name}": version(name) for name in ("jax", "keras", "numpy")},
    }


def _check_divisible(batches: Sequence[int], parts: int, what: str) -> None:
    for size in batches:
        if size % parts:
            lower = size - size % parts
            sizes = [f"--batch {each}" for each in (lower, lower + parts) if each]
            raise InkfoldError(
                f"a batch of {size} pictures cannot be divided among {what}; "
                f"take {' or '.join(sizes)}"
            )


def _watch(rank: int, leaving: Event, ended: Callable[[str], NoReturn]) -> None:
    """Wait for machine 0's farewell; runs in a thread of every other machine."""
    store = key_value_store()
    while not leaving.is_set():
        try:
            why = store.blocking_key_value_get(ENDED, 60_000)
        except Exception as error:  # JAX raises errors of several types
            if "DEADLINE_EXCEEDED" in str(error):
                continue
            return  # the coordinator is gone, and JAX ends this process
        if why == WELL or leaving.is_set():
            return
        leaving.set()
        with suppress(Exception):
            store.key_value_set(f"{LEFT}/{rank}", "told to")
        ended(f"machine 0 has ended ({why}); {ADVICE}")


def _leave(place: Place, leaving: Event) -> None:
    """End the common work: all machines come here, and none needs another afterwards."""
    if not _still_joined():
        return
    import jax

    leaving.set()
    if place.rank == 0:
        key_value_store().key_value_set(ENDED, WELL)
    jax.distributed.shutdown()  # waits until all machines are here


def _still_joined() -> bool:
    jax = sys.modules.get("jax")
    return jax is not None and jax.distributed.is_initialized()


def _say_farewell(place: Place, why: str) -> None:
    """Tell the others why this machine ends; machine 0 stays until they have left."""
    store, until = key_value_store(), time.monotonic() + LINGER
    with suppress(Exception):  # whoever is told nothing is ended by JAX
        store.key_value_set(f"{LEFT}/{place.rank}", why)
        if place.rank > 0:
            return
        store.key_value_set(ENDED, why)
        for rank in range(1, place.of):
            wait = max(1, int(1000 * (until - time.monotonic())))
            store.blocking_key_value_get(f"{LEFT}/{rank}", wait)


def _in_one_line(place: Place, error: BaseException) -> BaseException:
    """The error, or if it says that a machine was lost, what that means to a user."""
    known = isinstance(error, InkfoldError) or not isinstance(error, Exception)
    if known or not any(sign in str(error) for sign in LOST):
        return error
    return InkfoldError(f"{_who_left(place)}; {ADVICE}")


def _who_left(place: Place) -> str:
    said: list[tuple[str, str]] = []
    with suppress(Exception):
        said = key_value_store().key_value_dir_get(f"{LEFT}/")
    others = [(key.rpartition("/")[2], why) for key, why in said]
    for rank, why in others:
        if rank != str(place.rank):
            return f"machine {rank} has ended ({why})"
    return "the connection to another machine is lost"


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def _exit_code(error: BaseException) -> int:
    """The exit code with which the command will end because of this error."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    if isinstance(error, KeyboardInterrupt):
        return 130
    return 2 if isinstance(error, InkfoldError | OSError | MemoryError) else 1


def _end(code: int) -> None:
    """End the process with what it has printed, without what JAX does at the end."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
