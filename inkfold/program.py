"""How the user started this program, and so how messages name other commands.

A checkout has scripts, ``python augment.py``; an installed Inkfold has ``inkfold augment`` alone.
Messages and helps are written with `typed` and `as_typed`, so that none names a missing script.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path

COMMAND = re.compile(r"\binkfold (train \w+|\w+)")


def typed(command: str) -> str:
    """What a user types for a command of ``inkfold``, before its arguments.

    Parameters
    ----------
    command : str
        A stage, as ``augment``, or the training of a network that comes along, ``train cnn32``.

    Returns
    -------
    line : str
        ``python augment.py`` or ``python models/cnn32.py`` where the program is a script of a
        checkout that has this one too; else ``inkfold augment`` or ``inkfold train cnn32``.
    """
    scripts = _scripts()
    if scripts is not None:
        stage, _, network = command.partition(" ")
        script = scripts / (f"models/{network}.py" if network else f"{stage}.py")
        if script.is_file():
            return f"python {shlex.quote(str(script))}"
    return f"inkfold {command}"


def as_typed(text: str) -> str:
    """The text of a help, in which ``inkfold STAGE`` becomes what `typed` gives."""
    return COMMAND.sub(lambda found: typed(found[1]), text)


def this_program(command: str) -> str:
    """What the user typed to start this program: a script's path, or else `command`."""
    started = sys.argv[0]
    return f"python {shlex.quote(started)}" if started.endswith(".py") else f"inkfold {command}"


def _scripts() -> Path | None:
    """The folder of the checkout's scripts, if the program is one of them."""
    started = Path(sys.argv[0])
    if started.suffix != ".py":
        return None
    beside, above = started.parent, Path(os.path.normpath(started.parent / os.pardir))
    if (above / "models" / started.name).is_file():
        beside = above
    return beside if (beside / "inkfold/program.py").is_file() else None
