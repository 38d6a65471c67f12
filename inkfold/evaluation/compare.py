"""Two bundles on the same pictures: is one of them better, and where do they differ."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkfold import __version__
from inkfold.bundle.bundle import Bundle
from inkfold.dataset.reader import Split
from inkfold.errors import InkfoldError
from inkfold.evaluation.evaluate import Evaluation
from inkfold.evaluation.report import percent
from inkfold.output import write_csv, write_text
from inkfold.pages.page import data_uris, write_page

SHOWN = 60  # differences of each kind with their pictures


@dataclass(frozen=True)
class Difference:
    """A picture that two bundles answer differently; probabilities are of their own answers."""

    source: str
    true: str
    first: str
    second: str
    probability_first: float
    probability_second: float


@dataclass(frozen=True)
class Comparison:
    """Two results on one split of one dataset.

    Attributes
    ----------
    first, second : Evaluation
    names : (str, str)
        How the two are called: they differ.
    differences : tuple of Difference
        First those that only the first bundle has right, then those that only the second has,
        then those that both have wrong, each surest first.
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
    def p_value(self) -> float:
        """Of McNemar's exact test."""
        return mcnemar(self.table[1], self.table[2])


def mcnemar(only_first: int, only_second: int) -> float:
    """McNemar's exact test of whether two classifiers are equally good on the same pictures.

    Parameters
    ----------
    only_first, only_second : int
        Pictures that only the one, and only the other, has right. Those that both have right or
        both have wrong say nothing.

    Returns
    -------
    p : float
        The probability of counts at least as uneven, if each such picture were a fair coin's
        throw: two-sided, 1 where there are none.

    Notes
    -----
    Q. McNemar, "Note on the sampling error of the difference between correlated proportions or
    percentages", Psychometrika 12 (1947), with the binomial distribution itself in place of its
    approximation by chi-square.
    """
    from scipy.special import bdtr

    return min(1.0, 2 * float(bdtr(min(only_first, only_second), only_first + only_second, 0.5)))


def check_comparable(first: Bundle, second: Bundle) -> None:
    """Refuse two bundles that cannot answer the same packed pictures.

    Raises
    ------
    InkfoldError
        If their classes or the preparation of their pictures differ.
    """
    if first.path.resolve() == second.path.resolve():
        raise InkfoldError(f"{first.path} is given twice; name another bundle to compare it with")
    ours, theirs = first.classes, second.classes
    if ours != theirs:
        pairs = zip((*ours, "(none)"), (*theirs, "(none)"), strict=False)
        at, a, b = next((at, a, b) for at, (a, b) in enumerate(pairs) if a != b)
        raise InkfoldError(
            f"{first.path} knows {len(ours)} classes, {second.path} {len(theirs)}; the first that "
            f"differs is number {at}: {a!r} and {b!r}; evaluate each alone on its own dataset"
        )
    ours_spec, theirs_spec = vars(first.spec), vars(second.spec)
    for field, value in ours_spec.items():
        if value != theirs_spec[field]:
            raise InkfoldError(
                f"{first.path} takes pictures with {field} {value}, {second.path} with {field} "
                f"{theirs_spec[field]}: no dataset fits both; evaluate each alone on its own"
            )


def compare(first: Evaluation, second: Evaluation, sources: list[str]) -> Comparison:
    """Put two results side by side.

    Parameters
    ----------
    first, second : Evaluation
        Of the same split of the same dataset.
    sources : list of str
        The split's.

    Raises
    ------
    ValueError
        If they are of different pictures.
    """
    if (first.fingerprint, first.split) != (second.fingerprint, second.split):
        raise ValueError("two results are compared on the same split of the same dataset")
    a, b = first.predictions, second.predictions
    rows = np.flatnonzero(a.predicted != b.predicted)
    kind = np.where(a.right, 0, np.where(b.right, 1, 2))[rows]
    surest = np.maximum(a.probability, b.probability)[rows]
    rows = rows[np.lexsort((-surest, kind))]
    names = first.classes
    differences = tuple(
        Difference(
            sources[row],
            names[a.labels[row]],
            names[a.predicted[row]],
            names[b.predicted[row]],
            float(a.probability[row]),
            float(b.probability[row]),
        )
        for row in rows.tolist()
    )
    return Comparison(first, second, _names(first, second), differences, rows)


def _names(first: Evaluation, second: Evaluation) -> tuple[str, str]:
    """The bundles' folder names; where they are the same, numbered."""
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
        The one that was measured, for its pictures.
    """
    write_text(folder / "summary.txt", comparison_summary(result, caveats))
    text = json.dumps(_as_json(result, caveats), ensure_ascii=False, indent=1)
    write_text(folder / "comparison.json", text + "\n")
    a, b = result.names
    write_csv(
        folder / "differences.csv",
        [
            "source",
            "true",
            *(f"{what} {name}" for name in (a, b) for what in ("answer of", "p of")),
        ],
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
        caveats=caveats,
        percent=percent,
        p_value=p_text(result),
        shown=SHOWN,
        kinds=_kinds(result, split),
    )


def comparison_summary(result: Comparison, caveats: list[str]) -> str:
    """The figures for people, as lines of text."""
    a, b = result.names
    both, only_first, only_second, neither = result.table
    total = result.first.accuracy.total
    first = result.first
    lines = [f"{a} and {b} on the {first.split} split of {first.dataset}"]
    lines += [f"NOTE: {caveat}" for caveat in caveats]
    wide = max(len(a), len(b))
    lines += [
        "",
        f"{a:<{wide}}  right {result.first.accuracy}",
        f"{b:<{wide}}  right {result.second.accuracy}",
        "",
        f"both right         {both:,} of {total:,}",
        f"only {a} right: {only_first:,}",
        f"only {b} right: {only_second:,}",
        f"neither right      {neither:,}",
        f"McNemar's exact test of {only_first:,} against {only_second:,}: p = {p_text(result)}",
        f"different answers  {len(result.differences):,} of {total:,}",
    ]
    return "\n".join(lines) + "\n"


def p_text(result: Comparison) -> str:
    """Two significant digits; very small ones as a power of ten."""
    return f"{result.p_value:.2g}"


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
        "p_value": result.p_value,
        "different": len(result.differences),
    }


def _kinds(result: Comparison, split: Split) -> list[tuple[str, int, list[tuple[str, object]]]]:
    """For each kind of difference: its title, its number, and the first ones with pictures."""
    a, b = result.names
    titles = (f"Only {a} is right", f"Only {b} is right", "Both are wrong, each in its own way")
    first = [d.first == d.true for d in result.differences]
    second = [d.second == d.true for d in result.differences]
    kinds = [0 if one else 1 if two else 2 for one, two in zip(first, second, strict=True)]
    found = []
    for kind, title in enumerate(titles):
        places = [at for at, its in enumerate(kinds) if its == kind]
        uris = data_uris(split.images, result.rows[places[:SHOWN]])
        some = [(uri, result.differences[at]) for uri, at in zip(uris, places, strict=False)]
        found.append((title, len(places), list[tuple[str, object]](some)))
    return found
