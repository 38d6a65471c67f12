"""Hostile names in small numbers: every command keeps them exactly."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.hostile_names import trial


@pytest.mark.parametrize("seed", range(8))
def test_hostile_names_go_through_every_command(tmp_path: Path, seed: int) -> None:
    """Classes and sources are kept, lists are read back, and no page has a name as mark-up."""
    assert trial(tmp_path, random.Random(seed)) is None
