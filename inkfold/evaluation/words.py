"""The terms of reports, each explained in a plain sentence where it stands."""

from __future__ import annotations

from math import log

INTERVAL = (
    "these pictures are only some of their kind; the interval (Wilson's) says where the share of "
    "all of them lies, and 95 of 100 such intervals hold it"
)
TO_BEAT = "what one fixed answer reaches, that of the most frequent class, without any learning"
MEAN_RECALL = "the share right of each class, averaged: a small class counts as much as a large one"
CALIBRATION = (
    "how far stated probabilities are from the shares that are right; where it is 0, nine in ten "
    "of the answers that are given with 90 % are right"
)
TEMPERATURE = (
    "one number that makes all probabilities a little less sure (above 1) or surer (below 1), so "
    "that they fit the shares that are right; it changes no answer"
)
MCNEMAR = (
    "p is the chance that two equally good bundles share the pictures which only one of them has "
    "right at least as unevenly as here; below 0.05 the difference is taken for real"
)
GROUPS = "what the standard deviation would be if all groups were equally easy"


def cross_entropy(classes: int) -> str:
    """What cross-entropy in nats is, with the value that guessing among `classes` gives."""
    return (
        "how surprised the probabilities are by the right classes, in nats (natural logarithms): 0 "
        f"is perfect, equal probabilities for all {classes:,} classes give {log(classes):.2f}"
    )
