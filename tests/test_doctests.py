"""The examples in docstrings run, in a small world of drawn pictures and a packed dataset."""

from __future__ import annotations

import doctest
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import inkfold
from tests.test_layers import MODULES, name_of
from tests.worlds.examples import write_world

SLOW = {"bundle.bundle"}  # loads Keras
WITH_EXAMPLES = [
    pytest.param(name_of(path), marks=pytest.mark.slow if name_of(path) in SLOW else ())
    for path in MODULES
    if ">>>" in path.read_text(encoding="utf-8")
]
METHODS = (
    *("Bundle.keras_model", "Bundle.onnx_session", "Classifier.classify", "Classifier.predict"),
    *("Dataset.split", "Elastic.distort", "Elastic.fields", "Split.blocks"),
)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder that examples run in: two pictures, a dataset and a bundle."""
    write_world(tmp_path)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("module", WITH_EXAMPLES)
@pytest.mark.usefixtures("world")
def test_the_examples_of_a_module_print_what_they_show(module: str) -> None:
    """Each example runs by itself, of public names with its imports, and none is skipped."""
    home = import_module(f"inkfold.{module}")
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    report: list[str] = []
    examples = 0
    for test in examples_of(home.__name__, home):
        assert not any(doctest.SKIP in example.options for example in test.examples), test.name
        runner.run(test, out=report.append)
        examples += len(test.examples)

    assert examples, "the module shows an example outside of a docstring"
    assert report == [], "".join(report)


def examples_of(name: str, home: object) -> Iterator[doctest.DocTest]:
    """The docstrings with examples; those that users read begin with no names at all."""
    public = {getattr(inkfold, each).__module__ for each in inkfold.__all__}
    names: dict[str, object] | None = {} if name in public else None  # None: the module's own
    found = doctest.DocTestFinder().find(home, name, globs=names)
    return (test for test in found if test.examples)


@pytest.mark.parametrize("name", [*inkfold.__all__, *METHODS])
def test_a_public_name_has_an_example(name: str) -> None:
    """Every public name, and every method that a program calls, shows how it is used."""
    thing: object = inkfold
    for part in name.split("."):
        thing = getattr(thing, part)

    assert "Examples\n" in str(thing.__doc__)
    assert ">>> " in str(thing.__doc__)
