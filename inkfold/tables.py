"""How a report writes its files: text, CSV, and rates in JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from inkfold.csv_text import csv_row
from inkfold.metrics import Rate


def write_text(path: Path, text: str) -> None:
    """UTF-8; what of a path is no text is escaped, in the way that JSON does it."""
    path.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """UTF-8, a comma between fields, quotes where a field needs them; undefined is empty."""
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        file.write(csv_row(header))
        file.writelines(map(csv_row, rows))


def rate_json(rate: Rate) -> dict[str, Any]:
    """Counts, share and interval; null where it is out of nothing."""
    return {
        "correct": rate.correct,
        "total": rate.total,
        "share": rate.share,
        "interval": rate.interval,
    }
