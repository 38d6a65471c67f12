"""Rows of CSV that any reader takes apart again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable


def csv_row(cells: Iterable[object]) -> str:
    r"""One line: a comma between the cells, quotes where needed, nothing for None.

    Line ends of either kind inside a cell are kept, and the row ends with ``\n`` alone. Python's
    writer quotes a carriage return only if it is part of the row's own end.
    """
    row = io.StringIO()
    csv.writer(row, lineterminator="\r\n").writerow(cells)
    return row.getvalue().removesuffix("\r\n") + "\n"
