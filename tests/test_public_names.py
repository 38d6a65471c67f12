"""The names that other programs import: they are there, and loading them late costs nothing."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

import inkfold

# docs/architecture.md; these places hold whatever is moved inside the package
STABLE = (
    "inkfold.dataset.open_dataset",
    "inkfold.elastic.Elastic",
    "inkfold.picture.prepare",
    "inkfold.picture.read",
    "inkfold.bundle.load_bundle",
    "inkfold.classifier.Classifier",
    "inkfold.errors.InkfoldError",
)


@pytest.mark.parametrize("name", STABLE)
def test_a_stable_name_stays_where_it_is(name: str) -> None:
    """Programs that import it from its module go on working, and the package has it as well."""
    module, _, last = name.rpartition(".")

    assert getattr(import_module(module), last) is getattr(inkfold, last)


@pytest.mark.parametrize("name", inkfold.__all__)
def test_a_public_name_is_loaded_when_it_is_asked_for(name: str) -> None:
    """Every name that the package promises exists and is listed by ``dir``."""
    assert getattr(inkfold, name).__name__ == name
    assert name in dir(inkfold)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    """As in any other module."""
    with pytest.raises(AttributeError, match="module 'inkfold' has no attribute 'nothing'"):
        inkfold.nothing  # noqa: B018, asking is the test


def test_importing_the_package_loads_no_module_of_ours_and_no_library() -> None:
    """Whoever wants one name does not wait for the others."""
    code = "import sys; old = set(sys.modules); import inkfold; print(*set(sys.modules) - old)"
    run = [sys.executable, "-c", code]
    loaded = subprocess.run(run, capture_output=True, text=True, check=True).stdout.split()

    assert {name for name in loaded if name.partition(".")[0] in ("inkfold", "numpy")} == {
        "inkfold"
    }
