"""The server keeps its own OpenAPI description, for requests that it allows or forbids."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from inkfold.bundle.bundle import load_bundle
from inkfold.canvas.kept_drawings import KeptDrawings
from inkfold.canvas.recogniser import Recogniser
from inkfold.canvas.web.app import create_app
from inkfold.classifier import Classifier
from inkfold.spec import ImageSpec
from tests.worlds.bands import SPEC, write_bundle

FOLDER = Path(tempfile.mkdtemp(prefix="inkfold-"))  # needed at import, before any fixture exists
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def application() -> object:
    """The application with a bundle whose answers are known by hand."""
    bundle = write_bundle(FOLDER / "known", spec=ImageSpec(size=SPEC.size, fit="stretch"))
    recogniser = Recogniser(Classifier(load_bundle(bundle)))
    return create_app(recogniser, KeptDrawings(FOLDER / "kept"), ("*",))


schema = schemathesis.openapi.from_asgi("/openapi.json", application())


@pytest.mark.slow
@schema.parametrize()
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
def test_every_answer_is_one_that_the_description_names(case: schemathesis.Case[Any]) -> None:
    """Good and bad requests get a described status and body, and never a server error."""
    case.call_and_validate(checks=CHECKS)
