"""Tests of inkfold/augmentation, a file for each module or promise."""
