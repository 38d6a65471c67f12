"""What an answer's probability is worth, and how groups fare: as text, JSON and tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inkfold.calibration import BINS, Kept, Threshold, calibration_error
from inkfold.evaluation.evaluate import Evaluation
from inkfold.metrics import rate_json, spread
from inkfold.output import write_csv

LISTED = 5  # groups in the summary


def trust_lines(result: Evaluation) -> list[str]:
    """Calibration, thresholds and groups for people."""
    return [*_calibration_lines(result), *_threshold_lines(result), *_group_lines(result)]


def trust_json(result: Evaluation) -> dict[str, Any]:
    """The same for machines, with all groups."""
    calibration, over = result.calibration, spread(result.groups)
    return {
        "calibration": {
            "temperature": calibration.temperature,
            "how": calibration.how,
            "bins": BINS,
            "error_before": calibration_error(result.bins),
            "error_after": calibration_error(result.bins_after),
            "loss_before": result.loss,
            "loss_after": result.loss_after,
            "validation": rate_json(calibration.right),
        },
        "thresholds": [_threshold_json(result, one) for one in calibration.thresholds],
        "risk_coverage_area": result.curve.area,
        "groups": [{"group": one.name, **rate_json(one.right)} for one in result.groups],
        "group_spread": vars(over) if over else None,
    }


def write_trust(folder: Path, result: Evaluation) -> None:
    """``reliability.csv``, ``coverage.csv`` and, where there are groups, ``groups.csv``."""
    both = zip(result.bins, result.bins_after, strict=True)
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
            for before, after in both
        ),
    )
    curve = result.curve
    points = zip(curve.threshold, curve.answered, curve.wrong, strict=True)
    write_csv(folder / "coverage.csv", ["reject_below", "answered", "wrong"], points)
    if result.groups:
        write_csv(
            folder / "groups.csv", ["group", "pictures", "right", "low", "high"], _rows(result)
        )


def percent(share: float | None) -> str:
    """``97.50 %``; "undefined" for what is out of nothing."""
    return "undefined" if share is None else f"{100 * share:.2f} %"


def measured(result: Evaluation, threshold: Threshold) -> Kept | None:
    """What a threshold keeps of the split; None if there is no such threshold."""
    return None if threshold.reject is None else result.kept(threshold.reject)


def _rows(result: Evaluation) -> list[list[object]]:
    return [
        [one.name, one.right.total, one.right.correct, *(one.right.interval or ())]
        for one in result.groups
    ]


def _calibration_lines(result: Evaluation) -> list[str]:
    calibration = result.calibration
    first = f"calibration error  {percent(calibration_error(result.bins))} over {BINS} bins"
    if calibration.temperature is None:
        return [first, f"temperature        {calibration.how}"]
    after = percent(calibration_error(result.bins_after))
    return [
        f"{first}; with the temperature {after}, cross-entropy {result.loss_after:.4f} nats",
        f"temperature        {calibration.temperature:.4g}, {calibration.how}",
    ]


def _threshold_lines(result: Evaluation) -> list[str]:
    thresholds = result.calibration.thresholds
    if not thresholds:
        return [f"thresholds         none: {result.calibration.why}"]
    where = "chosen on validation" if result.split != "validation" else "chosen on these pictures"
    lines = ["", f"to keep wrong answers to, classify.py ({where}), on {result.split}:"]
    for one in thresholds:
        kept = measured(result, one)
        wanted = f"{100 * one.wanted:g} %"
        if kept is None:
            lines.append(f"  {wanted:<6} no threshold: on validation the surest answers are wrong")
            continue
        answered = f"{kept.answered:,} of {kept.total:,} answered"
        lines.append(f"  {wanted:<6} --reject {one.reject:<9.9g} {answered}, wrong {kept.error}")
    return lines


def _group_lines(result: Evaluation) -> list[str]:
    over = spread(result.groups)
    if over is None:
        return []
    known = sum(one.right.total for one in result.groups)
    ends = f"{percent(over.lowest)} to {percent(over.highest)}, mean {percent(over.mean)}"
    lines = [
        "",
        f"{over.groups:,} groups of {known:,} pictures: right {ends},",
        f"standard deviation {percent(over.deviation)} (by chance alone {percent(over.by_chance)})",
        "weakest groups:",
    ]
    return lines + [f"  {one.name}  {one.right}" for one in result.groups[:LISTED]]


def _threshold_json(result: Evaluation, threshold: Threshold) -> dict[str, Any]:
    kept = measured(result, threshold)
    return {
        "wanted": threshold.wanted,
        "reject": threshold.reject,
        "chosen_on_validation": _kept_json(threshold.chosen),
        "measured": None if kept is None else _kept_json(kept),
    }


def _kept_json(kept: Kept) -> dict[str, Any]:
    wrong = rate_json(kept.error)
    return {
        "answered": kept.answered,
        "of": kept.total,
        "wrong": wrong.pop("correct"),
        "error": wrong["share"],
        "error_interval": wrong["interval"],
    }
