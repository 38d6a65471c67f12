"""Packing in shards by the workers of a real cluster, one of which is killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkfold.dataset.merge import merge_dataset
from inkfold.dataset.reader import open_dataset
from tests.worlds.clusters import cluster, ended, inkfold_in, wait_until
from tests.worlds.drawn_pictures import write_classes
from tests.worlds.scripts import run_script

pytest.importorskip("distributed", reason="wants distributed: pip install 'inkfold[cluster]'")
pytestmark = pytest.mark.slow


def test_a_killed_worker_of_a_cluster_costs_time_alone(tmp_path: Path) -> None:
    """Its stage file or shard is written by another worker, and the merged file is the same.

    The shards and the scratch folder are beside the output, where each worker sees them.
    """
    write_classes(tmp_path / "in", {"a": 900, "b": 700, "ö": 800})
    alone = run_script("create_dataset.py", "in", "-o", "alone.h5", "--workers", "1", cwd=tmp_path)
    assert alone.returncode == 0, alone.stderr
    with cluster(tmp_path / "cluster", 2) as two:
        packing = ("create_dataset", "in", "-o", "far.h5", "--shards", "256")
        process = inkfold_in(tmp_path, *packing, "--cluster", two.address)
        wait_until(lambda: list(tmp_path.glob(".far.h5.*/*.stage*")), process)
        two.workers[0].kill()
        code, errors = ended(process)

    assert code == 0, errors
    with open_dataset(tmp_path / "far.h5") as dataset:
        merge_dataset(dataset, tmp_path / "one.h5", overwrite=False, advance=lambda _count: None)
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "alone.h5").read_bytes()
    assert list(tmp_path.glob(".*")) == []
    assert list(tmp_path.glob("far.shards/.*")) == []
