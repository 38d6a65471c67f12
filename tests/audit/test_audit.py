"""The audit: planted faults are found, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from inkfold.audit.audit import Audit, as_json, audit, findings
from inkfold.audit.checks import lookalikes
from inkfold.audit.near_duplicates import correlation, embed, main_axes, near_duplicates
from inkfold.augmentation.augment import Augmentation, augment_dataset
from inkfold.dataset.originals import pictures
from inkfold.dataset.reader import open_dataset
from inkfold.recipe import Distortion
from inkfold.workers import local_crew
from tests.worlds.audited import clean_splits, drawings, write_splits

NOTHING: dict[str, list[int]] = {
    "blank": [],
    "nearly_blank": [],
    "wrong_polarity": [],
    "at_border": [],
    "duplicates": [],
    "leaks": [],
    "conflicts": [],
}


def audited(path: Path) -> Audit:
    """The quick audit of a file."""
    with open_dataset(path) as dataset:
        return audit(dataset)


def places_in(result: Audit) -> dict[str, list[int]]:
    """The places of each finding."""
    return {finding.name: finding.places.tolist() for finding in findings(result)}


def test_nothing_is_found_in_a_clean_set(tmp_path: Path) -> None:
    """420 different drawings have their counts and not one finding."""
    result = audited(write_splits(tmp_path / "d.h5", clean_splits()))

    assert places_in(result) == NOTHING
    assert result.near is not None
    assert (len(result.near.pairs), result.near.asked, result.near.outside) == (0, 120, 120)
    assert result.leaks == 0
    assert result.torn is None
    assert result.counts.tolist() == [[100] * 3, [20] * 3, [20] * 3]


def test_each_planted_fault_is_found_at_its_place(tmp_path: Path) -> None:
    """A picture that is blank, nearly blank, inside out or cut off has exactly that finding."""
    splits = clean_splits()
    images = splits[0][0]
    images[5] = 0
    images[6] = 200  # blank, too
    images[7] = 0
    images[7, 10, 10] = 255
    images[8] = 255 - images[8]
    images[9] = np.roll(images[9], -int(np.flatnonzero(images[9].any(axis=1))[0]), axis=0)
    inner = images[10]
    inner[1:-1, 1:-1] = 255  # inside out, cropped so that a rim of paper is left
    frame = images[11]
    frame[[0, -1]] = frame[:, [0, -1]] = 255  # little ink, but all of the border

    places = places_in(audited(write_splits(tmp_path / "d.h5", splits)))

    assert places == NOTHING | {
        "blank": [5, 6],
        "nearly_blank": [7],
        "wrong_polarity": [8, 10, 11],
        "at_border": [9],
    }


@pytest.mark.parametrize(("cut", "words"), [(210, "perhaps cut off"), (211, "the way of this set")])
def test_ink_at_the_border_of_most_pictures_is_the_way_of_the_set(
    tmp_path: Path, cut: int, words: str
) -> None:
    """If more than half of 420 pictures fill their frame, the set was cropped, and none cut off."""
    splits = clean_splits()
    splits[0][0][:cut, 0, 5] = 255
    result = audited(write_splits(tmp_path / "d.h5", splits))

    words_of = {finding.name: finding.words for finding in findings(result)}
    assert words_of["at_border"] == f"ink at the border: {words}"


def test_a_class_of_little_ink_is_not_nearly_blank(tmp_path: Path) -> None:
    """A full stop is compared with full stops: their ink is usual in their class."""
    splits = clean_splits()
    for images, labels in splits:
        dots = np.flatnonzero(labels == 0)
        images[dots] = 0
        images[dots, 10, 3 + np.arange(len(dots)) % 14] = 255
        images[dots, 11, 10] = 100 + np.arange(len(dots))

    assert places_in(audited(write_splits(tmp_path / "d.h5", splits)))["nearly_blank"] == []


def test_equal_pixels_are_duplicates_leaks_or_conflicts(tmp_path: Path) -> None:
    """Equal pixels in one split, in two splits or under two labels are three different findings."""
    splits = clean_splits()
    (train, labels), (_, _), (test, test_labels) = splits
    train[[30, 33]] = train[27]
    test[3], test_labels[3] = train[40], labels[40]
    train[51], labels[51] = train[50], (labels[50] + 1) % 3
    train[[60, 61]] = 0
    test[9] = 0

    result = audited(write_splits(tmp_path / "d.h5", splits))
    places = places_in(result)

    assert places["duplicates"] == [30, 33, 51]
    assert places["leaks"] == [40, 363]
    assert places["conflicts"] == [50, 51]
    assert places["blank"] == [60, 61, 369]
    assert result.leaks == 1
    number = result.repeats.number
    assert number[27] == number[30] == number[33] != number[40] == number[363]
    assert (number >= 0).sum() == 7


def test_near_duplicates_are_found_across_splits_only(tmp_path: Path) -> None:
    """A shifted, a noisy and a saved copy are near duplicates, unless they are in one split."""
    splits = clean_splits()
    train, test, rng = splits[0][0], splits[2][0], np.random.default_rng(1)
    test[1] = np.roll(train[11], 1, axis=1)
    noise = rng.normal(0, 6, test[2].shape)
    test[2] = np.clip(train[12] + noise, 0, 255).astype(np.uint8)
    saved = cv2.imencode(".jpg", train[13], [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    test[3] = np.asarray(cv2.imdecode(saved, cv2.IMREAD_GRAYSCALE))
    train[21] = np.roll(train[20], 1, axis=0)
    splits[1][0][0] = np.roll(train[14], -1, axis=0)
    test[4] = np.roll(splits[1][0][5], 1, axis=0)

    result = audited(write_splits(tmp_path / "d.h5", splits))

    assert result.near is not None
    assert sorted(result.near.pairs.tolist()) == [
        [300, 14],
        [361, 11],
        [362, 12],
        [363, 13],
        [364, 305],
    ]
    assert (np.diff(result.near.correlation) <= 0).all()
    assert places_in(result)["leaks"] == []


def test_of_a_large_set_a_sample_is_compared_and_its_size_reported() -> None:
    """No more pairs are compared than `most`, and for the same seed the same ones."""
    images = drawings(90, np.random.default_rng(0))
    images[60:] = np.roll(images[:30], 1, axis=1)
    vectors = embed(images)
    split = np.repeat(np.array([0, 2], np.int8), [60, 30])

    def near(most: int, seed: int = 0) -> tuple[int, list[int]]:
        counted, number = np.ones(90, bool), np.full(90, -1)
        fetch = images.__getitem__
        result = near_duplicates(vectors, split, counted, number, fetch, seed=seed, most=most)
        assert result.outside == 30
        return result.asked, sorted(result.pairs[:, 0].tolist())

    assert near(60 * 30) == (30, list(range(60, 90)))
    asked, places = near(60 * 10)
    assert asked == len(places) == 10
    assert near(60 * 10) == (asked, places)
    assert near(60 * 10, seed=1) != (asked, places)


def test_correlation_is_that_of_numpy_at_its_best_shift() -> None:
    """A picture has 1 with itself, shifted or not; else it is Pearson's best of nine shifts."""
    first, second = drawings(2, np.random.default_rng(3))
    padded = np.pad(first, 1)
    shifts = [padded[r : r + 20, c : c + 20] for r in range(3) for c in range(3)]
    expected = max(np.corrcoef(part.ravel(), second.ravel())[0, 1] for part in shifts)

    assert correlation(first, first) == pytest.approx(1, abs=1e-6)
    assert correlation(first, np.roll(first, 1, axis=0)) == pytest.approx(1, abs=1e-6)
    assert correlation(first, second) == pytest.approx(expected, abs=1e-5)


def test_embeddings_keep_their_distances_along_the_main_axes() -> None:
    """A picture and its shifted copy are near, others are not; the axes are orthonormal."""
    images = drawings(200, np.random.default_rng(4))
    vectors = embed(images)
    axes = main_axes(vectors)
    reduced = axes(vectors)

    moved = axes(embed(np.roll(images, 2, axis=2)))

    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.allclose(axes.axes.T @ axes.axes, np.eye(32), atol=1e-5)
    assert np.linalg.norm(reduced - moved, axis=1).max() < 0.1
    assert np.median(np.linalg.norm(reduced[1:] - reduced[:-1], axis=1)) > 0.3


def test_lookalikes_are_ranked_by_distance_over_spread() -> None:
    """Of three classes with a spread of 1 the means are 3, 10 and 13 apart: this is the ranking."""
    around = np.array([[1, 0], [-1, 0], [0, 1], [0, -1], [0, 0]], np.float32)
    around *= np.sqrt(5 / 4)  # so that the mean squared distance is 1
    vectors = np.concatenate([around + np.array([x, 0], np.float32) for x in (0, 3, 13)])
    labels = np.repeat(np.array([0, 1, 3], np.int32), 5)
    # a class of one picture has no spread and is left out
    more_vectors = np.append(vectors, [[0, 0]], axis=0).astype(np.float32)
    more_labels = np.append(labels, np.int32(2))

    pairs = lookalikes(more_vectors, more_labels, 4)

    assert [pair.labels for pair in pairs] == [(0, 1), (1, 3), (0, 3)]
    assert [pair.distance for pair in pairs] == pytest.approx([3, 10, 13], rel=1e-5)
    assert lookalikes(vectors[:5], labels[:5], 4) == ()


def test_distorted_copies_are_left_out(tmp_path: Path) -> None:
    """An augmented file has the findings of the file that it was made from, in other rows."""
    splits = clean_splits((300, 60, 60))
    splits[0][0][5] = 0
    splits[2][0][3] = splits[0][0][40]
    path = write_splits(tmp_path / "d.h5", splits)
    augmentation = Augmentation(Distortion(sigma=3, alpha=8), copies=2)
    with open_dataset(path) as packed, local_crew(1) as crew:
        augment_dataset(packed, tmp_path / "a.h5", augmentation, crew=crew)

    plain, augmented = audited(path), audited(tmp_path / "a.h5")

    assert augmented.copies == 600
    assert (augmented.counts == plain.counts).all()
    assert {name: len(places) for name, places in places_in(augmented).items()} == {
        name: len(places) for name, places in places_in(plain).items()
    }
    assert augmented.leaks == plain.leaks == 1
    blank = places_in(augmented)["blank"]
    with open_dataset(tmp_path / "a.h5") as dataset:
        assert dataset.train.source[int(augmented.originals.row[blank[0]])] == "train/5"


def test_pictures_come_in_the_order_that_was_asked_for(tmp_path: Path) -> None:
    """`pictures` reads any places of all three splits, also one place twice."""
    splits = clean_splits()
    every = np.concatenate([images for images, _ in splits])
    places = np.array([419, 0, 299, 300, 0, 360])
    with open_dataset(write_splits(tmp_path / "d.h5", splits)) as dataset:
        assert np.array_equal(pictures(dataset, places), every[places])


def test_groups_in_two_splits_are_counted(tmp_path: Path) -> None:
    """A writer with pictures in train and test counts once; pictures without a writer do not."""
    splits = clean_splits((4, 3, 2))
    groups = [["w1", "w2", "", "w3"], ["w4", "", "w3"], ["w1", "w5"]]

    result = audited(write_splits(tmp_path / "d.h5", splits, groups=groups))

    assert result.torn == 2


def test_json_has_every_figure(tmp_path: Path) -> None:
    """The figures include what packing counted, also if an augmented file's record holds it."""
    splits = clean_splits()
    splits[0][0][5] = 0
    counts = {"unreadable": 3, "ignored": 2, "train": 300}
    packed = {"tool": "create_dataset", "counts": counts, "fingerprint": "packed-1"}
    inside = {"tool": "augment", "dataset": packed}

    result = audited(write_splits(tmp_path / "d.h5", splits, provenance=inside))
    figures = as_json(result)

    assert figures["left_out_at_packing"] == {"unreadable": 3, "ignored": 2}
    assert figures["pictures"] == {"train": 300, "validation": 60, "test": 60}
    assert figures["classes"][0] == {"class": "Ж", "train": 100, "validation": 20, "test": 20}
    assert figures["findings"]["blank"] == {"what": "blank", "count": 1}
    assert figures["near_duplicates"] == {"count": 0, "asked": 120, "of": 120}
    assert figures["suspected_labels"] is None
    assert len(figures["look_alike"]) == 3
    assert as_json(replace(result, near=None))["near_duplicates"] is None
