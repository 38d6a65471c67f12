"""The model bundle, format 1: a folder with a trained network and all that is needed to use it.

docs/formats.md describes the files. NumPy is not imported at the top of this module, because
``classify.py`` checks a bundle before NumPy is loaded.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import wraps
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from inkfold.bundle.hashing import sha256_of_all
from inkfold.bundle.record import check_record
from inkfold.errors import InkfoldError
from inkfold.identity import Identity, all_unchanged
from inkfold.program import typed
from inkfold.records import read_json
from inkfold.spec import ImageSpec

if TYPE_CHECKING:
    import keras
    import onnxruntime

    from inkfold.metrics import Rate

P = ParamSpec("P")
T = TypeVar("T")
FORMAT = "inkfold-bundle"
VERSION = 1
ARCHITECTURE = "model_architecture.json"
WEIGHTS = "model.weights.h5"  # Keras 3 refuses any other ending
ONNX = "model.onnx"
NOVELTY = "novelty.npz"
RECORD = "bundle.json"
TRAINED = Path("models/trained")
COMES_ALONG = Path(__file__).resolve().parents[1] / "shipped"  # a folder for each bundle
SHIPPED = COMES_ALONG / "emnist47"  # answers where nothing was trained


def _reads_files(
    method: Callable[Concatenate[Bundle, P], T],
) -> Callable[Concatenate[Bundle, P], T]:
    """Have a method of a bundle read the very files that were hashed, or none."""

    @wraps(method)
    def checked(bundle: Bundle, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with bundle.unchanged():
            return method(bundle, *args, **kwargs)

    return checked


@dataclass(frozen=True)
class Bundle:
    """A loaded bundle: its files are as its record says.

    Attributes
    ----------
    path : Path
        The bundle's folder.
    record : dict
        The content of ``bundle.json``.
    files : tuple of Identity
        The files that were hashed; empty for a bundle that is being written.

    Examples
    --------
    >>> from inkfold import load_bundle, newest_bundle
    >>> bundle = load_bundle(newest_bundle())
    >>> bundle.name, len(bundle.classes), bundle.classes[:3]
    ('residual32', 47, ('0', '1', '2'))
    >>> bundle.spec.size, bundle.spec.fit
    (32, 'ink')
    >>> print(bundle.rate("test"))
    104,750 of 116,323, 90.05 % (95 % interval 89.88 to 90.22)
    """

    path: Path
    record: dict[str, Any]
    files: tuple[Identity, ...] = ()

    @property
    def name(self) -> str:
        """The network's name."""
        return str(self.record["name"])

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in label order."""
        return tuple(self.record["classes"])

    @property
    def spec(self) -> ImageSpec:
        """How a picture becomes this network's input."""
        return ImageSpec.from_json(json.dumps(self.record["spec"]))

    @property
    def scores(self) -> dict[str, Any]:
        """Scores by split, with their counts."""
        return dict(self.record["scores"])

    def rate(self, split: str) -> Rate | None:
        """Right answers on the split `split` as the record has them; None if it has no score."""
        return recorded_rate(self.record, split)

    @property
    def temperature(self) -> float | None:
        """The temperature that calibrates the network's probabilities; None if none was fitted.

        Raises
        ------
        InkfoldError
            If the record's temperature is not a positive number.
        """
        temperature = (self.record.get("calibration") or {}).get("temperature")
        if temperature is None:
            return None
        if not isinstance(temperature, int | float) or not 0 < temperature < inf:
            raise InkfoldError(
                f"{self.path}: {RECORD} holds the temperature {temperature!r}, expected a number "
                'above 0; delete its fields "calibration" and "seal" and measure it again with: '
                f"{typed('evaluate')} {self.path} DATASET"
            )
        return float(temperature)

    def check_unchanged(self, *names: str) -> None:
        """Refuse a bundle of which a file (of `names`, or any) is another than when it was loaded.

        Raises
        ------
        InkfoldError
            Naming the first file that was replaced, written to or removed.
        """
        for file in self.files:
            if not names or file.path.name in names:
                file.check()

    def unchanged(self) -> AbstractContextManager[None]:
        """A block that reads the bundle's files, which must be the same before and after it."""
        return all_unchanged(self.files)

    @_reads_files
    def keras_model(self) -> keras.Model:
        """The network with its weights, every shape checked against the record.

        Raises
        ------
        InkfoldError
            If architecture, weights and record do not belong together.

        Examples
        --------
        >>> from inkfold import load_bundle, newest_bundle
        >>> model = load_bundle(newest_bundle()).keras_model()
        >>> model.input_shape, model.output_shape
        ((None, 32, 32, 1), (None, 47))
        """
        from inkfold.bundle.network import keras_network, load_weights, stored_shapes

        model = keras_network(self.path / ARCHITECTURE)
        expected = [tuple(shape) for shape in self.record["shapes"]]
        shapes = [tuple(weight.shape) for weight in model.weights]
        self._expect("its architecture has weights of shapes", shapes, expected)
        stored = stored_shapes(self.path / WEIGHTS)
        self._expect("its weights file holds", stored, sorted(expected))
        load_weights(model, self.path / WEIGHTS)
        self._expect("its network takes", model.input_shape[1:], (*self._size, 1))
        self._expect("its network answers", model.output_shape[1:], (len(self.classes),))
        return model

    @_reads_files
    def onnx_session(self, threads: int = 0) -> onnxruntime.InferenceSession:
        """The exported network; takes float32 (n, H, W, 1) from 0 to 255, gives float32 (n, C).

        A second output, where there is one, gives the network's features, float32 (n, d).

        Parameters
        ----------
        threads : int
            Threads for one run; 0 takes one for each processor.

        Raises
        ------
        InkfoldError
            If ``model.onnx`` is missing or damaged, or its shapes differ from the record's.

        Examples
        --------
        >>> import numpy as np
        >>> from inkfold import load_bundle, newest_bundle
        >>> session = load_bundle(newest_bundle()).onnx_session()
        >>> images = np.zeros((5, 32, 32, 1), np.float32)
        >>> probabilities = session.run(None, {session.get_inputs()[0].name: images})[0]
        >>> probabilities.shape
        (5, 47)
        """
        import onnxruntime

        from inkfold.bundle.network import onnx_session

        if not (self.path / ONNX).exists():
            raise InkfoldError(
                f"{self.path}: no {ONNX}; write it with: "
                f"python -m inkfold.bundle.onnx_export {self.path}"
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # without the memory layouts of ORT_ENABLE_ALL, which cost more to convert than they save:
        # on a processor with AVX-512 cnn32 is 5 to 8 % faster so, at 1 to 128 pictures a run
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        session = onnx_session(self.path / ONNX, options)
        self._expect("its ONNX takes", session.get_inputs()[0].shape[1:], [*self._size, 1])
        self._expect("its ONNX answers", session.get_outputs()[0].shape[1:], [len(self.classes)])
        return session

    @property
    def _size(self) -> tuple[int, int]:
        return (self.spec.size, self.spec.size)

    def _expect(self, what: str, found: object, expected: object) -> None:
        if found != expected:
            raise InkfoldError(
                f"{self.path}: {what} {found}, {RECORD} says {expected}; restore or train again"
            )


def load_bundle(path: Path | str, meanwhile: Callable[[], object] = lambda: None) -> Bundle:
    """Load a bundle and check every hash that its record holds.

    Parameters
    ----------
    path : Path or str
        Its folder, or its name alone: see `located`.
    meanwhile : callable
        What this thread does while others hash, imports for example; not called where the record
        alone shows that nothing can be loaded.

    Raises
    ------
    InkfoldError
        If the folder is no bundle, its format version is not 1, or a file is missing, was changed
        since the bundle was written, or changes while it is read.

    Examples
    --------
    >>> from inkfold import load_bundle
    >>> bundle = load_bundle("emnist47")  # the one that comes along
    >>> len(bundle.classes)
    47
    """
    path = located(path)
    found = Identity.of(path / RECORD) if (path / RECORD).is_file() else None
    record = read_record(path)
    hashes: dict[str, str] = record["sha256"]
    if ONNX not in hashes and (path / ONNX).exists():
        raise InkfoldError(
            f"{path}: {RECORD} has no hash of {ONNX}: it was not saved together with the rest; "
            "restore it or train again"
        )
    for name in hashes:
        if not (path / name).is_file():
            raise InkfoldError(f"{path}: {name} is missing; restore it or train again")
    files = tuple(Identity.of(path / name) for name in hashes)
    bundle = Bundle(path, record, files)
    with bundle.unchanged():
        digests = sha256_of_all([file.path for file in files], meanwhile)
    for (name, expected), digest in zip(hashes.items(), digests, strict=True):
        if digest != expected:
            if found is not None:
                found.check()  # the whole folder may have been replaced since
            raise InkfoldError(
                f"{path / name}: sha256 is {digest[:12]}..., {RECORD} says {expected[:12]}...: "
                "it was not saved together with the rest; restore it or train again"
            )
    return bundle


def located(path: Path | str) -> Path:
    """The folder of a bundle that a user names.

    A name alone (no folder in it, and nothing of this name in the current folder) stands for the
    bundle of this name under ``models/trained``, or else for the one that comes along.

    Returns
    -------
    folder : Path
        `path` itself where it stands for no other: whether a bundle is there is not looked at.
    """
    path = Path(path)
    if len(path.parts) == 1 and path.name and not path.exists():
        for folder in (TRAINED / path, COMES_ALONG / path):
            if (folder / RECORD).is_file():
                return folder
    return path


def shipped_names() -> list[str]:
    """The names of the bundles that come along."""
    return sorted(record.parent.name for record in COMES_ALONG.glob(f"*/{RECORD}"))


def newest_bundle(folder: Path = TRAINED, shipped: Path = SHIPPED) -> Path:
    """The bundle in `folder` whose weights were written last.

    `shipped`, the bundle that comes along, is returned only if `folder` holds none.

    Raises
    ------
    InkfoldError
        If there is neither a bundle in `folder` nor a shipped one.

    Examples
    --------
    >>> from inkfold import newest_bundle
    >>> newest_bundle().name  # the bundle that comes along, if none was trained here
    'emnist47'
    """
    bundles = [record.parent for record in folder.glob(f"*/{RECORD}")]
    bundles = [bundle for bundle in bundles if not bundle.name.startswith(".")]
    if not bundles and (shipped / RECORD).is_file():
        return shipped
    if not bundles:
        raise InkfoldError(f"{folder}: no trained bundle; {_advice()}")
    return max(bundles, key=lambda bundle: (_written(bundle / WEIGHTS), bundle.name))


def _written(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


def read_record(folder: Path) -> dict[str, Any]:
    """The content of ``bundle.json``.

    Raises
    ------
    InkfoldError
        If the file is missing, its format version is not 1, or a field is missing or wrong.
    """
    path = folder / RECORD
    if not path.is_file():
        raise InkfoldError(
            f"{folder}: no bundle here ({RECORD} is missing); {_advice()}; "
            f"those that come along: {', '.join(shipped_names())}"
        )
    record: dict[str, Any] = read_json(path, "restore or train again")
    _check_record(path, record)
    return record


def _advice() -> str:
    return f"train one with: {typed('train cnn32')} DATASET"


def _check_record(path: Path, record: dict[str, Any]) -> None:
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise InkfoldError(f"{path}: not the record of an inkfold bundle; {_advice()}")
    if record.get("format_version") != VERSION:
        raise InkfoldError(
            f"{path}: bundle format {record.get('format_version')}, this version reads format "
            f"{VERSION}; train again, or use the version of inkfold that wrote it"
        )
    needed = (ARCHITECTURE, WEIGHTS, *([NOVELTY] if "novelty" in record else []))
    check_record(path, record, needed)


def recorded_rate(record: dict[str, Any], split: str) -> Rate | None:
    """Right answers on the split `split` in a bundle's record; None if it has no score of it."""
    from inkfold.metrics import Rate

    score = record["scores"].get(split)
    return None if score is None else Rate(score["correct"], score["total"])
