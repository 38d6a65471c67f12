"""Help, closing line and model card say which epoch is kept and what validation was used for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inkfold.bundle.model_card import model_card
from inkfold.commands.cli import run
from inkfold.commands.network_files import load_network
from inkfold.commands.train import train_command
from inkfold.recipe import Recipe, Stage
from tests.worlds import tiny_network
from tests.worlds.packed_strokes import write_packed
from tests.worlds.scripts import ROOT

Capture = pytest.CaptureFixture[str]


def printed(capfd: Capture, recipe: Recipe, *words: str) -> str:
    """The output of the tiny network's command with this recipe, as one line."""
    assert run(train_command(tiny_network.build, recipe, program="tiny"), words) == 0
    return " ".join(capfd.readouterr().out.split())


def test_the_help_says_whether_stages_end_early(capfd: Capture) -> None:
    """A cosine recipe runs all its epochs, and stages at fixed rates may end early."""
    _, cosine = load_network("residual32")
    _, fixed = load_network("cnn32")
    end, whole = "A stage ends early when", "It runs all its epochs and keeps its last weights."

    text = printed(capfd, cosine, "--help")
    assert "30 epochs at a rate that rises to 0.003 and falls to 0; batches of 128." in text
    assert whole in text
    assert end not in text
    text = printed(capfd, fixed, "--help")
    assert "at most 50 epochs at rate 0.01, then at most 50 epochs at rate 0.001" in text
    assert end in text
    assert whole not in text


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ([], "kept epoch 2, right on validation: "),
        (["--refit"], "kept epoch 2, right on validation, before it was trained on that too: "),
    ],
)
def test_the_closing_line_names_the_epoch_that_is_kept(
    words: list[str], kept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    """A cosine keeps its last epoch, whatever its loss; a refit names the search's epoch."""
    monkeypatch.chdir(tmp_path)
    cosine = replace(tiny_network.RECIPE, stages=(Stage.cosine(3e-3, epochs=2),))

    assert kept in printed(capfd, cosine, str(write_packed(tmp_path / "d.h5")), "-o", "b", *words)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("emnist47-blocks28-plain", "by which the epoch was chosen"),
        ("kmnist-residual32-online", "after the last epoch, which is kept whatever it is"),
        ("emnist47-residual32-online-mild", "before it was trained on that too"),
    ],
)
def test_the_card_says_what_validation_was_used_for(name: str, words: str) -> None:
    """Early stopping chose the epoch by it, a cosine did not, and a refit was trained on it."""
    file = ROOT / "logs/field" / name / "bundle.json"
    record: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    score = record["scores"]["validation"]
    line = f"Right on validation, {words}: {score['correct']:,} of {score['total']:,}, "

    assert line in model_card(record)
