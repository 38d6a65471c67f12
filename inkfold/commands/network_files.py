"""The network that a user names: one that comes along, or that of a script of one's own."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from inkfold.errors import InkfoldError
from inkfold.networks.scores import SCORES
from inkfold.recipe import Recipe

Build = Callable[[int], Any]  # classes -> keras.Model; keras is not imported here


def load_network(name: str) -> tuple[Build, Recipe]:
    """The network and the recipe of a name that `SCORES` has, or of a model script's path.

    Parameters
    ----------
    name : str
        A path if it ends in .py or has a slash; a file in the current folder is no name.

    Raises
    ------
    InkfoldError
        If no network has this name, or for the reasons of `load_script`.
    """
    if name.endswith(".py") or os.sep in name:
        return load_script(Path(name))
    module = network_module(name)
    return module.build, module.RECIPE


def network_module(name: str) -> ModuleType:
    """The module of a network that comes along.

    Raises
    ------
    InkfoldError
        Naming the closest, if none has this name.
    """
    if name not in SCORES:
        near = difflib.get_close_matches(name, SCORES, n=3, cutoff=0.5)
        raise InkfoldError(
            f"{name}: no network of this name; {'closest' if near else 'there are'}: "
            f"{', '.join(near or SCORES)}; a script of your own is given by its path, {name}.py"
        )
    return importlib.import_module(f"inkfold.networks.{name}")


def load_script(path: Path) -> tuple[Build, Recipe]:
    """The network and the recipe of a model script.

    Raises
    ------
    InkfoldError
        If there is no such script, or if it does not define ``build`` and ``RECIPE``.
    """
    if not path.is_file():
        raise InkfoldError(
            f"{path}: no such model script; those that come along have names: inkfold networks"
        )
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise InkfoldError(f"{path}: a model script's name ends in .py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    build, recipe = getattr(module, "build", None), getattr(module, "RECIPE", None)
    if not callable(build) or not isinstance(recipe, Recipe):
        raise InkfoldError(
            f"{path}: a model script holds RECIPE and build(classes); "
            "inkfold networks cnn32 -o my_network.py writes one to begin with"
        )
    return build, recipe
