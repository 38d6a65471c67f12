"""The classes that are recognised least."""

from __future__ import annotations

from inkfold.evaluation.evaluate import Evaluation
from inkfold.metrics import Rate


def weakest(result: Evaluation, count: int) -> list[tuple[str, Rate]]:
    """The classes with the lowest recall below 1; of equal ones that with more pictures first."""
    recalls = zip(result.classes, (score.recall for score in result.scores), strict=True)
    missed = [(name, recall) for name, recall in recalls if recall.correct < recall.total]
    return sorted(missed, key=lambda item: (item[1].share, -item[1].total))[:count]
