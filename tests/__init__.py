"""Tests: a sentence about behaviour each, on real files, with real second processes."""
