"""Tests of inkfold/packing, a file for each module or promise."""
