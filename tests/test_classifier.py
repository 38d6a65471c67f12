"""A classifier's predictions: known by arithmetic, in order, as a stream."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inkfold.bundle.bundle import load_bundle
from inkfold.classifier import Classifier, leading
from inkfold.dataset.reader import open_dataset
from inkfold.errors import InkfoldError
from inkfold.given import Given
from inkfold.metrics import ranks
from inkfold.prediction import Likeliest
from inkfold.training.engine import Options, Training
from tests.worlds import tiny_network
from tests.worlds.bands import CLASSES, picture, write_bundle, write_picture
from tests.worlds.packed_strokes import write_packed
from tests.worlds.trained import SILENT


@pytest.fixture
def classifier(tmp_path: Path) -> Classifier:
    """A classifier whose network adds up the ink in four bands."""
    return Classifier(load_bundle(write_bundle(tmp_path / "bands")))


def test_probabilities_are_those_computed_by_hand(classifier: Classifier) -> None:
    """A full band weighs 9 against 1 of an empty one, and a blank picture is divided evenly."""
    two = np.maximum(picture(0), picture(3))

    probabilities = classifier.predict(np.stack([picture(2), two, picture(None)]))

    assert probabilities.dtype == np.float32
    expected = [[1 / 12, 1 / 12, 9 / 12, 1 / 12], [0.45, 0.05, 0.05, 0.45], [0.25] * 4]
    np.testing.assert_allclose(probabilities, expected, rtol=1e-5)


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 600])
def test_any_number_of_pictures_is_answered(classifier: Classifier, count: int) -> None:
    """Each of any number of images is answered, however many runs of the network that takes."""
    images = np.stack([picture(at % 4) for at in range(600)])[:count]

    probabilities = classifier.predict(images)

    assert probabilities.shape == (count, 4)
    assert probabilities.argmax(axis=1).tolist() == [at % 4 for at in range(count)]


@pytest.mark.parametrize("processors", [1, 2, 3, 16])
@pytest.mark.parametrize("count", [1, 17, 64, 256, 600])
def test_processors_share_a_batch(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch, processors: int, count: int
) -> None:
    """Several threads run the network, each on 16 to 64 images, with the answers in order."""
    network, runs = classifier._network, []

    def watched(
        batch: NDArray[np.float32],
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        runs.append((threading.current_thread().name, len(batch)))
        return network(batch)

    monkeypatch.setattr(classifier, "_network", watched)
    monkeypatch.setattr(classifier, "_threads", processors)
    images = np.stack([picture(at % 4) for at in range(count)])

    probabilities = classifier.predict(images)

    assert probabilities.argmax(axis=1).tolist() == [at % 4 for at in range(count)]
    sizes = [size for _, size in runs]
    assert sum(sizes) == count
    assert max(sizes) <= 64 or processors == 1
    assert len(sizes) <= processors or count > 64 * processors, "one has to run twice"
    assert sorted(sizes)[1:] == [] or sorted(sizes)[1] >= 16
    assert any(name.startswith("network") for name, _ in runs) == (processors > 1 and count > 16)


def test_an_error_of_the_network_reaches_the_caller(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that the network raises in a thread is raised by `predict`."""

    def failing(_batch: NDArray[np.float32]) -> NDArray[np.float32]:
        raise MemoryError("too many pictures")

    monkeypatch.setattr(classifier, "_network", failing)
    monkeypatch.setattr(classifier, "_threads", 2)

    with pytest.raises(MemoryError, match="too many pictures"):
        classifier.predict(np.zeros((100, 8, 8), np.uint8))


@pytest.mark.parametrize(
    "images",
    [np.zeros((2, 8, 9), np.uint8), np.zeros((2, 8, 8), np.float32), np.zeros((8, 8), np.uint8)],
)
def test_images_of_another_shape_or_type_are_refused(
    classifier: Classifier, images: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
) -> None:
    """Images of another size, of floats, or without the first axis raise a ValueError."""
    with pytest.raises(ValueError, match=r"expected uint8 \(N, 8, 8\)"):
        classifier.predict(images)


def test_a_network_that_answers_nan_is_refused(tmp_path: Path) -> None:
    """NaN, the answer of a network whose training diverged, raises an error in place of a label."""
    broken = Classifier(load_bundle(write_bundle(tmp_path / "nan", weight=float("nan"))))

    with pytest.raises(InkfoldError, match=r"nan: the network answers with values that are no num"):
        broken.predict(picture(1)[None])


def test_files_are_answered_in_order_and_bad_ones_in_their_place(
    classifier: Classifier, tmp_path: Path
) -> None:
    """An unreadable file gives a prediction with the reason, in its place among the others."""
    paths = [write_picture(tmp_path / f"{band}.png", band) for band in (3, 0, 2)]
    (tmp_path / "bad.png").write_text("no picture")
    given: list[Path | str] = [
        paths[0],
        tmp_path / "bad.png",
        str(paths[1]),
        tmp_path / "missing.png",
        paths[2],
    ]

    predictions = list(classifier.classify(given))

    assert [p.path for p in predictions] == given
    assert [p.labels for p in predictions] == [("ด",), (), ("あ",), (), ("$c",)]
    assert [p.probabilities[0] for p in predictions if p.labels] == pytest.approx([0.75] * 3)
    assert [p.error for p in predictions] == [
        None,
        "truncated or not a picture",
        None,
        "no such file or directory",
        None,
    ]


def test_many_files_are_answered_in_order(classifier: Classifier, tmp_path: Path) -> None:
    """Over many batches, with unreadable files among them, every answer stays with its path."""
    paths = [str(write_picture(tmp_path / f"{band}.png", band)) for band in range(4)]
    paths.append(str(tmp_path / "missing.png"))
    order = np.random.default_rng(0).integers(0, 5, 1500).tolist()

    predictions = list(classifier.classify(paths[which] for which in order))

    assert [p.path for p in predictions] == [paths[which] for which in order]
    labels = [*CLASSES, None]
    assert [p.labels[0] if p.labels else None for p in predictions] == [labels[w] for w in order]


def test_batches_begin_with_one_picture_and_grow(
    classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first picture is answered alone, without waiting for a second, and batches double."""
    path = write_picture(tmp_path / "1.png", 1)
    likeliest, sizes = classifier.likeliest, []

    def watched(images: NDArray[np.uint8], top: int) -> Iterator[Likeliest]:
        sizes.append(len(images))
        return likeliest(images, top)

    monkeypatch.setattr(classifier, "likeliest", watched)
    predictions = list(classifier.classify([path] * 2000))

    assert len(predictions) == sum(sizes) == 2000
    assert sizes[0] == 1
    assert all(size <= 2**at for at, size in enumerate(sizes[:8]))
    assert 128 <= max(sizes) <= 256


def test_no_paths_give_no_predictions(classifier: Classifier) -> None:
    """An empty list of paths gives no predictions, without waiting."""
    assert list(classifier.classify([])) == []


def test_the_likeliest_classes_come_best_first(tmp_path: Path) -> None:
    """Classes come by probability, equal ones by label, and too large a `top` means all of them."""
    write_picture(tmp_path / "2.png", 2)
    bundle = load_bundle(write_bundle(tmp_path / "bands"))

    (three,) = Classifier(bundle, top=3).classify([tmp_path / "2.png"])
    (every,) = Classifier(bundle, top=99).classify([tmp_path / "2.png"])

    assert three.labels == ("$c", "あ", "b b")
    assert three.probabilities == pytest.approx((9 / 12, 1 / 12, 1 / 12))
    assert every.labels == ("$c", "あ", "b b", "ด")
    assert sum(every.probabilities) == pytest.approx(1)


def test_each_path_is_answered_while_the_next_is_awaited(
    classifier: Classifier, tmp_path: Path
) -> None:
    """A source that gives a path only after the answer to the one before is answered to the end."""
    path = write_picture(tmp_path / "1.png", 1)
    answered = threading.Semaphore(0)

    def typed() -> Iterator[Path]:
        for _ in range(5):
            yield path
            assert answered.acquire(timeout=3), "the path before was not answered"

    labels = []
    for prediction in classifier.classify(typed()):
        labels.append(prediction.labels)
        answered.release()

    assert labels == [("b b",)] * 5


def test_paths_without_end_are_read_ahead_within_bounds(
    classifier: Classifier, tmp_path: Path
) -> None:
    """An endless list is drawn ahead by hundreds of paths, not more, until the generator closes."""
    path = write_picture(tmp_path / "1.png", 1)
    drawn = itertools.count()
    before = threading.active_count()

    predictions = classifier.classify(path for _ in iter(lambda: next(drawn), None))
    first = [next(predictions) for _ in range(3)]
    time.sleep(0.1)
    predictions.close()  # type: ignore[attr-defined]  # it is a generator

    assert [prediction.labels for prediction in first] == [("b b",)] * 3
    assert next(drawn) < 600
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.005)
    assert threading.active_count() == before


def test_an_error_of_the_paths_source_reaches_the_caller(
    classifier: Classifier, tmp_path: Path
) -> None:
    """An error of the source of paths is raised after the answers to the paths before it."""
    path = write_picture(tmp_path / "1.png", 1)

    def failing() -> Iterator[Path]:
        yield path
        raise LookupError("lost the list")

    predictions = classifier.classify(failing())

    assert next(predictions).labels == ("b b",)
    with pytest.raises(LookupError, match="lost the list"):
        next(predictions)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(st.lists(st.lists(st.integers(0, 3), min_size=5, max_size=5), min_size=1, max_size=8))
def test_leading_and_ranks_agree(rows: list[list[int]]) -> None:
    """The class at place k has rank k, even among equal probabilities, for any number of places."""
    probabilities = np.array(rows, np.float32)

    for count in range(1, 6):
        best = leading(probabilities, count)

        assert best.shape == (len(rows), count)
        for place in range(count):
            assert (ranks(probabilities, best[:, place]) == place).all()


@pytest.mark.slow
def test_both_engines_give_the_same_answers(tmp_path: Path) -> None:
    """A trained and saved network gives the same answers through ONNX and through Keras."""
    with open_dataset(write_packed(tmp_path / "d.h5")) as dataset:
        training = Training(
            build=tiny_network.build,
            recipe=tiny_network.RECIPE,
            dataset=dataset,
            options=Options(),
            output=tmp_path / "b",
        )
        training.run(SILENT, resume=False, overwrite=False)
        images = dataset.test.images[:]
    bundle = load_bundle(tmp_path / "b")

    onnx = Classifier(bundle).predict(images)
    reference = Classifier(bundle, engine="keras").predict(images)

    np.testing.assert_allclose(onnx, reference, atol=1e-4)
    assert np.array_equal(onnx.argmax(axis=1), reference.argmax(axis=1))
    assert len(np.unique(onnx.argmax(axis=1))) == 4, "it answers the same whatever it sees"


def test_one_path_needs_no_list(tmp_path: Path) -> None:
    """A Path or a string is taken as one picture, not as an iterable of letters."""
    classifier = Classifier(load_bundle(write_bundle(tmp_path / "bands")))
    path = write_picture(tmp_path / "2.png", 2)

    for given_path in (path, str(path)):
        (prediction,) = classifier.classify(given_path)
        assert (prediction.path, prediction.labels) == (given_path, (CLASSES[2],))


def test_pixels_are_answered_as_their_files_are(tmp_path: Path) -> None:
    """A grey or coloured array, a list of arrays and paths, and a stack of arrays are answered."""
    classifier = Classifier(load_bundle(write_bundle(tmp_path / "bands")))
    path = write_picture(tmp_path / "1.png", 1)
    two, three = picture(2), picture(3)
    coloured = np.repeat(three[:, :, None], 3, axis=2)

    def labels(shown: Given | Iterable[Given]) -> list[tuple[str, str]]:
        return [(str(p.path), p.labels[0]) for p in classifier.classify(shown)]

    assert labels(two) == [("array 0", CLASSES[2])]
    assert labels(coloured) == [("array 0", CLASSES[3])]
    assert labels([path, two, coloured]) == [
        (str(path), CLASSES[1]),
        ("array 1", CLASSES[2]),
        ("array 2", CLASSES[3]),
    ]
    assert labels(np.stack([two, three])) == [("array 0", CLASSES[2]), ("array 1", CLASSES[3])]


def test_an_array_of_floats_is_reported_and_does_not_stop_the_rest(tmp_path: Path) -> None:
    """The prediction of an array of floats has an error, and the next picture is answered."""
    classifier = Classifier(load_bundle(write_bundle(tmp_path / "bands")))
    floats: Any = picture(1) / 255

    wrong, right = classifier.classify([floats, picture(2)])

    assert wrong.error == "pixels are float64, expected 8 or 16 bits without sign"
    assert (wrong.path, right.path, right.labels) == ("array 0", "array 1", (CLASSES[2],))


@pytest.mark.parametrize("given", [3, None, b"a.png"])
def test_any_other_type_is_refused_at_once(tmp_path: Path, given: Any) -> None:  # noqa: ANN401, the mistake under test
    """A value that is neither path nor array raises a TypeError that says what is expected."""
    classifier = Classifier(load_bundle(write_bundle(tmp_path / "bands")))

    with pytest.raises(TypeError, match=f"{type(given).__name__} found, expected the path of a"):
        classifier.classify(given)


def test_any_other_type_in_a_list_is_named_by_its_place(tmp_path: Path) -> None:
    """A TypeError names the place of a value of another type, once those before it are answered."""
    classifier = Classifier(load_bundle(write_bundle(tmp_path / "bands")))
    mixed: Any = [picture(1), 7]
    predictions = classifier.classify(mixed)

    assert next(predictions).labels == (CLASSES[1],)
    with pytest.raises(TypeError, match="picture 1: int found"):
        next(predictions)
