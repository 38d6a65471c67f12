"""A dataset is written as folders of split and class, of which packing makes the same dataset."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkfold.augmentation.augment import Augmentation, augment_dataset
from inkfold.commands.export import main
from inkfold.crew import Crew
from inkfold.dataset.class_folders import LONGEST, folder_names
from inkfold.dataset.digests import digests
from inkfold.dataset.export import Exported, export_dataset
from inkfold.dataset.reader import Dataset, open_dataset
from inkfold.dataset.split import CHUNK, Split
from inkfold.dataset.writer import Rows, writing_dataset
from inkfold.errors import InkfoldError
from inkfold.importers.formats import FORMATS
from inkfold.packing.plan import Packing
from inkfold.packing.public_set import Importing
from inkfold.recipe import Distortion
from inkfold.spec import SPLITS, ImageSpec, Ink
from inkfold.workers import InProcess
from tests.packing.test_public_set import Made, imported
from tests.worlds.packed_strokes import write_packed
from tests.worlds.packing_run import packed
from tests.worlds.reading import real
from tests.worlds.scripts import run_script

NAMES = ("a/b", ".", "..", "CON", "con.txt", "A", "a", "Ж", "%", "", "x" * 300, "漢" * 100, "a ")


def export(
    path: Path, folder: Path, splits: Sequence[str] = SPLITS, *, overwrite: bool = False
) -> Exported:
    """Export splits of the dataset at `path`."""
    with open_dataset(path) as dataset:
        return export_dataset(dataset, folder, splits, overwrite=overwrite)


def split_digests(split: Split, classes: Sequence[str]) -> Counter[tuple[bytes, str]]:
    """How often each pair of digest and class occurs in a split."""
    return Counter(
        (digest.tobytes(), classes[label])
        for digest, label in zip(split.digest, split.labels, strict=True)
    )


def all_digests(dataset: Dataset) -> Counter[tuple[bytes, str]]:
    """How often each pair of digest and class occurs in the three splits together."""
    counts = (split_digests(split, dataset.classes) for split in dataset.splits)
    return sum(counts, Counter())


def write_bordered(path: Path, classes: Sequence[str], count: int) -> Path:
    """A dataset with `count` pictures of noise in each split, each with a rim of paper."""
    rng, spec = np.random.default_rng(0), ImageSpec(size=12)
    with writing_dataset(path, classes, spec, overwrite=True) as writer:
        for split in SPLITS:
            images = np.zeros((count, 12, 12), np.uint8)
            images[:, 1:-1, 1:-1] = rng.integers(0, 256, (count, 10, 10))
            labels = (np.arange(count) % len(classes)).astype(np.int32)
            source = np.array([f"{split}:{at}".encode() for at in range(count)], "S20")
            group = np.array([b"w%d" % (at % 5) for at in range(count)], "S4")
            rows = Rows(
                images=images, labels=labels, source=source, digest=digests(images), group=group
            )
            with writer.split(split, count, like=rows) as out:
                for start in range(0, count, CHUNK):
                    out.append(rows[start : start + CHUNK])
        writer.finish({"tool": "test"})
    return path


def test_packing_what_was_exported_makes_the_same_pictures(tmp_path: Path) -> None:
    """Packing a split that was exported gives its pixels and classes, whatever their names."""
    write_bordered(tmp_path / "d.h5", NAMES, 200)

    exported = export(tmp_path / "d.h5", tmp_path / "out", ["validation"])
    report = packed(tmp_path / "out", tmp_path / "again.h5", Packing(spec=ImageSpec(size=12)))

    assert exported == Exported(pictures=200, copies=0, edge=0, splits=("validation",))
    assert report.ignored.first == [("pictures.csv", "lies beside the class folders")]
    with open_dataset(tmp_path / "d.h5") as before, open_dataset(tmp_path / "again.h5") as after:
        again = sum((split_digests(split, after.classes) for split in after.splits), Counter())
        assert again == split_digests(before.validation, before.classes)


@pytest.mark.parametrize("count", [200, 300])
def test_an_export_packs_to_the_same_dataset_split_and_all(tmp_path: Path, count: int) -> None:
    """Packing all that was exported gives the same pictures and classes in the same splits."""
    write_bordered(tmp_path / "d.h5", NAMES, count)

    export(tmp_path / "d.h5", tmp_path / "out")
    packed(tmp_path / "out", tmp_path / "again.h5", Packing(spec=ImageSpec(size=12)))

    with open_dataset(tmp_path / "d.h5") as before, open_dataset(tmp_path / "again.h5") as after:
        assert sorted(after.classes) == sorted(before.classes)
        for old, new in zip(before.splits, after.splits, strict=True):
            assert split_digests(new, after.classes) == split_digests(old, before.classes), old.name


def test_ink_is_dark_on_white_and_the_list_has_a_line_for_each_picture(tmp_path: Path) -> None:
    """A line holds path, class, split, source and group; the file has the row's pixels inverted."""
    write_bordered(tmp_path / "d.h5", ("a/b", "Ж"), 20)

    export(tmp_path / "d.h5", tmp_path / "out")

    with (tmp_path / "out/pictures.csv").open(encoding="utf-8", newline="") as file:
        lines = {line["path"]: line for line in csv.DictReader(file)}
    files = {str(path.relative_to(tmp_path / "out")) for path in tmp_path.glob("out/*/*/*")}
    assert set(lines) == files
    with open_dataset(tmp_path / "d.h5") as dataset:
        image = dataset.test.images[3]
    path = "test/Ж/0000003.png"
    written = cv2.imdecode(
        np.frombuffer((tmp_path / "out" / path).read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED
    )
    assert written is not None
    assert np.array_equal(written, 255 - image)
    assert lines[path] == {
        "path": path,
        "class": "Ж",
        "split": "test",
        "source": "test:3",
        "group": "w3",
    }
    assert lines["train/a%2Fb/0000000.png"]["class"] == "a/b"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*SPLITS, "pictures.csv"}
    with open_dataset(tmp_path / "d.h5") as dataset:
        assert len(files) == sum(map(len, dataset.splits))
        for path, line in lines.items():
            split, folder, name = path.split("/")
            row = int(name.removesuffix(".png"))
            label = dataset.split(split).labels[row]
            assert (line["split"], line["source"]) == (split, f"{split}:{row}")
            assert (folder, line["class"]) == (["a%2Fb", "Ж"][label], dataset.classes[label])


def test_one_split_is_exported_alone(tmp_path: Path) -> None:
    """The option --split writes that split's pictures alone, and an empty split is refused."""
    write_packed(tmp_path / "d.h5", (300, 20, 0))

    assert main([str(tmp_path / "d.h5"), str(tmp_path / "v"), "--split", "validation"]) == 0
    with (
        open_dataset(tmp_path / "d.h5") as dataset,
        pytest.raises(InkfoldError, match="no picture in test; export another split"),
    ):
        export_dataset(dataset, tmp_path / "t", ("test",), overwrite=False)

    names = sorted(path.name for path in tmp_path.glob("v/*/*"))
    assert names == [f"validation-{row:07d}.png" for row in range(20)]
    assert not (tmp_path / "t").exists()
    export(tmp_path / "d.h5", tmp_path / "all")
    assert {path.name for path in (tmp_path / "all").iterdir()} == {
        *("train", "validation", "pictures.csv")
    }, "a split without pictures has no folder"


def test_copies_are_left_out(tmp_path: Path) -> None:
    """The export of an augmented dataset holds the files that its packed dataset gives."""
    write_packed(tmp_path / "d.h5", (300, 20, 10), size=12)
    augmentation = Augmentation(Distortion(sigma=3.0, alpha=5.0), copies=2)
    target = tmp_path / "more.h5"
    with open_dataset(tmp_path / "d.h5") as packed:
        augment_dataset(packed, target, augmentation, crew=Crew(InProcess(), lambda: 1))

    exported = export(target, tmp_path / "out")
    export(tmp_path / "d.h5", tmp_path / "originals")

    assert (exported.pictures, exported.copies) == (330, 600)
    assert len(list((tmp_path / "originals").glob("*/*/*"))) == 330
    contents = [
        Counter(path.read_bytes() for path in (tmp_path / name).glob("*/*/*"))
        for name in ("out", "originals")
    ]
    assert contents[0] == contents[1]


def write_inked_edges(path: Path) -> Path:
    """A dataset with 45 pictures to train on, with ink on 0 to 44 pixels of the edge."""
    images = np.zeros((45, 12, 12), np.uint8)
    edge = np.argwhere(np.pad(np.zeros((10, 10), bool), 1, constant_values=True))
    for inked, image in enumerate(images):
        image[5, 5] = 200
        image[tuple(edge[:inked].T)] = 100
    rows = Rows(
        images=images,
        labels=np.zeros(45, np.int32),
        source=np.array([b"x"] * 45, "S1"),
        digest=digests(images),
    )
    with writing_dataset(path, "a", ImageSpec(size=12), overwrite=False) as writer:
        for split, count in zip(SPLITS, (45, 0, 0), strict=True):
            with writer.split(split, count, like=rows) as out:
                if count:
                    out.append(rows)
        writer.finish({"tool": "test"})
    return path


@pytest.mark.parametrize("ink", ["dark", "auto"])
def test_ink_along_the_edge_is_counted(tmp_path: Path, ink: Ink) -> None:
    """The count is that of the pictures which packing changes, with --ink dark the same ones."""
    write_inked_edges(tmp_path / "d.h5")

    exported = export(tmp_path / "d.h5", tmp_path / "out", ["train"])
    packed(tmp_path / "out", tmp_path / "again.h5", Packing(spec=ImageSpec(size=12, ink=ink)))

    with open_dataset(tmp_path / "d.h5") as before, open_dataset(tmp_path / "again.h5") as after:
        changed = (all_digests(before) - all_digests(after)).total()
    assert 15 < exported.edge == changed < 30


def test_only_an_export_is_replaced(tmp_path: Path) -> None:
    """An export is replaced with --overwrite alone, and a folder that is no export never is."""
    path = write_packed(tmp_path / "d.h5", (20, 5, 5))
    export(path, tmp_path / "out")
    (tmp_path / "mine/a").mkdir(parents=True)

    with pytest.raises(InkfoldError, match="already exists; add --overwrite"):
        export(path, tmp_path / "out")
    with pytest.raises(InkfoldError, match="is not an exported folder"):
        export(path, tmp_path / "mine", overwrite=True)
    export(path, tmp_path / "out", overwrite=True)

    assert (tmp_path / "mine/a").is_dir()
    assert len(list(tmp_path.glob("out/*/*/*"))) == 30


def test_the_command_says_what_it_did(tmp_path: Path) -> None:
    """The command ``inkfold export`` counts what it wrote, and reports a wrong path in one line."""
    write_packed(tmp_path / "d.h5", (20, 5, 5))

    right = run_script("inkfold/commands/main.py", "export", "d.h5", "out dir", cwd=tmp_path)
    wrong = run_script("inkfold/commands/main.py", "export", "nowhere.h5", "x", cwd=tmp_path)

    assert right.returncode == 0, right.stderr
    first, last = right.stdout.decode().splitlines()
    assert first.startswith("out dir: 30 pictures from d.h5, written in ")
    assert last == "to pack it again: inkfold create_dataset 'out dir' --size 16"
    assert wrong.returncode == 2
    assert wrong.stderr.startswith(b"error: nowhere.h5: no such dataset")


def test_folder_names_by_hand() -> None:
    """Safe characters stay as they are, and each byte of the others becomes % and two digits."""
    assert folder_names(["7", "Ж", "a b", "x.y", "-"]) == ["7", "Ж", "a b", "x.y", "-"]
    assert folder_names(["/", "\\", "a:b", "%", "*?", "\n"]) == [
        "%2F",
        "%5C",
        "a%3Ab",
        "%25",
        "%2A%3F",
        "%0A",
    ]
    assert folder_names([".", "..", ".x", "x.", "x "]) == ["%2E", "%2E%2E", "%2Ex", "x%2E", "x%20"]
    assert folder_names(["CON", "nul.txt", "COM1", "CONE", "Pictures.csv"]) == [
        "%43ON",
        "%6Eul.txt",
        "%43OM1",
        "CONE",
        "%50ictures.csv",
    ]
    assert folder_names(["A", "a", "B", "Cd", "cD"]) == ["%41", "a", "B", "Cd", "%63%44"]
    assert folder_names(["é", "e\u0301"]) == ["é", "%65%CC%81"]
    assert folder_names(["ß", "ss"]) == ["%C3%9F", "ss"]
    assert folder_names([""]) == ["%"]


@settings(deadline=None, derandomize=True, max_examples=300)
@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
        | st.sampled_from(NAMES)
        | st.text("aAbB.%/ ", max_size=4),
        unique=True,
        max_size=12,
    )
)
def test_folder_names_are_safe_different_and_can_be_read_back(classes: list[str]) -> None:
    """Any class names give unique folder names, even on systems that ignore capital letters."""
    names = folder_names(classes)

    assert len({name.casefold() for name in names}) == len(classes)
    for name, original in zip(names, classes, strict=True):
        assert 0 < len(name.encode()) <= LONGEST
        assert not set(name) & set('<>:"/\\|?*\0\n')
        assert name[0] != "."
        assert name[-1] not in ". "
        if name != "%" and "%~" not in name:
            assert unquote(name) == original


def test_an_import_survives_export_and_packing(tmp_path: Path) -> None:
    """The pictures of an imported set come back, in their classes."""
    made = Made((0, 1, 2) * 30, sides=("train", "train", "test"), groups=("w1", "w2", None, "w3"))
    imported(made.collection(), tmp_path / "d.h5", Importing(format="made-up"))

    export(tmp_path / "d.h5", tmp_path / "out")
    packed(tmp_path / "out", tmp_path / "again.h5", Packing())

    with open_dataset(tmp_path / "d.h5") as before, open_dataset(tmp_path / "again.h5") as after:
        assert after.classes == ("a/b", "c", "Ж")
        for old, new in zip(before.splits, after.splits, strict=True):
            assert split_digests(new, after.classes) == split_digests(old, before.classes), old.name


@pytest.mark.slow
def test_real_mnist_survives_export_and_packing(tmp_path: Path) -> None:
    """The 10,000 test pictures, imported at 32x32, come back with the same pixels and classes."""
    collection = FORMATS["idx"].read(real("mnist") / "t10k-images-idx3-ubyte.gz")
    imported(collection, tmp_path / "d.h5", Importing(format="idx"))

    exported = export(tmp_path / "d.h5", tmp_path / "out", ["test"])
    packed(tmp_path / "out", tmp_path / "again.h5", Packing())

    assert exported == Exported(pictures=10_000, copies=0, edge=0, splits=("test",))
    with open_dataset(tmp_path / "d.h5") as before, open_dataset(tmp_path / "again.h5") as after:
        assert all_digests(after) == all_digests(before)
