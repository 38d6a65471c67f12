"""The audit of a dataset: everything that can be wrong with it, and where (docs/audit.md)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkfold.audit.checks import (
    Alike,
    ClassSums,
    Faults,
    Repeats,
    empty_ink,
    faults_of,
    measure,
    nearest_classes,
    repeats_of,
)
from inkfold.audit.embeddings import Embeddings
from inkfold.audit.near_duplicates import FITTED, Axes, Near, embed, main_axes, near_duplicates
from inkfold.audit.suspects import (
    FOLDS,
    LARGEST,
    Suspects,
    epochs_of,
    suspects_of,
)
from inkfold.dataset.originals import (
    Originals,
    Places,
    groups_of,
    image_blocks,
    originals_of,
    pictures,
)
from inkfold.dataset.reader import Dataset
from inkfold.picture import CONTRAST, shrunk
from inkfold.spec import SPLITS
from inkfold.workers import Progress

MOST = 0.5  # share of pictures with ink at the border, above which the whole set was cropped so


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What an audit has found in a dataset.

    Attributes
    ----------
    path : Path
        The dataset file.
    classes : tuple of str
        In label order.
    counts : int64 array of shape (3, C)
        Originals by split and class.
    copies : int
        Distorted copies in the file; they are not looked at.
    noted : dict
        How many files packing left out, by reason: "unreadable", "ignored".
    originals : Originals
        The pictures that were looked at; a picture's place is its number among them.
    faults : Faults
    repeats : Repeats
    torn : int or None
        Groups with pictures in two or more splits; None where the set has no groups.
    alike : tuple of Alike
        The classes that look most alike, the nearest pair first.
    near : Near or None
        Near duplicates; None where they were left out.
    suspects : Suspects or None
        Suspected labels; None where they were left out, or where there is nothing to compare.
    """

    path: Path
    classes: tuple[str, ...]
    counts: NDArray[np.int64]
    copies: int
    noted: dict[str, int]
    originals: Originals
    faults: Faults
    repeats: Repeats
    torn: int | None
    alike: tuple[Alike, ...]
    near: Near | None
    suspects: Suspects | None

    @property
    def leaks(self) -> int:
        """Pictures of validation and test whose very pixels are in another split too."""
        return int((self.repeats.across & (self.originals.split > 0)).sum())

    @property
    def largest_and_smallest(self) -> tuple[int, int]:
        """The classes (numbers) with the most and the fewest pictures."""
        size = self.counts.sum(axis=0)
        return int(size.argmax()), int(size.argmin())


@dataclass(frozen=True)
class Finding:
    """One kind of fault.

    Attributes
    ----------
    name : str
        As in the names of files and in JSON.
    words : str
        For people.
    places : int64 array of shape (n,)
        The pictures that have the fault.
    """

    name: str
    words: str
    places: Places


def _silent(_label: str, _total: int | None) -> AbstractContextManager[Callable[[int], None]]:
    """A progress that shows nothing."""
    return nullcontext(lambda _count: None)


def audit(
    dataset: Dataset,
    *,
    near: bool = True,
    seed: int = 0,
    progress: Progress = _silent,
) -> Audit:
    """Look at every original of a dataset; `with_suspects` adds the suspected wrong labels.

    Parameters
    ----------
    dataset : Dataset
    near : bool
        Whether to look for near duplicates, too.
    seed : int
        Draws the sample of a large set.
    progress : callable
        ``progress(label, total)`` is a context; the function that it gives is called with the
        number of pictures done since the last call.
    """
    originals, sums = originals_of(dataset), ClassSums(len(dataset.classes))
    axes = _axes(dataset, originals, seed)
    with Embeddings(axes.axes.shape[1]) as vectors:
        with progress("pictures", len(originals)) as advance:
            faults = _faults(dataset, originals, axes, vectors=vectors, sums=sums, advance=advance)
        split, drawn = originals.split, ~faults.blank
        repeats = repeats_of(originals.digest, split, originals.label, drawn)
        fetch = partial(pictures, dataset)
        near_pairs = None
        if near:
            with progress("near duplicates", None):
                near_pairs = near_duplicates(
                    vectors, split, drawn, repeats.number, fetch, seed=seed
                )
    return Audit(
        path=dataset.path,
        classes=dataset.classes,
        counts=_counts(originals, len(dataset.classes)),
        copies=sum(map(len, dataset.splits)) - len(originals),
        noted=_noted(dataset.provenance),
        originals=originals,
        faults=faults,
        repeats=repeats,
        torn=_torn(dataset),
        alike=nearest_classes(sums),
        near=near_pairs,
        suspects=None,
    )


def with_suspects(
    found: Audit, dataset: Dataset, *, seed: int = 0, progress: Progress = _silent
) -> Audit:
    """What `audit` found, and the labels that a quick network contradicts.

    All pictures are in memory, with sides of 32 pixels at most.

    Parameters
    ----------
    found : Audit
        Of the same dataset.
    dataset : Dataset
    seed : int
        Draws the first weights of the network.
    progress : callable
        As for `audit`; counts the epochs.

    Raises
    ------
    InkfoldError
        If cleanlab is not installed.
    """
    originals, drawn = found.originals, ~found.faults.blank
    side = min(LARGEST, dataset.spec.size)
    images = np.empty((len(originals), side, side), np.uint8)
    for places, block in image_blocks(dataset):
        images[places] = shrunk(block, LARGEST)
    with progress("suspected labels", FOLDS * epochs_of(int(drawn.sum()))) as advance:
        suspects = suspects_of(
            images,
            originals.label,
            originals.digest,
            drawn,
            classes=len(dataset.classes),
            seed=seed,
            advance=advance,
        )
    return replace(found, suspects=suspects)


def _faults(
    dataset: Dataset,
    originals: Originals,
    axes: Axes,
    *,
    vectors: Embeddings,
    sums: ClassSums,
    advance: Callable[[int], None],
) -> Faults:
    """The faults of all pictures; their embeddings along the axes are put into `vectors`.

    Those that are not blank are added to the sums of their classes.
    """
    ink = empty_ink(len(originals))
    for places, images in image_blocks(dataset):
        measured = measure(images)
        ink.put(places, measured)
        reduced = axes(embed(images))
        vectors.append(reduced)
        drawn = measured.contrast >= CONTRAST
        sums.add(reduced[drawn], originals.label[places][drawn])
        advance(len(images))
    return faults_of(ink, originals.label)


def _axes(dataset: Dataset, originals: Originals, seed: int) -> Axes:
    """The main axes of a sample of up to 10,000 pictures."""
    count = min(FITTED, len(originals))
    sample = np.random.default_rng(seed).choice(len(originals), count, replace=False)
    return main_axes(embed(pictures(dataset, np.sort(sample))))


def _counts(originals: Originals, classes: int) -> NDArray[np.int64]:
    cells = originals.split.astype(np.int64) * classes + originals.label
    return np.bincount(cells, minlength=len(SPLITS) * classes).reshape(len(SPLITS), classes)


def _noted(provenance: dict[str, Any]) -> dict[str, int]:
    """What packing left out; an augmented or cleaned file holds its packing's record inside."""
    while (before := provenance.get("dataset") or provenance.get("cleaned_from")) is not None:
        provenance = before
    counts = provenance.get("counts", {})
    return {name: int(counts[name]) for name in ("unreadable", "ignored") if name in counts}


def _torn(dataset: Dataset) -> int | None:
    """How many writers, pages or sheets are in two splits or more."""
    groups = [set(groups_of(split)) - {""} for split in dataset.splits]
    if not any(groups):
        return None
    train, validation, test = groups
    return len((train & validation) | (train & test) | (validation & test))


def findings(audit: Audit) -> tuple[Finding, ...]:
    """The faults of single pictures, near duplicates and suspected labels left out."""
    faults, repeats = audit.faults, audit.repeats
    return tuple(
        Finding(name, words, np.flatnonzero(mask))
        for name, words, mask in (
            ("blank", "blank", faults.blank),
            ("nearly_blank", "nearly blank: under a tenth of their class's ink", faults.faint),
            (
                "wrong_polarity",
                "perhaps inside out: ink on the border or everywhere",
                faults.inverted,
            ),
            ("at_border", _border_words(faults.cut), faults.cut),
            ("duplicates", "repeats of a picture of the same split", repeats.again),
            ("leaks", "with the very pixels of a picture in another split", repeats.across),
            (
                "conflicts",
                "with the very pixels of a picture under another label",
                repeats.conflicting,
            ),
        )
    )


def _border_words(cut: NDArray[np.bool_]) -> str:
    """Ink at the border of most pictures means that all of the set were cropped tightly."""
    cropped = cut.mean() > MOST if len(cut) else False
    return f"ink at the border: {'the way of this set' if cropped else 'perhaps cut off'}"


def as_json(audit: Audit) -> dict[str, Any]:
    """The figures of an audit, as JSON takes them; single pictures are in the CSV files."""
    names = audit.classes
    result: dict[str, Any] = {
        "dataset": audit.path.name,
        "pictures": dict(zip(SPLITS, audit.counts.sum(axis=1).tolist(), strict=True)),
        "distorted_copies": audit.copies,
        "classes": [
            {"class": name, **dict(zip(SPLITS, counts, strict=True))}
            for name, counts in zip(names, audit.counts.T.tolist(), strict=True)
        ],
        "left_out_at_packing": audit.noted,
        "findings": {
            finding.name: {"what": finding.words, "count": len(finding.places)}
            for finding in findings(audit)
        },
        "leaked": audit.leaks,
        "groups_in_two_splits": audit.torn,
        "look_alike": [
            {
                "classes": [names[label] for label in pair.labels],
                "distance": round(pair.distance, 4),
            }
            for pair in audit.alike
        ],
        "near_duplicates": None,
        "suspected_labels": None,
    }
    if (near := audit.near) is not None:
        result["near_duplicates"] = {
            "count": len(near.pairs),
            "asked": near.asked,
            "of": near.outside,
        }
    if (suspects := audit.suspects) is not None:
        result["suspected_labels"] = {
            "count": suspects.issues,
            "judged": len(suspects.places),
            "answers_as_labelled": suspects.right,
            "not_judged": suspects.unjudged,
        }
    return result
