"""Whether a path still names the file that it named before."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from inkfold.errors import InkfoldError
from inkfold.identity import Identity


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of four bytes that was last written in 2001."""
    path = tmp_path / "input"
    path.write_bytes(b"read")
    os.utime(path, ns=(10**18, 10**18))
    return path


def another_in_its_place(path: Path) -> None:
    """Rename another file there, of the same size and the same time."""
    other = path.with_name("other")
    other.write_bytes(b"else")
    os.utime(other, ns=(10**18, 10**18))
    other.replace(path)


CHANGES = [
    (another_in_its_place, "another file is in its place"),
    (lambda path: path.write_bytes(b"longer"), "it was written to"),
    (lambda path: os.utime(path, ns=(10**18, 10**18 + 1)), "it was written to"),
    (Path.unlink, "it is gone"),
]


def test_a_file_that_was_only_read_passes(path: Path) -> None:
    """Reading a file, or renaming it and back, changes nothing that is asked about."""
    identity = Identity.of(path)

    assert path.read_bytes() == b"read"
    path.rename(path.with_name("away")).rename(path)

    identity.check()


@pytest.mark.parametrize(("change", "how"), CHANGES)
def test_each_kind_of_change_is_refused(
    path: Path, change: Callable[[Path], object], how: str
) -> None:
    """A file that was replaced, written to, touched or removed is refused; the error says which."""
    identity = Identity.of(path)
    change(path)

    with pytest.raises(InkfoldError) as error:
        identity.check()

    assert str(error.value) == (
        f"{path}: changed while it was read ({how}); run it again, and let nothing write there "
        "meanwhile"
    )


def test_an_open_file_is_itself_after_another_took_its_place(path: Path) -> None:
    """A program that holds a file open may read on, whatever its name leads to meanwhile."""
    identity = Identity.of(path)
    with path.open("rb") as file:
        another_in_its_place(path)

        identity.check(file.fileno())
        with pytest.raises(InkfoldError, match="another file is in its place"):
            identity.check()


def test_a_block_tells_the_change_in_place_of_the_error_that_it_caused(path: Path) -> None:
    """A read that fails because the file changed is told as the change, any other as it is."""
    identity = Identity.of(path)
    with pytest.raises(ZeroDivisionError), identity.unchanged():
        _ = 1 / 0
    with pytest.raises(InkfoldError, match="it was written to"), identity.unchanged():
        _ = 1 / path.write_bytes(b"")


def test_a_change_at_the_end_of_a_block_is_refused(path: Path) -> None:
    """A block that reads without an error is refused as well if the file changed meanwhile."""
    with pytest.raises(InkfoldError, match="it was written to"), Identity.of(path).unchanged():
        path.write_bytes(b"longer")


def test_another_machine_may_number_its_devices_otherwise(path: Path) -> None:
    """Workers on other machines see a shared file under another device number, not another file."""
    seen = Identity.of(path)

    replace(seen, machine="elsewhere", device=seen.device + 1).check()
    with pytest.raises(InkfoldError, match="another file is in its place"):
        replace(seen, device=seen.device + 1).check()
