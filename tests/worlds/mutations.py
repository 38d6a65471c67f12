"""Damaged copies of files, and what a command answers to each, counted.

`mutated` damages bytes, `mutated_json` a value of JSON. `Trials` runs a command on such files, each
time in a child process of its own, because a damaged file can crash a library, and sorts what came
of it. The tests run a few dozen trials of each; benchmarks run hundreds.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import os
import re
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

KINDS = ("flip", "cut", "zero", "swap")
VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1e308,
    2**70,
    "",
    "x",
    "\ud800",
    [],
    [[]],
    {},
    {"a": 1},
)
NOTES = ("warning: ", "b answers: ")  # what a command says before it meets the damage
PATIENCE = 120.0  # seconds after which a command hangs


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """A damaged copy: bytes flipped, the end cut off, a block of zeros, or two blocks swapped."""
    kind = KINDS[rng.integers(len(KINDS))]
    out = bytearray(data)
    if kind == "cut":
        return bytes(out[: rng.integers(len(out))])
    if kind == "flip":
        for at in rng.integers(0, len(out), rng.integers(1, 9)):
            out[at] ^= 1 << int(rng.integers(8))
        return bytes(out)
    length = min(int(2 ** rng.integers(3, 13)), len(out) // 2)
    first, second = sorted(rng.integers(0, len(out) - length, 2).tolist())
    if kind == "zero":
        out[first : first + length] = bytes(length)
    else:
        length = min(length, second - first)
        one, other = out[first : first + length], out[second : second + length]
        out[first : first + length], out[second : second + length] = other, one
    return bytes(out)


def mutated_json(value: Any, rng: np.random.Generator) -> Any:  # noqa: ANN401, JSON values
    """A copy of a value of JSON in which one field is missing, of another type, or repeated."""
    changed = copy.deepcopy(value)
    place, depth = changed, int(rng.integers(1, 5))
    for level in range(depth):
        keys = sorted(place) if isinstance(place, dict) else list(range(len(place)))
        key = keys[rng.integers(len(keys))]
        inner = place[key]
        if level + 1 < depth and isinstance(inner, dict | list) and inner:
            place = inner
            continue
        action = rng.integers(3)
        if action == 0:
            del place[key]
        elif action == 1 and isinstance(place, list):
            place.append(inner)
        else:
            place[key] = VALUES[rng.integers(len(VALUES))]
        break
    return changed


@dataclass
class Count:
    """What came of the trials of one command.

    Attributes
    ----------
    tried : int
    refused : int
        Exit code 2 and one line on stderr that names the file.
    same : int
        Answered, with the output of the whole file: nothing that is read was changed.
    other : int
        Answered otherwise, where the record was written anew after the damage, or a set has no
        hashes: the file then is another network or set, as whole as the first.
    broken : Counter
        By kind: "different" (another output without a word), "traceback", "signal", "hung",
        "lines" (refused, but not in one line with the file's name), "code" (another exit code).
    examples : list of str
        Of what is broken.
    """

    tried: int = 0
    refused: int = 0
    same: int = 0
    other: int = 0
    broken: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        broken = ", ".join(f"{kind} {count}" for kind, count in sorted(self.broken.items()))
        return (
            f"tried {self.tried}, refused in one line {self.refused}, answered the same "
            f"{self.same}, another whole file {self.other}, broken: {broken or 'none'}"
        )


class Trials:
    """Runs a command on damaged files.

    Parameters
    ----------
    folder : Path
        An empty folder, in which the command runs; the output is its sub-folder "out".
    run : callable
        Runs the command and returns its exit code. It is called in a fork of this process.
    name : str
        What a refusal must name: the damaged file, or the bundle's folder.
    read : callable
        Gives the bytes of the output that must not change, from the sub-folder "out".
    rehashed : bool
        Whether the damaged file's hash is put right, or it has none, so that it may be another
        whole file.
    passed : tuple of int
        Exit codes with which the output must be that of the whole file.
    """

    def __init__(
        self,
        folder: Path,
        run: Callable[[], int],
        *,
        name: str,
        read: Callable[[Path], Iterable[bytes]] | None = None,
        rehashed: bool = False,
        passed: tuple[int, ...] = (0,),
    ) -> None:
        self._folder, self._run, self._name, self._read = folder, run, name, read or _all_bytes
        self._rehashed, self._passed = rehashed, passed
        self.count = Count()
        code, _, errors = self._answer()
        if code != 0:
            raise AssertionError(f"the whole file is refused: {code} {errors}")
        self._whole = self._output()

    def try_once(self, what: str) -> None:
        """Run the command on the file as it is now; `what` names the damage in an example."""
        code, _, errors = self._answer()
        self.count.tried += 1
        kind = self._kind(code, errors)
        if kind == "refused":
            self.count.refused += 1
        elif kind == "same":
            self.count.same += 1
        elif kind == "other":
            self.count.other += 1
        else:
            self.count.broken[kind] += 1
            self.count.examples.append(f"{what}: {kind} {code}: {errors[-1500:]}")

    def _kind(self, code: int, errors: str) -> str:
        if "Traceback" in errors:
            return "traceback"
        if code < 0:
            return "hung" if code == -signal.SIGKILL else "signal"
        if code in self._passed:
            if self._output() == self._whole:
                return "same"
            return "other" if self._rehashed else "different"
        if code != 2:
            return "code"
        lines = [line for line in errors.splitlines() if line.startswith("error: ")]
        others = [line for line in errors.splitlines() if not line.startswith(NOTES)]
        named = re.search(rf"(?<![\w.]){re.escape(self._name)}(?!\w)", lines[0]) if lines else None
        return "refused" if lines == others and named else "lines"

    def _answer(self) -> tuple[int, str, str]:
        """Exit code (a signal's number, negative), stdout and stderr of one run."""
        out = self._folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if child == 0:
            self._be_the_command()
        status, deadline = 0, time.monotonic() + PATIENCE
        while True:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                break
            if time.monotonic() > deadline:
                os.kill(child, signal.SIGKILL)
                deadline = float("inf")
            time.sleep(0.005)
        texts = [(self._folder / name).read_text(errors="replace") for name in ("stdout", "stderr")]
        return os.waitstatus_to_exitcode(status), texts[0], texts[1]

    def _be_the_command(self) -> None:
        """Run the command in this process, a fork, and end it."""
        code = 70
        try:
            os.chdir(self._folder)
            for number, name in ((1, "stdout"), (2, "stderr")):
                os.dup2(os.open(name, os.O_CREAT | os.O_TRUNC | os.O_WRONLY), number)
            with contextlib.suppress(AttributeError):
                sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115, the fork's own
                sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115, the fork's own
            code = self._run()
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(BaseException):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def _output(self) -> str:
        summary = hashlib.sha256()
        for part in self._read(self._folder / "out"):
            summary.update(part)
        return summary.hexdigest()


def _all_bytes(folder: Path) -> Iterable[bytes]:
    """Names and content of all files below a folder, without times that a page may tell."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(folder)).encode()
            yield re.sub(rb"\d+\.\d+ s", b"", path.read_bytes())


def damage_file(
    trials: Trials, path: Path, count: int, seed: int, mend: Callable[[], None] = lambda: None
) -> Count:
    """Try `count` damaged copies of a file at its own place; `mend` then puts its hash right."""
    whole = path.read_bytes()
    try:
        for number in range(count):
            damaged = mutated(whole, np.random.default_rng((seed, number)))
            if damaged == whole:
                continue
            path.write_bytes(damaged)
            mend()
            trials.try_once(f"{path.name}, seed {(seed, number)}")
    finally:
        path.write_bytes(whole)
    return trials.count
