"""The libraries that an installation may lack, and the extra of Inkfold that brings each.

``pip install inkfold`` brings what packs, augments and classifies; the rest comes by extras (see
docs/dependencies.md). A command asks for what it needs before it works.
"""

from __future__ import annotations

from importlib.util import find_spec

from inkfold.errors import InkfoldError

EXTRA_OF = {
    "keras": "train",
    "tensorflow": "train",
    "onnx": "train",
    "tf2onnx": "train",
    "tensorboard": "train",
    "matplotlib": "report",
    "jinja2": "report",
    "sklearn": "report",
    "scipy": "report",
    "fastapi": "draw",
    "uvicorn": "draw",
    "python_multipart": "draw",
    "cleanlab": "audit",
    "pyarrow": "parquet",
    "pillow_heif": "heic",
    "jax": "jax",
    "distributed": "cluster",
    "fsspec": "cloud",
    "s3fs": "cloud",
    "gcsfs": "cloud",
}
BRINGS = {
    "audit": {"train", "report"},
    "jax": {"train", "report"},
    "train": {"report"},
}  # what comes along with an extra
PAGE = ("jinja2", "matplotlib", "scipy")  # what reports, their plots and figures are made with


def missing(*libraries: str) -> list[str]:
    """Those of the libraries, by the names that they are imported by, that are not installed."""
    return [library for library in libraries if not _installed(library)]


def need(what: str, *libraries: str, otherwise: str = "") -> None:
    """Refuse what is about to be done where a library that it needs is not installed.

    Parameters
    ----------
    what : str
        The subject of the message, as ``training``.
    *libraries : str
        By the names that they are imported by.
    otherwise : str, optional
        What else a user can do.

    Raises
    ------
    InkfoldError
        Naming the libraries that are missing, and the extra that brings them.
    """
    if lacking := missing(*libraries):
        raise InkfoldError(f"{what} needs {bringing(*lacking)}{otherwise}")


def bringing(*libraries: str) -> str:
    """Which libraries are not installed, and how to install them, as a part of a sentence."""
    extras = {EXTRA_OF[library] for library in libraries}
    extras -= {inner for extra in extras for inner in BRINGS.get(extra, ())}
    *others, last = libraries
    names = f"{', '.join(others)} and {last}, which are" if others else f"{last}, which is"
    return f"{names} not installed: pip install 'inkfold[{','.join(sorted(extras))}]'"


def _installed(library: str) -> bool:
    try:
        return find_spec(library) is not None
    except ImportError:
        return False
