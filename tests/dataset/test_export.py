"""A dataset is written for other tools, and their own libraries read the same pictures of it."""

from __future__ import annotations

import json
import shlex
import struct
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from inkfold.augmentation.augment import Augmentation, augment_dataset
from inkfold.commands.export import main
from inkfold.crew import Crew
from inkfold.dataset.export import Exported, Form, export_dataset
from inkfold.dataset.reader import Dataset, open_dataset
from inkfold.dataset.split import Split
from inkfold.errors import InkfoldError
from inkfold.importers.formats import FORMATS
from inkfold.packing.public_set import Importing
from inkfold.recipe import Distortion
from inkfold.spec import SPLITS, ImageSpec
from inkfold.workers import InProcess
from tests.dataset.test_class_folders import write_bordered, write_inked_edges
from tests.packing.test_public_set import imported
from tests.worlds.packed_strokes import write_packed
from tests.worlds.scripts import run_script

NAMES = ("漢", "a,b", '"', "=", "'x", "A", "a")

Counts = Counter[tuple[bytes, str]]


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A dataset with 300 pictures in each split, in seven classes with names hard to write."""
    return write_bordered(tmp_path / "d.h5", NAMES, 300)


def export(path: Path, folder: Path, form: Form, **options: Any) -> Exported:  # noqa: ANN401, passed on
    """Export the dataset at `path` in a format."""
    with open_dataset(path) as dataset:
        return export_dataset(dataset, folder, form=form, **{"overwrite": False} | options)


def counted(images: NDArray[np.uint8], names: list[str]) -> Counts:
    """How often each pair of pixels and class occurs."""
    return Counter(zip([image.tobytes() for image in images], names, strict=True))


def of_split(dataset: Dataset, split: Split) -> Counts:
    """The same of a split."""
    return counted(split.images[:], [dataset.classes[label] for label in split.labels])


def test_numpy_reads_the_arrays_without_pickle(tmp_path: Path, written: Path) -> None:
    """The images of a split are x in the rows' order, its labels y, and `classes` has all names."""
    exported = export(written, tmp_path / "out", "npz")

    assert exported == Exported(pictures=900, copies=0, edge=0, splits=SPLITS)
    with (
        open_dataset(written) as dataset,
        np.load(tmp_path / "out/dataset.npz", allow_pickle=False) as arrays,
    ):
        assert tuple(arrays["classes"].tolist()) == NAMES
        for split in dataset.splits:
            images, labels = arrays[f"x_{split.name}"], arrays[f"y_{split.name}"]
            assert (images.dtype, labels.dtype) == (np.uint8, np.int64)
            assert np.array_equal(images, split.images[:])
            assert np.array_equal(labels, split.labels)


def test_an_empty_split_is_an_array_of_no_pictures(tmp_path: Path) -> None:
    """A split without pictures has arrays of length 0; one split alone has no other's arrays."""
    write_packed(tmp_path / "d.h5", (20, 0, 5))

    export(tmp_path / "d.h5", tmp_path / "all", "npz")
    export(tmp_path / "d.h5", tmp_path / "test", "npz", splits=("test",))

    with np.load(tmp_path / "all/dataset.npz") as arrays:
        assert arrays["x_validation"].shape == (0, 16, 16)
        assert arrays["y_validation"].shape == (0,)
    with np.load(tmp_path / "test/dataset.npz") as arrays:
        assert sorted(arrays) == ["classes", "x_test", "y_test"]


def test_idx_has_the_bytes_and_names_of_mnist(tmp_path: Path, written: Path) -> None:
    """Magic numbers, counts and sizes are big-endian before the pixels and labels, row by row."""
    export(written, tmp_path / "out", "idx")

    with open_dataset(written) as dataset:
        for name, split in zip(("train", "validation", "t10k"), dataset.splits, strict=True):
            images = (tmp_path / f"out/{name}-images-idx3-ubyte").read_bytes()
            labels = (tmp_path / f"out/{name}-labels-idx1-ubyte").read_bytes()
            assert images[:16] == struct.pack(">4I", 0x803, 300, 12, 12)
            assert images[16:] == split.images[:].tobytes()
            assert labels[:8] == struct.pack(">2I", 0x801, 300)
            assert labels[8:] == bytes(split.labels.tolist())
    assert (tmp_path / "out/classes.txt").read_text("utf-8").split("\n") == [*NAMES, ""]


def test_idx_comes_back_through_its_importer(tmp_path: Path, written: Path) -> None:
    """Importing gives the same pictures and classes in the same splits."""
    export(written, tmp_path / "out", "idx")

    collection = FORMATS["idx"].read(tmp_path / "out")
    spec = ImageSpec(size=12)
    imported(collection, tmp_path / "again.h5", Importing(format="idx", spec=spec))

    assert collection.classes == NAMES
    with open_dataset(written) as before, open_dataset(tmp_path / "again.h5") as after:
        assert after.classes == before.classes
        old, new = ([of_split(d, split) for split in d.splits] for d in (before, after))
        assert new == old


def test_ink_along_the_edge_is_counted_as_the_importer_sees_it(tmp_path: Path) -> None:
    """The count is that of the pictures which importing IDX changes."""
    write_inked_edges(tmp_path / "d.h5")

    exported = export(tmp_path / "d.h5", tmp_path / "out", "idx")
    collection = FORMATS["idx"].read(tmp_path / "out")
    importing = Importing(format="idx", spec=ImageSpec(size=12))
    imported(collection, tmp_path / "again.h5", importing)

    with open_dataset(tmp_path / "d.h5") as before, open_dataset(tmp_path / "again.h5") as after:
        old, new = (
            sum((of_split(d, split) for split in d.splits), Counter()) for d in (before, after)
        )
    assert 15 < exported.edge == (old - new).total() < 30


def test_classes_that_idx_cannot_hold_are_refused(tmp_path: Path) -> None:
    """More than 256 classes, and a line end in a name, are told with the formats that hold them."""
    many = write_packed(tmp_path / "many.h5", (300, 5, 5), classes=[str(n) for n in range(257)])
    line = write_packed(tmp_path / "line.h5", (20, 5, 5), classes=["a", "b\nc"])

    with pytest.raises(InkfoldError, match=r"257 classes, .* take --format npz or parquet"):
        export(many, tmp_path / "out", "idx")
    with pytest.raises(InkfoldError, match=r"the class 'b\\nc' holds a line end, .* take --format"):
        export(line, tmp_path / "out", "idx")

    assert not (tmp_path / "out").exists()
    export(line, tmp_path / "out", "npz")
    assert json.loads((tmp_path / "out/export.json").read_text("utf-8"))["classes"] == ["a", "b\nc"]


def test_copies_are_left_out(tmp_path: Path) -> None:
    """The arrays of an augmented dataset hold the images of the dataset that it was made of."""
    write_packed(tmp_path / "d.h5", (300, 20, 10), size=12)
    augmentation = Augmentation(Distortion(sigma=3.0, alpha=5.0), copies=2)
    target = tmp_path / "more.h5"
    with open_dataset(tmp_path / "d.h5") as dataset:
        augment_dataset(dataset, target, augmentation, crew=Crew(InProcess(), lambda: 1))

    exported = export(target, tmp_path / "out", "npz")

    assert (exported.pictures, exported.copies) == (330, 600)
    record = json.loads((tmp_path / "out/export.json").read_text("utf-8"))
    assert record["pictures"] == {"train": 300, "validation": 20, "test": 10}
    with (
        open_dataset(tmp_path / "d.h5") as dataset,
        np.load(tmp_path / "out/dataset.npz") as arrays,
    ):
        names = [dataset.classes[label] for label in arrays["y_train"]]
        assert counted(arrays["x_train"], names) == of_split(dataset, dataset.train)


def test_parquet_is_read_by_pyarrow(tmp_path: Path, written: Path) -> None:
    """Each row has a PNG file dark on white, the label, source and group, in the rows' order."""
    parquet = pytest.importorskip("pyarrow.parquet")
    export(written, tmp_path / "out", "parquet")

    with open_dataset(written) as dataset:
        for split in dataset.splits:
            file = parquet.ParquetFile(tmp_path / f"out/{split.name}-00000-of-00001.parquet")
            table = file.read()
            assert table.column_names == ["image", "label", "source", "group"]
            assert file.num_row_groups == 2, "256 rows and 44"
            assert table["label"].to_pylist() == split.labels.tolist()
            assert table["source"].to_pylist() == split.source
            assert table["group"].to_pylist() == split.group
            row = table["image"][299].as_py()
            pixels = cv2.imdecode(np.frombuffer(row["bytes"], np.uint8), cv2.IMREAD_UNCHANGED)
            assert pixels is not None
            assert np.array_equal(pixels, 255 - split.images[299])
            assert row["path"] == f"{split.name}-0000299.png"


def test_parquet_is_a_data_set_of_hugging_face(
    tmp_path: Path, written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library finds splits, pictures and class names, offline and without a script."""
    pytest.importorskip("pyarrow")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    pytest.importorskip("datasets.load")  # a folder called datasets would count as a package
    import datasets

    export(written, tmp_path / "out", "parquet")

    ways = (
        datasets.load_dataset(
            "parquet", data_dir=str(tmp_path / "out"), cache_dir=str(tmp_path / "cache")
        ),
        datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache")),
    )

    with open_dataset(written) as dataset:
        for loaded in ways:
            assert list(loaded) == list(SPLITS)
            for split in dataset.splits:
                features = loaded[split.name].features
                assert features["label"].names == list(NAMES)
                rows = loaded[split.name][:]
                images = np.array([255 - np.asarray(image) for image in rows["image"]], np.uint8)
                names = features["label"].int2str(rows["label"])
                assert counted(images, names) == of_split(dataset, split)
                assert rows["source"] == split.source


def test_parquet_without_pyarrow_is_refused_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line names the extra, and nothing is written."""
    write_packed(tmp_path / "d.h5", (20, 5, 5))
    monkeypatch.setattr("inkfold.extras.find_spec", lambda _name: None)

    with pytest.raises(InkfoldError, match=r"pip install 'inkfold\[parquet\]'"):
        export(tmp_path / "d.h5", tmp_path / "out", "parquet")
    assert not (tmp_path / "out").exists()


def test_two_exports_are_the_same_bytes(tmp_path: Path, written: Path) -> None:
    """No file holds the time or the place of its making."""
    forms: tuple[Form, ...] = ("npz", "idx")
    for form in forms:
        for name in ("one", "two"):
            export(written, tmp_path / name / form, form)

        names = sorted(path.name for path in (tmp_path / "one" / form).iterdir())
        for name in names:
            first, second = ((tmp_path / each / form / name) for each in ("one", "two"))
            assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["--split", "test"],
            "to pack it again: inkfold create_dataset 'o o' --size 16 --split ",
        ),
        (["--format", "idx"], "next: inkfold import_data idx 'o o' --size 16"),
        (["--format", "npz"], "next: python -c "),
        (["--format", "parquet"], "next: python -c "),
    ],
)
def test_the_last_line_says_what_reads_the_format(
    tmp_path: Path, arguments: list[str], line: str
) -> None:
    """The line names a command for each format, with the folder quoted."""
    if "parquet" in arguments:
        pytest.importorskip("pyarrow")
    write_packed(tmp_path / "d.h5", (20, 5, 5))

    done = run_script("inkfold/commands/main.py", "export", "d.h5", "o o", *arguments, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    last = done.stdout.decode().splitlines()[-1]
    assert last.startswith(line)


def test_the_line_for_numpy_prints_the_shape(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What stands after ``python -c`` is a program that NumPy alone runs."""
    monkeypatch.chdir(tmp_path)
    write_packed(tmp_path / "d.h5", (20, 5, 5))

    assert main(["d.h5", "o'o", "--format", "npz"]) == 0
    line = capsys.readouterr().out.splitlines()[-1].removeprefix("next: ")
    done = subprocess.run(
        [sys.executable, *shlex.split(line)[1:]], capture_output=True, text=True, check=True
    )

    assert done.stdout == "(20, 16, 16)\n"


def test_one_split_packed_again_by_its_last_line_stays_that_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The --split that the line names puts every picture where it was."""
    monkeypatch.chdir(tmp_path)
    write_packed(tmp_path / "d.h5", (20, 5, 9))

    assert main(["d.h5", "out", "--split", "test"]) == 0
    line = capsys.readouterr().out.splitlines()[-1].partition("create_dataset ")[2]
    done = run_script("create_dataset.py", *shlex.split(line), "-o", "again.h5", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    with open_dataset(tmp_path / "again.h5") as dataset:
        assert [len(split) for split in dataset.splits] == [0, 0, 9]
