"""The stages that benchmarks of faults run, and the small inputs that these read."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import ROOT
from inkfold.commands.demo import write_digits

DIGITS = 40  # pictures of each digit: a stage takes a second or less
FEW = 12  # of each digit for an audit, which trains five networks and judges no class below 10
MODULE = ("-m", "inkfold.commands.main")
NETWORK = ROOT / "tests/worlds/tiny_network.py"
Content = dict[str, str]  # hexadecimal digests of an output's files, by their path in it


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A command that writes an output.

    Attributes
    ----------
    name : str
    command : tuple of str
        What follows ``python``; relative paths are in the trial's folder.
    older : tuple of str
        Options that make an output with other bytes: the one that is overwritten.
    outputs : tuple of str
        The files and folders that the command writes or changes; the first one is new.
    compared : tuple of str
        The names of the files in them that are the same in every run; all of them, if empty.
    in_place : tuple of str
        The folders among the outputs whose files are replaced one by one, each as a whole.
    beside : tuple of str
        What the command leaves in the working folder apart from its outputs.
    resumes : str
        The file that a killed run leaves if the next one can go on from it with ``--resume``.
    """

    name: str
    command: tuple[str, ...]
    older: tuple[str, ...] = ()
    outputs: tuple[str, ...]
    compared: tuple[str, ...] = ()
    in_place: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    resumes: str = ""


def inkfold(*arguments: str) -> tuple[str, ...]:
    """What follows ``python`` for one of Inkfold's commands, without a progress bar."""
    return (*MODULE, *arguments, "-q")


STAGES = (
    Stage(
        name="create_dataset.py",
        command=inkfold(
            "create_dataset", "digits", "-o", "out.h5", "--size", "16", "--workers", "2"
        ),
        older=("--seed", "1"),
        outputs=("out.h5",),
    ),
    Stage(
        name="import_data.py",
        command=inkfold("import_data", "idx", "set", "-o", "out.h5", "--size", "16"),
        older=("--seed", "1"),
        outputs=("out.h5",),
    ),
    Stage(
        name="augment.py",
        command=inkfold("augment", "packed.h5", "-o", "out.h5", "--workers", "2"),
        older=("--seed", "1"),
        outputs=("out.h5",),
    ),
    Stage(
        name="explore.py",
        command=inkfold("explore", "few.h5", "-o", "out.html"),
        older=("--seed", "1"),
        outputs=("out.html",),
    ),
    Stage(
        name="inkfold export",
        command=inkfold("export", "packed.h5", "out"),
        older=("--split", "test"),
        outputs=("out",),
    ),
    Stage(
        name="inkfold audit --fix",
        command=inkfold("audit", "blank.h5", "-o", "out", "--quick", "--fix", "clean.h5"),
        outputs=("out", "clean.h5", "clean.h5.dropped.csv"),
    ),
    Stage(
        name="inkfold audit",
        command=inkfold("audit", "few.h5", "-o", "out"),
        older=("--seed", "1"),
        outputs=("out",),
    ),
    Stage(
        name="evaluate.py",
        command=inkfold("evaluate", "bundle", "packed.h5", "-o", "out"),
        outputs=("out", "bundle"),
        in_place=("bundle",),
    ),
    Stage(
        name="inkfold shrink",
        command=(*MODULE, "shrink", "bundle", "packed.h5", "out"),
        outputs=("out",),
    ),
    Stage(
        name="training",
        command=inkfold(
            *("train", str(NETWORK), "packed.h5", "-o", "out"),
            *("--precision", "float32", "--kernels", "fused", "--epochs", "2"),
        ),
        older=("--seed", "1"),
        outputs=("out",),
        compared=("model.weights.h5", "model_architecture.json"),
        beside=("logs",),
        resumes=".out.checkpoint.npz",
    ),
)


def content(path: Path, compared: tuple[str, ...] = ()) -> Content | None:
    """The digests of a file, or of the files in a folder that are compared; None of nothing."""
    if not path.exists():
        return None
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return {
        str(p.relative_to(path)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in files
        if not compared or p.name in compared
    }


def contents(stage: Stage, folder: Path) -> dict[str, Content | None]:
    """The digests of each output of a stage in `folder`."""
    return {name: content(folder / name, stage.compared) for name in stage.outputs}


def torn(
    stage: Stage,
    after: dict[str, Content | None],
    old: dict[str, Content | None],
    new: dict[str, Content | None],
) -> list[str]:
    """The outputs that are neither the whole old one, nor the whole new one, nor nothing."""
    return [
        name
        for name, now in after.items()
        if now not in (old[name], new[name])
        and not (name in stage.in_place and _one_by_one(now, old[name], new[name]))
    ]


def _one_by_one(now: Content | None, old: Content | None, new: Content | None) -> bool:
    """Whether each file is the old one or the new one; one that is not finished may lie beside."""
    if now is None or old is None or new is None:
        return False
    named = {name: digest for name, digest in now.items() if not name.endswith(".part")}
    if named.keys() not in (old.keys(), new.keys()):
        return False
    return all(digest in (old.get(name), new.get(name)) for name, digest in named.items())


def prepared(folder: Path, *, bundle: bool = True) -> Path:
    """A folder with what the stages read.

    Class folders, a packed dataset, the same with blank pictures, a public set, and a trained
    bundle, which takes longer than all the others and is left out where `bundle` is false.
    """
    write_digits(folder / "all", lambda _count: None)
    for digit in sorted((folder / "all").iterdir()):
        (folder / "digits" / digit.name).mkdir(parents=True)
        for picture in sorted(digit.iterdir())[:DIGITS]:
            shutil.move(picture, folder / "digits" / digit.name / picture.name)
    shutil.rmtree(folder / "all")
    _write_idx(folder / "set")
    for name in ("blank", "few"):
        shutil.copytree(folder / "digits", folder / name)
    _write_blanks(folder / "blank")
    for digit in (folder / "few").iterdir():
        for picture in sorted(digit.iterdir())[FEW:]:
            picture.unlink()
    for source, packed in (("digits", "packed.h5"), ("blank", "blank.h5"), ("few", "few.h5")):
        _inkfold(folder, "create_dataset", source, "-o", packed, "--size", "16", "-q")
    if bundle:
        train = ["train", str(NETWORK), "packed.h5", "-o", "bundle", "--epochs", "2", "-q"]
        _inkfold(folder, *train)
        shutil.rmtree(folder / "logs")
    return folder


def _inkfold(folder: Path, *arguments: str) -> None:
    """Run one of Inkfold's commands in `folder`."""
    command = [sys.executable, *MODULE, *arguments]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)  # noqa: S603, ours
    if done.returncode:
        raise click.ClickException(f"{arguments} fails without a fault: {done.stderr[-2000:]}")


def _write_blanks(classes: Path) -> None:
    """Add blank pictures of different sizes, which an audit finds, to some class folders."""
    for digit in range(4):
        size = 9 + digit
        white = b"P5 %d %d 255\n" % (size, size) + b"\xff" * size**2
        (classes / str(digit) / f"blank {digit}.pgm").write_bytes(white)


def _write_idx(folder: Path) -> None:
    """Write drawn digits in the files of MNIST: 200 to train and 100 to test, of 8x8 pixels."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for part, count in (("train", 200), ("t10k", 100)):
        images = rng.integers(0, 256, (count, 8, 8), dtype=np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        for kind, rows in (("images", images), ("labels", labels)):
            shape = np.array(rows.shape, ">u4").tobytes()
            data = bytes([0, 0, 8, rows.ndim]) + shape + rows.tobytes()
            path = folder / f"{part}-{kind}-idx{rows.ndim}-ubyte.gz"
            path.write_bytes(gzip.compress(data, mtime=0))
