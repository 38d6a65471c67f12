"""Tests of inkfold/dataset, a file for each module or promise."""
