"""Which arithmetic a training run uses."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

Precision = Literal["auto", "float32", "bfloat16"]
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


def policy(precision: Precision, cpu_flags: set[str] | None = None) -> str:
    """The Keras dtype policy for `precision`.

    ``auto`` takes bfloat16 where the hardware has it: an accelerator, or a processor with
    AVX512_BF16 or AMX. Weights and their updates stay float32 in either case.

    Parameters
    ----------
    precision : {"auto", "float32", "bfloat16"}
    cpu_flags : set of str, optional
        What the processor says it can; read from ``/proc/cpuinfo`` where it is not given.
    """
    if precision != "auto":
        return POLICIES[precision]
    flags = _cpu_flags() if cpu_flags is None else cpu_flags
    fast = has_accelerator() or not flags.isdisjoint({"avx512_bf16", "amx_bf16"})
    return POLICIES["bfloat16" if fast else "float32"]


def _cpu_flags() -> set[str]:
    info = Path("/proc/cpuinfo")
    if not info.exists():  # not Linux
        return set()
    for line in info.read_text().splitlines():
        if line.startswith(("flags", "Features")):
            return set(line.partition(":")[2].split())
    return set()


def has_accelerator() -> bool:
    """Whether Keras' backend has something else than a processor to compute with."""
    from inkfold.keras_import import import_keras

    keras = import_keras()
    if keras.backend.backend() == "torch":  # keras.distribution does not know this backend
        import torch

        return bool(torch.cuda.is_available())
    return any(not name.startswith("cpu") for name in keras.distribution.list_devices())
