"""Tests of benchmarks/: figures are computed, printed and recorded correctly."""
