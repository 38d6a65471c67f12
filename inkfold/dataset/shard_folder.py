"""The folder NAME.shards: what in it is ours, the journal of a run, and what is removed when.

A run writes its shards beside those of the dataset that it replaces, under other names, and puts
each into the journal ``plan.jsonl``. Only then the index takes its place, and what it does not list
is removed with the journal. So a run that ended early leaves the old dataset whole, and shards that
the same run takes up again. A shard that neither an index nor a journal accounts for may belong to
a dataset of another name: it is never removed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import h5py

from inkfold.dataset.shard_table import (
    SHARD_NAME,
    TABLE,
    Shard,
    from_record,
    listed_shards,
    shard_folder,
    shard_name,
)
from inkfold.errors import InkfoldError
from inkfold.hdf5_heaps import endless_heap
from inkfold.output import make_folder, naming, place_of

JOURNAL = "plan.jsonl"


@dataclass(frozen=True, kw_only=True)
class Journal:
    """What a run that did not end wrote down.

    Attributes
    ----------
    plan : str
        The digest of all that its shards depend on; empty where it cannot be read.
    shards : dict of str to Shard
        The shards that it finished, by name.
    """

    plan: str
    shards: dict[str, Shard]


def check_shard_folder(path: Path) -> None:
    """Refuse to write shards for the dataset `path` where its folder holds what is not its own.

    Raises
    ------
    InkfoldError
        If there is a file in place of the folder, or the folder holds other files, or shards that
        neither the dataset's index nor the journal of a run accounts for.
    """
    folder = shard_folder(path)
    if folder.exists() and not folder.is_dir():
        raise InkfoldError(f"{folder} is a file, not a folder; choose another name with -o")
    names = _names(folder)
    ours = [name for name in names if SHARD_NAME.fullmatch(name)]
    foreign = set(names) - set(ours) - {JOURNAL} - {each.name for each in _parts(folder)}
    if foreign:
        raise InkfoldError(
            f"{folder} holds {min(foreign)}, which is no shard; move it away or choose another "
            "name with -o"
        )
    lost = set(ours) - {each.name for each in own_shards(path)} - set(_of_journal(folder))
    if lost:
        raise InkfoldError(
            f"{folder} holds {len(lost):,} shards that no {place_of(path).name} lists, as "
            f"{min(lost)}; remove them if no renamed dataset needs them, or choose another name "
            "with -o"
        )


def begin_run(path: Path, plan: str, *, overwrite: bool) -> Journal:
    """Make the folder ready for a run, and give what an earlier run of the same plan finished.

    Parameters
    ----------
    path : Path
        The dataset.
    plan : str
        Digest of all that the shards depend on.
    overwrite : bool
        Whether the shards of an unfinished run with another plan are removed.

    Raises
    ------
    InkfoldError
        As `check_shard_folder`; or if the folder holds shards of an unfinished run with another
        plan, and `overwrite` is false.
    """
    check_shard_folder(path)
    folder = shard_folder(path)
    sweep_parts(folder)
    journal = read_journal(folder)
    if journal is not None and journal.plan == plan:
        return journal
    kept = {each.name for each in own_shards(path)}
    left = [name for name in _of_journal(folder) if name not in kept]
    if left and not overwrite:
        raise InkfoldError(
            f"{folder} holds {len(left):,} shards of a run with other options or pictures, which "
            "did not end; repeat it as it was to finish it, or remove them with --overwrite"
        )
    make_folder(folder)
    _remove(folder / name for name in left)
    with naming(folder / JOURNAL):
        (folder / JOURNAL).write_text(json.dumps({"plan": plan}) + "\n", encoding="utf-8")
    return Journal(plan=plan, shards={})


def read_journal(folder: Path) -> Journal | None:
    """The journal of a run that did not end, as far as it is whole; None if there is none."""
    try:
        lines = (folder / JOURNAL).read_bytes().split(b"\n")[:-1]  # the last may be half written
    except FileNotFoundError:
        return None
    records = [_parsed(line) for line in lines]
    head = records[0] if records else None
    plan = head.get("plan") if isinstance(head, dict) else None
    found = [shard for shard in map(from_record, records[1:]) if shard is not None]
    shards = {shard.name: shard for shard in found}  # the last line about a shard counts
    return Journal(plan=plan if isinstance(plan, str) else "", shards=shards)


def _parsed(line: bytes) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return None


def note(folder: Path, shard: Shard) -> None:
    """Add a finished shard to the journal; the line begins anew if one before was cut short."""
    path = folder / JOURNAL
    with naming(path), path.open("r+b") as file:
        end = file.seek(0, 2)
        file.seek(max(0, end - 1))
        cut = b"" if file.read(1) in (b"", b"\n") else b"\n"
        file.write(cut + json.dumps(asdict(shard)).encode() + b"\n")


def end_run(folder: Path, replaced: Iterable[Path]) -> None:
    """Remove the journal, and the shards of the dataset that was replaced; the new index stands."""
    sweep_parts(folder)
    _remove([*replaced, folder / JOURNAL])
    with suppress(OSError):  # where there are shards
        folder.rmdir()


def leave_run(folder: Path) -> None:
    """Leave what a run that ends early has finished; remove the folder if that is nothing."""
    sweep_parts(folder)
    journal = read_journal(folder)
    if journal is not None and not journal.shards and not _of_journal(folder):
        _remove([folder / JOURNAL])
        with suppress(OSError):  # where there are shards of a dataset
            folder.rmdir()


def sweep_parts(folder: Path) -> None:
    """Remove unfinished shards, those of other machines as well: nobody works on them any more."""
    _remove(_parts(folder))


@contextmanager
def replacing_shards(path: Path) -> Iterator[None]:
    """A block that puts a dataset without shards in the place of one that may have some.

    The shards of the dataset that was there are removed after the block, which a reader that has it
    open notices. Nothing else in the folder is touched.
    """
    before = own_shards(path)
    yield
    _remove(before)
    if before:
        with suppress(OSError):  # where something else is left
            shard_folder(path).rmdir()


def own_shards(path: Path) -> list[Path]:
    """The shards that the index at `path` lists, if they lie in the folder of its own name.

    An index that was renamed, or copied to another name, has its shards in a folder that may be
    another dataset's.
    """
    place = place_of(path)
    if not place.is_file():
        return []
    try:
        with h5py.File(place, "r") as file:
            if TABLE not in file or endless_heap(place) is not None:
                return []
            folder, shards = listed_shards(path, file)
    except Exception:  # no index, or a damaged one: it tells of no shard
        return []
    return [folder / shard.name for shard in shards] if folder == shard_folder(path) else []


def _of_journal(folder: Path) -> list[str]:
    """The shards that bear the plan of the journal, noted there or not."""
    journal = read_journal(folder)
    if journal is None or not journal.plan:
        return []
    ending = shard_name("", 0, journal.plan).rpartition("-")[2]
    return [
        name
        for name in _names(folder)
        if SHARD_NAME.fullmatch(name) and name.endswith(f"-{ending}")
    ]


def _names(folder: Path) -> list[str]:
    try:
        return sorted(each.name for each in folder.iterdir())
    except FileNotFoundError:
        return []


def _parts(folder: Path) -> list[Path]:
    return [
        folder / name for name in _names(folder) if name.startswith(".") and name.endswith(".part")
    ]


def _remove(files: Iterable[Path]) -> None:
    """Remove files; what cannot be removed stays, and is in nobody's way."""
    for each in files:
        with suppress(OSError):
            each.unlink()
