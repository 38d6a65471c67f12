"""The audit's findings as a page shows them."""

from __future__ import annotations

import base64
from pathlib import Path

import cv2
import h5py
import numpy as np

from inkfold.audit.audit import audit, findings
from inkfold.commands.explore import main
from inkfold.dataset.reader import open_dataset
from inkfold.explore.pictures import SHOWN, audit_section
from tests.worlds.packed_strokes import write_packed


def test_every_kind_of_finding_is_counted_and_its_first_pictures_shown(tmp_path: Path) -> None:
    """One picture forty times and twice more: repeats, leaks, and conflicts of four classes."""
    path = write_packed(tmp_path / "d.h5", (40, 2, 0), identical=True, size=8)
    with open_dataset(path) as dataset:
        found = audit(dataset, quick=True, near=False)
        section = audit_section(dataset, found)
        picture, labels = dataset.train.images[0], dataset.train.labels

    shown = {each.words: each for each in section.shown}
    assert [each.count for each in section.shown] == [len(f.places) for f in findings(found)]
    assert (section.total, section.leaks) == (42, found.leaks)
    conflicts = shown["with the very pixels of a picture under another label"]
    assert conflicts.count >= 40
    assert conflicts.labels == tuple(labels[:SHOWN].tolist())
    data = np.frombuffer(base64.b64decode(conflicts.uri.split(",")[1]), np.uint8)
    read = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    assert read is not None
    assert read.shape == (8, SHOWN * 9 - 1)
    assert np.array_equal(255 - read[:, 9:17], picture)
    assert shown["blank"].uri == ""


def test_the_page_warns_of_a_leak_and_names_the_classes_of_what_was_found(tmp_path: Path) -> None:
    """And says so where there is none."""
    leaky = write_packed(tmp_path / "leaky.h5", (40, 2, 0), identical=True)
    with h5py.File(leaky, "r+") as file:
        for name in ("images", "digest"):
            file["validation"][name][:] = file["train"][name][:2]
    clean = write_packed(tmp_path / "clean.h5", (40, 2, 0))
    texts = []
    for path in (leaky, clean):
        assert main([str(path), "-q"]) == 0
        texts.append(path.with_suffix(".html").read_text(encoding="utf-8"))

    assert "<strong>Leak:</strong> 2 pictures of validation and test are" in texts[0]
    assert "of the classes a, b, c, d, a" in texts[0]
    assert "No picture is in two splits." in texts[1]
    assert "<strong>Leak:</strong>" not in texts[1]
