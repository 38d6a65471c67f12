"""Machines of one training: which rows each feeds, where they meet, and what they refuse."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkfold.commands.cli import run
from inkfold.commands.train import train_command
from inkfold.dataset.reader import open_dataset
from inkfold.errors import InkfoldError
from inkfold.training.batches import Batches
from inkfold.training.joining import check_batches, joined
from inkfold.training.machines import Machines
from inkfold.training.places import Place, place_of
from tests.worlds import tiny_network
from tests.worlds.packed_strokes import write_packed

SLURM = {
    "SLURM_PROCID": "2",
    "SLURM_NTASKS": "4",
    "SLURM_JOB_ID": "4097",
    "SLURM_LOCALID": "0",
    "SLURM_JOB_NODELIST": "other",
    "SLURM_STEP_NODELIST": "gpu[07-09,12],big1",
}


@given(of=st.integers(1, 40), share=st.integers(1, 20))
def test_the_machines_feed_every_row_of_a_batch_once(of: int, share: int) -> None:
    """Equal parts, in the order of the machines, make up the whole batch."""
    rows = np.arange(of * share)

    parts = [rows[Machines(rank=rank, of=of).rows(len(rows))] for rank in range(of)]

    assert {len(part) for part in parts} == {share}
    assert np.array_equal(np.concatenate(parts), rows)


def test_the_parts_of_two_machines_are_the_batches_of_one(tmp_path: Path) -> None:
    """Each machine draws the same batches and gives its half of the rows and labels."""
    with open_dataset(write_packed(tmp_path / "d.h5")) as dataset:
        whole = Batches([dataset.train], 32, seed=3)
        halves = [replace(whole, machines=Machines(rank=rank, of=2)).epoch(1) for rank in range(2)]
        for (images, labels), first, second in zip(whole.epoch(1), *halves, strict=True):
            assert np.array_equal(images, np.concatenate([first[0], second[0]]))
            assert np.array_equal(labels, np.concatenate([first[1], second[1]]))


@pytest.mark.parametrize(
    ("machines", "rank", "of", "message"),
    [
        (None, 1, None, r"--rank goes with --machines"),
        (None, None, 2, r"--of goes with --machines"),
        ("node:4000", None, 2, r"lacks --rank; give --machines HOST:PORT --rank I --of N"),
        ("node:4000", 2, 2, r"--rank 2 of 2 machines; the machines have the numbers 0 to 1"),
        ("node:4000", -1, 2, r"--rank -1 of 2 machines"),
        ("node", 0, 2, r"expected HOST:PORT"),
        ("node:70000", 0, 2, r"expected HOST:PORT"),
        ("slurm", 1, None, r"slurm knows --rank by itself"),
        ("slurm", None, None, r"SLURM_PROCID is not set; start the command with srun"),
    ],
)
def test_options_that_describe_no_place_are_refused(
    machines: str | None, rank: int | None, of: int | None, message: str
) -> None:
    """An option that lacks another, or has no meaning, is an error that says what to give."""
    with pytest.raises(InkfoldError, match=message):
        place_of(machines, rank, of, {})


def test_an_address_names_host_and_port() -> None:
    """A name, and an address of IPv6 in brackets, which JAX wants as well."""
    place = place_of("[fd00::1]:4000", 1, 3, {})

    assert place == Place(host="fd00::1", port=4000, rank=1, of=3)
    assert place.address == "[fd00::1]:4000"
    assert place_of(None, None, None, {}) is None


def test_slurm_says_where_the_machines_meet() -> None:
    """The first node of the step is machine 0; the port is made of the number of the job."""
    assert place_of("slurm", None, None, SLURM) == Place(host="gpu07", port=61441, rank=2, of=4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"SLURM_NTASKS": ""}, "SLURM_NTASKS is not set"),
        ({"SLURM_STEP_NODELIST": "", "SLURM_JOB_NODELIST": ""}, "SLURM_JOB_NODELIST is not set"),
        ({"SLURM_LOCALID": "1"}, "srun --ntasks-per-node=1"),
    ],
)
def test_slurm_tasks_that_cannot_meet_are_refused(changes: dict[str, str], message: str) -> None:
    """A variable that is missing, and a second task on one node, are errors."""
    with pytest.raises(InkfoldError, match=message):
        place_of("slurm", None, None, SLURM | changes)


def test_a_batch_that_cannot_be_divided_is_refused_with_sizes_that_can() -> None:
    """The next smaller and the next larger size are named, and never a batch of no pictures."""
    place = Place(host="node", port=1, rank=0, of=3)

    check_batches(place, [96])
    with pytest.raises(InkfoldError, match=r"take --batch 99 or --batch 102$"):
        check_batches(place, [96, 100])
    with pytest.raises(InkfoldError, match=r"take --batch 3$"):
        check_batches(place, [2])


def test_several_machines_are_refused_on_tensorflow_before_anything_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the backend and comes before the dataset is opened, with exit code 2."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    tiny = train_command(tiny_network.build, tiny_network.RECIPE, program="tiny")
    place = ["--machines", "127.0.0.1:4000", "--rank", "0", "--of", "2"]

    code = run(tiny, [str(tmp_path / "none.h5"), *place])

    assert code == 2
    assert capsys.readouterr().err == (
        "error: --machines: Keras trains on several machines on JAX alone, its backend is "
        "tensorflow; set KERAS_BACKEND=jax on every machine\n"
    )


def unexpected(why: str) -> NoReturn:
    """Machine 0 has ended, which nothing here expects."""
    raise AssertionError(why)


def test_a_machine_waits_for_machine_0_for_a_stated_time() -> None:
    """Where nobody listens, the error names the address and the seconds."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    place = Place(host="127.0.0.1", port=port, rank=1, of=2)

    with (
        pytest.raises(InkfoldError, match=f"does not answer at 127.0.0.1:{port} within 1 s"),
        joined(place, [32], ended=unexpected, patience=1),
    ):
        pass


def test_machine_0_is_refused_an_address_that_is_taken() -> None:
    """A port at which a program listens, and an address of another machine, are errors."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for host in ("127.0.0.1", "192.0.2.1"):  # the second is for examples: no machine has it
            place = Place(host=host, port=port, rank=0, of=2)
            with (
                pytest.raises(InkfoldError, match=f"machine 0 cannot listen at {host}:{port}"),
                joined(place, [32], ended=unexpected),
            ):
                pass


def test_one_machine_asks_nobody() -> None:
    """The default is a machine that shares nothing: values come back as they are."""
    alone = Machines()

    alone.agree({"seed": 1})
    assert alone.is_first
    assert alone.shares == 1
    assert alone.of_first(0.1) == 0.1
    assert np.array_equal(alone.gathered(np.arange(3)), [[0, 1, 2]])
    assert alone.told == ""


def test_devices_without_a_part_are_told() -> None:
    """A batch that two of three devices can share leaves one idle, and a line says so."""
    told = Machines(devices=("gpu:0", "gpu:1"), idle=1).told

    assert told == "each batch is shared by 2 devices; 1 more cannot, the batch is not a multiple"
