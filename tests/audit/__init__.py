"""Tests of inkfold/audit, a file for each module or promise."""
