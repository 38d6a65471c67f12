"""Which arithmetic a training run uses on which processor."""

from __future__ import annotations

import pytest

from inkfold.keras_backend import Precision, policy


@pytest.mark.parametrize(
    ("precision", "flags", "expected"),
    [
        ("auto", {"avx512_bf16"}, "mixed_bfloat16"),
        ("auto", {"amx_bf16"}, "mixed_bfloat16"),
        ("auto", {"avx2", "avx512f"}, "float32"),
        ("float32", {"avx512_bf16"}, "float32"),
        ("bfloat16", set(), "mixed_bfloat16"),
    ],
)
def test_auto_takes_bfloat16_where_the_processor_has_it(
    precision: Precision, flags: set[str], expected: str
) -> None:
    """The precision "auto" follows the processor's flags; the two named ones do not."""
    assert policy(precision, flags) == expected
