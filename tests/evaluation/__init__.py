"""Tests of inkfold/evaluation, a file for each module or promise."""
