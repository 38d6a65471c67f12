"""Pictures in, labels out, in order and as a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Thread
from types import TracebackType
from typing import Generic, Literal, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from inkfold.bundle.bundle import Bundle
from inkfold.calibration import tempered
from inkfold.errors import InkfoldError, PictureError
from inkfold.picture import Pixels, prepare, read
from inkfold.workers import processors

Drawn = TypeVar("Drawn")
BATCH = 256  # pictures that are answered at a time; also bounds the memory
RUN = 64  # most of them in one run of ONNX Runtime: more do not fit into a processor's cache
LEAST = 16  # and fewest, where there are as many: below, a run's own cost shows
PIECE = 32  # files that one thread reads before the next ones are handed out
READERS = 4  # threads that decode: OpenCV works without Python's lock
PATIENCE = 0.05  # seconds without a new path after which those at hand are answered
Engine = Literal["onnx", "keras"]
Network = Callable[[NDArray[np.float32]], NDArray[np.float32]]
Given = Path | str | Pixels  # a picture file, or a picture as `picture.read` gives it
Item = tuple[Path | str, Given]  # what a prediction calls it, and what it is read from
Image = NDArray[np.uint8] | str  # prepared, or why there is none
Pieces = list[Future[list[Image]]]  # a batch's images, in pieces that threads read
Readings = tuple[list[Item], Pieces]


@dataclass(frozen=True)
class Prediction:
    """What a classifier says of one picture.

    Attributes
    ----------
    path : Path or str
        As it was given; for a picture that was given as pixels ``"array N"``, with N its place
        among all that was given, from 0.
    labels, probabilities : tuple
        The likeliest classes, best first. Both are empty where the picture could not be read.
    error : str, optional
        Why it could not be read.
    """

    path: Path | str
    labels: tuple[str, ...] = ()
    probabilities: tuple[float, ...] = ()
    error: str | None = None


class _End:
    """Behind the last item: all were drawn, or drawing failed."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class Ahead(Generic[Drawn]):
    """Draws items in a thread of its own; a context manager, whose end is the thread's too.

    Parameters
    ----------
    items : iterable
        May be slow, endless, or fail: what it raises is raised by `take`, after the items before.
    limit : int
        How many items are drawn and not yet taken, at most.
    """

    def __init__(self, items: Iterable[Drawn], *, limit: int) -> None:
        self._items = items
        self._drawn: Queue[Drawn | _End] = Queue(maxsize=limit)
        self._stopped = Event()
        self._end: _End | None = None

    def __enter__(self) -> Self:
        # a daemon: nothing can wake a thread that waits for its next line from a terminal
        Thread(target=self._draw, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopped.set()
        with suppress(Empty):  # make room, so that the thread gets to see that it is to stop
            while True:
                self._drawn.get_nowait()

    def take(self, most: int, *, patience: float) -> list[Drawn]:
        """Wait for one item, then for up to `most`, as long as they keep coming.

        Parameters
        ----------
        most : int
        patience : float
            Seconds to wait for the next one before those at hand are given.

        Returns
        -------
        items : list
            In their order; empty when there are no more.
        """
        taken: list[Drawn] = []
        while len(taken) < most and self._end is None:
            try:
                item = self._drawn.get(timeout=patience if taken else None)
            except Empty:
                break
            if isinstance(item, _End):
                self._end = item
            else:
                taken.append(item)
        if not taken and self._end is not None and self._end.error is not None:
            raise self._end.error
        return taken

    def _draw(self) -> None:
        end = _End()
        try:
            for item in self._items:
                self._drawn.put(item)
                if self._stopped.is_set():
                    return
        except BaseException as error:  # it is raised again, by `take`
            end = _End(error)
        self._drawn.put(end)


class Classifier:
    """A bundle that answers.

    Parameters
    ----------
    bundle : Bundle
    engine : {"onnx", "keras"}
        ``onnx`` needs neither Keras nor TensorFlow; both give the same answers.
    top : int
        How many classes `classify` names; at most all.

    Attributes
    ----------
    bundle : Bundle
    top : int
    temperature : float or None
        What the bundle's probabilities are calibrated with.
    """

    def __init__(self, bundle: Bundle, engine: Engine = "onnx", top: int = 1) -> None:
        self.bundle = bundle
        self._spec = bundle.spec
        self._classes = bundle.classes
        self.temperature = bundle.temperature
        self.top = min(top, len(self._classes))
        self._network = _onnx(bundle) if engine == "onnx" else _keras(bundle)
        # ONNX Runtime runs in as many threads as call it, Keras in threads of its own
        self._threads = processors() if engine == "onnx" else 1

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probability of each class, for pictures that `picture.prepare` has made.

        Where the bundle holds a temperature, they are calibrated with it; the likeliest class is
        the same as without (docs/decisions/0010-calibrated-answers.md).

        Parameters
        ----------
        images : uint8 array of shape (N, H, W)
            0 = paper, 255 = ink, H and W as the bundle's spec has them.

        Returns
        -------
        probabilities : float32 array of shape (N, C)
            Classes in label order.

        Raises
        ------
        ValueError
            If the pictures have another shape or type.
        InkfoldError
            If the network answers with values that are no numbers.
        """
        own = self.network_answers(images)
        return own if self.temperature is None else tempered(own, self.temperature)

    def network_answers(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As `predict`, but the network's own probabilities, whatever the temperature."""
        size = self._spec.size
        if images.dtype != np.uint8 or images.shape[1:] != (size, size):
            found = f"{images.dtype} {images.shape}"
            raise ValueError(f"images are {found}, expected uint8 (N, {size}, {size})")
        answers = np.empty((len(images), len(self._classes)), np.float32)
        size = self._run_size(len(images))

        def run(start: int) -> None:
            part = slice(start, start + size)
            answers[part] = self._network(images[part, ..., None].astype(np.float32))

        starts = range(0, len(images), size)
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
        return answers

    def classify(self, pictures: Given | Iterable[Given]) -> Iterator[Prediction]:
        """Answer pictures one after another, in their order.

        Files are read ahead, in threads; batches begin with one picture and double, so that the
        first answer comes at once. Memory does not grow with the number of pictures.

        Parameters
        ----------
        pictures : path, array, or iterable of these
            A path is a picture file. An array is one picture: uint8 or uint16, of shape (rows,
            columns), or (rows, columns, 3 or 4) for RGB and RGBA, as `picture.read` gives it; an
            array (N, rows, columns) is N grey pictures. An iterable is drawn as needed, also from
            a slow source: what has arrived is answered.

        Yields
        ------
        prediction : Prediction
            One for each picture. A file that cannot be read, or an array of another type or
            shape, gives one whose `error` says why.

        Raises
        ------
        TypeError
            If something is neither a path nor an array; at once where it is all that was given,
            else when its turn comes.

        Examples
        --------
        >>> (prediction,) = classifier.classify("a.png")  # doctest: +SKIP
        >>> for prediction in classifier.classify(["a.png", "b.png"]):  # doctest: +SKIP
        ...     print(prediction.path, prediction.labels[0])
        """
        return self._classify(_items(pictures))

    def _classify(self, items: Iterator[Item]) -> Iterator[Prediction]:
        pool = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        try:
            with Ahead(self._readings(items, pool), limit=1) as ahead:
                while batches := ahead.take(1, patience=0):
                    yield from self._answers(*batches[0])
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _run_size(self, count: int) -> int:
        """How many of `count` pictures go through the network at once."""
        if self._threads == 1:
            return BATCH
        return max(LEAST, min(RUN, -(-count // self._threads)))

    def _readings(self, items: Iterator[Item], pool: Executor) -> Iterator[Readings]:
        """Batches of items, with their images as they will be; the first batch is one item."""
        most = 1
        with Ahead(items, limit=BATCH) as ahead:
            while batch := ahead.take(most, patience=PATIENCE):
                pieces = [batch[at : at + PIECE] for at in range(0, len(batch), PIECE)]
                yield batch, [pool.submit(self._prepared, piece) for piece in pieces]
                most = min(2 * most, BATCH)

    def _prepared(self, items: list[Item]) -> list[Image]:
        return [self._image(given) for _, given in items]

    def _image(self, given: Given) -> Image:
        try:
            pixels = given if isinstance(given, np.ndarray) else read(given)
            return prepare(pixels, self._spec)
        except PictureError as error:
            return str(error)

    def _answers(
        self, items: list[Item], pieces: list[Future[list[Image]]]
    ) -> Iterator[Prediction]:
        """Run the network once for all pictures of the batch that could be read."""
        images = [image for piece in pieces for image in piece.result()]
        readable = [image for image in images if not isinstance(image, str)]
        answers = iter(self.likeliest(np.stack(readable), self.top) if readable else ())
        for (path, _), image in zip(items, images, strict=True):
            if isinstance(image, str):
                yield Prediction(path, error=image)
            else:
                yield Prediction(path, *next(answers))

    def likeliest(
        self, images: NDArray[np.uint8], top: int
    ) -> Iterator[tuple[tuple[str, ...], tuple[float, ...]]]:
        """Labels and probabilities of the `top` likeliest classes, at most all, picture by picture.

        `images` as `predict` takes them.
        """
        probabilities = self.predict(images)
        best = leading(probabilities, min(top, len(self._classes)))
        values = np.take_along_axis(probabilities, best, axis=1)
        for classes, row in zip(best.tolist(), values.tolist(), strict=True):
            yield tuple(self._classes[c] for c in classes), tuple(row)


def _items(pictures: Given | Iterable[Given]) -> Iterator[Item]:
    """Each picture with what a prediction calls it; complains at once of what is no picture."""
    if isinstance(pictures, str | Path):
        return iter([(pictures, pictures)])
    if isinstance(pictures, np.ndarray):
        stacked = pictures.ndim == 3 and pictures.shape[2] not in (3, 4)
        return map(_item, enumerate(pictures if stacked else [pictures]))
    if isinstance(pictures, bytes) or not isinstance(pictures, Iterable):
        raise TypeError(_not_a_picture(pictures))
    return map(_item, enumerate(pictures))


def _item(numbered: tuple[int, Given]) -> Item:
    """The picture at a place, from 0, with its name; raises TypeError for what is none."""
    place, given = numbered
    if isinstance(given, str | Path):
        return given, given
    if not isinstance(given, np.ndarray):
        raise TypeError(f"picture {place}: {_not_a_picture(given)}")
    return f"array {place}", given  # `prepare` says what is wrong with its pixels


def _not_a_picture(given: object) -> str:
    """What was found, and what is expected."""
    return (
        f"{type(given).__name__} found, expected the path of a picture file, or its pixels as an "
        "array of shape (rows, columns), (rows, columns, 3) or (rows, columns, 4)"
    )


def leading(probabilities: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """The `count` likeliest classes of each row, best first; of equal ones the lower number first.

    Parameters
    ----------
    probabilities : float32 array of shape (N, C)
    count : int
        From 1 to C.

    Returns
    -------
    classes : int64 array of shape (N, count)
    """
    if count == 1:  # the usual case needs no sorting
        return np.asarray(probabilities.argmax(axis=1)[:, None])
    order: NDArray[np.int64] = np.argsort(-probabilities, axis=1, kind="stable")
    return order[:, :count]


def import_engine(engine: Engine) -> None:
    """Import what `Classifier` will need, which is most of what a cold start waits for."""
    if engine == "onnx":
        import onnxruntime  # noqa: F401, as early as its user wishes
    else:
        from inkfold.keras_backend import import_keras

        import_keras()


def _onnx(bundle: Bundle) -> Network:
    session = bundle.onnx_session(threads=1)
    name = session.get_inputs()[0].name
    return lambda batch: np.asarray(session.run(None, {name: batch})[0])


def _keras(bundle: Bundle) -> Network:
    model = bundle.keras_model()
    return lambda batch: np.asarray(model.predict_on_batch(batch))
