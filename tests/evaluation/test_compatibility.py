"""Which bundles and datasets belong together, and what is said of those that only nearly do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inkfold.bundle.bundle import Bundle, load_bundle
from inkfold.dataset.reader import Dataset, open_dataset
from inkfold.errors import InkfoldError
from inkfold.evaluation.compatibility import caveat, check_match, same_splits
from tests.worlds.bands import CLASSES, PACKING, SPEC, write_bundle, write_dataset

OTHER_SPLIT = PACKING | {"fingerprint": "packed-2"}
ELSEWHERE = {"fingerprint": "packed-3", "source": {"fingerprint": "folder-2"}}


def bundle_at(path: Path, **changes: Any) -> Bundle:  # noqa: ANN401, passed on
    """A bundle that knows the four classes, with `changes`."""
    return load_bundle(write_bundle(path / "bands", **changes))


def dataset_at(path: Path, **changes: Any) -> Dataset:  # noqa: ANN401, passed on
    """Two test pictures of the four classes, with `changes`."""
    return open_dataset(write_dataset(path / "d.h5", {"test": ((0, 1), (0, 1))}, **changes))


def augmented(packing: Mapping[str, Any]) -> dict[str, Any]:
    """The provenance of an augmented file, which holds that of the file it was made from."""
    return {"fingerprint": "augmented-1", "dataset": dict(packing), "options": {}}


class Made:
    """Stands for an open dataset where only its provenance matters."""

    path = Path("d.h5")

    def __init__(self, provenance: Mapping[str, Any]) -> None:
        self.provenance = provenance


def told(
    tmp_path: Path, trained_on: Mapping[str, Any], measured_on: Mapping[str, Any], split: str
) -> tuple[bool, str | None]:
    """Whether the splits are the same, and the caveat."""
    bundle = bundle_at(tmp_path, provenance=trained_on)
    dataset: Any = Made(measured_on)
    return same_splits(bundle, dataset), caveat(bundle, dataset, split)


def test_what_belongs_together_passes(tmp_path: Path) -> None:
    """Same classes, same preparation, pictures in the split."""
    with dataset_at(tmp_path) as dataset:
        check_match(bundle_at(tmp_path), dataset, "test")


@pytest.mark.parametrize(
    ("classes", "told"),
    [
        (("あ", "b b", "c", "ด"), r"holds 4; the first that differs is number 2: '\$c' there, 'c'"),
        (CLASSES[:3], "holds 3; the first that differs is number 3: 'ด' there, none here"),
        ((*CLASSES, "e"), "holds 5; the first that differs is number 4: none there, 'e' here"),
        (CLASSES[::-1], "holds 4; the first that differs is number 0: 'あ' there, 'ด' here"),
    ],
)
def test_other_classes_are_refused(tmp_path: Path, classes: tuple[str, ...], told: str) -> None:
    """With both counts and the first that differs, also where only the order does."""
    with dataset_at(tmp_path, classes=classes) as dataset, pytest.raises(InkfoldError, match=told):
        check_match(bundle_at(tmp_path), dataset, "test")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"size": 10}, "with size 8, .* with size 10; .* --size 8 --fit stretch --ink light "),
        ({"fit": "pad"}, "with fit stretch, .* with fit pad; "),
        ({"ink": "dark"}, "with ink light, .* with ink dark; "),
        ({"threshold": "otsu"}, "with threshold none, .* with threshold otsu; "),
        ({"margin": 0.1}, r"with margin 0\.0, .* with margin 0\.1; "),
    ],
)
def test_pictures_prepared_in_another_way_are_refused(
    tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    """With the command that packs them as the bundle needs them."""
    spec = replace(SPEC, **change)

    with dataset_at(tmp_path, spec=spec) as dataset, pytest.raises(InkfoldError, match=told):
        check_match(bundle_at(tmp_path), dataset, "test")


def test_an_empty_split_is_refused(tmp_path: Path) -> None:
    """With what to do: nothing was measured is no score of 0."""
    with (
        dataset_at(tmp_path) as dataset,
        pytest.raises(InkfoldError, match="the validation split is empty; pack again"),
    ):
        check_match(bundle_at(tmp_path), dataset, "validation")


@pytest.mark.parametrize(
    ("trained_on", "measured_on"),
    [
        (PACKING, PACKING),
        (PACKING, augmented(PACKING)),
        (augmented(PACKING), PACKING),
        (augmented(PACKING), augmented(PACKING) | {"fingerprint": "augmented-2"}),
    ],
)
def test_augmenting_changes_no_test_picture(
    tmp_path: Path, trained_on: dict[str, Any], measured_on: dict[str, Any]
) -> None:
    """A packing and its augmented files have the same test split: nothing to be said."""
    assert told(tmp_path, trained_on, measured_on, "test") == (True, None)


@pytest.mark.parametrize("wrapped", [False, True])
def test_another_split_of_the_same_pictures_is_told(tmp_path: Path, wrapped: bool) -> None:
    """Its test pictures may have been trained on, which no other figure would show."""
    measured_on = augmented(OTHER_SPLIT) if wrapped else OTHER_SPLIT

    same, warning = told(tmp_path, PACKING, measured_on, "test")

    assert not same
    assert warning is not None
    assert "it may have been trained on pictures of this split" in warning


@pytest.mark.parametrize("measured_on", [ELSEWHERE, {"fingerprint": "packed-4"}])
def test_other_pictures_are_told(tmp_path: Path, measured_on: dict[str, Any]) -> None:
    """Also those of which it is not known where they came from."""
    same, warning = told(tmp_path, {"fingerprint": "packed-5"}, measured_on, "test")

    assert not same
    assert warning is not None
    assert warning.startswith("d.h5 is another dataset than the one that ")


def test_figures_on_what_was_learnt_are_told(tmp_path: Path) -> None:
    """The training split always, validation by the way it was used."""
    bundle = bundle_at(tmp_path)
    refitted = Bundle(bundle.path, bundle.record | {"refit": True})
    dataset: Any = Made(PACKING)

    assert "trained on this split" in str(caveat(bundle, dataset, "train"))
    assert "was chosen on this split" in str(caveat(bundle, dataset, "validation"))
    assert "trained on this split" in str(caveat(refitted, dataset, "validation"))
    assert caveat(refitted, dataset, "test") is None
