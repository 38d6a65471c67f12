"""Split folders: which folders are taken for splits, and what becomes of their pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inkfold.dataset.reader import open_dataset
from inkfold.errors import InkfoldError
from inkfold.packing.layout import Layout
from inkfold.packing.pack import Report
from tests.worlds.drawn_pictures import encode, glyph
from tests.worlds.packing_run import SMALL, homes, packed

LOOKS = "look like splits, but"


def draw(root: Path, *folders: str, count: int = 4, seed: int = 0) -> Path:
    """Draw different pictures into each of the folders under a root, which is returned."""
    rng = np.random.default_rng(seed)
    for folder in folders:
        (root / folder).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            (root / folder / f"{number}.png").write_bytes(encode(".png", glyph(rng)))
    return root


def pack_as(
    root: Path, layout: Layout = "auto", *, resplit: bool = False
) -> tuple[Report, dict[str, str]]:
    """The report, and the split of every picture."""
    packing = replace(SMALL, layout=layout, resplit=resplit)
    report = packed(root, root.parent / "d.h5", packing)
    with open_dataset(root.parent / "d.h5") as dataset:
        return report, homes(dataset)


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [("train", "val", "test"), ("Training", "VALID", "Testing"), ("trn", "dev", "eval")],
)
@pytest.mark.parametrize("inside", [False, True], ids=["above", "inside"])
def test_split_folders_are_kept_as_the_split(
    tmp_path: Path, train: str, validation: str, test: str, *, inside: bool
) -> None:
    """Whatever people call them, above the classes or inside, pictures stay where they are."""
    names = {train: "train", validation: "validation", test: "test"}
    folders = [f"{c}/{s}" if inside else f"{s}/{c}" for s in names for c in "ab"]
    root = draw(tmp_path / "in", *folders)

    report, split = pack_as(root)

    assert report.plan.classes == ("a", "b")
    assert len(split) == 24
    for path, found in split.items():
        assert found == names[path.split("/")[1 if inside else 0]]
    place = "inside of" if inside else "above"
    assert (
        f"split folders {place} the class folders: 8 / 8 / 8 pictures of train" in report.remarks[0]
    )


def test_a_missing_validation_is_taken_from_train_and_a_missing_test_from_neither(
    tmp_path: Path,
) -> None:
    """Both are said; the pictures of the given test are not touched."""
    root = draw(tmp_path / "one/in", "train/a", "train/b", "test/a", "test/b", count=20)
    no_test = draw(tmp_path / "two/in", "train/a", "train/b", "val/a", "val/b", count=20)

    report, split = pack_as(root)
    other, other_split = pack_as(no_test)

    assert [list(split.values()).count(s) for s in ("train", "validation", "test")] == [36, 4, 40]
    assert all((home == "test") == path.startswith("test/") for path, home in split.items())
    assert any("no validation was given: 4 pictures of train are it" in r for r in report.remarks)
    assert set(other_split.values()) == {"train", "validation"}
    assert any("no test was given: there is none" in r for r in other.remarks)


def test_resplit_divides_split_folders_anew(tmp_path: Path) -> None:
    """All pictures are divided by the fractions, whatever folder they lay in."""
    root = draw(tmp_path / "in", "train/a", "train/b", "test/a", "test/b", count=20)

    report, split = pack_as(root, resplit=True)

    assert report.plan.classes == ("a", "b")
    assert [list(split.values()).count(s) for s in ("train", "validation", "test")] == [64, 8, 8]
    assert any(home != "test" for path, home in split.items() if path.startswith("test/"))


def test_twins_across_given_splits_are_counted_as_leaks(tmp_path: Path) -> None:
    """A picture of validation that is also in train leaks, and one of test that is elsewhere."""
    root = draw(tmp_path / "in", "train/a", "val/a", "test/a", "train/b", "val/b", "test/b")
    twin = (root / "train/a/0.png").read_bytes()
    (root / "val/a/again.png").write_bytes(twin)
    (root / "test/b/again.png").write_bytes(twin)

    report, _ = pack_as(root)

    assert report.plan.leaked == 2
    assert report.plan.conflicts.count == 1


def test_two_classes_that_are_called_train_and_test_are_classes(tmp_path: Path) -> None:
    """Folders that hold pictures and no folders are classes, whatever they are called."""
    report, _ = pack_as(draw(tmp_path / "in", "train", "test", count=5))

    assert report.plan.classes == ("test", "train")


def test_classes_among_which_one_is_called_test_are_classes(tmp_path: Path) -> None:
    """One split's name alone, among other classes or folders inside, says nothing."""
    root = draw(tmp_path / "in", "test/w1", "car/w1", "bus/w1", "bus/test")

    report, _ = pack_as(root)

    assert report.plan.classes == ("bus", "car", "test")


@pytest.mark.parametrize(
    ("folders", "said"),
    [
        (("train/a", "test/a", "more/a"), "'test' and 'train' look like splits, but 'more' has no"),
        (("train/a", "test/a", "train"), "look like splits, but 'train' has pictures as well as"),
        (
            ("a/train", "a/test", "b"),
            "8 pictures lie in CLASS/train, CLASS/test and the like, 4 do",
        ),
    ],
    ids=["beside", "mixed", "inside of some"],
)
def test_what_can_be_read_in_two_ways_is_asked_about(
    tmp_path: Path, folders: tuple[str, ...], said: str
) -> None:
    """One line names what was found and both commands, and each of the commands works."""
    root = draw(tmp_path / "in", *folders)

    with pytest.raises(InkfoldError) as caught:
        pack_as(root)
    splits, split = pack_as(root, "splits")
    classes, _ = pack_as(root, "classes")

    text = str(caught.value)
    assert said in text
    assert f"create_dataset {root} --layout splits" in text
    assert f"create_dataset {root} --layout classes" in text
    assert splits.plan.classes == ("a",)
    assert len(split) == 8
    assert splits.ignored.count == 4
    assert classes.plan.classes == tuple(sorted({folder.split("/")[0] for folder in folders}))


def test_split_folders_that_are_asked_for_and_not_there_are_refused(tmp_path: Path) -> None:
    """The error shows both arrangements that are read."""
    with pytest.raises(InkfoldError, match=r"no split folders; expected .*train/CLASS"):
        pack_as(draw(tmp_path / "in", "a", "b"), "splits")


def test_a_folder_one_level_too_high_is_refused_with_the_right_command(tmp_path: Path) -> None:
    """A single folder that holds only folders of pictures is not taken for a class silently."""
    root = draw(tmp_path / "in", "set/a", "set/b", "set/c")

    with pytest.raises(InkfoldError) as caught:
        pack_as(root)
    report, _ = pack_as(root, "classes")

    assert "holds one folder, 'set', with 3 folders of pictures in it ('a', 'b', 'c', ...)" in str(
        caught.value
    )
    assert f"create_dataset {root / 'set'};" in str(caught.value)
    assert report.plan.classes == ("set",)


def test_classes_that_seem_to_lie_one_level_deeper_are_pointed_out(tmp_path: Path) -> None:
    """Folders of writers over folders of classes are packed as they stand, with a warning."""
    writers = draw(tmp_path / "one/in", "w1/a", "w1/b", "w2/a", "w2/b")
    classes = draw(tmp_path / "two/in", "a/w1", "a/w2", "b/w3", "b/w4")

    warned, _ = pack_as(writers)
    quiet, _ = pack_as(classes)
    followed = packed(
        writers,
        tmp_path / "d.h5",
        replace(SMALL, label_by="^[^/]+/([^/]+)/", group_by="^([^/]+)/"),
    )

    assert warned.plan.classes == ("w1", "w2")
    assert "hold only folders, which have the same names ('a', 'b', ...)" in warned.remarks[0]
    assert quiet.remarks == ()
    assert followed.plan.classes == ("a", "b")


def test_the_file_does_not_depend_on_the_number_of_workers_or_on_the_disks_order(
    tmp_path: Path,
) -> None:
    """Split folders pack to the same bytes from a copy whose folders were made in another order."""
    one = draw(tmp_path / "one/in", "train/a", "train/b", "test/b", "test/a", count=6)
    names = sorted(path.relative_to(one) for path in one.rglob("*.png"))
    for name in reversed(names):
        copy = tmp_path / "two/in" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((one / name).read_bytes())

    pack_as(one)
    pack_as(tmp_path / "two/in")

    assert (tmp_path / "one/d.h5").read_bytes() == (tmp_path / "two/d.h5").read_bytes()


def test_two_names_together_can_be_a_class(tmp_path: Path) -> None:
    """Alphabets over characters, as in Omniglot, are packed by the expression that is proposed."""
    root = draw(tmp_path / "in", "Greek/1", "Greek/2", "Latin/1", "Latin/2")

    warned, _ = pack_as(root)
    report = packed(root, tmp_path / "d.h5", replace(SMALL, label_by="^[^/]+/[^/]+"))

    assert "both names together are a class: --label-by '^[^/]+/[^/]+'" in warned.remarks[0]
    assert report.plan.classes == ("Greek/1", "Greek/2", "Latin/1", "Latin/2")
