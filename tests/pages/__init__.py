"""Tests of inkfold/pages, a file for each module or promise."""
