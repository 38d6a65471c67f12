"""An evaluation as files: text and a picture for people, JSON and CSV for machines.

The first half writes and says how many answers are right; the second half, from `trust_lines` on,
how far the probabilities can be trusted: calibration, thresholds for ``--reject``, groups.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inkfold.bundle.bundle import Bundle
from inkfold.bundle.model_card import CARD, SCORES
from inkfold.bundle.writing import record_results
from inkfold.calibration import BINS, RejectThreshold, Withheld, calibration_error
from inkfold.evaluation import words
from inkfold.evaluation.advice import Learned, advice, found
from inkfold.evaluation.calibrate import record_of
from inkfold.evaluation.confusion_plot import draw_confusion
from inkfold.evaluation.evaluate import TOP, Evaluation, weakest
from inkfold.evaluation.resolution import blurred, pictures_needed, sentences
from inkfold.metrics import ClassScore, balanced_accuracy, spread
from inkfold.output import new_file, write_csv, write_text

LISTED = 10  # confused pairs and weakest classes in the summary
GROUPS_LISTED = 5  # weakest groups in the summary
NEXT = "What to do next:"
INDENT = " " * 19  # of an explanation, to where the figures stand
COLUMNS = (
    *("class", "pictures", "answered", "right", "precision"),
    *("recall", "recall_low", "recall_high", "f1"),
)


def write_report(
    folder: Path, result: Evaluation, caveat: str | None, learned: Learned | None = None
) -> None:
    """Write the report's tables, text and picture into an existing folder (see docs/evaluation.md).

    `caveat` is what a reader has to know before the figures, from `compatibility.caveat`; `learned`
    is for the advice.
    """
    write_text(folder / "summary.txt", summary(result, caveat, learned))
    text = json.dumps(as_json(result, caveat, learned), ensure_ascii=False, indent=1)
    write_text(folder / "evaluation.json", text + "\n")
    classes = result.classes
    write_csv(
        folder / "per_class.csv",
        COLUMNS,
        (_class_row(name, score) for name, score in zip(classes, result.scores, strict=True)),
    )
    write_csv(
        folder / "confusion.csv",
        ["true \\ answered", *classes],
        ([name, *row.tolist()] for name, row in zip(classes, result.confusion, strict=True)),
    )
    write_csv(
        folder / "confused_pairs.csv",
        ["true", "answered", "times"],
        ([classes[pair.true], classes[pair.predicted], pair.count] for pair in result.pairs),
    )
    write_csv(
        folder / "mistakes.csv",
        ["source", "true", "answered", "probability", "probability_of_true"],
        (
            [each.source, each.true, each.predicted, each.probability, each.of_truth]
            for each in result.mistakes
        ),
    )
    write_trust(folder, result)
    draw_confusion(folder / "confusion.png", result)


def summary(result: Evaluation, caveat: str | None, learned: Learned | None = None) -> str:
    """What was found and what to do next, then the figures, as lines of text for people."""
    lines = [f"{result.bundle} on the {result.split} split of {result.dataset}"]
    lines += [f"NOTE: {caveat}"] if caveat else []
    lines += ["", found(result), *to_do(advice(result, learned)), ""]
    lines += [*_right_lines(result), *trust_lines(result), ""]
    if not result.pairs:
        return "\n".join([*lines, "nothing was confused"]) + "\n"
    lines.append("most confused (true, answered, times):")
    for pair in result.pairs[:LISTED]:
        true, answered = result.classes[pair.true], result.classes[pair.predicted]
        lines.append(f"  {true}  {answered}  {pair.count:,}")
    lines += ["", "recognised least (class, right of its pictures):"]
    for name, recall in weakest(result, LISTED):
        lines.append(f"  {name}  {recall.correct:,} of {recall.total:,}")
    return "\n".join(lines) + "\n"


def to_do(pieces: Sequence[str]) -> list[str]:
    """Pieces of advice as a list of lines under their heading; empty where there are none."""
    return [NEXT, *(f"- {piece}" for piece in pieces)] if pieces else []


def _right_lines(result: Evaluation) -> list[str]:
    """How many answers are right, each figure with what it means below it."""
    lines = [f"right              {result.accuracy}", f"{INDENT}{words.INTERVAL}"]
    if len(result.classes) > TOP:
        lines.append(f"among the first {TOP}  {result.top5}")
    lines.append(f"to beat            {result.baseline}, always answering {result.majority}")
    lines.append(f"{INDENT}{words.TO_BEAT}")
    balanced = balanced_accuracy(result.scores)
    seen = sum(score.support > 0 for score in result.scores)
    if balanced is not None:
        classes = f"{seen:,} {'class' if seen == 1 else 'classes'}"
        lines.append(f"mean recall        {100 * balanced:.2f} % over {classes}")
        lines.append(f"{INDENT}{words.MEAN_RECALL}")
    lines += _refused_lines(result)
    lines.append(f"cross-entropy      {result.loss:.4f} nats")
    lines.append(f"{INDENT}{words.cross_entropy(len(result.classes))}")
    return lines


def _refused_lines(result: Evaluation) -> list[str]:
    """How many characters ``classify.py`` takes for none, where the bundle can tell at all."""
    if result.refused is None:
        return []
    return [f"withheld           {result.refused}, by default: taken for no character"]


def as_json(
    result: Evaluation, caveat: str | None, learned: Learned | None = None
) -> dict[str, Any]:
    """Every figure as JSON takes it, rates with their counts and interval; undefined ones null."""
    pairs = zip(result.classes, result.scores, strict=True)
    return {
        "bundle": result.bundle,
        "dataset": result.dataset,
        "fingerprint": result.fingerprint,
        "split": result.split,
        "caveat": caveat,
        "found": found(result),
        "advice": advice(result, learned),
        "accuracy": result.accuracy.as_json(),
        "top5": result.top5.as_json(),
        "baseline": {"class": result.majority, **result.baseline.as_json()},
        "mean_recall": balanced_accuracy(result.scores),
        "refused": None if result.refused is None else result.refused.as_json(),
        "loss": result.loss,
        "classes": [
            {
                "class": name,
                "precision": score.precision.as_json(),
                "recall": score.recall.as_json(),
                "f1": score.f1,
            }
            for name, score in pairs
        ],
        **trust_json(result),
    }


def publish(bundle: Bundle, result: Evaluation) -> None:
    """Record score and temperature in the bundle; the test split's score in its model card.

    Only for a dataset whose splits are those of the training (`compatibility.same_splits`): a score
    says nothing where the pictures may have been trained on.

    Raises
    ------
    InkfoldError
        If the bundle is another than the one that answered.
    """
    score = {
        "correct": result.accuracy.correct,
        "total": result.accuracy.total,
        "interval": result.accuracy.interval,
        "top5": result.top5.correct,
        "loss": result.loss,
        "dataset_fingerprint": result.fingerprint,
    }
    bundle.check_unchanged()
    fitted = result.calibration.fitted
    record_results(
        bundle.path,
        scores={result.split: score},
        calibration=record_of(result.calibration, result.fingerprint) if fitted else None,
    )
    card = bundle.path / CARD
    if result.split != "test" or not card.exists():
        return
    before, marker, _ = card.read_text(encoding="utf-8").partition(SCORES)
    if marker:
        with new_file(card, overwrite=True) as part:
            text = f"{before}{marker}\n```\n{summary(result, None)}```\n"
            write_text(part, text)


def _class_row(name: str, score: ClassScore) -> list[object]:
    recall = score.recall
    low, high = recall.interval or (None, None)
    counts = (score.support, score.predicted, score.correct)
    return [name, *counts, score.precision.share, recall.share, low, high, score.f1]


def trust_lines(result: Evaluation) -> list[str]:
    """Calibration, thresholds and groups for people, as lines of text."""
    return [*_calibration_lines(result), *_threshold_lines(result), *_group_lines(result)]


def trust_json(result: Evaluation) -> dict[str, Any]:
    """Calibration, thresholds and all groups for machines, as JSON takes them."""
    calibration, group_spread = result.calibration, spread(result.groups)
    return {
        "calibration": {
            "temperature": calibration.temperature,
            "how": calibration.how,
            "bins": BINS,
            "error_before": calibration_error(result.bins),
            "error_after": calibration_error(result.bins_after),
            "loss_before": result.loss,
            "loss_after": result.loss_after,
            "validation": calibration.right.as_json(),
        },
        "thresholds": _thresholds_json(result),
        "validation_needed": pictures_needed(blurred(calibration.thresholds)),
        "risk_coverage_area": result.curve.area,
        "groups": [{"group": group.name, **group.right.as_json()} for group in result.groups],
        "group_spread": vars(group_spread) if group_spread else None,
    }


def write_trust(folder: Path, result: Evaluation) -> None:
    """Write ``reliability.csv``, ``coverage.csv`` and, where there are groups, ``groups.csv``."""
    write_csv(
        folder / "reliability.csv",
        [
            *("above", "up_to", "pictures_before", "right_before", "mean_probability_before"),
            *("pictures_after", "right_after", "mean_probability_after"),
        ],
        (
            [
                *(before.low, before.high, before.right.total, before.right.correct),
                *(before.confidence, after.right.total, after.right.correct, after.confidence),
            ]
            for before, after in zip(result.bins, result.bins_after, strict=True)
        ),
    )
    curve = result.curve
    points = zip(curve.threshold, curve.answered, curve.wrong, strict=True)
    write_csv(folder / "coverage.csv", ["reject_below", "answered", "wrong"], points)
    if result.groups:
        head = ["group", "pictures", "right", "low", "high"]
        write_csv(folder / "groups.csv", head, _group_rows(result))


def percent(share: float | None) -> str:
    """``97.50 %``; "undefined" for what is out of nothing."""
    return "undefined" if share is None else f"{100 * share:.2f} %"


def measured(result: Evaluation, threshold: RejectThreshold) -> Withheld | None:
    """What ``--reject`` leaves of the split; None where no threshold keeps what is wanted."""
    return None if threshold.reject is None else result.withheld(threshold.reject)


def _group_rows(result: Evaluation) -> list[list[object]]:
    return [
        [group.name, group.right.total, group.right.correct, *(group.right.interval or ())]
        for group in result.groups
    ]


def _calibration_lines(result: Evaluation) -> list[str]:
    calibration = result.calibration
    first = f"calibration error  {percent(calibration_error(result.bins))} over {BINS} bins"
    told = f"{INDENT}{words.CALIBRATION}"
    if calibration.temperature is None:
        return [first, told, f"temperature        {calibration.how}"]
    after = percent(calibration_error(result.bins_after))
    return [
        f"{first}; with the temperature {after}, cross-entropy {result.loss_after:.4f} nats",
        told,
        f"temperature        {calibration.temperature:.4g}, {calibration.how}",
        f"{INDENT}{words.TEMPERATURE}",
    ]


def _threshold_lines(result: Evaluation) -> list[str]:
    thresholds = result.calibration.thresholds
    if not thresholds:
        return [f"thresholds         none: {result.calibration.why}"]
    chosen = f"chosen on validation, measured on {result.split}"
    if result.split == "validation":
        chosen = "chosen and measured on these pictures"
    lines = ["", f"thresholds for classify --reject by wrong answers allowed, {chosen}:"]
    for threshold in thresholds:
        left = measured(result, threshold)
        wanted = f"{100 * threshold.wanted:g} %"
        if left is None:
            lines.append(f"  {wanted:<6} no threshold: on validation the surest answers are wrong")
            continue
        answered = f"{left.answered:,} of {left.total:,} answered"
        reject = f"--reject {threshold.reject:<9.9g}"
        lines.append(f"  {wanted:<6} {reject} {answered}, wrong {left.error}")
    return lines + [f"  {sentence}" for sentence in sentences(thresholds)]


def _group_lines(result: Evaluation) -> list[str]:
    shares = spread(result.groups)
    if shares is None:
        return []
    known = sum(group.right.total for group in result.groups)
    ends = f"{percent(shares.lowest)} to {percent(shares.highest)}, mean {percent(shares.mean)}"
    deviation = f"{percent(shares.deviation)} (by chance alone {percent(shares.by_chance)})"
    lines = [
        "",
        f"{shares.groups:,} groups of {known:,} pictures: right {ends},",
        f"standard deviation {deviation}",
        "weakest groups:",
    ]
    return lines + [f"  {group.name}  {group.right}" for group in result.groups[:GROUPS_LISTED]]


def _thresholds_json(result: Evaluation) -> list[dict[str, Any]]:
    thresholds = result.calibration.thresholds
    others = {each.row: each.others for each in blurred(thresholds)}
    return [
        _threshold_json(result, threshold) | {"not_told_from": list(others.get(threshold, ()))}
        for threshold in thresholds
    ]


def _threshold_json(result: Evaluation, threshold: RejectThreshold) -> dict[str, Any]:
    left = measured(result, threshold)
    return {
        "wanted": threshold.wanted,
        "reject": threshold.reject,
        "chosen_on_validation": _withheld_json(threshold.chosen),
        "measured": None if left is None else _withheld_json(left),
    }


def _withheld_json(left: Withheld) -> dict[str, Any]:
    wrong = left.error.as_json()
    return {
        "answered": left.answered,
        "of": left.total,
        "wrong": wrong.pop("correct"),
        "error": wrong["share"],
        "error_interval": wrong["interval"],
    }
