"""The one place where Keras is imported: late, and without its backend's start-up chatter."""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from inkfold.errors import InkfoldError


def import_keras() -> ModuleType:
    """Import Keras on the backend that ``KERAS_BACKEND`` names, by default TensorFlow.

    Raises
    ------
    InkfoldError
        If the backend is not installed.
    """
    if "keras" in sys.modules:
        return sys.modules["keras"]
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _silent_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside libraries that we cannot mend
        try:
            import keras
        except ImportError as error:
            backend = os.environ.get("KERAS_BACKEND", "tensorflow")
            raise InkfoldError(
                f"Keras cannot start its backend {backend!r} ({error}); "
                "install that, or set KERAS_BACKEND to tensorflow, jax or torch"
            ) from None
        keras.ops.zeros(1)  # wakes the backend, which looks for accelerators and says so
    module: ModuleType = keras
    return module


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Hold back what C++ writes to file descriptor 2; show it only if the block fails."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
