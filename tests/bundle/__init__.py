"""Tests of inkfold/bundle, a file for each module or promise."""
