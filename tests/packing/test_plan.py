"""The plan of a dataset: a set's own split, and the classes that miss a split."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkfold.packing import large_arrays
from inkfold.packing.given_split import Official, divide, in_several, leaks
from inkfold.packing.listing import NO_SIDE, Listing
from inkfold.packing.plan import Packing, Plan, make_plan, missing_splits
from inkfold.packing.scratch import Records, Spool
from inkfold.packing.split import numbered
from inkfold.packing.stage import FACTS, Staged
from inkfold.spec import TEST, TRAIN, VALIDATION
from inkfold.tally import Tally
from tests.worlds import divided
from tests.worlds.plain_plan import Picture, plain_orders

FRACTIONS = (0.8, 0.1, 0.1)


def _class_by_class(pictures: list[Picture]) -> list[Picture]:
    """The pictures with labels from 0 on without a gap, ascending."""
    labels = sorted({picture.label for picture in pictures})
    dense = [picture._replace(label=labels.index(picture.label)) for picture in pictures]
    return sorted(dense, key=lambda picture: picture.label)


PICTURES = st.lists(
    st.builds(
        Picture,
        st.integers(0, 4),
        st.integers(0, 2**64 - 1),
        st.one_of(st.integers(0, 12), st.integers(13, 2**64 - 1)),
        st.one_of(st.none(), st.integers(0, 9)),
    ),
    min_size=1,
    max_size=60,
).map(_class_by_class)


def planned(pictures: Sequence[Picture], packing: Packing) -> Plan:
    """The plan of pictures of which only digests and groups are there."""
    facts = np.zeros(len(pictures), FACTS)
    facts["file"][:, 0] = [picture.file for picture in pictures]
    facts["pixels"][:, 1] = [picture.pixels for picture in pictures]
    facts["pixels"][:, 0] = facts["pixels"][:, 1] % 5  # half a digest is not enough
    names = [b"" if each.group is None else b"%d" % each.group for each in pictures]
    counts = np.bincount([picture.label for picture in pictures])
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        records = Records(scratch / "facts", FACTS)
        records.append(facts)
        paths = Spool(scratch / "paths")
        for row in range(len(pictures)):
            paths.append(b"%d.png" % row)
        listing = Listing(
            classes=tuple(map(str, range(len(counts)))),
            paths=paths,
            ends=np.cumsum(counts),
            empty=(),
            ignored=Tally(),
        )
        staged = Staged(
            facts=records,
            good=np.ones(len(pictures), bool),
            fingerprint="",
            unreadable=Tally(),
        )
        try:
            return make_plan(listing, staged, packing, numbered(names))
        finally:
            records.close()
            paths.close()


@settings(deadline=None, derandomize=True, max_examples=150)
@given(PICTURES, divided.FRACTIONS, st.integers(0, 99), st.sampled_from([None, 2, 7]))
def test_the_plan_is_that_of_a_plain_program(
    pictures: list[Picture], fractions: divided.Fractions, seed: int, per_class: int | None
) -> None:
    """Arrays in batches give the splits and orders that the documented steps give one by one."""
    packing = Packing(fractions=fractions, seed=seed, per_class=per_class)

    orders = planned(pictures, packing).orders

    expected = plain_orders(pictures, fractions, seed, per_class)
    assert [order.tolist() for order in orders] == expected


@settings(deadline=None, derandomize=True, max_examples=30)
@given(PICTURES)
def test_rows_of_eight_bytes_give_the_same_plan(pictures: list[Picture]) -> None:
    """A listing with more rows than 4 bytes can number is planned by the same law."""
    plan = planned(pictures, Packing())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(large_arrays, "MOST", 0)
        wide = planned(pictures, Packing())

    assert [order.dtype for order in plan.orders] == [np.dtype(np.int32)] * 3
    assert [order.dtype for order in wide.orders] == [np.dtype(np.int64)] * 3
    assert [order.tolist() for order in wide.orders] == [order.tolist() for order in plan.orders]
    assert wide.conflicts == plan.conflicts


def test_a_set_s_own_test_stays_and_its_train_is_divided() -> None:
    """Test pictures stay test, train is divided, and pictures on neither side go to all splits.

    Twins stay together unless the set has put them on both sides.
    """
    labels = np.repeat([0, 1, 2], [40, 40, 20]).astype(np.int32)
    content = np.random.default_rng(0).integers(0, 1 << 60, 100).astype(np.uint64)
    side = np.tile([TRAIN, TEST], 50).astype(np.int8)
    side[80:] = NO_SIDE  # class 2 is on neither side
    leaders = np.arange(100, dtype=np.int32)
    leaders[[1, 2, 4, 6]] = 0  # 1 is test, the others train

    official = Official(side, (0.5, 0.5, 0.0))
    split = divide(labels, content, leaders, FRACTIONS, 0, official=official)

    assert ((split == TEST) == (side == TEST))[:80].all()
    assert np.bincount(split[:40][side[:40] == TRAIN], minlength=3).tolist() == [10, 10, 0]
    assert np.bincount(split[80:], minlength=3).tolist() == [16, 2, 2]
    assert split[0] == split[2] == split[4] == split[6] != TEST
    assert in_several(leaders, split).tolist() == [0]


def test_a_given_validation_stays_and_train_is_then_not_divided() -> None:
    """Every picture keeps the split that it came with; twins in two of them are counted."""
    side = np.array([TRAIN, VALIDATION, TEST, TRAIN, TEST], np.int8)
    rows = np.arange(5, dtype=np.int32)
    twins = np.array([0, 0, 2, 3, 3], np.int32)

    given = Official(side, (0.5, 0.5, 0.0))
    split = divide(
        np.zeros(5, np.int32), rows.astype(np.uint64), rows, FRACTIONS, 0, official=given
    )

    assert np.array_equal(split, side)
    assert leaks(twins, split) == 2


def test_a_set_of_test_pictures_alone_is_test() -> None:
    """A set that holds only test pictures gets empty train and validation splits."""
    rows = np.arange(5, dtype=np.int32)
    official = Official(np.full(5, TEST, np.int8), (0.9, 0.1, 0.0))

    split = divide(rows, rows.astype(np.uint64), rows, FRACTIONS, 0, official=official)

    assert (split == TEST).all()


def test_classes_that_miss_a_wanted_split_are_listed() -> None:
    """A class without a test picture is listed; a split that was not asked for is not missed."""
    labels, split = np.array([0, 0, 1], np.int32), np.array([0, 2, 0], np.int8)

    missing = missing_splits(("a", "b"), labels, split, np.array([True, False, True]))

    assert missing == (("b", ("test",)),)
