"""Tests of inkfold/headers, a file for each module or promise."""
