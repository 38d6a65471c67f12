"""How many pixels a picture may have, and what decoding it may cost.

A decoder allocates what a header claims and works as long as a file tells it to.
"""

from __future__ import annotations

MAX_PIXELS = 50_000_000  # inkfold/__init__.py sets the same limit for OpenCV
ORDINARY = 8 << 20  # bytes of a file; the limits below grow with a file that is larger
# Bytes that decoding an ordinary file may take beside the file itself: those of a page of A4 in
# colour at 600 dots an inch. With Python, NumPy and OpenCV a process stays under 300 MB.
MEMORY = 200 << 20
# A progressive JPEG visits every block once a scan, at up to 2.5 ns a sample. The usual ten scans
# of three colours visit 14 samples a pixel, 340 million in a photograph of 24 megapixels.
VISITS = 500_000_000
# PNG data that inflate to more than the picture are inflated to their end all the same. Deflate
# makes 1,032 bytes of one at most, so that this many bytes cost less than a second.
HARMLESS = 256 << 10
SPARE = 64 << 20  # bytes that PNG data may inflate to beyond the picture
COPIED = 2  # OpenCV copies the decoded pixels once
UNREADABLE = "truncated or not a picture"

Claim = tuple[int, int, int]  # rows, columns, bytes of memory that decoding takes


def allowed(limit: int, data: bytes) -> int:
    """The limit for a file of this size."""
    return limit * max(len(data), ORDINARY) // ORDINARY
