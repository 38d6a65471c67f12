"""Tests of inkfold/explore, a file for each module or promise."""
