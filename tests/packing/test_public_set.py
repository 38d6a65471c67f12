"""A public set becomes a dataset file, with the steps and promises of packing a folder."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pytest

from inkfold.crew import Crew
from inkfold.dataset.digests import digests
from inkfold.dataset.reader import Dataset, open_dataset
from inkfold.errors import InkfoldError
from inkfold.importers.collection import Collection, Glyph, Official
from inkfold.importers.formats import FORMATS
from inkfold.packing.pack import Report
from inkfold.packing.public_set import Importing, import_collection
from inkfold.picture import prepare
from inkfold.spec import SPLITS, Capture, ImageSpec, Ink
from inkfold.workers import InProcess, local_crew
from tests.worlds.drawn_pictures import glyph
from tests.worlds.foreign_files import write_idx
from tests.worlds.packing_run import silent
from tests.worlds.photographs import drawn, photograph, plain
from tests.worlds.reading import real

SMALL = Importing(format="made-up", spec=ImageSpec(size=12))


@dataclass(frozen=True)
class Made:
    """A set that is made up; its pictures have numbers from 0.

    Attributes
    ----------
    labels : tuple of int
        The label of each picture.
    sides, groups : tuples of str or None
        Side and group of the pictures, which take them in turn.
    twins : tuple of (int, int)
        The second picture has the pixels of the first.
    """

    labels: tuple[int, ...]
    sides: tuple[Official | None, ...] = (None,)
    groups: tuple[str | None, ...] = (None,)
    twins: tuple[tuple[int, int], ...] = ()

    def glyphs(self) -> Iterator[Glyph]:
        """Dark on light, every picture different, in the order of the numbers."""
        numbers = {second: first for first, second in self.twins}
        for at, label in enumerate(self.labels):
            pixels = glyph(np.random.default_rng(numbers.get(at, at)))
            yield Glyph(
                pixels=pixels,
                label=label,
                source=f"file:{at}",
                split=self.sides[at % len(self.sides)],
                group=self.groups[at % len(self.groups)],
            )

    def collection(
        self, classes: tuple[str, ...] = ("a/b", "Ж", "c"), ink: Ink = "dark"
    ) -> Collection:
        """The set as an importer gives it."""
        return collection(self.glyphs, classes=classes, ink=ink, count=len(self.labels))


def collection(
    glyphs: Callable[[], Iterator[Glyph]],
    *,
    classes: tuple[str, ...] = ("a",),
    ink: Ink = "dark",
    count: int = 1,
) -> Collection:
    """A set of these pictures."""
    return Collection(name="made-up", classes=classes, ink=ink, count=count, glyphs=glyphs)


def imported(
    public: Collection, output: Path, importing: Importing = SMALL, crew: Crew | None = None
) -> Report:
    """Import without a progress bar, by default in this process."""
    return import_collection(
        public,
        output,
        importing,
        crew=crew or Crew(InProcess(), lambda: 1),
        overwrite=True,
        progress=silent,
    )


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
    """Pixels, label, source and digest of each row belong together, over more than one chunk."""
    made = Made(tuple(np.random.default_rng(0).integers(0, 2, 600).tolist()))
    public = made.collection()
    pictures = [picture.pixels for picture in made.glyphs()]
    spec = replace(SMALL.spec, ink="dark")

    report = imported(public, tmp_path / "d.h5")

    assert report.plan.empty == ("c",)
    with open_dataset(tmp_path / "d.h5") as dataset:
        assert dataset.classes == ("a/b", "Ж")
        assert dataset.spec == SMALL.spec, "pictures to classify may have ink of either polarity"
        assert {at: name for at, (_, name) in rows(dataset).items()} == {
            at: public.classes[label] for at, label in enumerate(made.labels)
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


def test_the_set_s_own_polarity_of_ink_is_used(tmp_path: Path) -> None:
    """Ink is dark if the set says so, even where the picture alone would look light on dark."""
    grey = np.full((12, 12), 100, np.uint8)
    grey[2:6, 2:10], grey[8:10, 2:10] = 255, 30
    picture = Glyph(pixels=grey, label=0, source="file:0")

    imported(collection(lambda: iter([picture])), tmp_path / "d.h5")

    with open_dataset(tmp_path / "d.h5") as dataset:
        assert np.array_equal(dataset.train.images[0], 100 - np.minimum(grey, 100))


def test_the_set_s_own_test_stays_test(tmp_path: Path) -> None:
    """The set's train becomes train and validation, by 0.9 and 0.1 or by two numbers of --split."""
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


def test_the_set_s_own_validation_stays_and_its_train_is_not_divided(tmp_path: Path) -> None:
    """Every picture is in the split that the set gave it; a twin in two of them is a leak."""
    sides: tuple[Official, ...] = ("train", "validation", "test", "train")
    made = Made((0, 1) * 20, sides=sides, twins=((0, 1), (4, 6)))

    report = imported(made.collection(), tmp_path / "d.h5", SMALL)

    with open_dataset(tmp_path / "d.h5") as dataset:
        home = rows(dataset)
    assert {at: name for at, (name, _) in home.items()} == {at: sides[at % 4] for at in range(40)}
    assert report.plan.leaked == 2


def test_a_set_s_own_split_may_be_given_up(tmp_path: Path) -> None:
    """--resplit divides all pictures as those of a folder; else a set of test pictures is test."""
    made = Made((0,) * 50 + (1,) * 50, sides=("test",))

    report = imported(made.collection(), tmp_path / "own.h5")
    again = imported(made.collection(), tmp_path / "anew.h5", replace(SMALL, resplit=True))

    assert [len(order) for order in report.plan.orders] == [0, 0, 100]
    assert report.plan.missing == ()
    assert [len(order) for order in again.plan.orders] == [80, 10, 10]


def test_a_split_that_leaves_nothing_to_train_with_is_refused(tmp_path: Path) -> None:
    """For a set with its own test, --split 0,0,1 would leave its train without a split."""
    made = Made((0,) * 10, sides=("train", "test"))

    with pytest.raises(InkfoldError, match="leaves nothing for the rest; give fractions"):
        imported(made.collection(), tmp_path / "d.h5", replace(SMALL, fractions=(0.0, 0.0, 1.0)))
    assert not list(tmp_path.iterdir())


def test_identical_pictures_stay_together_unless_the_set_parts_them(tmp_path: Path) -> None:
    """Test pictures with a twin outside test are counted, and so are groups on both sides."""
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
    for at in range(10):  # train pictures of a writer: at, at + 10, at + 20
        assert home[at] == home[at + 10] == home[at + 20] != "test"
    with open_dataset(tmp_path / "whole.h5") as dataset:
        home = {at: split for at, (split, _) in rows(dataset).items()}
    assert all(len({home[at] for at in range(writer, 60, 10)}) == 1 for writer in range(10))


def test_groups_are_written_row_by_row(tmp_path: Path) -> None:
    """Each row has the name of its picture's group, which is empty if the group is unknown."""
    made = Made((0, 1) * 30, groups=("Ж1", None, "w200"))

    report = imported(made.collection(), tmp_path / "d.h5")

    assert report.plan.ungrouped == 20
    with open_dataset(tmp_path / "d.h5") as dataset:
        for name in SPLITS:
            split = dataset.split(name)
            at = [int(source[5:]) for source in split.source]
            assert split.group == [("Ж1", "", "w200")[number % 3] for number in at]


def test_a_writer_s_pictures_of_all_classes_stay_in_one_split(tmp_path: Path) -> None:
    """Each of twenty writers, who wrote both classes, is in one split."""
    made = Made((0, 1) * 100, groups=tuple(f"w{at // 10}" for at in range(200)))

    imported(made.collection(), tmp_path / "d.h5")

    with open_dataset(tmp_path / "d.h5") as dataset:
        home = {at: split for at, (split, _) in rows(dataset).items()}
    writers = [{home[at] for at in range(first, first + 10)} for first in range(0, 200, 10)]
    assert all(len(homes) == 1 for homes in writers)
    assert set.union(*writers) == set(SPLITS)


def test_only_packed_pictures_are_counted_as_ungrouped(tmp_path: Path) -> None:
    """Of a class without known writers five pictures are packed, and five are counted."""
    made = Made((0, 1) * 20, groups=("w", None))

    plan = imported(made.collection(), tmp_path / "d.h5", replace(SMALL, per_class=5)).plan

    assert plan.ungrouped == 5


def test_same_pixels_under_two_labels_are_conflicts(tmp_path: Path) -> None:
    """Two pictures with the same pixels and two labels are named by their sources."""
    made = Made((0, 1) * 10, twins=((2, 5), (4, 6)))

    plan = imported(made.collection(), tmp_path / "d.h5").plan

    assert (plan.duplicates, plan.conflicts.count) == (2, 1)
    assert plan.conflicts.first == [("file:2", "file:5")]


def test_large_classes_are_capped_and_small_classes_left_out(tmp_path: Path) -> None:
    """At most 10 pictures of a class are kept, and a class with fewer than 4 is left out."""
    made = Made((0,) * 40 + (1,) * 20 + (2,) * 3)
    importing = replace(SMALL, per_class=10, min_per_class=4)

    plan = imported(made.collection(), tmp_path / "d.h5", importing).plan

    assert plan.dropped == (("c", 3),)
    assert plan.classes == ("a/b", "Ж")
    assert sum(map(len, plan.orders)) == 20


def test_the_split_goes_by_content_not_by_place(tmp_path: Path) -> None:
    """Pictures in reverse order and prepared at another size get the same split."""
    made = Made(tuple(at % 2 for at in range(100)))
    turned = collection(lambda: reversed(list(made.glyphs())), classes=("a", "b"), count=100)

    imported(made.collection(), tmp_path / "one.h5")
    imported(turned, tmp_path / "turned.h5", replace(SMALL, spec=ImageSpec(size=20)))

    homes = []
    for name in ("one.h5", "turned.h5"):
        with open_dataset(tmp_path / name) as dataset:
            homes.append({at: split for at, (split, _) in rows(dataset).items()})
    assert homes[0] == homes[1]


def test_transposing_exchanges_rows_and_columns(tmp_path: Path) -> None:
    """With --transpose each picture is packed with its rows as columns."""
    made = Made((0,))

    imported(made.collection(), tmp_path / "d.h5", replace(SMALL, transpose=True))

    upright = next(made.glyphs()).pixels
    with open_dataset(tmp_path / "d.h5") as dataset:
        assert np.array_equal(dataset.train.images[0], prepare(upright.T.copy(), SMALL.spec))


def test_the_same_bytes_wherever_the_files_lie(tmp_path: Path) -> None:
    """Files in two folders give the same bytes; another seed gives another validation split."""
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
    """The fingerprint differs if a source is renamed or a picture redrawn, and else is the same."""
    glyphs = list(Made((0,) * 5).glyphs())
    renamed = [replace(glyphs[0], source="other:0"), *glyphs[1:]]
    redrawn = [replace(glyphs[0], pixels=255 - glyphs[0].pixels), *glyphs[1:]]
    prints = []
    for pictures in (glyphs, renamed, redrawn, glyphs):
        imported(collection(partial(iter, pictures), count=5), tmp_path / "d.h5")
        with open_dataset(tmp_path / "d.h5") as dataset:
            prints.append(dataset.provenance["source"]["fingerprint"])

    assert len(set(prints)) == 3
    assert prints[0] == prints[3]


def test_a_set_that_tears_on_the_way_leaves_nothing(tmp_path: Path) -> None:
    """A set whose file ends too early, or without pictures, leaves no dataset and no scratch."""

    def torn() -> Iterator[Glyph]:
        yield from Made((0,) * 700).glyphs()
        raise InkfoldError("x: ends at byte 7")

    for glyphs, message in ((torn, "ends at byte 7"), (lambda: iter(()), "holds no picture")):
        with pytest.raises(InkfoldError, match=message):
            imported(collection(glyphs, count=700), tmp_path / "d.h5")
    assert not list(tmp_path.iterdir())


def test_a_picture_without_pixels_is_named(tmp_path: Path) -> None:
    """A picture that cannot be prepared is refused with its source in the message."""
    empty = Glyph(pixels=np.empty((0, 3), np.uint8), label=0, source="file:8")

    with pytest.raises(InkfoldError, match=r"file:8: pixels have the shape \(0, 3\)"):
        imported(collection(lambda: iter([empty])), tmp_path / "d.h5")


@pytest.mark.slow
def test_memory_does_not_grow_with_the_set(tmp_path: Path) -> None:
    """More pictures take some 30 bytes of memory each, not the space of their pixels."""
    peaks = []
    for count in (2_000, 20_000, 100_000):
        glyphs = partial(_many, count)
        public = collection(glyphs, ink="light", count=count)
        imported(public, tmp_path / "d.h5", Importing(format="x"))
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    assert peaks[2] - peaks[1] < 16_000, "KiB; 80,000 pictures are 80,000 KiB"


def _many(count: int) -> Iterator[Glyph]:
    rng = np.random.default_rng(0)
    for at in range(count):
        pixels = np.zeros((32, 32), np.uint8)
        pixels[1:-1, 1:-1] = rng.integers(0, 256, (30, 30), np.uint8)
        yield Glyph(pixels=pixels, label=0, source=f"file:{at}")


@pytest.mark.slow
def test_real_mnist_at_its_own_size_is_the_published_pictures(tmp_path: Path) -> None:
    """The dataset's test holds the 10,000 published test pictures bit for bit."""
    mnist = FORMATS["idx"].read(real("mnist"))

    report = imported(mnist, tmp_path / "d.h5", replace(SMALL, spec=ImageSpec(size=28)))

    test = {picture.source: picture for picture in mnist.glyphs() if picture.split == "test"}
    assert [len(order) for order in report.plan.orders] == [54_001, 5_999, 10_000]
    assert (report.plan.duplicates, report.plan.leaked) == (0, 0)
    with open_dataset(tmp_path / "d.h5") as dataset:
        images, labels = dataset.test.images[:], dataset.test.labels
        assert set(dataset.test.source) == set(test)
        for image, label, source in zip(images, labels, dataset.test.source, strict=True):
            assert np.array_equal(image, test[source].pixels)
            assert label == test[source].label


@pytest.mark.parametrize("capture", ["auto", "scan", "photo"])
def test_the_pictures_of_a_set_are_scans(tmp_path: Path, capture: Capture) -> None:
    """Photographs in a set are prepared as scans unless the capture is photo; the file keeps it."""
    rng = np.random.default_rng(0)
    taken = [photograph(drawn(name, rng), replace(plain(rng), side=200), rng) for name in "ABAB"]
    glyphs = [
        Glyph(pixels=taken[at], label=at % 2, source=f"file:{at}", split=None, group=None)
        for at in range(4)
    ]
    collection = Collection(
        name="taken", classes=("A", "B"), ink="dark", count=4, glyphs=lambda: iter(glyphs)
    )
    spec = ImageSpec(size=20, ink="dark", capture=capture)
    importing = Importing(format="made-up", spec=spec, fractions=(1, 0, 0))

    report = import_collection(
        collection,
        tmp_path / "d.h5",
        importing,
        crew=Crew(InProcess(), lambda: 1),
        overwrite=False,
        progress=silent,
    )

    as_used = replace(spec, capture="photo" if capture == "photo" else "scan")
    wanted = {prepare(picture, as_used).tobytes() for picture in taken}
    with open_dataset(tmp_path / "d.h5") as dataset:
        assert dataset.spec == spec
        assert {image.tobytes() for image in dataset.train.images[:]} == wanted
    assert report.photographs == (4 if capture == "photo" else 0)


def test_the_file_is_the_same_for_any_crew(tmp_path: Path) -> None:
    """One process, two others, and threads with larger pieces write the same bytes."""
    public = Made((0, 1, 2) * 240, groups=("w1", None, "w2", "w3")).collection()

    imported(public, tmp_path / "alone")
    with ThreadPoolExecutor(3) as threads:
        imported(public, tmp_path / "threads", crew=Crew(threads, lambda: 3, far=True))
    with local_crew(2) as processes:
        imported(public, tmp_path / "processes", crew=processes)

    expected = (tmp_path / "alone").read_bytes()
    assert expected == (tmp_path / "threads").read_bytes()
    assert expected == (tmp_path / "processes").read_bytes()
