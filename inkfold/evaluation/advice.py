"""What an evaluation says to do next, in plain sentences that follow from its figures.

Each piece of advice has its ground: a count, or two 95 % Wilson intervals that do not overlap.
Where the figures give no ground, nothing is said.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from inkfold.bundle.bundle import Bundle
from inkfold.bundle.history import Epoch
from inkfold.calibration import RejectThreshold, Withheld
from inkfold.dataset.reader import Dataset
from inkfold.evaluation.evaluate import Evaluation
from inkfold.evaluation.resolution import blurred, pictures_needed, rounded
from inkfold.metrics import Rate, spread

PAIRS = 3  # confused pairs that are named
SURE = 0.95  # the probability from which on a wrong answer is called sure
CROSSED = 0.2  # share of the wrong answers from which on --only is worth a line
FEWEST_CROSSED = 2
WIDE = 0.02  # half of an interval, from which on more test pictures are asked for
LUCK = 1.5  # times the deviation that chance gives groups, from which on they are called unlike
FEWEST_GROUPS = 10
KINDS = {
    "digits": (string.digits, "0-9"),
    "capital letters": (string.ascii_uppercase, "A-Z"),
    "small letters": (string.ascii_lowercase, "a-z"),
}


@dataclass(frozen=True)
class Learned:
    """How the bundle was trained, as far as advice depends on it.

    Attributes
    ----------
    share : float
        Right answers in the last epoch of training, from 0 to 1.
    distorted : bool
        Whether pictures were distorted while training, or the dataset has distorted copies.
    """

    share: float
    distorted: bool


def learned_by(bundle: Bundle, dataset: Dataset, history: Sequence[Epoch]) -> Learned | None:
    """How a bundle was trained; None where its history is unknown."""
    if not history:
        return None
    online = (bundle.record.get("options") or {}).get("augment") == "online"
    return Learned(history[-1].share, distorted=online or dataset.train.origin is not None)


def found(result: Evaluation) -> str:
    """What was found, in a sentence: how many answers are wrong."""
    right = result.accuracy
    wrong = right.total - right.correct
    if not wrong:
        return f"All {right.total:,} pictures were answered rightly."
    share = wrong / right.total
    often = f", one in {round(1 / share):,}" if share < 0.4 else ""
    return (
        f"Of {right.total:,} pictures {right.correct:,} were answered rightly and "
        f"{wrong:,} wrongly{often}."
    )


def advice(result: Evaluation, learned: Learned | None = None) -> list[str]:
    """What to do next, the most useful first; empty where the figures give no ground.

    Parameters
    ----------
    result : Evaluation
    learned : Learned, optional
        Without it nothing is said about training.
    """
    if _no_better_than_one_answer(result):
        useless = (
            f"The network is not better than always answering {result.majority}, the most frequent "
            "class: look at logs/NAME/training.log, and at the dataset with inkfold explore."
        )
        return [useless]
    return [
        *_confused(result),
        *_sure_mistakes(result),
        *_crossed(result),
        *_reject(result),
        *_small_classes(result),
        *_overfit(result, learned),
        *_groups(result),
        *_more_validation(result),
        *_more_test(result),
    ]


def _no_better_than_one_answer(result: Evaluation) -> bool:
    low_high = result.accuracy.interval
    baseline = result.baseline.share
    return low_high is not None and baseline is not None and low_high[0] <= baseline < 1


def _confused(result: Evaluation) -> Iterator[str]:
    """The classes that are most often taken for each other, in either direction."""
    times: dict[tuple[int, int], int] = {}
    for pair in result.pairs:
        both = (min(pair.true, pair.predicted), max(pair.true, pair.predicted))
        times[both] = times.get(both, 0) + pair.count
    most = sorted(times.items(), key=lambda item: -item[1])[:PAIRS]
    if not most:
        return
    names = "; ".join(
        f"{result.classes[one]} and {result.classes[other]} ({count:,})"
        for (one, other), count in most
    )
    wrong, here = len(result.mistakes), sum(count for _, count in most)
    yield (
        f"Look at what is confused most often: {names}. That is {here:,} of the {wrong:,} wrong "
        "answers; mistakes.csv names each picture. If a person cannot tell these pictures apart, "
        "no training will."
    )


def _sure_mistakes(result: Evaluation) -> Iterator[str]:
    sure = sum(mistake.probability >= SURE for mistake in result.mistakes)
    if sure:
        pictures = "picture was" if sure == 1 else "pictures were"
        yield (
            f"{sure:,} {pictures} answered wrongly with {100 * SURE:g} % or more: look at these "
            "first in report.html. A wrong label in the dataset looks like that; inkfold audit "
            "lists the labels that it suspects."
        )


def _crossed(result: Evaluation) -> Iterator[str]:
    """--only, where digits are taken for letters, or capitals for small ones."""
    kinds = {
        name: [label for label, one in enumerate(result.classes) if one in characters]
        for name, (characters, _) in KINDS.items()
    }
    present = {name: labels for name, labels in kinds.items() if len(labels) > 1}
    crossed = []
    for name, labels in present.items() if len(present) > 1 else ():
        rows = result.confusion[labels]
        within = rows[:, labels]
        outside, wrong = int(rows.sum() - within.sum()), int(rows.sum() - np.trace(within))
        if outside >= max(CROSSED * wrong, FEWEST_CROSSED):
            crossed.append(f"{outside:,} of {wrong:,} for {name} (--only {KINDS[name][1]})")
    if crossed:
        yield (
            "If your pictures hold one kind of character alone, inkfold classify --only rules out "
            f"wrong answers of another kind: {', '.join(crossed)}."
        )


def _reject(result: Evaluation) -> Iterator[str]:
    """The loosest threshold that withholds something and leaves clearly fewer wrong answers."""
    chosen = next(_helpful(result), None)
    if chosen is None:
        return
    threshold, left = chosen
    yield (
        "If wrong answers cost more than missing ones: inkfold classify --reject "
        f"{threshold.reject:.9g} answers {left.answered:,} of these {left.total:,} pictures, "
        f"{left.wrong:,} of them wrongly, and leaves the others to a person."
    )


def _helpful(result: Evaluation) -> Iterator[tuple[RejectThreshold, Withheld]]:
    everything = result.accuracy.total - result.accuracy.correct
    all_wrong = Rate(everything, result.accuracy.total)
    for threshold in result.calibration.thresholds:
        if not threshold.reject:
            continue
        left = result.withheld(threshold.reject)
        if left.answered and apart(left.error, all_wrong):
            yield threshold, left


def apart(lower: Rate, higher: Rate) -> bool:
    """Whether the 95 % interval of one share ends before that of another begins."""
    low, high = lower.interval, higher.interval
    return low is not None and high is not None and low[1] < high[0]


def _small_classes(result: Evaluation) -> Iterator[str]:
    """More pictures of small classes, where these are recognised less than the large ones."""
    sizes = result.training_counts
    if sizes is None or len(sizes) < 3 or sizes.min() == sizes.max():
        return
    order = np.argsort(sizes, kind="stable")
    third = len(order) // 3
    small, large = (_recall(result, labels) for labels in (order[:third], order[-third:]))
    most, least = int(sizes[order[third - 1]]), int(sizes[order[-third]])
    if most < least and apart(small, large):
        yield (
            f"Classes with few pictures are recognised less: {_share(small)} of those with at most "
            f"{most:,} training pictures, {_share(large)} of those with {least:,} or more. "
            "More pictures of the small classes would help most; --balance in training lets the "
            "ones that there are count more."
        )


def _recall(result: Evaluation, labels: Sequence[int] | np.ndarray) -> Rate:
    scores = [result.scores[label] for label in labels]
    return Rate(sum(each.correct for each in scores), sum(each.support for each in scores))


def _share(rate: Rate) -> str:
    return f"{100 * (rate.share or 0):.1f} %"


def _overfit(result: Evaluation, learned: Learned | None) -> Iterator[str]:
    """More pictures or distortion, where training's pictures are known better than new ones."""
    high = result.accuracy.interval
    if learned is None or high is None or learned.share <= high[1]:
        return
    helps = "more pictures would help"
    if not learned.distorted:
        helps += ", and so would distorted ones: train with --augment online"
    yield (
        f"The network knows the pictures that it was trained on better ({100 * learned.share:.1f} "
        f"% right) than these ({_share(result.accuracy)}): {helps}."
    )


def _groups(result: Evaluation) -> Iterator[str]:
    shares = spread(result.groups)
    if shares is None or shares.groups < FEWEST_GROUPS:
        return
    if shares.deviation > LUCK * shares.by_chance:
        weakest = result.groups[0]
        yield (
            f"Writers, pages or sheets differ more than chance explains, from "
            f"{100 * shares.lowest:.1f} to {100 * shares.highest:.1f} % right: expect the same of "
            f"new ones, and look at {weakest.name}, the weakest."
        )


def _more_validation(result: Evaluation) -> Iterator[str]:
    """More validation pictures, where rows of thresholds cannot be told apart."""
    rows = blurred(result.calibration.thresholds)
    needed = pictures_needed(rows)
    if needed is not None:
        have = rows[0].row.chosen.total
        yield (
            f"Before you rely on a small share of wrong answers with --reject, give validation "
            f"more pictures: about {rounded(needed):,} in place of {have:,}."
        )


def _more_test(result: Evaluation) -> Iterator[str]:
    """More test pictures, where the interval of all answers is wide."""
    interval, total = result.accuracy.interval, result.accuracy.total
    if interval is None:
        return
    half = (interval[1] - interval[0]) / 2
    if half > WIDE:
        needed = rounded(round(total * (half / WIDE) ** 2))
        yield (
            f"{total:,} pictures tell the share of right answers to {100 * half:.1f} points either "
            f"way; about {needed:,} would tell it to {100 * WIDE:g}."
        )
