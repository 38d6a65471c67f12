"""What libpng and libjpeg print does not reach the terminal, and nothing else is lost."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, sys, threading
import numpy as np
from inkfold.errors import PictureError
from inkfold.picture import decode
from tests.worlds.drawn_pictures import encode, raw_png
library = ctypes.CDLL(None)
stream = ctypes.c_void_p.in_dll(library, "stderr")
noise = np.random.default_rng(0).integers(0, 256, (99, 99, 3)).astype(np.uint8)
jpeg = bytearray(encode(".jpg", noise))
jpeg[3000:3200] = bytes([255, 0xd9]) + bytes(198)
short = raw_png([bytes(2)] * 3, 9, depth=8, colour=0)
def work():
    for data in [bytes(jpeg), short] * 20:
        try:
            decode(data)
        except PictureError:
            pass
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for number in range(50):
    print("line", number, file=sys.stderr)
for thread in threads:
    thread.join()
library.fprintf(stream, b"C library\\n")
library.fflush(stream)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the stream is exchanged with glibc alone")
def test_lines_of_the_decoders_are_gone_and_others_stay() -> None:
    """Four threads decode damaged files in silence while all of another thread's lines arrive."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True)

    lines = [f"line {number}" for number in range(50)]
    assert done.stderr.decode().splitlines() == [*lines, "C library"]
