"""A comparison of two bundles as files: text, JSON, CSV and a page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from inkfold import __version__
from inkfold.dataset.reader import Split
from inkfold.evaluation.compare import Comparison
from inkfold.metrics import rate_json
from inkfold.output import write_csv, write_text
from inkfold.pages.page import data_uris, write_page
from inkfold.trust import percent

SHOWN = 60  # differences of each kind with their pictures


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
        "accuracy": [rate_json(result.first.accuracy), rate_json(result.second.accuracy)],
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
