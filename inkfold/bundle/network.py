"""The networks of a bundle as Keras and ONNX Runtime load them, with what they refuse in one line.

A bundle may come from a stranger: nothing in it is run as code. Keras would import the modules that
``model_architecture.json`` names, so only its own are let through, and of its own layers none that
holds or loads a program; arrays of weights that lie in other files are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from inkfold.bundle.features import with_features
from inkfold.errors import InkfoldError
from inkfold.hdf5_heaps import endless_heap
from inkfold.records import read_json, shown

if TYPE_CHECKING:
    import keras
    import numpy as np
    import onnxruntime
    from numpy.typing import NDArray

    # probabilities (n, C), and features (n, d) if they were asked for
    Outputs = tuple[NDArray[np.float32], NDArray[np.float32] | None]
    # takes images, float32 (n, H, W, 1) from 0 to 255
    Network = Callable[[NDArray[np.float32]], Outputs]

ADVICE = "restore it or train again"
# layers of Keras that hold Python's bytecode, or load a program from another file
PROGRAMS = {"Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"}
MODULES = ("keras", "builtins")


def keras_network(path: Path) -> keras.Model:
    """The untrained network that a file of Keras describes.

    Raises
    ------
    InkfoldError
        If the file is not the description of a network, or names code that is not a layer of Keras.
    """
    config = read_json(path, ADVICE)
    for name, value in _named(config):
        _check_named(path, name, value)
    from inkfold.keras_backend import import_keras

    keras = import_keras()
    try:
        model = keras.saving.deserialize_keras_object(config, safe_mode=True)
    except Exception as error:  # Keras raises errors of any type for a wrong description
        raise unusable(path, "Keras cannot build it", error) from None
    if not isinstance(model, keras.Model):
        raise InkfoldError(f"{path}: describes no network, but {shown(model)}; {ADVICE}")
    return model


def _named(value: object) -> Iterator[tuple[str, object]]:
    """Every field of a description that says which class or function Keras shall take."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield from ((n, value[n]) for n in ("module", "class_name") if n in value)
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _check_named(path: Path, name: str, value: object) -> None:
    if value is None:
        return
    root = value.partition(".")[0] if isinstance(value, str) else ""
    if name == "module" and root not in MODULES:
        raise InkfoldError(
            f"{path}: 'module' is {shown(value)}, expected one of Keras: code that a bundle names "
            f"is not run; {ADVICE}"
        )
    if name == "class_name" and (not isinstance(value, str) or value in PROGRAMS):
        raise InkfoldError(
            f"{path}: 'class_name' is {shown(value)}, expected a layer without a program in it: "
            f"code in a bundle is not run; {ADVICE}"
        )


def stored_shapes(path: Path) -> list[tuple[int, ...]]:
    """The shapes of all arrays in a file of weights, in order.

    Raises
    ------
    InkfoldError
        If the file is damaged, or an array lies in another file.
    """
    import h5py

    shapes: list[tuple[int, ...]] = []

    def look(name: str, link: object) -> str | None:
        """Note the shape of an array; what is wrong with it ends the walk."""
        if not isinstance(link, h5py.HardLink):
            return f"{shown(name)} leads elsewhere"
        item = file[name]
        if isinstance(item, h5py.Dataset):
            if item.is_virtual or item.external:
                return f"{shown(name)} lies in another file"
            shapes.append(item.shape)
        return None

    try:
        endless = endless_heap(path)
        with h5py.File(path, "r") as file:
            wrong = "a heap of texts without an end" if endless is not None else None
            wrong = wrong or file.visititems_links(look)
    except Exception as error:  # h5py answers damage with errors of many types
        raise unusable(path, "cannot be read", error) from None
    if wrong is not None:
        raise InkfoldError(f"{path}: {wrong}; {ADVICE}")
    return sorted(shapes)


def load_weights(model: keras.Model, path: Path) -> None:
    """Put the weights of a file into a network.

    Raises
    ------
    InkfoldError
        If the file is damaged or its arrays do not fit the network.
    """
    try:
        model.load_weights(path)
    except Exception as error:  # Keras and h5py raise errors of any type for a wrong file
        raise unusable(path, "Keras cannot load it", error) from None


def onnx_session(path: Path, options: onnxruntime.SessionOptions) -> onnxruntime.InferenceSession:
    """The network of an ONNX file.

    Raises
    ------
    InkfoldError
        If ONNX Runtime cannot load it, or it has not one input of four dimensions and one output of
        two, or two of these.
    """
    import onnxruntime

    try:
        session = onnxruntime.InferenceSession(
            _readable(path), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # ONNX Runtime's errors have no common type
        raise unusable(path, "ONNX Runtime cannot load it", error) from None
    inputs, outputs = session.get_inputs(), session.get_outputs()
    found = [(each.type, len(each.shape or ())) for each in (*inputs, *outputs)]
    table = ("tensor(float)", 2)
    if (
        len(inputs) != 1
        or found[:2] != [("tensor(float)", 4), table]
        or found[2:] not in ([], [table])
    ):
        raise InkfoldError(
            f"{path}: takes and gives {shown(found)}, expected float32 of 4 and of 2 dimensions; "
            f"{ADVICE}"
        )
    return session


def _readable(path: Path) -> str | bytes:
    """A path as ONNX Runtime takes it; the file's content if the path is no text."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return path.read_bytes()
    return str(path)


def onnx_network(
    path: Path, session: onnxruntime.InferenceSession, classes: int, features: int | None = None
) -> Network:
    """The network of an ONNX session, as a function of images; `features` is how many it gives.

    It raises an `InkfoldError` if the network fails, or answers in another shape.
    """
    import numpy as np

    name = session.get_inputs()[0].name
    outputs = [output.name for output in session.get_outputs()]
    widths = [classes] if features is None else [classes, features]
    if len(outputs) < len(widths):
        raise InkfoldError(f"{path}: gives no features, which its novelty.npz is about; {ADVICE}")

    def answers(batch: NDArray[np.float32]) -> Outputs:
        try:
            found = session.run(outputs[: len(widths)], {name: batch})
        except Exception as error:  # ONNX Runtime's errors have no common type
            raise unusable(path, "ONNX Runtime cannot run it", error) from None
        for each, width in zip(found, widths, strict=True):
            if np.shape(each) != (len(batch), width):
                raise InkfoldError(
                    f"{path}: answers in the shape {np.shape(each)}, expected "
                    f"{(len(batch), width)}; {ADVICE}"
                )
        return found[0], None if features is None else found[1]

    return answers


def network_of_keras(model: keras.Model, features: int | None = None) -> Network:
    """The network of a Keras model, as a function of images; `features` is how many it gives."""
    import numpy as np
    from keras.ops import convert_to_numpy

    if features is None:
        return lambda batch: (np.asarray(model.predict_on_batch(batch)), None)
    both = with_features(model)
    if both is None or both.outputs[1].shape[-1] != features:
        raise InkfoldError(
            f"{model.name}: does not give the {features} features that its novelty.npz is about; "
            f"{ADVICE}"
        )

    def answers(batch: NDArray[np.float32]) -> Outputs:
        # called as it is: TensorFlow warns on stderr where many networks compile their prediction
        probabilities, found = (convert_to_numpy(given) for given in both([batch], training=False))
        return probabilities, found

    return answers


def unusable(path: Path, what: str, error: Exception) -> InkfoldError:
    """The error about a file that a library does not take, with the first line of its reason."""
    text = str(error).strip().splitlines()
    reason = text[0] if text else type(error).__name__
    reason = "".join(c if c.isprintable() else " " for c in reason)[:200]
    return InkfoldError(f"{path}: {what} ({reason}); {ADVICE}")
