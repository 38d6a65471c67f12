"""Which arithmetic a training run uses, and what is shown while Keras is imported."""

from __future__ import annotations

import os

import pytest

from inkfold.keras_backend import Precision, policy, silent


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


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("AVX2", "float32"), ("avx512_core", "float32"), ("AVX512_CORE_BF16", "mixed_bfloat16")],
)
def test_auto_takes_no_bfloat16_that_a_user_withholds(
    monkeypatch: pytest.MonkeyPatch, limit: str, expected: str
) -> None:
    """Bfloat16 would be computed by other instructions, more slowly than float32."""
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)

    assert policy("auto", {"avx512_bf16"}) == expected


@pytest.mark.parametrize(("error", "shown"), [(SystemExit(130), ""), (ValueError(), "notice\n")])
def test_what_a_library_prints_is_shown_where_it_fails_and_not_at_ctrl_c(
    capfd: pytest.CaptureFixture[str], error: BaseException, shown: str
) -> None:
    """Lines that TensorFlow writes while it is imported explain an error, not an interrupt."""

    def importing() -> None:
        with silent(2):
            os.write(2, b"notice\n")
            raise error

    with pytest.raises(type(error)):
        importing()

    assert capfd.readouterr().err == shown
