"""Run benchmarks as if on a lesser processor, and tabulate what each level of it gives.

    python benchmarks/levels.py [--level AVX2] [--only training]

Each level runs the same scripts with what the libraries have to leave newer instructions out:
ONEDNN_MAX_CPU_ISA (oneDNN in TensorFlow, PyTorch and OpenVINO), XLA_FLAGS, OPENBLAS_CORETYPE (NumPy
and SciPy), NPY_DISABLE_CPU_FEATURES, ATEN_CPU_CAPABILITY (PyTorch) and OPENCV_CPU_DISABLE. igzip
and ONNX Runtime have no such switch and run as ever. The rows go to `benchmarks/levels.json`, which
keeps those of levels and scripts that are not run again, and the table of ratios to
`docs/performance.md`. A level that the processor does not have is refused.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import ROOT, Row, between, load, rows_of
from benchmarks.results import machine
from inkfold.commands import cli
from inkfold.keras_backend import cpu_flags

WITHOUT_AVX512 = {
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    "ATEN_CPU_CAPABILITY": "avx2",
    "OPENCV_CPU_DISABLE": "AVX512-SKX",
}
# from the least to the most, by oneDNN's names, with the feature of the processor that each needs
LEVELS: dict[str, tuple[str, dict[str, str]]] = {
    "AVX2": ("avx2", WITHOUT_AVX512),
    "AVX512_CORE": ("avx512dq", {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"}),
    "AVX512_CORE_BF16": ("avx512_bf16", {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16"}),
}
SCRIPTS = ("elastic", "augmenting", "packing", "classifying", "engines", "training", "networks")
KEPT = ROOT / "benchmarks/levels.json"
PAGE = ROOT / "docs/performance.md"
BEGIN, END = "<!-- benchmarks/levels.py writes from here -->", "<!-- to here -->"
Kept = dict[str, dict[str, Any]]  # by level: the machine, and by script the date and the rows


def available() -> list[str]:
    """The levels that this processor has."""
    flags = cpu_flags()
    return [level for level, (feature, _) in LEVELS.items() if feature in flags]


def measured(level: str, script: str) -> list[Row]:
    """The rows of a script at a level.

    Raises
    ------
    subprocess.CalledProcessError
        If the script fails.
    """
    _, variables = LEVELS[level]
    # what a level needs no switch for must not be switched by the caller either
    clean = {name: value for name, value in os.environ.items() if name not in WITHOUT_AVX512}
    if level == "AVX2" and "avx512f" not in cpu_flags():
        variables = {}  # the real one
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.json"
        line = [sys.executable, str(ROOT / f"benchmarks/{script}.py"), "--rows", str(rows)]
        subprocess.run(line, check=True, env=clean | variables)  # noqa: S603, our own scripts
        return load(rows)


def table(kept: Kept) -> str:
    """The machines, and the ratio of every row at every level."""
    levels = [level for level in LEVELS if level in kept]
    ratios: dict[tuple[str, str], dict[str, str]] = {}
    for level in levels:
        for script in SCRIPTS:
            for row in rows_of(kept[level]["scripts"].get(script, {}).get("rows", [])):
                stage, peer = (_plain(text) for text in (row.stage, row.peer))
                ratios.setdefault((stage, peer), {})[level] = f"{row.ours} | {row.ratio.text()}"
    lines = [
        *(f"- {level}: {_named(kept[level])}" for level in levels),
        "",
        "| stage | beside |" + "".join(f" {level} | ratio |" for level in levels),
        "|---|---|" + "---|---|" * len(levels),
    ]
    for (stage, peer), found in ratios.items():
        cells = " | ".join(found.get(level, " | ") for level in levels)
        lines.append(f"| {stage} | {peer} | {cells} |")
    return "\n".join(lines)


def _plain(text: str) -> str:
    """A row's name without what was measured along with it, which differs from level to level."""
    return text.partition(": NumPy's product")[0]


def _named(level: dict[str, Any]) -> str:
    """The machine that a level was measured on, and when."""
    dates = sorted({script["date"] for script in level["scripts"].values()})
    named = level["machine"]
    return (
        f"{named['processor']} ({named['instruction sets']}), {named['cores']} cores, "
        f"{' and '.join(dates)}"
    )


@click.command(help=__doc__)
@click.option("--level", "levels", type=click.Choice(list(LEVELS)), multiple=True)
@click.option("--only", type=click.Choice(SCRIPTS), multiple=True)
def command(levels: tuple[str, ...], only: tuple[str, ...]) -> int:
    """Run the scripts at each level, and write the table after each."""
    if missing := [level for level in levels if level not in available()]:
        raise click.ClickException(
            f"this processor has no {missing[0]}; it has {', '.join(available())}"
        )
    kept: Kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    for level in levels or available():
        for script in only or SCRIPTS:
            click.echo(f"{level}: {script}", err=True)
            rows = [asdict(row) for row in measured(level, script)]
            found = kept.setdefault(level, {"scripts": {}})
            found["machine"] = machine()
            found["scripts"][script] = {"date": time.strftime("%Y-%m-%d"), "rows": rows}
            KEPT.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
            text = PAGE.read_text(encoding="utf-8")
            PAGE.write_text(between(text, table(kept), BEGIN, END), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(cli.run(command))
