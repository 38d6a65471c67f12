"""Scratch files return the texts and records that were appended."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inkfold.packing.scratch import BATCH, Records, Spool

TEXT = st.binary(max_size=30).filter(lambda text: b"\0" not in text)


@settings(
    deadline=None,
    derandomize=True,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # the file is written anew
)
@given(st.lists(TEXT, min_size=1, max_size=70), st.data())
def test_texts_come_back_by_place_and_by_range(
    tmp_path: Path, texts: list[bytes], data: st.DataObject
) -> None:
    """Every text, empty ones too, is returned by its number and in any range of numbers."""
    start = data.draw(st.integers(0, len(texts) - 1))
    stop = data.draw(st.integers(start, len(texts) + 3))
    with closing(Spool(tmp_path / "texts")) as spool:
        for text in texts:
            spool.append(text)

        assert len(spool) == len(texts)
        assert [spool[place] for place in range(len(texts))] == texts
        assert spool.read(start, stop) == texts[start:stop]
        assert list(spool) == texts


def test_more_texts_than_a_batch_come_in_order(tmp_path: Path) -> None:
    """A spool that is read in several batches gives its texts in the order of appending."""
    with closing(Spool(tmp_path / "texts")) as spool:
        for number in range(BATCH + 100):
            spool.append(b"%d" % number)

        assert list(spool) == [b"%d" % number for number in range(BATCH + 100)]


def test_an_empty_spool_holds_nothing(tmp_path: Path) -> None:
    """Iterating a spool to which nothing was appended gives no text."""
    with closing(Spool(tmp_path / "texts")) as spool:
        assert list(spool) == []


def test_records_come_back_in_any_order(tmp_path: Path) -> None:
    """Pictures that were appended in two calls are taken in any order, also twice."""
    pictures = np.random.default_rng(0).integers(0, 256, (10, 3, 4)).astype(np.uint8)
    with closing(Records(tmp_path / "pictures", (np.uint8, (3, 4)))) as records:
        records.append(pictures[:7])
        records.append(pictures[7:])
        rows = np.array([9, 0, 5, 5])

        assert len(records) == 10
        assert np.array_equal(records.take(rows), pictures[rows])
        assert records.take(rows[:0]).shape == (0, 3, 4)


def test_a_column_is_one_word_of_one_field_of_all(tmp_path: Path) -> None:
    """A column has one value of each record, over several batches and after other reads."""
    dtype = np.dtype([("file", np.uint64, 2), ("pixels", np.uint64, 2)])
    facts = np.zeros(BATCH + 50, dtype)
    facts["file"][:, 1] = np.arange(len(facts))
    facts["pixels"][:, 0] = np.arange(len(facts)) * 7
    with closing(Records(tmp_path / "facts", dtype)) as records:
        records.append(facts)
        records.take(np.array([3]))

        assert np.array_equal(records.column("file", 1), facts["file"][:, 1])
        assert np.array_equal(records.column("pixels", 0), facts["pixels"][:, 0])


def test_records_of_another_kind_are_refused(tmp_path: Path) -> None:
    """Records of another shape or type are refused, for they would shift all that follow."""
    with closing(Records(tmp_path / "pictures", (np.uint8, (3, 4)))) as records:
        with pytest.raises(ValueError, match="is not records of"):
            records.append(np.zeros((2, 4, 3), np.uint8))
        with pytest.raises(ValueError, match="is not records of"):
            records.append(np.zeros((2, 3, 4), np.int16))
