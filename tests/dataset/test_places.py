"""The law of places: every chunk of an augmented split has one content, in one place."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from inkfold.dataset.places import Places, places_of
from inkfold.dataset.split import CHUNK

LAWS = st.builds(
    Places,
    originals=st.integers(1, 2000),
    copies=st.integers(1, 12),
    seed=st.integers(0, 2**63 - 1),
)


@settings(deadline=None)
@given(places=LAWS)
def test_every_chunk_is_written_once(places: Places) -> None:
    """The rows at which chunks begin are 0, 256, 512 and so on, in another order."""
    assert sorted(places.in_order()) == list(range(0, places.rows, CHUNK))


@settings(deadline=None)
@given(places=LAWS)
def test_the_content_of_a_chunk_is_what_is_written_there(places: Places) -> None:
    """What a worker asks by the chunk's number is what the order of making says."""
    for originals, rows in enumerate(places.of_chunks()):
        for number, row in enumerate(rows):
            assert places.content(row // CHUNK) == (originals, number)


def test_whole_chunks_are_permuted_by_the_seed_alone() -> None:
    """Three chunks of originals with two copies: nine places, and one order for a seed."""
    one, again, other = (Places(originals=768, copies=2, seed=seed) for seed in (1, 1, 2))

    assert list(one.in_order()) == list(again.in_order())
    assert list(one.in_order()) != list(other.in_order())
    assert list(one.in_order()) != sorted(one.in_order())


def test_a_record_that_does_not_fit_the_rows_tells_no_places() -> None:
    """Counts, copies and seed must be there and give the rows of the split."""
    record = {"counts": {"originals": 700}, "options": {"copies": 3}, "seed": 5}

    assert places_of(record, 2800) == Places(originals=700, copies=3, seed=5)
    assert places_of(record, 2801) is None
    for name in record:
        assert places_of({key: record[key] for key in record if key != name}, 2800) is None
    assert places_of(record | {"seed": "x"}, 2800) is None
