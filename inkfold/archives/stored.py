"""An object in a store: what it was when it was listed, and its bytes, a range request each time.

fsspec reads, and finds credentials and endpoints by itself (docs/packing.md).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import SEEK_CUR, SEEK_END, RawIOBase, UnsupportedOperation
from typing import TYPE_CHECKING, Any, Self

from inkfold.archives.url import Url
from inkfold.errors import InkfoldError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# What a store says of an object's content: S3, Google, and the memory of this process.
TELLING = ("ETag", "etag", "VersionId", "generation", "LastModified", "updated", "created")
# botocore tries again so often, and s3fs five times around it; seconds until it gives up waiting.
PATIENT = {"retries": {"max_attempts": 1}, "connect_timeout": 5, "read_timeout": 20}
CHATTY = "gcsfs"  # logs with tracebacks what the error says as well
NO_CREDENTIALS = {"NoCredentialsError", "PartialCredentialsError", "ProfileNotFound"}
LONGEST_REASON = 200  # letters of a library's error that are shown


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """An object as it was when it was listed; travels to workers, who read it themselves.

    Attributes
    ----------
    url : Url
    size : int
        In bytes.
    version : tuple of str
        What the store says of its content: ETag, generation, time of its last change.
    """

    url: Url
    size: int
    version: tuple[str, ...]

    @classmethod
    def of(cls, url: Url) -> Self:
        """Ask the store what lies at an address.

        Raises
        ------
        InkfoldError
            If there is no object, it may not be read, or the store cannot be reached.
        """
        with _reaching(url):
            told: dict[str, Any] = _filesystem(url.scheme).info(url.text)
        if told["type"] != "file":
            raise InkfoldError(f"{url} is a folder; expected an archive: zip it and upload that")
        version = tuple(f"{name}={told[name]}" for name in TELLING if told.get(name))
        return cls(url=url, size=int(told["size"]), version=version)

    def read(self, start: int, size: int) -> bytes:
        """Up to `size` bytes from `start` on, fewer at the end, by one request.

        Raises
        ------
        InkfoldError
            If the store does not give them.
        """
        stop = min(start + size, self.size)
        if stop <= start:
            return b""
        with _reaching(self.url):
            filesystem = _filesystem(self.url.scheme)
            data = bytes(filesystem.cat_file(self.url.text, start=start, end=stop))
        if len(data) != stop - start:
            raise self._changed()
        return data

    def check(self) -> None:
        """Refuse another object at the address.

        Raises
        ------
        InkfoldError
            If the object was replaced or removed.
        """
        if StoredObject.of(self.url) != self:
            raise self._changed()

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """A block that reads the object, which must be the same after it; see `Identity`."""
        try:
            yield
        except Exception:
            self.check()
            raise
        self.check()

    def _changed(self) -> InkfoldError:
        return InkfoldError(
            f"{self.url}: changed while it was read (another object is in its place); run it "
            "again, and let nothing write there meanwhile"
        )


class Window:
    """An object's bytes in any order, of which the last megabytes that were read are kept.

    Parameters
    ----------
    stored : StoredObject
    width : int
        How many bytes are read together; more where more are asked for.
    """

    def __init__(self, stored: StoredObject, width: int) -> None:
        self._stored, self._width = stored, width
        self._start, self._held = 0, b""

    def __len__(self) -> int:
        return self._stored.size

    def __getitem__(self, part: slice) -> bytes:
        start, stop, _ = part.indices(len(self))
        if stop <= start:
            return b""
        if start < self._start or stop > self._start + len(self._held):
            begin = max(0, min(start, len(self) - self._width))  # at the end: what precedes, too
            self._held = self._stored.read(begin, max(stop - begin, self._width))
            self._start = begin
        return self._held[start - self._start : stop - self._start]


class ObjectFile(RawIOBase):
    """An object as a file, for libraries that read files."""

    def __init__(self, stored: StoredObject, width: int) -> None:
        super().__init__()
        self._window, self._at = Window(stored, width), 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """The place of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place."""
        base = {SEEK_CUR: self._at, SEEK_END: len(self._window)}.get(whence, 0)
        if base + offset < 0:
            raise UnsupportedOperation("before the beginning")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill a buffer; only at the end of the object is less read."""
        view = memoryview(buffer).cast("B")
        data = self._window[self._at : self._at + len(view)]
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


def _filesystem(scheme: str) -> Any:  # noqa: ANN401, fsspec has no types
    """What reads addresses of a scheme; fsspec keeps one in each thread."""
    import fsspec

    options = {"config_kwargs": PATIENT} if scheme == "s3" else {}
    return fsspec.filesystem(scheme, use_listings_cache=False, **options)


@contextmanager
def _reaching(url: Url) -> Iterator[None]:
    """Tell in one line why a store does not give what it was asked for."""
    url.require_archive()
    logger = logging.getLogger(CHATTY)
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    except (InkfoldError, MemoryError):
        raise
    except Exception as error:  # the libraries behind fsspec raise errors of many types
        raise InkfoldError(f"{url}: {_reason(url, error)}") from None
    finally:
        logger.setLevel(level)


def _reason(url: Url, error: Exception) -> str:
    if isinstance(error, FileNotFoundError) and url.scheme == "memory":
        return (
            "no such object in this process, and memory:// is of one process alone; use "
            "--workers 1, or a file"
        )
    if isinstance(error, FileNotFoundError):
        return "no such bucket or object; check the address and the endpoint"
    if isinstance(error, PermissionError) or type(error).__name__ in NO_CREDENTIALS:
        return f"may not be read ({_shortened(error)}); set credentials that may read it"
    return f"cannot be read ({_shortened(error)}); check the network and the endpoint"


def _shortened(error: Exception) -> str:
    """A library's error in one line that is not too long."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON]}..."
