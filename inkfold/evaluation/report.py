"""An evaluation as files: text and a picture for people, JSON and CSV for machines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from inkfold.bundle.bundle import Bundle, record_calibration, record_score
from inkfold.bundle.model_card import CARD, SCORES
from inkfold.evaluation.calibrate import record_of
from inkfold.evaluation.confusion_plot import draw_confusion
from inkfold.evaluation.evaluate import TOP, Evaluation
from inkfold.metrics import ClassScore, balanced_accuracy, rate_json
from inkfold.output import new_file, write_csv, write_text
from inkfold.trust import trust_json, trust_lines, write_trust
from inkfold.weakest import weakest

LISTED = 10  # confused pairs and weakest classes in the summary
COLUMNS = (
    *("class", "pictures", "answered", "right", "precision"),
    *("recall", "recall_low", "recall_high", "f1"),
)


def write_report(folder: Path, result: Evaluation, caveat: str | None) -> None:
    """Write the report's tables, text and picture into an existing folder (see docs/evaluation.md).

    `caveat` is what a reader has to know before the figures, from `matching.caveat`.
    """
    write_text(folder / "summary.txt", summary(result, caveat))
    text = json.dumps(as_json(result, caveat), ensure_ascii=False, indent=1)
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
        ([m.source, m.true, m.predicted, m.probability, m.of_truth] for m in result.mistakes),
    )
    write_trust(folder, result)
    draw_confusion(folder / "confusion.png", result)


def summary(result: Evaluation, caveat: str | None) -> str:
    """The figures for people, as lines of text."""
    lines = [f"{result.bundle} on the {result.split} split of {result.dataset}", ""]
    if caveat:
        lines[1:1] = [f"NOTE: {caveat}"]
    lines.append(f"right              {result.accuracy}")
    if len(result.classes) > TOP:
        lines.append(f"among the first {TOP}  {result.top5}")
    lines.append(f"to beat            {result.baseline}, always answering {result.majority}")
    balanced = balanced_accuracy(result.scores)
    seen = sum(score.support > 0 for score in result.scores)
    if balanced is not None:
        lines.append(
            f"mean recall        {100 * balanced:.2f} % over {_some(seen, 'class', 'classes')}"
        )
    lines += [f"cross-entropy      {result.loss:.4f} nats", *trust_lines(result), ""]
    if not result.pairs:
        return "\n".join([*lines, "nothing was confused"]) + "\n"
    lines.append("most confused (true, answered, times):")
    for pair in result.pairs[:LISTED]:
        true, answered = result.classes[pair.true], result.classes[pair.predicted]
        lines.append(f"  {true}  {answered}  {pair.count}")
    lines += ["", "recognised least (class, right of its pictures):"]
    for name, recall in weakest(result, LISTED):
        lines.append(f"  {name}  {recall.correct:,} of {recall.total:,}")
    return "\n".join(lines) + "\n"


def as_json(result: Evaluation, caveat: str | None) -> dict[str, Any]:
    """Every figure, rates with their counts and interval; undefined ones are null."""
    pairs = zip(result.classes, result.scores, strict=True)
    return {
        "bundle": result.bundle,
        "dataset": result.dataset,
        "fingerprint": result.fingerprint,
        "split": result.split,
        "caveat": caveat,
        "accuracy": rate_json(result.accuracy),
        "top5": rate_json(result.top5),
        "baseline": {"class": result.majority, **rate_json(result.baseline)},
        "mean_recall": balanced_accuracy(result.scores),
        "loss": result.loss,
        "classes": [
            {
                "class": name,
                "precision": rate_json(score.precision),
                "recall": rate_json(score.recall),
                "f1": score.f1,
            }
            for name, score in pairs
        ],
        **trust_json(result),
    }


def publish(bundle: Bundle, result: Evaluation) -> None:
    """Record score and temperature in the bundle; the test split's score in its model card.

    Only for a dataset whose splits are those of the training (`matching.same_splits`): a score
    says nothing where the pictures may have been trained on.
    """
    low_high = result.accuracy.interval
    score = {
        "correct": result.accuracy.correct,
        "total": result.accuracy.total,
        "interval": low_high,
        "top5": result.top5.correct,
        "loss": result.loss,
        "dataset_fingerprint": result.fingerprint,
    }
    record_score(bundle.path, result.split, score)
    if result.calibration.fitted:
        record_calibration(bundle.path, record_of(result.calibration, result.fingerprint))
    card = bundle.path / CARD
    if result.split != "test" or not card.exists():
        return
    before, marker, _ = card.read_text(encoding="utf-8").partition(SCORES)
    if marker:
        with new_file(card, overwrite=True) as part:
            text = f"{before}{marker}\n```\n{summary(result, None)}```\n"
            write_text(part, text)


def _some(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _class_row(name: str, score: ClassScore) -> list[object]:
    recall = score.recall
    low, high = recall.interval or (None, None)
    counts = (score.support, score.predicted, score.correct)
    return [name, *counts, score.precision.share, recall.share, low, high, score.f1]
