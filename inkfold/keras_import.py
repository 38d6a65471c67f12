"""The one place where Keras is imported: late, and without its backend's start-up chatter."""

from __future__ import annotations

import os
import warnings
from types import ModuleType


def import_keras() -> ModuleType:
    """Import Keras on the backend that ``KERAS_BACKEND`` names, by default TensorFlow."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside libraries that we cannot mend
        import keras

    module: ModuleType = keras
    return module
