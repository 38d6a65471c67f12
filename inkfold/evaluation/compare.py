"""Two bundles on the same pictures: whether one is better, where they differ, and the report."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkfold import __version__
from inkfold.bundle.bundle import Bundle
from inkfold.dataset.split import Split
from inkfold.errors import InkfoldError
from inkfold.evaluation import words
from inkfold.evaluation.compatibility import first_difference
from inkfold.evaluation.evaluate import Evaluation
from inkfold.evaluation.paired import Paired, next_steps, verdict
from inkfold.evaluation.report import percent, to_do
from inkfold.output import write_csv, write_text
from inkfold.pages.page import data_uris, write_page

SHOWN = 60  # differences of each kind with their pictures


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A picture that two bundles answer differently.

    Attributes
    ----------
    source : str
        Where the picture came from, as in the dataset.
    true : str
        Its class.
    first, second : str
        The answers of the first and of the second bundle.
    probability_first, probability_second : float
        What each bundle gave its own answer.
    """

    source: str
    true: str
    first: str
    second: str
    probability_first: float
    probability_second: float


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two results on one split of one dataset.

    Attributes
    ----------
    first, second : Evaluation
    names : (str, str)
        What the report calls the two bundles; the names differ.
    differences : tuple of Difference
        First those that only the first bundle has right, then those that only the second has,
        then those that both have wrong; of each kind the surest answer first.
    rows : int64 array of shape (len(differences),)
        The pictures' rows in the split.
    """

    first: Evaluation
    second: Evaluation
    names: tuple[str, str]
    differences: tuple[Difference, ...]
    rows: NDArray[np.int64]

    @cached_property
    def table(self) -> tuple[int, int, int, int]:
        """Pictures that both have right, only the first, only the second, neither."""
        a, b = self.first.predictions.right, self.second.predictions.right
        counts = [(a & b).sum(), (a & ~b).sum(), (~a & b).sum(), (~a & ~b).sum()]
        both, only_first, only_second, neither = map(int, counts)
        return both, only_first, only_second, neither

    @property
    def paired(self) -> Paired:
        """What the test and the interval are computed from."""
        _, only_first, only_second, _ = self.table
        total = self.first.accuracy.total
        return Paired(only_first=only_first, only_second=only_second, total=total)

    @property
    def verdict(self) -> str:
        """Which is better, in a sentence."""
        return verdict(self.paired, self.names)

    @property
    def advice(self) -> list[str]:
        """What to do next, in sentences."""
        return next_steps(self.paired, self.names)


def check_comparable(first: Bundle, second: Bundle) -> None:
    """Refuse two bundles that cannot answer the same packed pictures.

    Raises
    ------
    InkfoldError
        If their classes or the preparation of their pictures differ.
    """
    if first.path.resolve() == second.path.resolve():
        raise InkfoldError(f"{first.path} is given twice; name another bundle to compare it with")
    if first.classes != second.classes:
        number, name, other_name = first_difference(first.classes, second.classes)
        raise InkfoldError(
            f"{first.path} knows {len(first.classes)} classes, {second.path} knows "
            f"{len(second.classes)}; the first that differs is number {number}: {name} in "
            f"{first.path}, {other_name} in {second.path}; evaluate each alone on its own dataset"
        )
    ours_spec, theirs_spec = vars(first.spec), vars(second.spec)
    for field, value in ours_spec.items():
        if value != theirs_spec[field]:
            raise InkfoldError(
                f"{first.path} takes pictures with {field} {value}, {second.path} with {field} "
                f"{theirs_spec[field]}: no dataset fits both; evaluate each alone on its own"
            )


def compare(
    first: Evaluation, second: Evaluation, sources: Callable[[NDArray[np.int64]], list[str]]
) -> Comparison:
    """Put two results side by side.

    Parameters
    ----------
    first, second : Evaluation
        Of the same split of the same dataset.
    sources : callable
        Gives where the pictures at some rows of the split came from.

    Raises
    ------
    ValueError
        If the two results are of different pictures.
    """
    if (first.fingerprint, first.split) != (second.fingerprint, second.split):
        raise ValueError("two results are compared on the same split of the same dataset")
    a, b = first.predictions, second.predictions
    rows = np.flatnonzero(a.predicted != b.predicted)
    kind = np.where(a.right, 0, np.where(b.right, 1, 2))[rows]
    surest = np.maximum(a.probability, b.probability)[rows]
    rows = rows[np.lexsort((-surest, kind))]
    classes = first.classes
    differences = tuple(
        Difference(
            source=source,
            true=classes[a.labels[row]],
            first=classes[a.predicted[row]],
            second=classes[b.predicted[row]],
            probability_first=float(a.probability[row]),
            probability_second=float(b.probability[row]),
        )
        for row, source in zip(rows.tolist(), sources(rows), strict=True)
    )
    return Comparison(
        first=first,
        second=second,
        names=_names(first, second),
        differences=differences,
        rows=rows,
    )


def _names(first: Evaluation, second: Evaluation) -> tuple[str, str]:
    """The bundles' folder names, numbered where they are equal."""
    if first.bundle != second.bundle:
        return first.bundle, second.bundle
    return f"{first.bundle} (1)", f"{second.bundle} (2)"


def write_comparison(folder: Path, result: Comparison, caveats: list[str], split: Split) -> None:
    """Write ``summary.txt``, ``comparison.json``, ``differences.csv`` and ``report.html``.

    Parameters
    ----------
    folder : Path
        An existing folder.
    result : Comparison
    caveats : list of str
        What a reader has to know before the figures.
    split : Split
        The split that was measured, for its pictures.
    """
    write_text(folder / "summary.txt", comparison_summary(result, caveats))
    text = json.dumps(_as_json(result, caveats), ensure_ascii=False, indent=1)
    write_text(folder / "comparison.json", text + "\n")
    columns = [f"{column} {name}" for name in result.names for column in ("answer of", "p of")]
    write_csv(
        folder / "differences.csv",
        ["source", "true", *columns],
        (
            [d.source, d.true, d.first, d.probability_first, d.second, d.probability_second]
            for d in result.differences
        ),
    )
    write_page(
        folder / "report.html",
        "comparison.html.j2",
        version=__version__,
        result=result,
        dataset=Path(result.first.dataset).name,
        words=words,
        caveats=caveats,
        percent=percent,
        p_value=p_text(result),
        kinds=_kinds(result, split),
    )


def comparison_summary(result: Comparison, caveats: list[str]) -> str:
    """The figures for people, as lines of text."""
    a, b = result.names
    both, only_first, only_second, neither = result.table
    first, second = result.first, result.second
    total = first.accuracy.total
    lines = [f"{a} and {b} on the {first.split} split of {first.dataset}"]
    lines += [f"NOTE: {caveat}" for caveat in caveats]
    width = max(len(a), len(b))
    lines += [
        "",
        result.verdict,
        *to_do(result.advice),
        "",
        f"{a:<{width}}  right {first.accuracy}",
        f"{b:<{width}}  right {second.accuracy}",
        words.INTERVAL,
        "",
        f"both right         {both:,} of {total:,}",
        f"only {a} right: {only_first:,}",
        f"only {b} right: {only_second:,}",
        f"neither right      {neither:,}",
        f"McNemar's exact test of {only_first:,} against {only_second:,}: p = {p_text(result)}",
        words.MCNEMAR,
        f"different answers  {len(result.differences):,} of {total:,}",
        "",
        result.verdict,
    ]
    return "\n".join(lines) + "\n"


def p_text(result: Comparison) -> str:
    """The p value with two significant digits; very small ones as a power of ten."""
    return f"{result.paired.p_value:.2g}"


def _as_json(result: Comparison, caveats: list[str]) -> dict[str, Any]:
    both, only_first, only_second, neither = result.table
    return {
        "bundles": list(result.names),
        "dataset": result.first.dataset,
        "fingerprint": result.first.fingerprint,
        "split": result.first.split,
        "caveats": caveats,
        "accuracy": [result.first.accuracy.as_json(), result.second.accuracy.as_json()],
        "both": both,
        "only_first": only_first,
        "only_second": only_second,
        "neither": neither,
        "p_value": result.paired.p_value,
        "difference": result.paired.difference,
        "difference_interval": list(result.paired.interval),
        "verdict": result.verdict,
        "advice": result.advice,
        "different": len(result.differences),
    }


def _kinds(result: Comparison, split: Split) -> list[tuple[str, int, list[tuple[str, object]]]]:
    """For each kind of difference: its title, its number, and the first ones with pictures."""
    a, b = result.names
    titles = (f"Only {a} is right", f"Only {b} is right", "Both are wrong, each in its own way")
    kind_of = [
        0
        if difference.first == difference.true
        else 1
        if difference.second == difference.true
        else 2
        for difference in result.differences
    ]
    kinds = []
    for kind, title in enumerate(titles):
        places = [place for place, own in enumerate(kind_of) if own == kind]
        addresses = data_uris(split.images, result.rows[places[:SHOWN]])
        shown: list[tuple[str, object]] = [
            (address, result.differences[place])
            for address, place in zip(addresses, places, strict=False)
        ]
        kinds.append((title, len(places), shown))
    return kinds
