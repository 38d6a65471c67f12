"""Which bundles and datasets belong together, and the caveat where they only nearly do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inkfold.bundle.bundle import Bundle, load_bundle
from inkfold.dataset.reader import Dataset, open_dataset
from inkfold.errors import InkfoldError
from inkfold.evaluation.compatibility import caveat, check_match, first_difference, same_splits
from inkfold.spec import Capture
from tests.worlds.bands import CLASSES, PACKING, SPEC, write_bundle, write_dataset

OTHER_SPLIT = PACKING | {"fingerprint": "packed-2"}
ELSEWHERE = {"fingerprint": "packed-3", "source": {"fingerprint": "folder-2"}}


def bundle_at(path: Path, **changes: Any) -> Bundle:  # noqa: ANN401, passed on
    """A bundle that knows the four classes, but for `changes`."""
    return load_bundle(write_bundle(path / "bands", **changes))


def dataset_at(path: Path, **changes: Any) -> Dataset:  # noqa: ANN401, passed on
    """A dataset with two test pictures of the four classes, but for `changes`."""
    return open_dataset(write_dataset(path / "d.h5", {"test": ((0, 1), (0, 1))}, **changes))


def augmented(packing: Mapping[str, Any]) -> dict[str, Any]:
    """The provenance of an augmented file, which holds that of the file it was made from."""
    return {"fingerprint": "augmented-1", "dataset": dict(packing), "options": {}}


class Provenanced:
    """Stands for an open dataset where only its path and provenance matter."""

    path = Path("d.h5")

    def __init__(self, provenance: Mapping[str, Any]) -> None:
        self.provenance = provenance


def splits_and_caveat(
    tmp_path: Path, trained_on: Mapping[str, Any], measured_on: Mapping[str, Any]
) -> tuple[bool, str | None]:
    """Whether the splits are those of the training, and the caveat for the test split."""
    bundle = bundle_at(tmp_path, provenance=trained_on)
    dataset: Any = Provenanced(measured_on)
    return same_splits(bundle, dataset), caveat(bundle, dataset, "test")


def test_a_bundle_and_a_dataset_of_the_same_classes_and_preparation_pass(tmp_path: Path) -> None:
    """Nothing is refused where classes and preparation are equal and the split has pictures."""
    with dataset_at(tmp_path) as dataset:
        check_match(bundle_at(tmp_path), dataset, "test")


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (("あ", "b b", "c", "ด"), r"holds 4; .* number 2: '\$c' in the bundle, 'c' in the dataset"),
        (CLASSES[:3], "holds 3; .* number 3: 'ด' in the bundle, none in the dataset"),
        ((*CLASSES, "e"), "holds 5; .* number 4: none in the bundle, 'e' in the dataset"),
        (CLASSES[::-1], "holds 4; .* number 0: 'あ' in the bundle, 'ด' in the dataset"),
    ],
)
def test_a_dataset_of_other_classes_is_refused(
    tmp_path: Path, classes: tuple[str, ...], message: str
) -> None:
    """The message has both counts and the first class that differs, also if only the order does."""
    with (
        dataset_at(tmp_path, classes=classes) as dataset,
        pytest.raises(InkfoldError, match=message),
    ):
        check_match(bundle_at(tmp_path), dataset, "test")


def test_equal_lists_of_classes_have_no_first_difference() -> None:
    """Asking for the first difference of equal lists is a caller's bug."""
    with pytest.raises(ValueError, match="are equal"):
        first_difference(CLASSES, CLASSES)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": 10}, "with size 8, .* with size 10; .* --size 8 --fit stretch --ink light "),
        ({"fit": "pad"}, "with fit stretch, .* with fit pad; "),
        ({"ink": "dark"}, "with ink light, .* with ink dark; "),
        ({"threshold": "otsu"}, "with threshold none, .* with threshold otsu; "),
        ({"margin": 0.1}, r"with margin 0\.0, .* with margin 0\.1; "),
    ],
)
def test_pictures_prepared_in_another_way_are_refused(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    """The message names what differs, and the command that packs them as the bundle needs them."""
    spec = replace(SPEC, **change)

    with dataset_at(tmp_path, spec=spec) as dataset, pytest.raises(InkfoldError, match=message):
        check_match(bundle_at(tmp_path), dataset, "test")


@pytest.mark.parametrize(
    ("ours", "theirs", "photographs", "together"),
    [
        ("auto", "scan", 0, True),
        ("scan", "auto", 0, True),
        ("auto", "auto", 7, True),
        ("scan", "auto", 7, False),
        ("auto", "photo", 0, False),
        ("photo", "scan", 0, False),
    ],
)
def test_captures_go_together_where_no_photograph_is_packed(
    tmp_path: Path, ours: Capture, theirs: Capture, photographs: int, *, together: bool
) -> None:
    """Scans are prepared in one way by scan and auto; photographs belong to one capture alone."""
    bundle = bundle_at(tmp_path, spec=replace(SPEC, capture=ours))
    spec = replace(SPEC, capture=theirs)
    provenance = PACKING | {"counts": {"photographs": photographs}}

    with dataset_at(tmp_path, spec=spec, provenance=provenance) as dataset:
        if together:
            check_match(bundle, dataset, "test")
        else:
            with pytest.raises(InkfoldError, match=f"--capture {ours} "):
                check_match(bundle, dataset, "test")


def test_an_empty_split_is_refused(tmp_path: Path) -> None:
    """A split without pictures has no score, not a score of 0; the message says what to do."""
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
    """A packing and its augmented files have the same test split, so there is no caveat."""
    assert splits_and_caveat(tmp_path, trained_on, measured_on) == (True, None)


@pytest.mark.parametrize("wrapped", [False, True])
def test_another_split_of_the_same_pictures_has_a_caveat(tmp_path: Path, wrapped: bool) -> None:
    """Test pictures of another split may have been trained on, which no other figure would show."""
    measured_on = augmented(OTHER_SPLIT) if wrapped else OTHER_SPLIT

    same, warning = splits_and_caveat(tmp_path, PACKING, measured_on)

    assert not same
    assert warning is not None
    assert "it may have been trained on pictures of this split" in warning


@pytest.mark.parametrize("measured_on", [ELSEWHERE, {"fingerprint": "packed-4"}])
def test_other_pictures_have_a_caveat(tmp_path: Path, measured_on: dict[str, Any]) -> None:
    """Another dataset is called so, also where the folder that it was packed from is unknown."""
    same, warning = splits_and_caveat(tmp_path, {"fingerprint": "packed-5"}, measured_on)

    assert not same
    assert warning is not None
    assert warning.startswith("d.h5 is another dataset than the one that ")


def test_figures_on_pictures_that_were_learnt_have_a_caveat(tmp_path: Path) -> None:
    """The train split was learnt, validation too after --refit; else validation chose the epoch."""
    bundle = bundle_at(tmp_path)
    refitted = Bundle(bundle.path, bundle.record | {"refit": True})
    dataset: Any = Provenanced(PACKING)

    assert "trained on this split" in str(caveat(bundle, dataset, "train"))
    assert "was chosen on this split" in str(caveat(bundle, dataset, "validation"))
    assert "trained on this split" in str(caveat(refitted, dataset, "validation"))
    assert caveat(refitted, dataset, "test") is None
