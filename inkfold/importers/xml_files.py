"""XML of strangers, read without entities: a file with a DOCTYPE is refused.

An entity can grow to gigabytes, or name a file of this machine; no format of pages needs one.
Elements have their local names, because the namespaces differ from version to version.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from inkfold.errors import PictureError

LARGEST = 256 << 20  # bytes; a page with a box for each of a million glyphs has fewer
BEGINNING = 1 << 16


class _RootFoundError(Exception):
    """The root element's name: nothing after it is read."""


def _stop(name: str, _attributes: object) -> None:
    raise _RootFoundError(_local(name))


def xml_root(path: Path) -> str | None:
    """The local name of a file's root element; None if it has none in its first 64 KiB."""
    parser = expat.ParserCreate(namespace_separator="}")
    parser.StartElementHandler = _stop
    try:
        with path.open("rb") as file:
            parser.Parse(file.read(BEGINNING), False)
    except _RootFoundError as found:
        return str(found)
    except (expat.ExpatError, OSError, ValueError, LookupError):
        return None
    return None


def parsed(path: Path) -> Element:
    """The elements of a file.

    Raises
    ------
    PictureError
        If the file is no XML, ends too early, is larger than 256 MiB, or has a DOCTYPE. The
        message is the reason alone.
    """
    builder = TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = lambda name, attributes: builder.start(_local(name), attributes)
    parser.EndElementHandler = lambda name: builder.end(_local(name))
    parser.CharacterDataHandler = builder.data
    try:
        if path.stat().st_size > LARGEST:
            raise PictureError(f"more than {LARGEST >> 20} MiB of XML")
        with path.open("rb") as file:
            parser.ParseFile(file)
        return builder.close()
    except expat.ExpatError as error:
        raise PictureError(f"no XML, or torn ({error})") from None
    except OSError as error:
        raise PictureError(str(error.strerror or error).lower()) from None
    except (ValueError, LookupError) as error:  # an encoding that is unknown
        raise PictureError(f"no XML ({error})") from None


def _refuse_doctype(*_: object) -> None:
    raise PictureError("a DOCTYPE, which is not read; remove it from the file")


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def text_of(element: Element, *names: str) -> str:
    """The text of the first element at a path of names, without blanks around; else empty."""
    for name in names:
        found = element.find(name)
        if found is None:
            return ""
        element = found
    return (element.text or "").strip()


def number_in(text: str | None) -> float | None:
    """The number that a text is; None if it is none, or without end."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if abs(number) < 1e9 else None
