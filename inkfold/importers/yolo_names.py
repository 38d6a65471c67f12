"""The class names of a YOLO set: a line each in a text file, or the names in its YAML file."""

from __future__ import annotations

import json
import re
from pathlib import Path

from inkfold.errors import InkfoldError
from inkfold.importers.labels import spelt

LISTS = "classes.txt", "obj.names", "names.txt"
ITEM = re.compile(
    r"""\s*(?:(?P<number>\d+)\s*:\s+)?(?:'(?P<single>(?:[^']|'')*)'|(?P<double>"(?:[^"\\]|\\.)*")"""
    r"""|(?P<plain>[^\s'",\[\]{}#][^,\[\]{}]*?))\s*(?:,|$)"""
)
LINE = re.compile(r"""\s*(?:-|(?P<number>\d+)\s*:)\s+(?P<value>.+)""")


def names_at(folder: Path) -> tuple[Path, dict[int, str]] | None:
    """The file of the class names in a folder, and the class of each number; None if it has none.

    Raises
    ------
    InkfoldError
        If two files of a folder name the classes differently, one of them cannot be read, or two
        classes have one name.
    """
    found: list[tuple[Path, dict[int, str]]] = []
    for path in (folder / name for name in LISTS):
        if path.is_file():
            lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
            while lines and not lines[-1].strip():
                lines.pop()
            found.append((path, dict(enumerate(line.strip() for line in lines))))
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        names = _in_yaml(path)
        if names is not None:
            found.append((path, names))
    for path, names in found:
        if not names or "" in names.values() or len(set(names.values())) < len(names):
            raise InkfoldError(f"{path}: expected the name of a class in each line, each once")
        if names != found[0][1]:
            raise InkfoldError(
                f"{path}: names the classes differently from {found[0][0].name}; remove one of them"
            )
    return found[0] if found else None


def _in_yaml(path: Path) -> dict[int, str] | None:
    """The names in a YAML file; None if it has no key `names`.

    Only the ways in which such files write their names are read: a list or a mapping in brackets,
    a line with a dash for each, or a line with a number for each.
    """
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    key = re.search(r"^names\s*:[ \t]*", text, flags=re.MULTILINE)
    if key is None:
        return None
    rest = text[key.end() :]
    names = _in_brackets(rest) if rest[:1] in ("[", "{") else _in_lines(rest)
    if not names:
        raise InkfoldError(
            f"{path}: its names cannot be read; write them as names: [a, b], or as a line '  - a' "
            "or '  0: a' for each, or put them into classes.txt, a line each"
        )
    return names


def _in_brackets(text: str) -> dict[int, str] | None:
    """Names between brackets, which may go over lines; None if they are written otherwise."""
    closing = {"[": "]", "{": "}"}[text[0]]
    names: dict[int, str] = {}
    at = 1
    while True:
        left = text[at:].lstrip()
        at = len(text) - len(left)
        if left[:1] == closing:
            return names
        # an item ends at a comma or before the closing bracket
        item = re.compile(ITEM.pattern.replace("(?:,|$)", rf"(?:,|(?=\{closing}))")).match(text, at)
        if item is None or (item["number"] is None) != (closing == "]"):
            return None
        names[int(item["number"] or len(names))] = _value(item)
        at = item.end()


def _in_lines(text: str) -> dict[int, str] | None:
    """Names in lines of their own, up to the next key; None if they are written otherwise."""
    names: dict[int, str] = {}
    for line in text.splitlines():
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        match = LINE.fullmatch(line.rstrip())
        if match is None:
            return names if not line[:1].isspace() else None
        value = re.sub(r"\s+#.*$", "", match["value"]).strip()
        item = ITEM.fullmatch(value)
        if item is None or item["number"]:
            return None
        names[int(match["number"] or len(names))] = _value(item)
    return names


def _value(item: re.Match[str]) -> str:
    """The text of an item, without its quotation marks."""
    if item["single"] is not None:
        return item["single"].replace("''", "'")
    if item["double"] is None:
        return item["plain"].strip()
    try:
        return spelt(str(json.loads(item["double"])))
    except ValueError:  # an escape that JSON does not know
        return item["double"][1:-1]
