"""A public set becomes a dataset file: the same steps and promises as packing a folder."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pytest

from inkfold.dataset.reader import Dataset, open_dataset
from inkfold.dataset.writer import digests
from inkfold.errors import InkfoldError
from inkfold.importers.collection import Collection, Glyph
from inkfold.importers.formats import FORMATS
from inkfold.packing.pack import Report
from inkfold.packing.public_set import Importing, import_collection
from inkfold.picture import prepare
from inkfold.spec import SPLITS, ImageSpec, Ink
from tests.worlds.drawn_pictures import glyph
from tests.worlds.foreign_files import write_idx
from tests.worlds.packing_run import silent
from tests.worlds.reading import real

SMALL = Importing(format="made-up", spec=ImageSpec(size=12))


@dataclass(frozen=True)
class Made:
    """A set that is made up: for each picture its number and label, its side and its group."""

    labels: tuple[int, ...]
    sides: tuple[str | None, ...] = (None,)
    groups: tuple[str | None, ...] = (None,)
    twins: tuple[tuple[int, int], ...] = ()  # the second has the pixels of the first

    def glyphs(self) -> Iterator[Glyph]:
        """Dark on light, each another, in the order of the numbers."""
        numbers = {second: first for first, second in self.twins}
        for at, label in enumerate(self.labels):
            pixels = glyph(np.random.default_rng(numbers.get(at, at)))
            side = self.sides[at % len(self.sides)]
            group = self.groups[at % len(self.groups)]
            yield Glyph(pixels, label, f"file:{at}", side, group)  # type: ignore[arg-type]

    def collection(
        self, classes: tuple[str, ...] = ("a/b", "Ж", "c"), ink: Ink = "dark"
    ) -> Collection:
        """As an importer gives it."""
        return Collection("made-up", classes, ink, len(self.labels), self.glyphs)


def imported(collection: Collection, output: Path, importing: Importing = SMALL) -> Report:
    """Import without a sound."""
    return import_collection(collection, output, importing, overwrite=True, progress=silent)


def rows(dataset: Dataset) -> dict[int, tuple[str, str]]:
    """Split and class of each picture, by its number."""
    return {
        int(source.removeprefix("file:")): (name, dataset.classes[label])
        for name in SPLITS
        for source, label in zip(
            dataset.split(name).source, dataset.split(name).labels, strict=True
        )
    }


def test_every_picture_is_in_the_file_once_with_its_label(tmp_path: Path) -> None:
    """Pixels, label, source and digest of each row belong together, over more than one block."""
    made = Made(tuple(np.random.default_rng(0).integers(0, 2, 600).tolist()))
    collection = made.collection()
    pictures = [one.pixels for one in made.glyphs()]
    spec = replace(SMALL.spec, ink="dark")

    report = imported(collection, tmp_path / "d.h5")

    assert report.plan.empty == ("c",)
    with open_dataset(tmp_path / "d.h5") as dataset:
        assert dataset.classes == ("a/b", "Ж")
        assert dataset.spec == SMALL.spec, "whoever classifies may have ink on either side"
        assert {at: name for at, (_, name) in rows(dataset).items()} == {
            at: collection.classes[label] for at, label in enumerate(made.labels)
        }
        for name in SPLITS:
            split = dataset.split(name)
            images = split.images[:]
            assert np.array_equal(split.digest, digests(images))
            for image, source in zip(images, split.source, strict=True):
                assert np.array_equal(image, prepare(pictures[int(source[5:])], spec))
            assert np.count_nonzero(np.diff(split.labels)) > 5, "shuffled"
        sizes = [len(dataset.train), len(dataset.validation), len(dataset.test)]
        assert sizes == [len(order) for order in report.plan.orders] == [480, 60, 60]
        assert dataset.train.group is None


def test_the_set_s_own_side_of_the_ink_is_used(tmp_path: Path) -> None:
    """Where a glance at the picture would say the other: there is more above grey than below."""
    grey = np.full((12, 12), 100, np.uint8)
    grey[2:6, 2:10], grey[8:10, 2:10] = 255, 30
    collection = Collection("x", ("a",), "dark", 1, lambda: iter([Glyph(grey, 0, "file:0")]))

    imported(collection, tmp_path / "d.h5")

    with open_dataset(tmp_path / "d.h5") as dataset:
        assert np.array_equal(dataset.train.images[0], 100 - np.minimum(grey, 100))


def test_the_set_s_own_test_stays_test(tmp_path: Path) -> None:
    """Its train becomes train and validation, by 0.9 and 0.1 or by the first two of --split."""
    made = Made((0,) * 100 + (1,) * 100, sides=("train", "test", "train", "train"))
    for fractions, expected in (
        (None, [136, 14, 50]),
        ((0.4, 0.4, 0.2), [74, 76, 50]),
        ((1.0, 0.0, 0.0), [150, 0, 50]),
    ):
        imported(made.collection(), tmp_path / "d.h5", replace(SMALL, fractions=fractions))
        with open_dataset(tmp_path / "d.h5") as dataset:
            home = rows(dataset)
            sizes = [len(dataset.train), len(dataset.validation), len(dataset.test)]
        assert {at for at, (name, _) in home.items() if name == "test"} == set(range(1, 200, 4))
        assert sum(sizes) == 200
        assert np.abs(np.subtract(sizes, expected)).max() <= 2


def test_a_set_s_own_split_may_be_given_up(tmp_path: Path) -> None:
    """--resplit divides all pictures as those of a folder; test alone is otherwise test alone."""
    made = Made((0,) * 50 + (1,) * 50, sides=("test",))

    report = imported(made.collection(), tmp_path / "own.h5")
    again = imported(made.collection(), tmp_path / "anew.h5", replace(SMALL, resplit=True))

    assert [len(order) for order in report.plan.orders] == [0, 0, 100]
    assert report.plan.missing == ()
    assert [len(order) for order in again.plan.orders] == [80, 10, 10]


def test_a_split_that_leaves_nothing_to_train_with_is_refused(tmp_path: Path) -> None:
    """Where the test is the set's own."""
    made = Made((0,) * 10, sides=("train", "test"))

    with pytest.raises(InkfoldError, match="leaves nothing for the rest; give fractions"):
        imported(made.collection(), tmp_path / "d.h5", replace(SMALL, fractions=(0.0, 0.0, 1.0)))
    assert not list(tmp_path.iterdir())


def test_identical_pictures_stay_together_unless_the_set_parts_them(tmp_path: Path) -> None:
    """Parted ones are counted, by pictures of test; and so are groups."""
    writers = tuple(f"w{at % 10}" for at in range(60))
    twins = ((0, 30), (2, 32), (3, 13))
    apart = Made((0,) * 60, sides=("train",) * 30 + ("test",) * 30, groups=writers, twins=twins)
    whole = replace(apart, sides=(None,))

    parted = imported(apart.collection(), tmp_path / "apart.h5").plan
    plan = imported(whole.collection(), tmp_path / "whole.h5").plan

    assert (parted.leaked, parted.torn, parted.duplicates) == (2, 10, 3)
    assert (plan.leaked, plan.torn, plan.duplicates) == (0, 0, 3)
    with open_dataset(tmp_path / "apart.h5") as dataset:
        home = {at: split for at, (split, _) in rows(dataset).items()}
    assert all(home[at] == "test" for at in range(30, 60))
    for at in range(10):  # pictures of train with one writer: at, at + 10, at + 20
        assert home[at] == home[at + 10] == home[at + 20] != "test"
    with open_dataset(tmp_path / "whole.h5") as dataset:
        home = {at: split for at, (split, _) in rows(dataset).items()}
    assert all(len({home[at] for at in range(writer, 60, 10)}) == 1 for writer in range(10))


def test_groups_are_written_row_by_row(tmp_path: Path) -> None:
    """Empty for a picture of no known group."""
    made = Made((0, 1) * 30, groups=("Ж1", None, "w200"))

    report = imported(made.collection(), tmp_path / "d.h5")

    assert report.plan.ungrouped == 20
    with open_dataset(tmp_path / "d.h5") as dataset:
        for name in SPLITS:
            split = dataset.split(name)
            at = [int(source[5:]) for source in split.source]
            assert split.group == [("Ж1", "", "w200")[number % 3] for number in at]


def test_a_writer_s_pictures_of_all_classes_stay_in_one_split(tmp_path: Path) -> None:
    """Twenty writers, each with pictures of both classes in turn."""
    made = Made((0, 1) * 100, groups=tuple(f"w{at // 10}" for at in range(200)))

    imported(made.collection(), tmp_path / "d.h5")

    with open_dataset(tmp_path / "d.h5") as dataset:
        home = {at: split for at, (split, _) in rows(dataset).items()}
    writers = [{home[at] for at in range(first, first + 10)} for first in range(0, 200, 10)]
    assert all(len(homes) == 1 for homes in writers)
    assert set.union(*writers) == set(SPLITS)


def test_pictures_of_no_group_are_counted_among_those_that_are_kept(tmp_path: Path) -> None:
    """One class of writers, one of nobody; five of each are drawn."""
    made = Made((0, 1) * 20, groups=("w", None))

    plan = imported(made.collection(), tmp_path / "d.h5", replace(SMALL, per_class=5)).plan

    assert plan.ungrouped == 5


def test_same_pixels_under_two_labels_are_conflicts(tmp_path: Path) -> None:
    """Named by where they come from."""
    made = Made((0, 1) * 10, twins=((2, 5), (4, 6)))

    plan = imported(made.collection(), tmp_path / "d.h5").plan

    assert (plan.duplicates, plan.conflicts.count) == (2, 1)
    assert plan.conflicts.first == [("file:2", "file:5")]


def test_per_class_and_min_per_class(tmp_path: Path) -> None:
    """As in packing."""
    made = Made((0,) * 40 + (1,) * 20 + (2,) * 3)
    importing = replace(SMALL, per_class=10, min_per_class=4)

    plan = imported(made.collection(), tmp_path / "d.h5", importing).plan

    assert plan.dropped == (("c", 3),)
    assert plan.classes == ("a/b", "Ж")
    assert sum(map(len, plan.orders)) == 20


def test_the_split_goes_by_content_not_by_place(tmp_path: Path) -> None:
    """Pictures in another order of the files, prepared at another size: the same split."""
    made = Made(tuple(at % 2 for at in range(100)))
    turned = Collection("x", ("a", "b"), "dark", 100, lambda: reversed(list(made.glyphs())))

    imported(made.collection(), tmp_path / "one.h5")
    imported(turned, tmp_path / "other.h5", replace(SMALL, spec=ImageSpec(size=20)))

    homes = []
    for name in ("one.h5", "other.h5"):
        with open_dataset(tmp_path / name) as dataset:
            homes.append({at: split for at, (split, _) in rows(dataset).items()})
    assert homes[0] == homes[1]


def test_transposing_exchanges_rows_and_columns(tmp_path: Path) -> None:
    """For a file whose name does not tell."""
    made = Made((0,))

    imported(made.collection(), tmp_path / "d.h5", replace(SMALL, transpose=True))

    upright = next(made.glyphs()).pixels
    with open_dataset(tmp_path / "d.h5") as dataset:
        assert np.array_equal(dataset.train.images[0], prepare(upright.T.copy(), SMALL.spec))


def test_the_same_bytes_wherever_the_files_lie(tmp_path: Path) -> None:
    """Real files of a format, in two folders; and for another seed others."""
    for place in ("here", "far/away"):
        write_idx(tmp_path / place, "train", [at % 7 for at in range(200)])
        write_idx(tmp_path / place, "t10k", [at % 7 for at in range(90)])
    read = FORMATS["idx"].read

    imported(read(tmp_path / "here"), tmp_path / "one.h5")
    imported(read(tmp_path / "far/away"), tmp_path / "two.h5")
    imported(read(tmp_path / "here"), tmp_path / "seed.h5", replace(SMALL, seed=1))

    one = (tmp_path / "one.h5").read_bytes()
    assert one == (tmp_path / "two.h5").read_bytes()
    homes = []
    for name in ("one.h5", "seed.h5"):
        with open_dataset(tmp_path / name) as dataset:
            homes.append(set(dataset.validation.source))
            assert "made-up" in str(dataset.provenance["options"])
    assert homes[0] != homes[1]
    with h5py.File(tmp_path / "one.h5") as file:
        assert str(tmp_path) not in file.attrs["provenance"]


def test_the_source_s_fingerprint_stands_for_names_and_pixels(tmp_path: Path) -> None:
    """Another place in the files or another picture makes it another."""
    glyphs = list(Made((0,) * 5).glyphs())
    renamed = [replace(glyphs[0], source="other:0"), *glyphs[1:]]
    redrawn = [replace(glyphs[0], pixels=255 - glyphs[0].pixels), *glyphs[1:]]
    prints = []
    for some in (glyphs, renamed, redrawn, glyphs):
        imported(Collection("x", ("a",), "dark", 5, partial(iter, some)), tmp_path / "d.h5")
        with open_dataset(tmp_path / "d.h5") as dataset:
            prints.append(dataset.provenance["source"]["fingerprint"])

    assert len(set(prints)) == 3
    assert prints[0] == prints[3]


def test_a_set_that_tears_on_the_way_leaves_nothing(tmp_path: Path) -> None:
    """Neither a file nor scratch; nor does an empty set."""

    def torn() -> Iterator[Glyph]:
        yield from Made((0,) * 700).glyphs()
        raise InkfoldError("x: ends at byte 7")

    for glyphs, message in ((torn, "ends at byte 7"), (lambda: iter(()), "holds no picture")):
        with pytest.raises(InkfoldError, match=message):
            imported(Collection("x", ("a",), "dark", 700, glyphs), tmp_path / "d.h5")
    assert not list(tmp_path.iterdir())


def test_an_impossible_picture_is_named(tmp_path: Path) -> None:
    """By where it comes from."""
    empty = Glyph(np.empty((0, 3), np.uint8), 0, "file:8")

    with pytest.raises(InkfoldError, match=r"file:8: pixels have the shape \(0, 3\)"):
        imported(Collection("x", ("a",), "dark", 1, lambda: iter([empty])), tmp_path / "d.h5")


@pytest.mark.slow
def test_memory_does_not_grow_with_the_set(tmp_path: Path) -> None:
    """A set of ten times the pictures takes some 30 bytes a picture more, not their pixels."""
    peaks = []
    for count in (2_000, 20_000, 100_000):
        glyphs = partial(_many, count)
        imported(
            Collection("x", ("a",), "light", count, glyphs),
            tmp_path / "d.h5",
            Importing(format="x"),
        )
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    assert peaks[2] - peaks[1] < 16_000, "KiB; 80,000 pictures are 80,000 KiB"


def _many(count: int) -> Iterator[Glyph]:
    rng = np.random.default_rng(0)
    for at in range(count):
        pixels = np.zeros((32, 32), np.uint8)
        pixels[1:-1, 1:-1] = rng.integers(0, 256, (30, 30), np.uint8)
        yield Glyph(pixels, 0, f"file:{at}")


@pytest.mark.slow
def test_real_mnist_at_its_own_size_is_the_published_pictures(tmp_path: Path) -> None:
    """All 10,000 test pictures bit for bit, and the test is theirs."""
    collection = FORMATS["idx"].read(real("mnist"))

    report = imported(collection, tmp_path / "d.h5", replace(SMALL, spec=ImageSpec(size=28)))

    test = {one.source: one for one in collection.glyphs() if one.split == "test"}
    assert [len(order) for order in report.plan.orders] == [54_001, 5_999, 10_000]
    assert (report.plan.duplicates, report.plan.leaked) == (0, 0)
    with open_dataset(tmp_path / "d.h5") as dataset:
        images, labels = dataset.test.images[:], dataset.test.labels
        assert set(dataset.test.source) == set(test)
        for image, label, source in zip(images, labels, dataset.test.source, strict=True):
            assert np.array_equal(image, test[source].pixels)
            assert label == test[source].label
