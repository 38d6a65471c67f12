"""Whether a bundle and a dataset belong together, and what their figures then mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from itertools import zip_longest
from typing import Any

from inkfold.bundle.bundle import Bundle
from inkfold.class_names import code_points, look
from inkfold.dataset.reader import Dataset
from inkfold.errors import InkfoldError
from inkfold.program import typed
from inkfold.spec import ImageSpec


def check_match(bundle: Bundle, dataset: Dataset, split: str) -> None:
    """Refuse to measure a bundle on pictures that it was not made for.

    Raises
    ------
    InkfoldError
        If the classes or the preparation of the pictures differ, or the split is empty.
    """
    _check_classes(bundle, dataset)
    _check_spec(bundle, dataset)
    if len(dataset.split(split)) == 0:
        raise InkfoldError(
            f"{dataset.path}: the {split} split is empty; pack again with more pictures or another "
            "--split, or evaluate another split with --split"
        )


def first_difference(ours: Sequence[str], theirs: Sequence[str]) -> tuple[int, str, str]:
    """The number of the first class in which two lists differ, and its name in each.

    Names are quoted, and followed by their code points where they look the same; "none" stands for
    a list that has ended.

    Raises
    ------
    ValueError
        If the lists are equal.
    """
    for number, (our, their) in enumerate(zip_longest(ours, theirs)):
        if our != their:
            alike = our is not None and their is not None and look(our) == look(their)
            return number, _quoted(our, alike=alike), _quoted(their, alike=alike)
    raise ValueError("the lists of classes are equal")


def _quoted(name: str | None, *, alike: bool) -> str:
    if name is None:
        return "none"
    return f"{name!r} ({code_points(name)})" if alike else repr(name)


def _check_classes(bundle: Bundle, dataset: Dataset) -> None:
    ours, theirs = bundle.classes, dataset.classes
    if ours == theirs:
        return
    number, our, their = first_difference(ours, theirs)
    raise InkfoldError(
        f"{bundle.path} knows {len(ours)} classes, {dataset.path} holds {len(theirs)}; the first "
        f"that differs is number {number}: {our} in the bundle, {their} in the dataset; evaluate "
        "on a dataset packed from the same class folders, or train on this one"
    )


def _check_spec(bundle: Bundle, dataset: Dataset) -> None:
    ours, theirs = bundle.spec, dataset.spec
    _check_capture(bundle, dataset)
    for field in fields(ImageSpec):
        if field.name == "capture":
            continue
        our, their = getattr(ours, field.name), getattr(theirs, field.name)
        if our != their:
            raise InkfoldError(
                f"{bundle.path} takes pictures with {field.name} {our}, {dataset.path} holds them "
                f"with {field.name} {their}; pack the folder as the bundle needs it: "
                f"{typed('create_dataset')} FOLDER --size {ours.size} --fit {ours.fit} "
                f"--ink {ours.ink} --threshold {ours.threshold} -o datasets/{bundle.name}.h5"
            )


def _check_capture(bundle: Bundle, dataset: Dataset) -> None:
    """Refuse pictures that the bundle would prepare otherwise: as photographs, or not.

    A bundle with ``auto`` and a dataset of scans belong together, because clean pictures are
    prepared by both in one way.
    """
    ours, theirs = bundle.spec.capture, dataset.spec.capture
    photographs = _packing(dataset.provenance).get("counts", {}).get("photographs", 0)
    if ours == theirs or ("photo" not in (ours, theirs) and not photographs):
        return
    raise InkfoldError(
        f"{bundle.path} takes pictures with capture {ours}, {dataset.path} holds them with capture "
        f"{theirs}, and {photographs:,} of them were prepared as photographs; pack the folder as "
        f"the bundle needs it: {typed('create_dataset')} FOLDER --size {bundle.spec.size} --fit "
        f"{bundle.spec.fit} --threshold {bundle.spec.threshold} --capture {ours} "
        f"-o datasets/{bundle.name}.h5"
    )


def same_splits(bundle: Bundle, dataset: Dataset) -> bool:
    """Whether the bundle was trained on this packing of the pictures, augmented or not.

    Augmenting copies validation and test untouched, so these are then the very pictures that
    were kept from training.
    """
    trained_on = _packing(bundle.record["dataset"]["provenance"])
    return bool(trained_on["fingerprint"] == _packing(dataset.provenance)["fingerprint"])


def caveat(bundle: Bundle, dataset: Dataset, split: str) -> str | None:
    """A sentence that a reader has to know before the figures; None where they need none."""
    if not same_splits(bundle, dataset):
        trained_on = _source(bundle.record["dataset"]["provenance"])
        if trained_on is not None and trained_on == _source(dataset.provenance):
            return (
                f"{dataset.path} was packed from the pictures that {bundle.path} was trained on, "
                "but split differently: it may have been trained on pictures of this split"
            )
        return f"{dataset.path} is another dataset than the one that {bundle.path} was trained on"
    if split == "train" or (split == "validation" and bundle.record.get("refit")):
        return f"{bundle.path} was trained on this split: the figures tell what it remembers"
    if split == "validation":
        return f"the epoch of {bundle.path} was chosen on this split: the figures flatter it"
    return None


def _packing(provenance: dict[str, Any]) -> dict[str, Any]:
    """How the pictures were packed and split; an augmented file holds it under "dataset"."""
    packing: dict[str, Any] = provenance.get("dataset", provenance)
    return packing


def _source(provenance: dict[str, Any]) -> str | None:
    """Fingerprint of the folder that was packed; None where no folder was packed."""
    fingerprint: str | None = _packing(provenance).get("source", {}).get("fingerprint")
    return fingerprint
