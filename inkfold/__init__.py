"""Inkfold: folders of handwritten-character pictures into a trained, measured classifier.

The names that other programs use are loaded when they are first asked for (PEP 562), so that
``import inkfold`` costs next to nothing:

    from inkfold import open_dataset, load_bundle, Classifier, Elastic, prepare, read
"""

import os

TYPE_CHECKING = False  # a type checker takes it for True; typing takes milliseconds to import
if TYPE_CHECKING:
    from inkfold.bundle import Bundle, load_bundle, newest_bundle
    from inkfold.classifier import Classifier
    from inkfold.dataset import Dataset, Split, open_dataset
    from inkfold.elastic import Elastic
    from inkfold.errors import InkfoldError
    from inkfold.picture import prepare, read
    from inkfold.spec import ImageSpec

__version__ = "0.1.0"
__all__ = [
    "Bundle",
    "Classifier",
    "Dataset",
    "Elastic",
    "ImageSpec",
    "InkfoldError",
    "Split",
    "load_bundle",
    "newest_bundle",
    "open_dataset",
    "prepare",
    "read",
]
_HOMES = {
    "Bundle": "bundle",
    "Classifier": "classifier",
    "Dataset": "dataset",
    "Elastic": "elastic",
    "ImageSpec": "spec",
    "InkfoldError": "errors",
    "Split": "dataset",
    "load_bundle": "bundle",
    "newest_bundle": "bundle",
    "open_dataset": "dataset",
    "prepare": "picture",
    "read": "picture",
}

# OpenCV reads this once, when it is loaded, and then refuses larger pictures before it decodes
# them; inkfold.picture reports why.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", "50000000")

# ONNX Runtime reads this once, when it is loaded. Without it a machine is given an identifier,
# which is written into TMPDIR and the home folder, and events are sent to its makers.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def __getattr__(name: str) -> object:
    """Load a public name from its module when it is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
