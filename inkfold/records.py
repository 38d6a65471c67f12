"""JSON records that files bring along, with the types of their fields checked before use.

A schema is a mapping of field names to a `Kind` or to the schema of an object in that field; a
name that ends in "?" may be missing. Fields that a schema does not name are not looked at.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from inkfold.errors import InkfoldError

Schema = Mapping[str, Any]  # of Kind and Schema: mypy does not know recursive types that mix


@dataclass(frozen=True)
class Kind:
    """What a field may hold.

    Attributes
    ----------
    words : str
        As an error's message says it after "expected".
    fits : callable
        Whether a value is of this kind.
    """

    words: str
    fits: Callable[[Any], bool]

    def or_null(self) -> Kind:
        """The same kind, with null allowed."""
        return Kind(f"{self.words}, or null", lambda value: value is None or self.fits(value))

    def list(self) -> Kind:
        """A list of values of this kind."""
        return Kind(
            f"a list, each of it {self.words}",
            lambda value: isinstance(value, list) and all(map(self.fits, value)),
        )


def _is_text(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a pair, as "\\ud800" in JSON: no program can print it
        return False
    return True


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and abs(value) < 1e300 and isfinite(value)  # type: ignore[arg-type]  # a number, as tested first


TEXT = Kind("text", _is_text)
NUMBER = Kind("a number", _is_number)
COUNT = Kind("a whole number from 0", lambda value: type(value) is int and 0 <= value < 2**63)
YES_OR_NO = Kind("true or false", lambda value: isinstance(value, bool))
OBJECT = Kind("an object", lambda value: isinstance(value, dict))
HEXADECIMAL = Kind("hexadecimal digits", lambda v: _is_text(v) and bool(v) and not _not_hex(v))
# how a dataset was made, as far as it is read again; an augmented one has the packed one's inside
_PACKED: Schema = {"fingerprint": TEXT, "source?": {"fingerprint?": TEXT}}
PROVENANCE: Schema = {**_PACKED, "dataset?": _PACKED, "cleaned_from?": OBJECT}


def _not_hex(text: str) -> str:
    return text.strip("0123456789abcdef")


def parsed(text: str | bytes, place: str, advice: str) -> Any:  # noqa: ANN401, JSON values
    """The value that a JSON text stands for.

    Raises
    ------
    InkfoldError
        If the text is not JSON in UTF-8.
    """
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise InkfoldError(f"{place}: not JSON ({error}); {advice}") from None


def read_json(path: Path, advice: str) -> Any:  # noqa: ANN401, JSON values
    """The value in a JSON file.

    Raises
    ------
    InkfoldError
        If the file is not JSON in UTF-8.
    """
    return parsed(path.read_bytes(), str(path), advice)


def check_fields(found: object, schema: Schema, *, place: str, advice: str) -> None:
    """Refuse a record of which a field is missing or of another kind.

    Parameters
    ----------
    found : object
        A value of JSON.
    schema : Schema
    place : str
        The file, and the place in it, at the beginning of an error's message.
    advice : str
        What to do, at its end.

    Raises
    ------
    InkfoldError
        Naming the first field that differs, as "dataset.provenance.fingerprint".
    """
    if not isinstance(found, dict):
        raise InkfoldError(f"{place}: {shown(found)} found, expected an object; {advice}")
    _check_object(found, schema, "", place=place, advice=advice)


def _check_object(
    found: dict[str, Any], schema: Schema, before: str, *, place: str, advice: str
) -> None:
    missing = [key for key in schema if not key.endswith("?") and key not in found]
    if missing:
        raise InkfoldError(f"{place}: {before + missing[0]!r} is missing; {advice}")
    for key, kind in schema.items():
        name = key.removesuffix("?")
        if name not in found:
            continue
        value = found[name]
        expected = kind if isinstance(kind, Kind) else OBJECT
        if not expected.fits(value):
            raise InkfoldError(
                f"{place}: {before + name!r} is {shown(value)}, expected {expected.words}; {advice}"
            )
        if not isinstance(kind, Kind):
            _check_object(value, kind, f"{before}{name}.", place=place, advice=advice)


def shown(value: object) -> str:
    """A value of JSON in a message: in ASCII, and cut where it is long."""
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def differences(before: Any, now: Any, name: str = "") -> Iterator[tuple[str, Any, Any]]:  # noqa: ANN401, JSON values
    """Each difference of two JSON values: its name, as "recipe batch", and both values."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted(before.keys() | now.keys()):
            yield from differences(before.get(key), now.get(key), f"{name} {key}".strip())
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for place, (one, other) in enumerate(zip(before, now, strict=True)):
            yield from differences(one, other, f"{name} {place}".strip())
    elif before != now:
        yield name, before, now
