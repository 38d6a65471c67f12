"""Damaged pictures, public sets and Keras networks, and what the commands that read them answer.

`benchmarks.damage` runs these. One picture among others is damaged, in every format: the others
must come out as ever. A public set has no hashes, and a network gets the hash that it should have:
there the command must refuse the file in one line or read another one without harm.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from inkfold.bundle.bundle import ARCHITECTURE, RECORD, SHIPPED, WEIGHTS
from inkfold.bundle.hashing import sha256
from inkfold.dataset.reader import open_dataset
from tests.importers.test_casia import put as put_casia
from tests.importers.test_casia import sample
from tests.importers.test_etl import b_record
from tests.importers.test_etl import put as put_etl
from tests.importers.test_hasy import put as put_hasy
from tests.worlds.bands import write_bundle, write_picture
from tests.worlds.foreign_files import MAPPING, write_all, write_stack
from tests.worlds.mutations import Count, Trials, damage_file
from tests.worlds.pages import WRITERS

Run = Callable[[list[str]], int]
FORMATS = ("png", "jpg", "bmp", "tiff", "webp", "pgm")
PACK = ["create_dataset", "all", "-o", "out/d.h5", "--size", "8", "-q"]
PACK += ["--split", "1,0,0", "--allow-bad", "50", "--workers", "1"]
CLASSIFY = ["classify", "--model", "b", "all/a/1.png", "all/a/x", "all/b/2.png", "--format", "csv"]
SOME_FAILED = (0, 1)
KERAS = ["classify", "--model", "b", "--engine", "keras", "all/a/1.png", "--format", "csv"]
# of each format that is imported, the file that is damaged
SETS = {
    "idx": "train-images-idx3-ubyte",
    "emnist": "emnist-letters-train-labels-idx1-ubyte",
    "emnist-mat": "emnist-letters.mat",
    "npz": "k49-train-imgs.npz",
    "csv": "any.csv",
    "hasy": "hasy-data-labels.csv",
    "casia": "1.gnt",
    "etl8b": "ETL8B2C1",
    "mat": "mine.mat",
    "coco": "annotations/instances.json",
    "yolo": "labels/1.txt",
    "voc": "Annotations/1.xml",
    "page-xml": "page/1.xml",
    "alto": "1.xml",
}


def subjects(run: Run) -> dict[str, Callable[[int, int], Count]]:
    """Each kind of damage by its name; `run` runs a command of Inkfold in this process."""
    found: dict[str, Callable[[int, int], Count]] = {}
    for ending in FORMATS:
        found[f"{ending} picture: create_dataset"] = partial(_packed, run, ending)
        found[f"{ending} picture: classify"] = partial(_classified, run, ending)
    for name in SETS:
        found[f"public set {name}: import_data"] = partial(_imported, run, name)
    for file in (ARCHITECTURE, WEIGHTS):
        found[f"{file}: classify by Keras"] = partial(_keras, run, file)
    return found


def _packed(run: Run, ending: str, count: int, seed: int) -> Count:
    """One damaged picture among those that are packed."""
    with tempfile.TemporaryDirectory() as name:
        path = _write_pictures(Path(name), ending)
        trials = Trials(
            Path(name), partial(run, PACK), name=path.name, read=_other_rows, passed=SOME_FAILED
        )
        return damage_file(trials, path, count, seed)


def _classified(run: Run, ending: str, count: int, seed: int) -> Count:
    """One damaged picture among those that are answered."""
    with tempfile.TemporaryDirectory() as name:
        path = _write_pictures(Path(name), ending)
        line = [word.replace("all/a/x", f"all/a/{path.name}") for word in CLASSIFY]
        write_bundle(Path(name) / "b")
        trials = Trials(
            Path(name), partial(run, line), name=path.name, read=_other_answers, passed=SOME_FAILED
        )
        return damage_file(trials, path, count, seed)


def _write_pictures(folder: Path, ending: str) -> Path:
    """Write two class folders of pictures; the path of one of them, in the format `ending`."""
    for place, kind in enumerate("ab"):
        for number in range(3):
            write_picture(folder / "all" / kind / f"{number}.png", (place + number) % 4)
    path = folder / "all/a" / f"x.{ending}"
    grey = np.random.default_rng(0).integers(0, 256, (24, 20), dtype=np.uint8)
    path.write_bytes(cv2.imencode(f".{ending}", cv2.blur(grey, (3, 3)))[1].tobytes())
    return path


def _other_rows(out: Path) -> Iterable[bytes]:
    """Name and image of every packed row but the damaged picture's."""
    with open_dataset(out / "d.h5") as dataset:
        rows = zip(dataset.train.source, dataset.train.images[:], strict=True)
        yield from sorted(
            path.encode() + image.tobytes() for path, image in rows if "/x." not in path
        )


def _other_answers(out: Path) -> Iterable[bytes]:
    """The lines of every picture but the damaged one's."""
    printed = (out.parent / "stdout").read_text(encoding="utf-8")
    for row in csv.reader(io.StringIO(printed)):
        if "/x." not in row[0] and len(row) > 1:
            yield ",".join(row).encode()


def _imported(run: Run, kind: str, count: int, seed: int) -> Count:
    """A damaged file of a public set."""
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "set"
        _write_set(source, kind)
        line = ["import_data", kind, str(source), "-o", "out/d.h5", "--size", "8", "-q"]
        trials = Trials(
            Path(name), partial(run, line), name="set", rehashed=True, passed=SOME_FAILED
        )
        return damage_file(trials, source / SETS[kind], count, seed)


def _write_set(folder: Path, kind: str) -> None:
    """Write a small public set of a format."""
    if kind == "hasy":
        put_hasy(folder, "31,A,50", "32,B,50")
    elif kind == "casia":
        put_casia(folder / "1.gnt", 3 * sample())
    elif kind == "etl8b":
        put_etl(folder, ETL8B2C1=b"\0" * 512 + 3 * b_record(0x2422))
    elif kind == "mat":
        write_stack(folder / "mine.mat")
    elif kind in WRITERS:
        WRITERS[kind](folder)
    else:
        with tempfile.TemporaryDirectory() as all_sets:
            shutil.copytree(write_all(Path(all_sets))[kind], folder)
        (folder / "emnist-letters-mapping.txt").write_text(MAPPING)


def _keras(run: Run, file: str, count: int, seed: int) -> Count:
    """A damaged file of Keras in a copy of the bundle that comes along."""
    with tempfile.TemporaryDirectory() as name:
        _write_pictures(Path(name), "png")
        bundle = Path(shutil.copytree(SHIPPED, Path(name) / "b"))
        trials = Trials(Path(name), partial(run, KERAS), name="b", read=_all_answers, rehashed=True)
        return damage_file(trials, bundle / file, count, seed, partial(mend_hash, bundle, file))


def _all_answers(out: Path) -> Iterable[bytes]:
    """What was printed."""
    yield (out.parent / "stdout").read_bytes()


def mend_hash(bundle: Path, file: str) -> None:
    """Put the hash of a damaged file into a bundle's record, which loses its seal."""
    record = json.loads((bundle / RECORD).read_text(encoding="utf-8"))
    record.pop("seal", None)
    if file in record["sha256"]:
        record["sha256"][file] = sha256(bundle / file)
    (bundle / RECORD).write_text(json.dumps(record), encoding="utf-8")
