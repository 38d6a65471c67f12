"""Addresses in object stores: what is taken for one, and which are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkfold import extras
from inkfold.archives.url import Url, place
from inkfold.errors import InkfoldError


@pytest.mark.parametrize(
    "text", ["s3://b/a.zip", "gs://b/deep/a.tar", "memory://a.tgz", "http://x"]
)
def test_what_has_a_scheme_is_an_address(text: str) -> None:
    """An address keeps its text, double slash included."""
    assert place(text) == Url(text)
    assert str(place(text)) == text


@pytest.mark.parametrize("text", ["a.zip", "/s3/b.zip", "s3:/b.zip", "C://a.zip", "a b://c", ""])
def test_everything_else_is_a_path(text: str) -> None:
    """A drive of Windows is no scheme."""
    assert place(text) == Path(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("http://host/a.zip", "http:// is not read; expected one of s3://, gs://, memory://"),
        ("s3://bucket/letters", "no archive by its ending"),
        ("s3://bucket/letters/", "no archive by its ending"),
        ("s3://bucket", "no archive by its ending"),
    ],
)
def test_an_address_that_cannot_be_read_is_refused_without_a_request(text: str, words: str) -> None:
    """The scheme and the ending are looked at first; the message says what is expected."""
    with pytest.raises(InkfoldError) as caught:
        Url(text).require_archive()

    assert str(caught.value).startswith(f"{text}: ")
    assert words in str(caught.value)


@pytest.mark.parametrize(("scheme", "library"), [("s3", "s3fs"), ("gs", "gcsfs")])
def test_a_missing_library_is_told_with_its_extra(
    scheme: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the library of a scheme the message says what to install."""
    monkeypatch.setattr(extras, "_installed", lambda name: name != library)

    with pytest.raises(InkfoldError, match=rf"needs {library}.*inkfold\[cloud\]"):
        Url(f"{scheme}://bucket/a.zip").require_archive()
