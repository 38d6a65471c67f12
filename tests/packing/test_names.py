"""Names of classes: one name in two Unicode forms, and what Inkfold itself had escaped."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkfold.canvas.kept_drawings import KeptDrawings
from inkfold.class_names import code_points, look, normal
from inkfold.dataset.export import export_dataset
from inkfold.dataset.reader import open_dataset
from tests.packing.test_layout import draw
from tests.worlds.packing_run import SMALL, packed

STRANGE = ["a/b", "a", "A", "100%", ".hidden", "CON", "?", "x" * 300, "漢", "%41"]


def test_two_unicode_forms_of_a_name_are_one_class(tmp_path: Path) -> None:
    """Folders named é in NFC and in NFD are merged, and that is said."""
    both = [unicodedata.normalize(form, "é") for form in ("NFC", "NFD")]
    root = draw(tmp_path / "in", *both, "z", count=5)

    report = packed(root, tmp_path / "d.h5")

    assert report.plan.classes == ("z", both[0])
    assert report.plan.sizes.tolist() == [5, 10]
    assert "merged: 1" in report.remarks[0]


def test_the_same_name_from_another_system_makes_the_same_file(tmp_path: Path) -> None:
    """A folder that a Mac named in NFD packs to the classes of its NFC twin."""
    classes = []
    for form in ("NFC", "NFD"):
        names = [unicodedata.normalize(form, name) for name in ("é", "f", "ü", "が")]
        root = draw(tmp_path / form, *names, count=3)
        classes.append(packed(root, tmp_path / f"{form}.h5").plan.classes)

    assert classes[0] == classes[1] == ("f", "é", "ü", "が")


def test_names_that_an_export_escaped_come_back(tmp_path: Path) -> None:
    """Every name that a file system may refuse is the class's name again after packing."""
    table = "path,label\n" + "".join(f'in/{n}.png,"{name}"\n' for n, name in enumerate(STRANGE))
    draw(tmp_path, "in", count=len(STRANGE))
    (tmp_path / "t.csv").write_text(table, encoding="utf-8")
    packed(tmp_path, tmp_path / "d.h5", replace(SMALL, labels=tmp_path / "t.csv"))
    with open_dataset(tmp_path / "d.h5") as dataset:
        export_dataset(dataset, tmp_path / "out", overwrite=False)
        before = dataset.classes

    report = packed(tmp_path / "out", tmp_path / "again.h5")

    assert report.plan.classes == before
    assert set(before) == set(STRANGE)
    assert any("restored: " in remark for remark in report.remarks)


def test_names_of_kept_drawings_come_back(tmp_path: Path) -> None:
    """A drawing that a canvas kept for the class / is packed as the class /."""
    kept = KeptDrawings(tmp_path / "kept")
    for name in ("/", "b", "50%"):
        kept.keep(
            np.random.default_rng(len(name)).integers(0, 256, (20, 20)).astype(np.uint8), name
        )

    assert packed(tmp_path / "kept", tmp_path / "d.h5").plan.classes == ("/", "50%", "b")


@pytest.mark.parametrize("name", ["%41", "100%25", "a%2Fb", "%"])
def test_names_that_somebody_else_wrote_stay_as_they_are(tmp_path: Path, name: str) -> None:
    """Only an export's list, or drawings that a canvas kept, say that a name was escaped."""
    root = draw(tmp_path / "in", name, "b")

    assert set(packed(root, tmp_path / "d.h5").plan.classes) == {name, "b"}


@given(st.text(min_size=1))
def test_a_normal_name_is_normal(name: str) -> None:
    """Normalising twice changes nothing more, and names of one form look the same."""
    assert normal(normal(name)) == normal(name)
    assert look(normal(name)) == look(name)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("A", "A\u200b", True),
        ("A", "A ", True),
        ("A", "\uff21", True),
        ("é", "e\u0301", True),
        ("A", "a", False),
        ("A", "Α", False),
    ],
    ids=["zero width", "space", "full width", "decomposed", "case", "Greek"],
)
def test_names_that_differ_invisibly_look_the_same(one: str, other: str, *, alike: bool) -> None:
    """What takes no room does not count; letters of other scripts are other letters."""
    assert (look(one) == look(other)) == alike


def test_code_points_are_spelled_out() -> None:
    """A reader sees what the eye does not."""
    assert code_points("A\u200b") == "U+0041 U+200B"
