"""An installation without TensorFlow, which takes seconds to import and which JAX does not need."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class _Hiding(MetaPathFinder):
    """Finds no TensorFlow."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002, Python gives it
        target: ModuleType | None = None,  # noqa: ARG002, same
    ) -> ModuleSpec | None:
        """Answer Python's question where a module is."""
        if fullname.partition(".")[0] == "tensorflow":
            raise ModuleNotFoundError(f"no module named {fullname!r}", name=fullname)
        return None


def hide_tensorflow() -> None:
    """Have this process find no TensorFlow from now on."""
    sys.meta_path.insert(0, _Hiding())
