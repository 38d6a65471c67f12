"""Headers of tar files, compared with what `tarfile` reads."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkfold.archives.tar_headers import TarMember, UnusualTarError, tar_members

FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
KINDS = {
    tarfile.REGTYPE: "file",
    tarfile.DIRTYPE: "folder",
    tarfile.SYMTYPE: "link",
    tarfile.LNKTYPE: "link",
    tarfile.FIFOTYPE: "other",
}
NAMES = st.text(st.characters(exclude_characters="\0\n", codec="utf-8"), min_size=1, max_size=40)


def write(path: Path, form: int, members: list[tuple[str, bytes, bytes]]) -> None:
    """Write members: name, kind, and bytes of a file or the name that a link leads to."""
    with tarfile.open(path, "w", format=form, errors="surrogateescape") as archive:
        for name, kind, data in members:
            info = tarfile.TarInfo(name)
            info.type, info.mtime = kind, 1.5
            if kind == tarfile.REGTYPE:
                info.size = len(data)
            else:
                info.linkname = data.decode()
            archive.addfile(info, io.BytesIO(data))


def by_tarfile(path: Path) -> list[TarMember]:
    """The members as `tarfile` reads them."""
    with tarfile.open(path, errors="surrogateescape") as archive:
        return [
            TarMember(i.name.rstrip("/"), KINDS[i.type], i.offset_data, i.size)  # type: ignore[arg-type]  # one of the kinds
            for i in archive
        ]


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS.keys())
def test_every_common_form_is_read_as_tarfile_reads_it(tmp_path: Path, form: int) -> None:
    """Long names, names in any script, empty files, folders, links and pipes."""
    long = "folder/" * 12 + "name.png" if form == tarfile.USTAR_FORMAT else "é/" * 100 + "x" * 120
    members = [
        ("a/1.png", tarfile.REGTYPE, b"x" * 513),
        (long, tarfile.REGTYPE, b"y" * 512),
        ("a", tarfile.DIRTYPE, b""),
        ("empty.png", tarfile.REGTYPE, b""),
        ("漢/字.png", tarfile.REGTYPE, b"z"),
        ("link", tarfile.SYMTYPE, b"a/1.png"),
        ("hard", tarfile.LNKTYPE, b"a/1.png"),
        ("pipe", tarfile.FIFOTYPE, b""),
    ]
    write(tmp_path / "d.tar", form, members)

    assert list(tar_members(tmp_path / "d.tar")) == by_tarfile(tmp_path / "d.tar")


@given(names=st.lists(NAMES, max_size=6), form=st.sampled_from([*FORMATS.values()][1:]))
def test_any_names_are_read_as_tarfile_reads_them(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], form: int
) -> None:
    """In GNU's and in pax' form, a name may be any text."""
    path = tmp_path_factory.mktemp("tar") / "d.tar"
    write(path, form, [(name, tarfile.REGTYPE, name.encode()) for name in names])

    assert list(tar_members(path)) == by_tarfile(path)


@given(place=st.integers(0, 1535), change=st.integers(1, 255))
def test_a_changed_byte_of_a_header_is_never_taken_for_a_right_one(
    tmp_path_factory: pytest.TempPathFactory, place: int, change: int
) -> None:
    """The checksum notices it, or the member is left to `tarfile`; other bytes change nothing."""
    path = tmp_path_factory.mktemp("tar") / "d.tar"
    write(path, tarfile.USTAR_FORMAT, [("a.png", tarfile.REGTYPE, b"x" * 512)] * 2)
    right, data = list(tar_members(path)), bytearray(path.read_bytes())
    data[place] = (data[place] + change) % 256
    path.write_bytes(data)

    try:
        found = list(tar_members(path))
    except (tarfile.ReadError, UnusualTarError):
        return
    assert found == right


def test_what_is_rare_is_left_to_tarfile(tmp_path: Path) -> None:
    """An old header without a magic word is none that is read here."""
    write(tmp_path / "d.tar", tarfile.USTAR_FORMAT, [("a.png", tarfile.REGTYPE, b"x")])
    data = bytearray((tmp_path / "d.tar").read_bytes())
    data[257:265] = bytes(8)
    data[148:156] = b"%06o\0 " % (sum(data[:148]) + sum(data[156:512]) + 256)
    (tmp_path / "d.tar").write_bytes(data)

    with pytest.raises(UnusualTarError):
        list(tar_members(tmp_path / "d.tar"))
    assert [member.name for member in by_tarfile(tmp_path / "d.tar")] == ["a.png"]
