"""Tests of inkfold/training, a file for each module or promise."""
