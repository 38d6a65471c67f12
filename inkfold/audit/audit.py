"""The audit of a dataset: everything that can be wrong with it, and where. docs/audit.md."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkfold.audit.checks import Faults, faults_of, joined_ink, measure
from inkfold.audit.near_duplicates import near_duplicates
from inkfold.audit.suspects import Suspects, check_cleanlab, suspects_of
from inkfold.audit_findings import Audit, findings
from inkfold.dataset.reader import (
    Dataset,
    Originals,
    image_blocks,
    originals_of,
    pictures,
    splits_of,
)
from inkfold.embedding import FITTED, Axes, embed, main_axes
from inkfold.lookalikes import lookalikes
from inkfold.quick_network import FOLDS, epochs_of, shrunk
from inkfold.repeats import repeats_of
from inkfold.spec import SPLITS

Progress = Callable[[str, int | None], AbstractContextManager[Callable[[int], None]]]


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
        sum(map(len, splits_of(dataset))) - len(originals),
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
    named = [set(part.group or ()) - {""} for part in splits_of(dataset)]
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
    images = np.concatenate([shrunk(block) for _, block in image_blocks(dataset)])
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
