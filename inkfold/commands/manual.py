"""Write ``docs/commands.md`` from the help of all commands: ``python -m inkfold.commands.manual``.

A test fails when that page and the help differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from inkfold.commands import main, train
from inkfold.networks import cnn32

PAGE = Path(__file__).resolve().parents[2] / "docs" / "commands.md"
PROGRAM = "inkfold train cnn32"
INTRODUCTION = """# Commands

Every stage is a command of `inkfold`. In a checkout most are scripts too: `python augment.py` is
`inkfold augment`, and `python models/cnn32.py` is `inkfold train cnn32`; a script's messages name
scripts. This page is the help text of each command, written by `python -m inkfold.commands.manual`.

Exit codes everywhere: 0 done; 1 done, but some inputs failed (each is named on stderr, the others
are still answered); 2 usage or a mistake, told in one line with the next step.
A run that a signal ended gives 128 and the signal's number.

Progress goes to stderr, only when it is a terminal; `-q` silences it. Results go to stdout.
Outputs are written beside and renamed at the end; existing ones are refused without `--overwrite`.
They lie under the current folder, unless `-o` says otherwise.

A command that needs a part which is not installed says so before it works, with the extra that
brings it: docs/dependencies.md has them.

Where a bundle is asked for, a name alone stands for the bundle of this name under `models/trained`,
or else for the one that comes along, `emnist47`; a file or folder of this name comes first.

With `--overwrite` a folder is replaced only if it is of the kind that the command writes and holds
nothing else; an empty folder may be replaced too. An output that is an input, or a folder in an
input or around one, is refused, and so are devices, named pipes and sockets. An output that is a
link is written where the link leads.

What was there is removed after the new output stands. On Linux the two exchange their names in one
step. Where the system or the file system lacks that, a folder is exchanged by two renames; if the
command is killed between them, the next command with the same output gives the old folder its name
back before it looks whether the name is free. Hidden files that a killed command left beside its
output are removed by the next command with the same output.
"""


def page() -> str:
    """The text of ``docs/commands.md``."""
    sections = [INTRODUCTION, *(_section(name, stage) for name, stage in _stages())]
    return "\n".join(sections)


def _stages() -> Iterator[tuple[str, click.Command]]:
    """Each command with its title, and at the end that of training one network."""
    for name, stage in main.command.commands.items():
        if isinstance(stage, click.Group):
            yield from ((f"{name} {inner}", each) for inner, each in stage.commands.items())
        else:
            yield name, stage
    yield "train cnn32", train.train_command(cnn32.build, cnn32.RECIPE, program=PROGRAM)


def _section(title: str, stage: click.Command) -> str:
    context = click.Context(stage, info_name=title, max_content_width=100, terminal_width=100)
    return f"## {title}\n\n```text\n{stage.get_help(context)}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
