"""The cleaned copy: which pictures are dropped, which stay as they were, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inkfold.audit.audit import audit
from inkfold.audit.clean import KEPT, WHY, plan_cleaning, write_cleaned
from inkfold.augmentation.augment import Augmentation, augment_dataset
from inkfold.dataset.reader import Dataset, open_dataset
from inkfold.errors import InkfoldError
from inkfold.recipe import Distortion
from inkfold.spec import SPLITS
from inkfold.workers import local_crew
from tests.worlds.audited import clean_splits, write_splits


def cleaned(dataset: Dataset, output: Path) -> tuple[dict[str, int], dict[int, str]]:
    """Write the cleaned copy; give its counts, and the reason of each place that is dropped."""
    result = audit(dataset)
    cleaning = plan_cleaning(result.originals, result.faults, result.repeats)
    counts = write_cleaned(dataset, result.originals, cleaning, output, overwrite=False)
    dropped = np.flatnonzero(cleaning.why != KEPT)
    why = {int(place): WHY[cleaning.why[place]] for place in dropped}
    assert sum(cleaning.dropped.values()) == len(why)
    return counts, why


def dirty(path: Path) -> Path:
    """A dataset with every case of the rules; the first test below names the places."""
    splits = clean_splits((600, 60, 60))
    (train, labels), (held, _), (test, test_labels) = splits
    train[5] = held[6] = test[7] = 0
    for split, row, twin in ((train, 10, 7), (test, 3, 9)):  # in train twice; in train and test
        split[row] = train[twin]
    test_labels[3] = labels[9]
    held[1] = train[12]  # in train and validation
    splits[1][1][1] = labels[12]
    held[2] = test[5] = train[15]  # in all three
    splits[1][1][2] = test_labels[5] = labels[15]
    train[21], labels[21] = train[20], (labels[20] + 1) % 3
    test[11], test_labels[11] = train[30], (labels[30] + 1) % 3
    groups = [[f"{name}{row % 7}" for row in range(len(part[1]))] for name, part in
              zip(SPLITS, splits, strict=True)]  # fmt: skip
    origin = {"tool": "create_dataset", "source": {"fingerprint": "abc"}}
    return write_splits(path, splits, groups=groups, provenance=origin)


def test_each_picture_is_dropped_for_its_reason_and_test_keeps_all_but_conflicts(
    tmp_path: Path,
) -> None:
    """Of leaks the later split keeps its picture; blank ones stay in test, conflicts nowhere."""
    with open_dataset(dirty(tmp_path / "d.h5")) as dataset:
        counts, why = cleaned(dataset, tmp_path / "clean.h5")

    leak, conflict = "same pixels in a later split", "same pixels under another label"
    assert why == {
        **dict.fromkeys((5, 606), "blank"),
        **dict.fromkeys((9, 12, 15, 602), leak),
        **dict.fromkeys((20, 21, 30, 671), conflict),
    }
    assert counts == {"train": 593, "validation": 58, "test": 59}


def test_the_remaining_rows_are_unchanged_and_in_order(tmp_path: Path) -> None:
    """Pictures, labels, sources, digests and groups keep their order over chunks of 256 rows."""
    path, clean = dirty(tmp_path / "d.h5"), tmp_path / "clean.h5"
    before = path.read_bytes()
    with open_dataset(path) as old:
        _, why = cleaned(old, clean)
        with open_dataset(clean) as new:
            first = 0
            for was, now in zip(old.splits, new.splits, strict=True):
                stays = [row for row in range(len(was)) if first + row not in why]
                first += len(was)
                assert np.array_equal(now.images[:], was.images[:][stays])
                assert np.array_equal(now.labels, was.labels[stays])
                assert np.array_equal(now.digest, was.digest[stays])
                assert now.source == [was.source[row] for row in stays]
                assert was.group is not None
                assert now.group == [was.group[row] for row in stays]
            assert (new.classes, new.spec) == (old.classes, old.spec)
            assert new.provenance["cleaned_from"] == old.provenance
            assert new.provenance["tool"] == "audit"
            assert new.provenance["source"] == {"fingerprint": "abc"}
            assert new.provenance["counts"]["dropped"] == {"conflicts": 4, "leaks": 4, "blank": 2}
            assert new.fingerprint != old.fingerprint
    assert path.read_bytes() == before


def test_a_cleaned_copy_has_nothing_to_clean(tmp_path: Path) -> None:
    """The cleaned copy has no leak and no conflict, and cleaned again it loses nothing."""
    with open_dataset(dirty(tmp_path / "d.h5")) as dataset:
        counts, _ = cleaned(dataset, tmp_path / "clean.h5")
    with open_dataset(tmp_path / "clean.h5") as clean:
        result = audit(clean)

        again, why = cleaned(clean, tmp_path / "again.h5")

    assert result.leaks == 0
    assert not result.repeats.conflicting.any()
    assert result.faults.blank.sum() == 1, "the blank picture of test"
    assert (again, why) == (counts, {})


def test_an_augmented_file_is_refused(tmp_path: Path) -> None:
    """An augmented file is not cleaned, for its copies; the message names the next step."""
    path = write_splits(tmp_path / "d.h5", clean_splits())
    with open_dataset(path) as packed, local_crew(1) as crew:
        augmentation = Augmentation(Distortion(sigma=3, alpha=8), copies=1)
        augment_dataset(packed, tmp_path / "a.h5", augmentation, crew=crew)

    with (
        open_dataset(tmp_path / "a.h5") as dataset,
        pytest.raises(InkfoldError, match="is augmented; clean the dataset that it was made from"),
    ):
        cleaned(dataset, tmp_path / "clean.h5")


def test_nothing_is_written_where_a_split_would_be_empty(tmp_path: Path) -> None:
    """If all of validation is in test too, the command refuses and leaves no file."""
    splits = clean_splits((30, 6, 6))
    splits[1] = splits[2]
    with (
        open_dataset(write_splits(tmp_path / "d.h5", splits)) as dataset,
        pytest.raises(InkfoldError, match="nothing of validation would be left"),
    ):
        cleaned(dataset, tmp_path / "clean.h5")

    assert not (tmp_path / "clean.h5").exists()


def test_a_split_that_was_empty_stays_empty(tmp_path: Path) -> None:
    """A set without a validation split can be cleaned."""
    splits = clean_splits((30, 0, 6))
    with open_dataset(write_splits(tmp_path / "d.h5", splits)) as dataset:
        counts, _ = cleaned(dataset, tmp_path / "clean.h5")

    assert counts == {"train": 30, "validation": 0, "test": 6}
