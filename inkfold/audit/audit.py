"""The audit of a dataset: everything that can be wrong with it, and where. docs/audit.md."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkfold.audit.checks import (
    Alike,
    Faults,
    Repeats,
    faults_of,
    joined_ink,
    lookalikes,
    measure,
    repeats_of,
)
from inkfold.audit.near_duplicates import FITTED, Axes, Near, embed, main_axes, near_duplicates
from inkfold.audit.suspects import (
    FOLDS,
    LARGEST,
    Suspects,
    check_cleanlab,
    epochs_of,
    suspects_of,
)
from inkfold.dataset.reader import (
    Dataset,
    Originals,
    Places,
    image_blocks,
    originals_of,
    pictures,
)
from inkfold.picture import shrunk
from inkfold.spec import SPLITS
from inkfold.workers import Progress

MOST = 0.5  # share of pictures with ink at the border from which it is the set's way


@dataclass(frozen=True)
class Audit:
    """What was found in the dataset at `path`.

    `counts` int64 (3, C) originals by split and class; `copies` distorted copies, which are not
    looked at; `noted` what packing counted, such as unreadable files; `torn` groups with pictures
    in two splits, None where the set has no groups; `near` and `suspects` None where they were left
    out or there is nothing to compare.
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
    """One kind of thing that was found: a short name, words for it, and the pictures' places."""

    name: str
    words: str
    places: Places


def findings(audit: Audit) -> tuple[Finding, ...]:
    """Everything that is said of single pictures, but for near duplicates and suspected labels."""
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
    """Pictures that fill their frame were cropped tightly, all of a set alike."""
    own_way = cut.mean() > MOST if len(cut) else False
    return f"ink at the border: {'the way of this set' if own_way else 'perhaps cut off'}"


def _silent(_label: str, _total: int | None) -> AbstractContextManager[Callable[[int], None]]:
    return nullcontext(lambda _count: None)


def audit(
    dataset: Dataset,
    *,
    quick: bool = False,
    near: bool = True,
    seed: int = 0,
    progress: Progress = _silent,
) -> Audit:
    """Look at every original of a dataset.

    Parameters
    ----------
    dataset : Dataset
    quick : bool
        Leave out the network, and with it the suspected wrong labels.
    near : bool
        Whether to look for near duplicates, too.
    seed : int
        Draws the sample of a large set, and the network's beginnings.
    progress : callable
        ``progress(label, total)`` is a context that gives a function to call with each count done.

    Raises
    ------
    InkfoldError
        If cleanlab is not installed and `quick` is false.
    """
    if not quick:
        check_cleanlab()
    originals = originals_of(dataset)
    with progress("pictures", len(originals)) as advance:
        faults, vectors = _looked_at(dataset, originals, seed, advance)
    split, drawn = originals.split, ~faults.blank
    repeats = repeats_of(originals.digest, split, originals.label, drawn)
    fetch = partial(pictures, dataset)
    found = None
    if near:
        with progress("near duplicates", None):
            found = near_duplicates(vectors, split, drawn, repeats.number, fetch, seed=seed)
    alike = lookalikes(vectors[drawn], originals.label[drawn], len(dataset.classes))
    return Audit(
        dataset.path,
        dataset.classes,
        _counts(originals, len(dataset.classes)),
        sum(map(len, dataset.splits)) - len(originals),
        _noted(dataset.provenance),
        originals,
        faults,
        repeats,
        _torn(dataset),
        alike,
        found,
        None if quick else _suspects(dataset, originals, drawn, seed, progress),
    )


def _looked_at(
    dataset: Dataset, originals: Originals, seed: int, advance: Callable[[int], None]
) -> tuple[Faults, NDArray[np.float32]]:
    """The faults of all pictures, and their embeddings along the main axes."""
    ink = []
    vectors: NDArray[np.float32] | None = None
    axes = _axes(dataset, originals, seed)
    for places, images in image_blocks(dataset):
        ink.append(measure(images))
        reduced = axes(embed(images))
        if vectors is None:
            vectors = np.empty((len(originals), reduced.shape[1]), np.float32)
        vectors[places] = reduced
        advance(len(images))
    if vectors is None:
        raise ValueError("a dataset holds at least one picture")
    return faults_of(joined_ink(ink), originals.label), vectors


def _axes(dataset: Dataset, originals: Originals, seed: int) -> Axes:
    """The main axes of a sample."""
    count = min(FITTED, len(originals))
    sample = np.random.default_rng(seed).choice(len(originals), count, replace=False)
    return main_axes(embed(pictures(dataset, np.sort(sample))))


def _counts(originals: Originals, classes: int) -> NDArray[np.int64]:
    each = originals.split.astype(np.int64) * classes + originals.label
    return np.bincount(each, minlength=len(SPLITS) * classes).reshape(len(SPLITS), classes)


def _noted(provenance: dict[str, Any]) -> dict[str, int]:
    """What packing left out; an augmented or cleaned file holds its packing's words inside."""
    while (before := provenance.get("dataset") or provenance.get("cleaned_from")) is not None:
        provenance = before
    counts = provenance.get("counts", {})
    return {name: int(counts[name]) for name in ("unreadable", "ignored") if name in counts}


def _torn(dataset: Dataset) -> int | None:
    """How many writers, pages or sheets are in two splits or more."""
    named = [set(part.group or ()) - {""} for part in dataset.splits]
    if not any(named):
        return None
    train, validation, test = named
    return len((train & validation) | (train & test) | (validation & test))


def _suspects(
    dataset: Dataset,
    originals: Originals,
    drawn: NDArray[np.bool_],
    seed: int,
    progress: Progress,
) -> Suspects | None:
    """Ranked labels, with all pictures in memory, at 32 pixels at most."""
    images = np.concatenate([shrunk(block, LARGEST) for _, block in image_blocks(dataset)])
    with progress("suspected labels", FOLDS * epochs_of(int(drawn.sum()))) as advance:
        return suspects_of(
            images,
            originals.label,
            originals.digest,
            drawn,
            classes=len(dataset.classes),
            seed=seed,
            advance=advance,
        )


def as_json(audit: Audit) -> dict[str, Any]:
    """The figures of an audit, as JSON takes them; single pictures are in the CSV files."""
    classes = zip(audit.classes, audit.counts.T.tolist(), strict=True)
    names = audit.classes
    result: dict[str, Any] = {
        "dataset": audit.path.name,
        "pictures": dict(zip(SPLITS, audit.counts.sum(axis=1).tolist(), strict=True)),
        "distorted_copies": audit.copies,
        "classes": [
            {"class": name, **dict(zip(SPLITS, each, strict=True))} for name, each in classes
        ],
        "left_out_at_packing": audit.noted,
        "findings": {
            found.name: {"what": found.words, "count": len(found.places)}
            for found in findings(audit)
        },
        "leaked": audit.leaks,
        "groups_in_two_splits": audit.torn,
        "look_alike": [
            {"classes": [names[pair.one], names[pair.other]], "distance": round(pair.distance, 4)}
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
