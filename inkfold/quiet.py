"""What libpng and libjpeg print while they decode goes nowhere: our messages name the file.

They print on the stream `stderr` of the C library, and OpenCV gives no way to ask them not to.
Exchanging the stream concerns C libraries alone: the file descriptor 2 stays as it is, so that
nothing is lost of what Python and other processes write to it. Without glibc the lines stay.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading


class Quiet:
    """A context in which what a C library prints on its stream `stderr` goes to the null device.

    Threads may be in it together; the last to leave it brings the stream back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._decoding = 0
        self._stream: ctypes.c_void_p | None = None
        if sys.platform == "linux":
            c_library = ctypes.CDLL(None)
            c_library.fopen.restype = ctypes.c_void_p
            self._nowhere: int | None = c_library.fopen(os.devnull.encode(), b"we")
            if self._nowhere and hasattr(c_library, "gnu_get_libc_version"):
                self._stream = ctypes.c_void_p.in_dll(c_library, "stderr")
                self._usual = self._stream.value

    def __enter__(self) -> None:
        if self._stream is not None:
            with self._lock:
                self._decoding += 1
                self._stream.value = self._nowhere

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            with self._lock:
                self._decoding -= 1
                if not self._decoding:
                    self._stream.value = self._usual


QUIET = Quiet()
