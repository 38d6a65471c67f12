"""Tests of benchmarks/: what is measured is computed, told and kept rightly."""
