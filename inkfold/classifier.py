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
from inkfold.picture import prepare, read
from inkfold.workers import processors

Item = TypeVar("Item")
BATCH = 256  # pictures that are answered at a time; also bounds the memory
RUN = 64  # most of them in one run of ONNX Runtime: more do not fit into a processor's cache
LEAST = 16  # and fewest, where there are as many: below, a run's own cost shows
PIECE = 32  # files that one thread reads before the next ones are handed out
READERS = 4  # threads that decode: OpenCV works without Python's lock
PATIENCE = 0.05  # seconds without a new path after which those at hand are answered
Engine = Literal["onnx", "keras"]
Network = Callable[[NDArray[np.float32]], NDArray[np.float32]]
Picture = NDArray[np.uint8] | str  # prepared, or why there is none
Readings = tuple[
    list[Path | str], list[Future[list[Picture]]]
]  # paths, and their pictures in pieces


class _End:
    """Behind the last item: all were drawn, or drawing failed."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class Ahead(Generic[Item]):
    """Draws items in a thread of its own; a context manager, whose end is the thread's too.

    Parameters
    ----------
    items : iterable
        May be slow, endless, or fail: what it raises is raised by `take`, after the items before.
    limit : int
        How many items are drawn and not yet taken, at most.
    """

    def __init__(self, items: Iterable[Item], *, limit: int) -> None:
        self._items = items
        self._drawn: Queue[Item | _End] = Queue(maxsize=limit)
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

    def take(self, most: int, *, patience: float) -> list[Item]:
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
        taken: list[Item] = []
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

    def classify(self, paths: Iterable[Path | str]) -> Iterator[Prediction]:
        """Answer picture files one after another, in their order.

        Files are read ahead, in threads; batches begin with one picture and double, so that the
        first answer comes at once. Memory does not grow with the number of paths.

        Parameters
        ----------
        paths : iterable of paths
            Drawn as needed, also from a slow source: what has arrived is answered.

        Yields
        ------
        prediction : Prediction
            One for each path. A file that cannot be read gives one whose `error` says why.
        """
        pool = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        try:
            with Ahead(self._readings(paths, pool), limit=1) as ahead:
                while batches := ahead.take(1, patience=0):
                    yield from self._answers(*batches[0])
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _run_size(self, count: int) -> int:
        """How many of `count` pictures go through the network at once."""
        if self._threads == 1:
            return BATCH
        return max(LEAST, min(RUN, -(-count // self._threads)))

    def _readings(self, paths: Iterable[Path | str], pool: Executor) -> Iterator[Readings]:
        """Batches of paths, with their pictures as they will be; the first is of one path."""
        most = 1
        with Ahead(paths, limit=BATCH) as ahead:
            while batch := ahead.take(most, patience=PATIENCE):
                pieces = [batch[at : at + PIECE] for at in range(0, len(batch), PIECE)]
                yield batch, [pool.submit(self._prepared, piece) for piece in pieces]
                most = min(2 * most, BATCH)

    def _prepared(self, paths: list[Path | str]) -> list[Picture]:
        return [self._picture(path) for path in paths]

    def _picture(self, path: Path | str) -> Picture:
        try:
            return prepare(read(path), self._spec)
        except PictureError as error:
            return str(error)

    def _answers(
        self, paths: list[Path | str], pieces: list[Future[list[Picture]]]
    ) -> Iterator[Prediction]:
        """Run the network once for all pictures of the batch that could be read."""
        pictures = [picture for piece in pieces for picture in piece.result()]
        images = [picture for picture in pictures if not isinstance(picture, str)]
        answers = iter(self.likeliest(np.stack(images), self.top) if images else ())
        for path, picture in zip(paths, pictures, strict=True):
            if isinstance(picture, str):
                yield Prediction(path, error=picture)
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


@dataclass(frozen=True)
class Prediction:
    """What a classifier says of one picture file.

    `labels` and `probabilities` hold the likeliest classes, best first. For a file that could not
    be read both are empty and `error` says why.
    """

    path: Path | str
    labels: tuple[str, ...] = ()
    probabilities: tuple[float, ...] = ()
    error: str | None = None
