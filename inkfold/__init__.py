"""Inkfold: folders of handwritten-character pictures into a trained, measured classifier."""

__version__ = "0.1.0"
