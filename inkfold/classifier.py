"""A bundle that answers: pictures in, classes and their probabilities out.

`Classifier.classify` takes a stream of pictures and reads ahead: one thread draws the paths, a few
decode and prepare the files, and the network answers batch by batch in the caller's thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inkfold.ahead import Ahead
from inkfold.bundle.bundle import ONNX, Bundle
from inkfold.bundle.novelty_file import read_novelty
from inkfold.calibration import tempered
from inkfold.class_choice import columns_of, restricted
from inkfold.errors import InkfoldError, PictureError
from inkfold.given import Deferred, Given, Item, named
from inkfold.headers.further import has_further_frames
from inkfold.novelty import Flag
from inkfold.picture import decode, is_blank, load, preparation
from inkfold.prediction import Likeliest, Prediction
from inkfold.workers import processors

if TYPE_CHECKING:
    from inkfold.bundle.network import Network

BATCH = 256  # most pictures that are answered together, which bounds the memory
RUN = 64  # most images in one run of ONNX Runtime: more do not fit into a processor's cache
LEAST = 16  # fewest images in a run, if there are so many: smaller runs cost more for each image
PIECE = 32  # pictures that a reading thread takes at a time
READERS = 4  # threads that read and prepare: OpenCV works without Python's lock
PATIENCE = 0.05  # seconds without a new picture after which those at hand are answered
Engine = Literal["onnx", "keras"]
BLANK = "blank: nothing is written in this picture"


class Reading(NamedTuple):
    """What a reading thread makes of a picture.

    Attributes
    ----------
    image : uint8 array of shape (H, W), optional
        The network's input; None where there is nothing to classify.
    error : str, optional
        Why there is no image.
    further : bool
        Whether the file has further frames or pages, which were not read.
    photograph : bool
        Whether the picture was prepared as a photograph.
    """

    image: NDArray[np.uint8] | None
    error: str | None = None
    further: bool = False
    photograph: bool = False


Pieces = list[Future[list[Reading]]]  # a batch's readings, in pieces that threads prepare
Readings = tuple[list[Item], Pieces]


class Classifier:
    """A bundle that answers pictures with classes.

    Parameters
    ----------
    bundle : Bundle
    engine : {"onnx", "keras"}
        ``onnx`` needs neither Keras nor TensorFlow; both give the same answers.
    top : int
        How many classes `classify` names for each picture; more than there are means all.
    only : sequence of str, optional
        The classes that may be answered, in label order, by default all. Probabilities are over
        these alone.
    threads : int, optional
        How many threads answer, by default one for each processor; Keras has its own.

    Attributes
    ----------
    bundle : Bundle
    classes : tuple of str
        The classes that may be answered, in label order.
    top : int
        At most the number of classes.
    temperature : float or None
        The temperature with which the network's probabilities are calibrated.

    Examples
    --------
    >>> from inkfold import Classifier, load_bundle, newest_bundle
    >>> classifier = Classifier(load_bundle(newest_bundle()), top=3)
    >>> for prediction in classifier.classify(["a.png", "b.png"]):
    ...     print(prediction.path, prediction.labels[0], prediction.probabilities[0] > 0.9)
    a.png A True
    b.png B True
    """

    def __init__(
        self,
        bundle: Bundle,
        engine: Engine = "onnx",
        top: int = 1,
        only: Sequence[str] | None = None,
        *,
        threads: int | None = None,
    ) -> None:
        self.bundle = bundle
        self._spec = bundle.spec
        self.classes = bundle.classes if only is None else tuple(only)
        self._columns = None if only is None else columns_of(only, bundle.classes)
        self.temperature = bundle.temperature
        self.top = min(top, len(self.classes))
        self._novelty = read_novelty(bundle)
        features = None if self._novelty is None else self._novelty.features
        self._network = (_onnx if engine == "onnx" else _keras)(bundle, features)
        # ONNX Runtime runs in the threads that call it, Keras starts its own
        self._threads = (threads or processors()) if engine == "onnx" else 1

    @property
    def knows_characters(self) -> bool:
        """Whether the bundle has learned what its classes look like, and so what does not."""
        return self._novelty is not None

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The probability of each class, for images that `picture.prepare` has made.

        Where the bundle holds a temperature, the probabilities are calibrated with it, which does
        not change the likeliest class (docs/decisions/0010-calibrated-answers.md).

        Parameters
        ----------
        images : uint8 array of shape (N, H, W)
            0 = paper, 255 = ink; H and W are the size in the bundle's spec.

        Returns
        -------
        probabilities : float32 array of shape (N, C)
            Those of `classes`.

        Raises
        ------
        ValueError
            If the images have another shape or type.
        InkfoldError
            If the network answers with infinity or NaN.

        Examples
        --------
        >>> import numpy as np
        >>> from inkfold import Classifier, load_bundle, newest_bundle, prepare, read
        >>> bundle = load_bundle(newest_bundle())
        >>> classifier = Classifier(bundle)
        >>> images = np.stack([prepare(read(name), bundle.spec) for name in ("a.png", "b.png")])
        >>> probabilities = classifier.predict(images)
        >>> probabilities.shape, probabilities.dtype
        ((2, 47), dtype('float32'))
        >>> [classifier.classes[label] for label in probabilities.argmax(axis=1)]
        ['A', 'B']
        """
        return self._given(self.network_answers(images))

    def _given(self, answers: NDArray[np.float32]) -> NDArray[np.float32]:
        """The network's own probabilities, calibrated, of the classes that may be answered."""
        if self.temperature is not None:
            answers = tempered(answers, self.temperature)
        return answers if self._columns is None else restricted(answers, self._columns)

    def network_answers(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The network's own probabilities of all its classes, without the temperature."""
        return self.answers_and_flags(images)[0]

    def answers_and_flags(
        self, images: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], list[Flag | None]]:
        """What `network_answers` gives, and why each image does not look like one character.

        Returns
        -------
        answers : float32 array of shape (N, C)
        flags : list
            N times "several", "not writing" or "unlike", or None: for an image that looks like one
            character, and for all where the bundle has not learned what its classes look like.
        """
        size = self._spec.size
        if images.dtype != np.uint8 or images.shape[1:] != (size, size):
            raise ValueError(
                f"images are {images.dtype} {images.shape}, expected uint8 (N, {size}, {size})"
            )
        answers = np.empty((len(images), len(self.bundle.classes)), np.float32)
        flags: list[Flag | None] = [None] * len(images)
        run_size = self._run_size(len(images))

        def run(start: int) -> None:
            part = slice(start, start + run_size)
            answers[part], features = self._network(images[part, ..., None].astype(np.float32))
            if self._novelty is not None and features is not None:
                flags[part] = self._novelty.flags(images[part], features)

        starts = range(0, len(images), run_size)
        if self._threads == 1 or len(starts) <= 1:
            for start in starts:
                run(start)
        else:
            with ThreadPoolExecutor(self._threads, thread_name_prefix="network") as pool:
                list(pool.map(run, starts))
        if not np.isfinite(answers).all():
            raise InkfoldError(
                f"{self.bundle.path}: the network answers with values that are no numbers "
                "(its training diverged); train again with a lower learning rate"
            )
        return answers, flags

    def classify(self, pictures: Given | Iterable[Given]) -> Iterator[Prediction]:
        """The predictions for pictures, in the order of the pictures.

        Files are read ahead, in threads; batches begin with one picture and double, so that the
        first answer comes at once. Memory does not grow with the number of pictures.

        Parameters
        ----------
        pictures : path, array, or iterable of these
            A path is a picture file. An array is one picture: uint8 or uint16, of shape (rows,
            columns), or (rows, columns, 3 or 4) for RGB and RGBA, as `picture.read` gives it; an
            array (N, rows, columns) is N grey pictures. An iterable may be slow or endless: the
            pictures that have arrived are answered while the next one is awaited.

        Yields
        ------
        prediction : Prediction
            One for each picture. For a file that cannot be read, an array of another type or
            shape, or a blank picture, its `error` says why there is no label.

        Raises
        ------
        TypeError
            If a picture is neither a path nor an array: at once if it is the only one and not in a
            list, otherwise when its turn comes.

        Examples
        --------
        >>> from inkfold import Classifier, load_bundle, newest_bundle, read
        >>> classifier = Classifier(load_bundle(newest_bundle()))
        >>> (prediction,) = classifier.classify("a.png")
        >>> prediction.labels
        ('A',)

        Pixels are taken as well as paths, and a picture that cannot be read stops nothing:

        >>> for prediction in classifier.classify([read("b.png"), "nowhere.png"]):
        ...     print(prediction.path, prediction.error or prediction.labels[0])
        array 0 B
        nowhere.png no such file or directory
        """
        return self._classify(named(pictures))

    def _classify(self, items: Iterator[Item]) -> Iterator[Prediction]:
        """The predictions of `classify`; the threads end with the generator."""
        pool = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        try:
            with Ahead(self._readings(items, pool), limit=1) as ahead:
                while batches := ahead.take(1, patience=0):
                    yield from self._answers(*batches[0])
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _run_size(self, count: int) -> int:
        """How many of `count` images go through the network in one run."""
        if self._threads == 1:
            return BATCH
        return max(LEAST, min(RUN, -(-count // self._threads)))

    def _readings(self, items: Iterator[Item], pool: Executor) -> Iterator[Readings]:
        """Batches of items, with the futures of their images; the first batch is a single item."""
        most = 1
        with Ahead(items, limit=BATCH) as ahead:
            while batch := ahead.take(most, patience=PATIENCE):
                pieces = [batch[at : at + PIECE] for at in range(0, len(batch), PIECE)]
                yield batch, [pool.submit(self._prepared, piece) for piece in pieces]
                most = min(2 * most, BATCH)

    def _prepared(self, items: list[Item]) -> list[Reading]:
        return [self._reading(given) for _, given in items]

    def _reading(self, given: Given) -> Reading:
        """The network's input, or the reason why the picture cannot be used."""
        try:
            data = _bytes_of(given)
            pixels = given if isinstance(given, np.ndarray) else decode(data)
            image, photograph = preparation(pixels, self._spec)
        except PictureError as error:
            return Reading(None, str(error))
        further = has_further_frames(data)
        if is_blank(image[None])[0]:
            return Reading(None, BLANK, further, photograph)
        return Reading(image, None, further, photograph)

    def _answers(self, items: list[Item], pieces: Pieces) -> Iterator[Prediction]:
        """The predictions of a batch, with one call of the network for all readable pictures."""
        readings = [reading for piece in pieces for reading in piece.result()]
        images = [reading.image for reading in readings if reading.image is not None]
        answers = iter(self.likeliest(np.stack(images), self.top) if images else ())
        for (path, _), (image, error, further, photograph) in zip(items, readings, strict=True):
            blank = error is BLANK
            nothing = Likeliest((), (), "blank" if blank else None)
            labels, probabilities, flag = nothing if image is None else next(answers)
            yield Prediction(
                path=path,
                labels=labels,
                probabilities=probabilities,
                error=error,
                blank=blank,
                further=further,
                photograph=photograph,
                flag=flag,
            )

    def likeliest(self, images: NDArray[np.uint8], top: int) -> Iterator[Likeliest]:
        """The `top` likeliest classes, at most all, and the flag, image by image.

        `images` are as `predict` takes them.
        """
        answers, flags = self.answers_and_flags(images)
        probabilities = self._given(answers)
        best = leading(probabilities, min(top, len(self.classes)))
        values = np.take_along_axis(probabilities, best, axis=1)
        for labels, row, flag in zip(best.tolist(), values.tolist(), flags, strict=True):
            yield Likeliest(tuple(self.classes[label] for label in labels), tuple(row), flag)


def _bytes_of(given: Given) -> bytes:
    """The bytes of a picture file; none of pixels."""
    if isinstance(given, np.ndarray):
        return b""
    return given.load() if isinstance(given, Deferred) else load(given)


def leading(probabilities: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """The labels of the `count` likeliest classes of each row, the likeliest first.

    Parameters
    ----------
    probabilities : float32 array of shape (N, C)
    count : int
        From 1 to C.

    Returns
    -------
    labels : int64 array of shape (N, count)
        Of equally likely classes the one with the lower label comes first.
    """
    if count == 1:  # the usual case needs no sorting
        return np.asarray(probabilities.argmax(axis=1)[:, None])
    order: NDArray[np.int64] = np.argsort(-probabilities, axis=1, kind="stable")
    return order[:, :count]


def import_engine(engine: Engine) -> None:
    """Import what `Classifier` will need, which takes most of the time of a cold start."""
    if engine == "onnx":
        import onnxruntime  # noqa: F401, imported now, so that `Classifier` need not wait for it
    else:
        from inkfold.keras_backend import import_keras

        import_keras()


def _onnx(bundle: Bundle, features: int | None) -> Network:
    from inkfold.bundle.network import onnx_network

    session = bundle.onnx_session(threads=1)
    return onnx_network(bundle.path / ONNX, session, len(bundle.classes), features)


def _keras(bundle: Bundle, features: int | None) -> Network:
    from inkfold.bundle.network import network_of_keras

    return network_of_keras(bundle.keras_model(), features)
