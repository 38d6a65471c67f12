"""Tests of inkfold/commands, a file for each module or promise."""
