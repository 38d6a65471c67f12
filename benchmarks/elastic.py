"""How long a distorted copy takes on one core, beside other libraries.

python benchmarks/elastic.py
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.elastic_peers import PEERS, Distort, Images, Peer
from benchmarks.measuring import MICROSECONDS, Row, Spread, in_turn, ratios, report, seconds
from inkfold.elastic import Elastic, chunk_rng
from inkfold.workers import one_thread

SIGMA, ALPHA = 6.0, 47.0
AFFINE = {"rotate": 10.0, "scale": 0.1, "shear": 5.0, "shift": 0.05}
CHUNK = 256  # pictures in a call of ours, as in a call of augment.py
ROUNDS = 7
TURN = 0.03  # seconds
TARGETS = {"scipy": 25, "cv2": 8, "albumentations": 16}  # times as fast at 32x32; other peers: 1
COMMAND = "python benchmarks/elastic.py"

Contender = tuple[Callable[[], object], int]  # a call, and how many pictures it distorts


def measure() -> Iterator[Row]:
    """Time the engine against its peers at five sizes, and with the affine map against itself."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # before TensorFlow counts cores
    with one_thread():
        yield from against_all(32)
        for size in (28, 30, 64, 128):
            yield against_the_fastest(size)
        yield with_affine()


def against_all(size: int) -> Iterator[Row]:
    """A row for each peer that is installed; the other peers are named on stderr."""
    timed, missing = time_peers(size)
    for peer in PEERS:
        if peer.name in timed:
            bound = TARGETS.get(peer.name.split(",")[0].split(" ")[0], 1)
            yield row(size, timed, peer.name, f"at least {bound}", peer.note)
    for name, reason in missing.items():
        print(f"{name} is left out: {reason}", file=sys.stderr)  # noqa: T201, named, not hidden


def against_the_fastest(size: int) -> Row:
    """The row of the peer with the smallest median."""
    timed, _ = time_peers(size)
    medians = {name: Spread.of(values).median for name, values in timed.items() if name != "ours"}
    return row(size, timed, min(medians, key=lambda name: medians[name]), "at least 1", "fastest")


def row(size: int, timed: dict[str, list[float]], peer: str, target: str, note: str) -> Row:
    """Microseconds a picture, ours and a peer's."""
    return Row(
        stage=f"elastic copy, {size}x{size}, one core",
        ours=f"{Spread.of(timed['ours']).text(MICROSECONDS)} µs",
        peer=peer,
        theirs=f"{Spread.of(timed[peer]).text(MICROSECONDS)} µs",
        ratio=ratios(timed[peer], timed["ours"]),
        target=target,
        command=COMMAND,
        note=note,
    )


def time_peers(size: int) -> tuple[dict[str, list[float]], dict[str, str]]:
    """Seconds a picture of each contender in each round, and why each missing peer is missing."""
    contenders, missing = {"ours": ours(size)}, {}
    for peer in PEERS:
        try:
            contenders[peer.name] = calls(peer, size)
        except ImportError as error:
            missing[peer.name] = str(error)
    return each(contenders, ROUNDS), missing


def each(contenders: dict[str, Contender], rounds: int) -> dict[str, list[float]]:
    """Seconds a picture of each contender in each round.

    A contender's turn is as many calls as fill about 30 ms. In a single call a fast contender would
    be measured with processor caches that a slow contender before it has filled.
    """
    turns, counts = {}, {}
    for name, (call, count) in contenders.items():
        call()
        calls = max(1, round(TURN / seconds(call)))
        turns[name], counts[name] = partial(several, call, calls), calls * count
    timed = in_turn(turns, rounds)
    return {name: [value / counts[name] for value in values] for name, values in timed.items()}


def calls(peer: Peer, size: int) -> Contender:
    """The contender of a peer: it distorts as many pictures in a call as the peer is made for."""
    distort: Distort = peer.make(size, SIGMA, ALPHA)
    return partial(distort, pictures(peer.pictures, size)), peer.pictures


def ours(size: int, **affine: float) -> Contender:
    """The contender of our engine, which distorts a chunk in a call."""
    elastic = Elastic(size, SIGMA, ALPHA, **affine)
    return partial(elastic.distort, pictures(CHUNK, size), chunk_rng(0, 1, 0)), CHUNK


def with_affine() -> Row:
    """The row of our engine with rotation, scale, shear and shift, against itself without them."""
    timed = each({"with": ours(32, **AFFINE), "without": ours(32)}, 3 * ROUNDS)
    return Row(
        stage="elastic copy with rotation, scale, shear and shift, 32x32",
        ours=f"{Spread.of(timed['with']).text(MICROSECONDS)} µs",
        peer="the same engine without them",
        theirs=f"{Spread.of(timed['without']).text(MICROSECONDS)} µs",
        ratio=ratios(timed["with"], timed["without"]),
        target="at most 1.15",
        command=COMMAND,
        note="here less is better",
    )


def several(call: Callable[[], object], times: int) -> None:
    """Make a call several times."""
    for _ in range(times):
        call()


def pictures(count: int, size: int) -> Images:
    """Pictures of noise, for no contender's time depends on what is on a picture."""
    return np.random.default_rng(0).integers(0, 256, (count, size, size)).astype(np.uint8)


if __name__ == "__main__":
    sys.exit(report(measure))
