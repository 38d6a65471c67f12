"""Tests of inkfold/canvas, a file for each module or promise."""
