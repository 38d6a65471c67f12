"""What an audit does block by block: the same answers as from all pictures at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inkfold.audit import near_duplicates as near
from inkfold.audit.checks import ClassSums, lookalikes, nearest_classes, repeats_of
from inkfold.audit.embeddings import Embeddings
from inkfold.dataset import originals
from inkfold.dataset.originals import groups_of, originals_of, pictures, sources, texts_at
from inkfold.dataset.reader import open_dataset
from tests.worlds.audited import clean_splits, write_splits

SEEDS = st.integers(0, 2**32 - 1)


@settings(deadline=None)  # a bound on time is no behaviour
@given(seed=SEEDS, cuts=st.lists(st.integers(0, 200), max_size=5))
def test_sums_of_classes_do_not_depend_on_the_blocks(seed: int, cuts: list[int]) -> None:
    """However the vectors are cut, the distances of classes are equal to the last bit."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((200, 6)).astype(np.float32)
    labels = rng.integers(0, 5, 200).astype(np.int32)
    sums = ClassSums(5)

    for block in np.split(np.arange(200), sorted(cuts)):
        sums.add(vectors[block], labels[block])

    assert nearest_classes(sums) == lookalikes(vectors, labels, 5)


@settings(deadline=None)  # a bound on time is no behaviour
@given(seed=SEEDS, known=st.integers(1, 40))
def test_repeats_are_those_of_a_plain_comparison(seed: int, known: int) -> None:
    """Of few or many digests, some with the same beginning, the very pairs are found."""
    rng = np.random.default_rng(seed)
    digest = rng.integers(0, known, (60, 2)).astype(np.uint64)
    counted = rng.random(60) < 0.8
    split = rng.integers(0, 3, 60).astype(np.int8)
    label = rng.integers(0, 3, 60).astype(np.int32)

    found = repeats_of(digest, split, label, counted)

    same = (digest[:, None] == digest).all(axis=2) & counted[:, None] & counted
    several = same.sum(axis=1) > 1
    assert np.array_equal(found.number >= 0, several)
    equal = found.number[:, None] == found.number
    assert np.array_equal(equal[several][:, several], same[several][:, several])
    first = np.lexsort((digest[:, 1], digest[:, 0]))
    numbers = found.number[first]
    assert (np.diff(numbers[numbers >= 0]) >= 0).all(), "numbered in the order of the digests"
    earlier = np.tri(60, k=-1, dtype=bool)
    again = (same & earlier & (split[:, None] == split)).any(axis=1)
    assert np.array_equal(found.again, again)
    assert np.array_equal(found.across, (same & (split[:, None] != split)).any(axis=1))
    assert np.array_equal(found.conflicting, (same & (label[:, None] != label)).any(axis=1))


@settings(deadline=None)  # a bound on time is no behaviour
@given(seed=SEEDS, chosen=st.lists(st.integers(0, 99), max_size=30))
def test_embeddings_are_taken_as_from_an_array(seed: int, chosen: list[int]) -> None:
    """Whether places lie close together or far apart, the vectors are those put in."""
    vectors = np.random.default_rng(seed).standard_normal((100, 3)).astype(np.float32)
    places = np.array(sorted(chosen), np.int64)

    with Embeddings(3) as kept:
        for start in range(0, 100, 7):
            kept.append(vectors[start : start + 7])

        assert np.array_equal(kept[places], vectors[places])


@settings(deadline=None)  # a bound on time is no behaviour
@given(seed=SEEDS, among=st.integers(1, 50), rows=st.integers(1, 50))
def test_neighbours_do_not_depend_on_the_blocks(seed: int, among: int, rows: int) -> None:
    """However many are compared at once, the three nearest pictures within reach are found."""
    rng = np.random.default_rng(seed)
    vectors = rng.uniform(0, 0.5, (80, 2)).astype(np.float32)
    asked, others = np.arange(60, 80), np.arange(50)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near, "AMONG", among)
        patch.setattr(near, "ROWS", rows)
        pairs = near._neighbours(vectors, asked, others)

    square = np.square(vectors[asked][:, None].astype(float) - vectors[others]).sum(axis=2)
    expected = {
        (60 + row, int(place))
        for row in range(20)
        for place in np.argsort(square[row])[:3]
        if square[row, place] <= near.REACH**2
    }
    assert set(map(tuple, pairs.tolist())) == expected


def test_pairs_are_correlated_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """With little memory for pictures each pair still gets its own correlation."""
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8), np.uint8)
    pairs = np.array([(a, b) for a in range(10) for b in range(10, 20)])
    asked: list[int] = []

    def fetch(places: NDArray[np.int64]) -> NDArray[np.uint8]:
        asked.append(len(places))
        return images[places]

    monkeypatch.setattr(near, "LOADED", 64 * 2 * 7)
    found = near._correlations(pairs, fetch)

    assert found.tolist() == [near.correlation(images[a], images[b]) for a, b in pairs]
    assert max(asked) <= 14


def test_texts_are_read_by_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sources and groups of some rows, in any order, are those of all rows at these places."""
    monkeypatch.setattr(originals, "TEXTS", 3)
    rng = np.random.default_rng(0)
    groups = [[f"writer {row % 4}" for row in range(count)] for count in (20, 5, 11)]
    path = write_splits(tmp_path / "d.h5", clean_splits((20, 5, 11)), groups=groups)
    with open_dataset(path) as dataset:
        every = [text for split in dataset.splits for text in split.source]
        known = originals_of(dataset)
        places = rng.permutation(len(every))[:15]
        rows = rng.permutation(20)[:9]

        assert sources(dataset, known, places) == [every[place] for place in places]
        assert texts_at(dataset.train, "source", rows) == [every[row] for row in rows]
        assert list(groups_of(dataset.train)) == groups[0]


def test_pictures_are_read_from_the_blocks_that_hold_them(tmp_path: Path) -> None:
    """Whatever places are asked for, in any order, the images are those of the rows."""
    with open_dataset(write_splits(tmp_path / "d.h5", clean_splits((20, 5, 11)))) as dataset:
        every = np.concatenate([np.asarray(split.images) for split in dataset.splits])
        for places in ([], [0], [35], [19, 20], [24, 3, 35, 0]):
            wanted = np.array(places, np.int64)
            assert np.array_equal(pictures(dataset, wanted), every[wanted])
