"""``networks``: those that come along, or one of them as a script to begin one's own with."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import click

from inkfold.commands.cli import echo
from inkfold.commands.network_files import network_module
from inkfold.commands.next_lines import quoted
from inkfold.commands.options import output_option, overwrite_option
from inkfold.errors import InkfoldError
from inkfold.networks.scores import CLASSES, SCORES, TOTAL
from inkfold.program import typed


@click.command("networks")
@click.argument("network", required=False)
@output_option(None, "The script to write, a copy of NETWORK to begin your own with.")
@overwrite_option
def command(network: str | None, output: Path | None, *, overwrite: bool) -> int:
    """List the networks that come along, or copy one into a script of your own.

    \b
    Examples:
        inkfold networks
        inkfold networks cnn32 -o my_network.py

    The list has what each takes, its parameters, and what it had right on the same pictures. With
    NETWORK alone its text is printed: layers, recipe, and how to run it.
    """
    if network is None and output is not None:
        raise click.UsageError("-o writes a copy of one network: name it, as cnn32")
    if network is None:
        echo("\n".join(_table()))
        return 0
    text = inspect.getsource(network_module(network))
    if output is None:
        echo(text, nl=False)
        return 0
    from inkfold.output import check_free, new_file

    if output.suffix != ".py":
        raise InkfoldError(f"{output}: a model script's name ends in .py")
    check_free(output, overwrite=overwrite)
    with new_file(output, overwrite=overwrite) as part:
        part.write_text(_own(text, network, output.stem), encoding="utf-8")
    echo(f"{click.format_filename(output)}: a copy of {network}")
    echo(f"next: inkfold train {quoted(output)} DATASET")
    return 0


def _table() -> Iterator[str]:
    from inkfold.metrics import Rate

    yield f"{'network':12}{'input':8}{'parameters':>12}  {'epochs':>6}  right"
    for name, score in SCORES.items():
        side = f"{score.size}x{score.size}"
        rate = Rate(score.right, TOTAL)
        yield f"{name:12}{side:8}{score.parameters:>12,}  {score.epochs:>6}  {rate}"
    yield ""
    yield (
        f"parameters with {CLASSES} classes; right on the official test split of EMNIST ByMerge, "
        "after so many epochs on a seventh of its training pictures"
    )
    yield f"next: {typed('train cnn32')} DATASET"


def _own(text: str, network: str, name: str) -> str:
    """The text of a network's file as that of a network of another name, which was not measured."""
    _, docstring, code = text.split('"""', maxsplit=2)
    summary = docstring.splitlines()[0].removeprefix(f"{network}: ")
    named = code.replace(f'name="{network}"', f'name="{name}"', 1)
    return f'"""{name}: begun as a copy of {network}: {summary}"""{named}'
