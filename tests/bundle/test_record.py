"""A record that says what no bundle says is refused in one line, by the field that is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkfold.bundle.bundle import ARCHITECTURE, ONNX, RECORD, load_bundle
from inkfold.bundle.writing import record_results
from inkfold.errors import InkfoldError
from tests.worlds.bands import CLASSES, write_bundle

SEARCH: dict[str, Any] = {"by": "search", "temperature": 1, "correct": 3, "total": 4}
SCORE = {"correct": 3, "total": 4}
HALF: dict[str, Any] = {"wanted": 0.1, "reject": None, "answered": 5, "wrong": 0}
WRONG: dict[str, tuple[str, Any, str]] = {
    "name": ("name", 7, "'name' is 7, expected text"),
    "surrogate": ("name", "\ud800", r"'name' is '\\ud800', expected text"),
    "classes": ("classes", "abcd", "'classes' is 'abcd', expected a list, each of it text"),
    "number": ("classes", ["a", "b", 3, "d"], "'classes' is .*, expected a list, each of it text"),
    "twice": ("classes", ["a", "b", "a", "d"], "'classes' has 'a' twice"),
    "none": ("classes", [], "'classes' is empty"),
    "spec": ("spec", None, "'spec' is None, expected an object"),
    "fields": ("spec", {}, r"'spec': image spec has the fields \[\]"),
    "shapes": ("shapes", [[3, -1]], "'shapes' is .*, expected a list"),
    "parameters": ("parameters", "many", "'parameters' is 'many', expected a whole number"),
    "dataset": ("dataset", {"fingerprint": "a"}, "'dataset.provenance' is missing"),
    "inner": (
        "dataset",
        {"fingerprint": "a", "provenance": {"fingerprint": "a", "source": "x"}},
        "'dataset.provenance.source' is 'x', expected an object",
    ),
    "scores": ("scores", [], "'scores' is .*, expected an object"),
    "score": ("scores", {"test": {"correct": 3}}, "'scores.test': 'total' is missing"),
    "more": ("scores", {"test": {"correct": 3, "total": 2}}, "3 right of 2, expected no more"),
    "hashes": ("sha256", {}, f"'sha256': '{ARCHITECTURE}' is missing"),
    "refit": ("refit", "no", "'refit' is 'no', expected true or false"),
    "calibration": ("calibration", [1], "'calibration' is .*, expected an object, or null"),
    "search": ("calibration", {"by": "search"}, "'calibration': 'correct' is missing"),
    "threshold": (
        "calibration",
        SEARCH | {"thresholds": [HALF]},
        "'calibration'.thresholds: 5 right of 4",
    ),
}


def edit(bundle: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a bundle's record, which loses its seal, on purpose."""
    path = bundle / RECORD
    record = json.loads(path.read_text(encoding="utf-8"))
    record.pop("seal", None)
    change(record)
    path.write_text(json.dumps(record), encoding="utf-8")


@pytest.mark.parametrize("case", WRONG)
def test_a_field_of_another_kind_is_refused(tmp_path: Path, case: str) -> None:
    """One line names the file, the field, what was found and what was expected."""
    bundle, (field, value, message) = write_bundle(tmp_path / "b"), WRONG[case]
    edit(bundle, lambda record: record.update({field: value}))

    with pytest.raises(InkfoldError, match=message) as caught:
        load_bundle(bundle)
    assert str(caught.value).startswith(f"{bundle / RECORD}: ")
    assert len(str(caught.value).splitlines()) == 1
    assert str(caught.value).isascii()


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "", "..", "a\\b"])
def test_a_hash_of_a_file_outside_the_bundle_is_refused(tmp_path: Path, name: str) -> None:
    """A record cannot have other files of the machine read."""
    bundle = write_bundle(tmp_path / "b")
    edit(bundle, lambda record: record["sha256"].update({name: "0" * 64}))

    with pytest.raises(InkfoldError, match=r"'sha256' names .*, expected files of the bundle's"):
        load_bundle(bundle)


def test_a_network_whose_hash_was_taken_out_is_refused(tmp_path: Path) -> None:
    """Without its hash ``model.onnx`` could be any network, so the bundle does not load."""
    bundle = write_bundle(tmp_path / "b")
    edit(bundle, lambda record: record["sha256"].pop(ONNX))

    with pytest.raises(InkfoldError, match=f"{RECORD} has no hash of {ONNX}"):
        load_bundle(bundle)


def test_a_score_is_not_written_into_a_damaged_record(tmp_path: Path) -> None:
    """The record that became damaged after it was loaded is refused, and stays as it is."""
    bundle = write_bundle(tmp_path / "b")
    (bundle / RECORD).write_text("[" * 100_000)

    with pytest.raises(InkfoldError, match=f"{RECORD}: not JSON"):
        record_results(bundle, scores={"test": {"correct": 1, "total": 2}})
    assert (bundle / RECORD).read_text() == "[" * 100_000


def test_fields_of_later_versions_are_not_looked_at(tmp_path: Path) -> None:
    """A field that this version does not know may hold anything."""
    bundle = write_bundle(tmp_path / "b")
    edit(bundle, lambda record: record.update(later=[None, {"a": 1e400}]))

    assert load_bundle(bundle).classes == CLASSES


@given(data=st.data())
def test_a_changed_record_is_refused_or_says_the_same(
    sealed: tuple[Path, bytes, dict[str, Any]], data: st.DataObject
) -> None:
    """No byte that is exchanged makes another bundle of it: no other class, spec or score.

    At most the seal itself is lost, where its name is damaged.
    """
    bundle, whole, record = sealed
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[place] = data.draw(st.integers(0, 255))
    (bundle / RECORD).write_bytes(changed)

    try:
        loaded = load_bundle(bundle).record
        assert all(loaded[name] == record[name] for name in record if name != "seal")
    except InkfoldError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017, either may happen


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes, dict[str, Any]]:
    """A bundle, the bytes of its record, and what they say."""
    bundle = write_bundle(tmp_path_factory.mktemp("sealed") / "b", scores={"test": SCORE})
    return bundle, (bundle / RECORD).read_bytes(), load_bundle(bundle).record


def test_a_class_name_that_was_changed_by_hand_needs_its_seal_taken_off(tmp_path: Path) -> None:
    """The line names the field to delete; without it the record is taken as it is."""
    bundle = write_bundle(tmp_path / "b")
    path = bundle / RECORD
    record = json.loads(path.read_text(encoding="utf-8"))
    record["classes"][1] = "c c"
    path.write_text(json.dumps(record), encoding="utf-8")

    with pytest.raises(
        InkfoldError, match=r"changed since it was written.*delete the field 'seal'"
    ):
        load_bundle(bundle)
    del record["seal"]
    path.write_text(json.dumps(record), encoding="utf-8")
    assert load_bundle(bundle).classes[1] == "c c"
