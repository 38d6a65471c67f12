"""Training of four networks beside Keras on three backends and PyTorch, and what limits it.

    python benchmarks/networks.py [--only NETWORK] [--rounds 3]

Each contender has a process of its own. They train in turn, 800 pictures at a time. Keras is
imported as its user imports it, without our settings. The limit is the rate of a large product of
matrices in NumPy, in the same rounds; a network's share of it follows from the multiplications and
additions of its convolutions and products, which a training step does three times.
"""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import click
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import Row, Spread, keep, line, ratios, turns
from benchmarks.training import Rates, epoch, installed, start
from inkfold.commands import cli
from inkfold.commands.network_files import load_network
from tests.worlds.packed_strokes import write_packed

NETWORKS = {"cnn32": 314, "cnn30": 314, "residual32": 47, "blocks28": 47}  # classes
PEERS = ("Keras float32", "Keras on JAX", "Keras on PyTorch", "PyTorch float32")
OURS = ("ours", "ours, Keras' layers")
TRAINED = 800  # pictures in a turn
SIDE = 2_048  # of the product that shows the processor's rate
# multiplications and additions, in millions, of one picture's way through the network
FORWARD = {"cnn32": 64.6, "cnn30": 61.6, "residual32": 75.2, "blocks28": 15.5}


def measured(network: str, rounds: int) -> Rates:
    """Pictures a second of each contender, and the product's GFLOP a second, in each round."""
    _, recipe = load_network(network)
    names = [*OURS, *(peer for peer in PEERS if installed(peer))]
    rates: Rates = {name: [] for name in (*names, "product")}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        classes = [f"{number:03}" for number in range(NETWORKS[network])]
        path = write_packed(
            Path(folder) / "d.h5", (TRAINED, 100, 100), classes=classes, size=recipe.size
        )
        processes = {name: stack.enter_context(start(name, network, path)) for name in names}
        try:
            for name in names:
                epoch(processes[name])  # networks compile in it
            for number in range(rounds):
                for name in turns(names, number):
                    rates[name].append(epoch(processes[name]))
                rates["product"].append(product())
        finally:
            for process in processes.values():
                process.terminate()
    return rates


def product() -> float:
    """The rate of a product of two matrices in float32, in GFLOP a second."""
    one = np.ones((SIDE, SIDE), np.float32)
    began = time.perf_counter()
    for _ in range(3):
        one @ one
    return 3 * 2 * SIDE**3 / 1e9 / (time.perf_counter() - began)


def rows(network: str, rates: Rates) -> list[Row]:
    """The faster of our two ways beside each peer, and beside the limit."""
    ours = max(OURS, key=lambda name: Spread.of(rates[name]).median)
    command = f"python benchmarks/networks.py --only {network}"
    stage = f"training {network}"
    beside = [
        Row(
            stage=stage,
            ours=f"{Spread.of(rates[ours]).text()} pictures/s ({ours})",
            peer=peer,
            theirs=f"{Spread.of(rates[peer]).text()} pictures/s",
            ratio=ratios(rates[ours], rates[peer]),
            target="at least 1.5" if peer == "Keras float32" else "at least 1",
            command=command,
        )
        for peer in PEERS
        if peer in rates
    ]
    needed = 3 * FORWARD[network] / 1000  # GFLOP a picture
    limit = [rate / needed for rate in rates["product"]]
    return [
        *beside,
        Row(
            stage=stage,
            ours=f"{Spread.of(rates[ours]).text()} pictures/s",
            peer=f"the limit: NumPy's product, {Spread.of(rates['product']).text()} GFLOP/s",
            theirs=f"{Spread.of(limit).text()} pictures/s",
            ratio=ratios(rates[ours], limit),
            target="at least 0.5",
            command=command,
        ),
    ]


@click.command(help=__doc__)
@click.option("--only", type=click.Choice(list(NETWORKS)), multiple=True)
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--rows", "kept", type=click.Path(path_type=Path), help="Also write them as JSON.")
def command(only: tuple[str, ...], *, rounds: int, kept: Path | None) -> int:
    """Measure one network after the other, and print the rows of each as it ends."""
    found = []
    for network in only or NETWORKS:
        rates = measured(network, rounds)
        for name, values in rates.items():
            click.echo(f"{network}, {name}: {Spread.of(values).text()}", err=True)
        for row in rows(network, rates):
            click.echo(line(row))
            found.append(row)
        if kept is not None:
            keep(found, kept)
    return 0


if __name__ == "__main__":
    sys.exit(cli.run(command))
