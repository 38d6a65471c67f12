"""What an audit says to do next, in plain sentences that follow from what it found."""

from __future__ import annotations

from collections.abc import Iterator

from inkfold.audit.audit import Audit
from inkfold.spec import UNEQUAL

FEW = 10  # pictures of a class, below which more are asked for


def found(audit: Audit) -> str:
    """What was found, in a sentence: whether test scores can be trusted."""
    if audit.leaks:
        return (
            f"{audit.leaks:,} of the pictures of validation and test are in another split too: a "
            "network has seen them, and scores on them flatter."
        )
    faults = int((audit.faults.blank | audit.repeats.conflicting).sum())
    if faults:
        return f"{faults:,} pictures are blank or have two labels; no picture is in two splits."
    return "Nothing is surely wrong: no picture is in two splits, blank, or under two labels."


def advice(audit: Audit) -> list[str]:
    """What to do next, the most useful first; empty where nothing was found."""
    return [
        *_clean(audit),
        *_conflicts(audit),
        *_torn(audit),
        *_near(audit),
        *_border(audit),
        *_sizes(audit),
        *suspected(audit),
    ]


def suspected(audit: Audit) -> list[str]:
    """What to do about suspected labels; empty where there are none."""
    suspects = audit.suspects
    if suspects is None or not suspects.issues:
        return []
    sentence = (
        f"Look at the first of the {suspects.issues:,} suspected labels in suspects.png (-o "
        "FOLDER writes it): right those that are wrong in your folders, and pack again."
    )
    return [sentence]


def _clean(audit: Audit) -> Iterator[str]:
    blank = int(audit.faults.blank.sum())
    conflicts = int(audit.repeats.conflicting.sum())
    if audit.copies or not (audit.leaks or blank or conflicts):
        return  # an augmented file cannot be cleaned: its original can
    yield (
        "inkfold audit DATASET --fix FILE writes a copy without what is surely wrong: train and "
        "measure on that."
    )


def _conflicts(audit: Audit) -> Iterator[str]:
    conflicts = int(audit.repeats.conflicting.sum())
    if conflicts:
        yield (
            f"{conflicts:,} pictures have the pixels of a picture with another label: "
            "conflicts.csv names them (-o FOLDER writes it); one label of each pair is wrong."
        )


def _torn(audit: Audit) -> Iterator[str]:
    if audit.torn:
        yield (
            f"{audit.torn:,} writers, pages or sheets have pictures in several splits, so that "
            "scores do not hold for new ones: pack again with --group-by."
        )


def _near(audit: Audit) -> Iterator[str]:
    if audit.near is not None and len(audit.near.pairs):
        yield (
            f"{len(audit.near.pairs):,} pictures are nearly the same as one in another split: look "
            "at near_duplicates.png (-o FOLDER writes it). Where they come from one writer or "
            "page, pack again with --group-by."
        )


def _border(audit: Audit) -> Iterator[str]:
    inverted = int(audit.faults.inverted.sum())
    if inverted:
        yield (
            f"{inverted:,} pictures may be inside out, with ink on the border: look at them, and "
            "pack again with --ink dark or light where they are."
        )


def _sizes(audit: Audit) -> Iterator[str]:
    sizes = audit.counts.sum(axis=0)
    large, small = audit.largest_and_smallest
    few = int((sizes < FEW).sum())
    if few:
        classes = "class has" if few == 1 else "classes have"
        yield f"{few:,} {classes} under {FEW} pictures: collect more of these first."
    if sizes[large] >= UNEQUAL * max(int(sizes[small]), 1):
        yield (
            f"Classes are unequal, {int(sizes[large]):,} pictures of {audit.classes[large]} and "
            f"{int(sizes[small]):,} of {audit.classes[small]}: training takes --balance, which "
            "lets small classes count more."
        )
