"""The names that other programs import: all exist, and the package loads them only when used."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

import inkfold

# these names stay where they are, whatever is moved inside the package
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
    """A stable name can be imported from its own module and from the package."""
    module, _, last = name.rpartition(".")

    assert getattr(import_module(module), last) is getattr(inkfold, last)


@pytest.mark.parametrize("name", inkfold.__all__)
def test_a_public_name_is_loaded_when_it_is_used(name: str) -> None:
    """Every name that the package promises exists and is listed by ``dir``."""
    assert getattr(inkfold, name).__name__ == name
    assert name in dir(inkfold)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """An unknown name raises the AttributeError that any other module raises."""
    with pytest.raises(AttributeError, match="module 'inkfold' has no attribute 'nothing'"):
        inkfold.nothing  # noqa: B018, the look-up itself is the test


def test_importing_the_package_loads_no_module_of_ours_and_no_library() -> None:
    """``import inkfold`` loads neither numpy nor any of the package's own modules."""
    code = "import sys; old = set(sys.modules); import inkfold; print(*set(sys.modules) - old)"
    run = [sys.executable, "-c", code]
    loaded = subprocess.run(run, capture_output=True, text=True, check=True).stdout.split()

    assert {name for name in loaded if name.partition(".")[0] in ("inkfold", "numpy")} == {
        "inkfold"
    }
