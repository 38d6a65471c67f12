"""Keras, imported late and quietly; whether it has an accelerator, and the arithmetic to use."""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Literal

from inkfold.errors import InkfoldError
from inkfold.extras import need

Precision = Literal["auto", "float32", "bfloat16"]
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
LIMIT = "ONEDNN_MAX_CPU_ISA"  # to this level a user may limit what oneDNN takes of the processor
BELOW_BFLOAT16 = {
    *("SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2", "AVX512_CORE", "AVX512_CORE_VNNI"),
}


def keras_libraries() -> tuple[str, ...]:
    """Keras, and its backend: TensorFlow, unless ``KERAS_BACKEND`` names another.

    PyTorch is left out, because no extra of Inkfold brings it.
    """
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    return ("keras", backend) if backend in {"tensorflow", "jax"} else ("keras",)


def import_keras() -> ModuleType:
    """Import Keras on the backend that ``KERAS_BACKEND`` names, by default TensorFlow.

    Raises
    ------
    InkfoldError
        If Keras or the backend is not installed.
    """
    if "keras" in sys.modules:
        return sys.modules["keras"]
    need("a network of Keras", *keras_libraries())
    set_variables()
    with silent(2), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside libraries, which we cannot change
        try:
            import keras
        except ImportError as error:
            backend = os.environ.get("KERAS_BACKEND", "tensorflow")
            raise InkfoldError(
                f"Keras cannot start its backend {backend!r} ({error}); "
                "install that, or set KERAS_BACKEND to tensorflow, jax or torch"
            ) from None
        keras.ops.zeros(1)  # starts the backend, which looks for accelerators and prints about it
    module: ModuleType = keras
    return module


def set_variables() -> None:
    """Set what TensorFlow reads when it is first imported, where the user has not."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # without it TensorFlow leaves oneDNN's convolutions out where a processor has AVX2 alone
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


@contextmanager
def silent(descriptor: int) -> Iterator[None]:
    """Hold back what C++ writes to stdout (1) or stderr (2); write it only if the block fails.

    Ctrl-C is no failure.
    """
    stream = {1: sys.stdout, 2: sys.stderr}[descriptor]
    stream.flush()
    shown = os.dup(descriptor)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), descriptor)
        try:
            yield
        except Exception:
            held.seek(0)
            os.write(shown, held.read())
            raise
        finally:
            stream.flush()
            os.dup2(shown, descriptor)
            os.close(shown)


def policy(precision: Precision, flags: set[str] | None = None) -> str:
    """The Keras dtype policy for `precision`.

    ``auto`` takes bfloat16 where the hardware computes with it: an accelerator, or a processor
    with AVX512_BF16 or AMX that ``ONEDNN_MAX_CPU_ISA`` does not withhold. Weights and their updates
    stay float32 in either case.

    Parameters
    ----------
    precision : {"auto", "float32", "bfloat16"}
    flags : set of str, optional
        The processor's features; read from ``/proc/cpuinfo`` if not given.

    Returns
    -------
    policy : {"float32", "mixed_bfloat16"}
    """
    if precision != "auto":
        return POLICIES[precision]
    flags = cpu_flags() if flags is None else flags
    withheld = os.environ.get(LIMIT, "").upper() in BELOW_BFLOAT16
    computes = not withheld and not flags.isdisjoint({"avx512_bf16", "amx_bf16"})
    fast = computes or has_accelerator()
    return POLICIES["bfloat16" if fast else "float32"]


def cpu_flags() -> set[str]:
    """The processor's features as Linux names them; empty on another system."""
    info = Path("/proc/cpuinfo")
    if not info.exists():  # not Linux
        return set()
    for line in info.read_text().splitlines():
        if line.startswith(("flags", "Features")):
            return set(line.partition(":")[2].split())
    return set()


def has_accelerator() -> bool:
    """Whether Keras' backend can compute on a GPU or another accelerator."""
    keras = import_keras()
    if keras.backend.backend() == "torch":  # keras.distribution does not know this backend
        import torch

        return bool(torch.cuda.is_available())
    return any(not name.startswith("cpu") for name in keras.distribution.list_devices())
