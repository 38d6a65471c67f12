"""Refining: the last epochs are trained on pictures as they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from inkfold.batches import Batch, Batches
from inkfold.commands.cli import run
from inkfold.commands.train import train_command
from inkfold.schedule import refined
from tests import tiny_network
from tests.packed import write_packed
from tests.trained import history

pytestmark = pytest.mark.slow


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For every epoch that is trained, whether its pictures were to be augmented."""
    told: list[bool] = []
    real = Batches.epoch

    def epoch(batches: Batches, number: int, *, augmented: bool = True) -> Iterator[Batch]:
        told.append(augmented)
        return real(batches, number, augmented=augmented)

    monkeypatch.setattr(Batches, "epoch", epoch)
    return told


def test_the_last_epochs_come_undistorted_and_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[bool]
) -> None:
    """Three epochs distorted and blended, two as they are; rows, record and card say so."""
    monkeypatch.chdir(tmp_path)
    data, output = str(write_packed(tmp_path / "d.h5")), tmp_path / "b"
    patient = (replace(tiny_network.RECIPE.stages[0], epochs=3, patience=3),)
    recipe = replace(tiny_network.RECIPE, stages=patient)
    tiny = train_command(tiny_network.build, recipe, program="tiny")
    line = [data, "-o", str(output), "-q", "--augment", "online", "--mixup", "0.2"]

    assert run(tiny, [*line, "--refine", "2"]) == 0

    rows = history(output)
    stages = json.loads((output / "bundle.json").read_text())["recipe"]["stages"]
    assert asked == [True, True, True, False, False]
    assert [row["stage"] for row in rows] == ["1", "1", "1", "2", "2"]
    assert [stage["augmented"] for stage in stages] == [True, False]
    assert "on the pictures as they are" in (output / "MODEL_CARD.md").read_text()


def test_a_refit_refines_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[bool]
) -> None:
    """The stages that a search found are repeated, each in its own way."""
    monkeypatch.chdir(tmp_path)
    data = str(write_packed(tmp_path / "d.h5"))
    stages = refined((replace(tiny_network.RECIPE.stages[0], epochs=1, patience=1),), 1)
    recipe = replace(tiny_network.RECIPE, stages=stages)
    tiny = train_command(tiny_network.build, recipe, program="tiny")

    assert run(tiny, [data, "-o", str(tmp_path / "b"), "-q", "--refit"]) == 0

    assert asked == [True, False, True, False]
