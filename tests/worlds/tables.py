"""Reading the CSV tables for people as docs/formats.md says."""

from __future__ import annotations


def exact(cell: str) -> str:
    """The text of a cell; the apostrophe that keeps it from being a formula is dropped."""
    return cell.removeprefix("'")
