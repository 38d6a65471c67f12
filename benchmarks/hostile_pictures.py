"""What small picture files that claim much may take: peak memory and time of reading each.

    python benchmarks/hostile_pictures.py

Each file is read and prepared in a process of its own. Memory is the peak resident set of the
whole process, with Python, NumPy and OpenCV; time is the processor's for reading. Besides the
files of the tests there are pictures just inside the limits, which are the most expensive ones
that are decoded.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.worlds.drawn_pictures import save
from tests.worlds.hostile_pictures import READ, REFUSED, chunk, head, scans

READER = """
import re, sys, time
from inkfold.errors import PictureError
from inkfold.picture import prepare, read
from inkfold.spec import ImageSpec
start, pixels = time.process_time(), None
try:
    pixels, answer = read(sys.argv[1]), "read"
except PictureError as error:
    answer = str(error)
took = time.process_time() - start
if pixels is not None:
    prepare(pixels, ImageSpec(threshold="soft"))
peak = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) >> 10
print(f"{peak} MiB | {took:.2f} s | {answer}")
"""


def within() -> Iterator[tuple[str, bytes]]:
    """Pictures that are just allowed."""
    noise = np.random.default_rng(0).integers(0, 256, (5500, 6300, 3)).astype(np.uint8)
    flat = np.full((5500, 6300, 3), 99, np.uint8)
    alpha = np.full((4500, 5700, 4), 99, np.uint8)
    progressive = [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]
    yield "PNG, 34 megapixels RGB", cv2.imencode(".png", flat)[1].tobytes()
    yield "PNG, 25 megapixels RGBA", cv2.imencode(".png", alpha)[1].tobytes()
    stored = chunk(b"IDAT", b"")
    yield "PNG, 600,000 chunks", head(8, 8) + stored * 600_000 + chunk(b"IEND", b"")
    yield "JPEG, 34 megapixels of noise", cv2.imencode(".jpg", noise, [1, 5])[1].tobytes()
    some = np.ascontiguousarray(noise[:3650])
    yield (
        "JPEG, 23 megapixels, progressive",
        cv2.imencode(".jpg", some, [*progressive, 1, 5])[1].tobytes(),
    )
    yield "JPEG, 35 scans of 12 megapixels", scans(25)
    yield "TIFF, 34 megapixels RGB, LZW", cv2.imencode(".tif", flat)[1].tobytes()
    yield "WebP, 25 megapixels RGBA", cv2.imencode(".webp", alpha)[1].tobytes()
    yield "WebP, 15 megapixels of noise", cv2.imencode(".webp", noise[:2400], [64, 10])[1].tobytes()
    yield "GIF, 17 megapixels", cv2.imencode(".gif", flat[:2750])[1].tobytes()
    yield "AVIF, 14 megapixels RGB", save("AVIF", flat[:2250], speed=10)
    yield "AVIF, 14 megapixels RGBA", save("AVIF", alpha[:2450], speed=10)
    yield "JPEG 2000, 10 megapixels RGB", save("JPEG2000", flat[:1600])
    yield "JPEG 2000, 23 megapixels of grey", save("JPEG2000", flat[:3600, :, 0])


def main() -> int:
    """Read each file in a process of its own, and print a table."""
    sys.stdout.write("| file | bytes | peak memory | time | answer |\n|---|---|---|---|---|\n")
    hostile = ((name, make()) for name, make in (REFUSED | READ).items())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture"
        for name, data in (*hostile, *within()):
            path.write_bytes(data)
            command = [sys.executable, "-c", READER, str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603, ours
            sys.stdout.write(f"| {name} | {len(data):,} | {done.stdout.strip()} |\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
