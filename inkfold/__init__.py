"""Inkfold: folders of handwritten-character pictures into a trained, measured classifier."""

import os

__version__ = "0.1.0"

# OpenCV reads this once, when whichever module of ours loads it first: larger pictures are refused
# before they are decoded. inkfold.picture tells the user.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", "50000000")
