"""Tests of inkfold/archives, a file for each module or promise."""
