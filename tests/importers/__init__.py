"""Tests of inkfold/importers, a file for each module or promise."""
