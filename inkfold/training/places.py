"""Where the machines of a training meet: --machines, --rank and --of, or Slurm's variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from inkfold.errors import InkfoldError

SLURM = "slurm"
NUMBERS = ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_JOB_ID")
PORTS = 61440, 4096  # the first port that a Slurm job takes, and how many there are, as in JAX
HOW = "--machines HOST:PORT --rank I --of N"


@dataclass(frozen=True, kw_only=True)
class Place:
    """One machine's place among several.

    Attributes
    ----------
    host : str
        The name or address by which the others reach machine 0.
    port : int
        Where machine 0 listens.
    rank : int
        The number of this machine, from 0.
    of : int
        How many machines there are.
    """

    host: str
    port: int
    rank: int
    of: int

    @property
    def address(self) -> str:
        """Host and port as one text, an address of IPv6 in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def place_of(
    machines: str | None, rank: int | None, of: int | None, environment: Mapping[str, str]
) -> Place | None:
    """The place that the options describe; None for a training on this machine alone.

    Parameters
    ----------
    machines : str or None
        ``HOST:PORT`` of machine 0, or ``slurm``.
    rank, of : int or None
        Given with ``HOST:PORT`` alone.
    environment : mapping
        Slurm's variables among others.

    Raises
    ------
    InkfoldError
        If one option lacks another, or a value makes no sense.
    """
    given = {"--rank": rank, "--of": of}
    typed = [name for name, value in given.items() if value is not None]
    if machines is None:
        if typed:
            raise InkfoldError(f"{typed[0]} goes with --machines; give {HOW}, or none of these")
        return None
    if machines == SLURM:
        if typed:
            raise InkfoldError(f"--machines slurm knows {typed[0]} by itself; leave it out")
        return _of_slurm(environment)
    lacking = [name for name, value in given.items() if value is None]
    if rank is None or of is None:
        raise InkfoldError(f"--machines {machines} lacks {' and '.join(lacking)}; give {HOW}")
    if not 0 <= rank < of:
        raise InkfoldError(
            f"--rank {rank} of {of} machines; the machines have the numbers 0 to {of - 1}"
        )
    host, _, port = machines.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise InkfoldError(
            f"--machines {machines}: expected HOST:PORT, by which the others reach machine 0, "
            "or slurm"
        )
    return Place(host=host.removeprefix("[").removesuffix("]"), port=int(port), rank=rank, of=of)


def _of_slurm(environment: Mapping[str, str]) -> Place:
    """The place that Slurm's variables describe; the first node of the step is machine 0."""
    nodes = environment.get("SLURM_STEP_NODELIST") or environment.get("SLURM_JOB_NODELIST", "")
    texts = {name: environment.get(name, "") for name in NUMBERS}
    lacking = [name for name, text in texts.items() if not text.isdecimal()]
    if not nodes:
        lacking.append("SLURM_JOB_NODELIST")
    if lacking:
        raise InkfoldError(
            f"--machines slurm: {lacking[0]} is not set; start the command with srun, or give {HOW}"
        )
    if environment.get("SLURM_LOCALID", "0") != "0":
        raise InkfoldError(
            "--machines slurm: a second task runs on this node, but one process uses all devices "
            "of a machine; start with srun --ntasks-per-node=1"
        )
    rank, of, job = (int(text) for text in texts.values())
    first, count = PORTS
    return Place(host=first_node(nodes), port=first + job % count, rank=rank, of=of)


def first_node(nodes: str) -> str:
    """The first name in Slurm's list of nodes.

    Examples
    --------
    >>> first_node("node7"), first_node("a1,b2"), first_node("node[003-009,12],c1")
    ('node7', 'a1', 'node003')
    """
    prefix, bracket, rest = nodes.partition("[")
    if not bracket or "," in prefix:
        return nodes.partition(",")[0]
    ranges, _, suffix = rest.partition("]")
    number = ranges.partition(",")[0].partition("-")[0]
    return f"{prefix}{number}{suffix.partition(',')[0]}"
