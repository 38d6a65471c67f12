"""The size of the frames in the coded data of an AVIF file (AV1) and of a HEIC file (HEVC).

A decoder allocates what these data claim, whatever the boxes around them say.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

AV1_SEQUENCE, HEVC_SEQUENCE = 1, 33  # kinds of units that tell the size
MOST = 4096  # units that are looked at: a picture has a few
HEVC_ARRAYS = 22  # bytes of an ``hvcC`` box before its arrays of units
Size = tuple[int, int]  # rows, columns


class _Bits:
    """Numbers of any number of bits, one after the other, the highest bit first."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    def take(self, count: int) -> int:
        """The next number of so many bits; raises IndexError at the end of the data."""
        start, self._place = self._place, self._place + count
        last = -(-self._place // 8)
        if last > len(self._data):
            raise IndexError("the data end")
        number = int.from_bytes(self._data[start // 8 : last])
        return number >> 8 * last - self._place & (1 << count) - 1

    def golomb(self) -> int:
        """The next number in Exp-Golomb code."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise IndexError("no number")
        return (1 << zeros) - 1 + self.take(zeros)


def av1_sizes(data: bytes) -> Iterator[Size]:
    """The size in each sequence header among the units of AV1 data."""
    place = units = 0
    while place < len(data):
        units += 1
        if units > MOST:
            raise IndexError("too many units")
        head, place = data[place], place + 1
        place += head >> 2 & 1  # an extension
        length, shift = 0, 0
        while head & 2:  # the length follows, seven bits a byte
            length |= (data[place] & 0x7F) << shift
            place, shift = place + 1, shift + 7
            if not data[place - 1] & 0x80 or shift > 56:
                break
        end = place + length if head & 2 else len(data)
        if head >> 3 & 15 == AV1_SEQUENCE:
            yield _av1_size(_Bits(data[place:end]))
        place = end


def _av1_size(bits: _Bits) -> Size:
    """The largest frame, in a sequence header as section 5.5 of the AV1 specification says."""
    bits.take(4)  # profile, still picture
    if bits.take(1):  # reduced header
        bits.take(5)
    else:
        _pass_over_operating_points(bits)
    wide, tall = bits.take(4) + 1, bits.take(4) + 1
    columns = bits.take(wide) + 1
    return bits.take(tall) + 1, columns


def _pass_over_operating_points(bits: _Bits) -> None:
    """The part of a sequence header that a film has before its size."""
    delay = 0  # bits of a delay, where the model of a decoder is described
    if bits.take(1):  # timing
        bits.take(64)
        if bits.take(1):
            bits.golomb()
        if bits.take(1):
            delay = bits.take(5) + 1
            bits.take(42)
    initial = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:
            bits.take(1)
        if delay and bits.take(1):
            bits.take(2 * delay + 1)
        if initial and bits.take(1):
            bits.take(4)


def hevc_sizes(data: bytes) -> Iterator[Size]:
    """The size in each sequence parameter set among units that have their lengths before them."""
    place = units = 0
    while place + 6 <= len(data):
        units += 1
        if units > MOST:
            raise IndexError("too many units")
        (length,) = struct.unpack_from(">I", data, place)
        if data[place + 4] >> 1 & 63 == HEVC_SEQUENCE:
            yield _hevc_size(data[place + 6 : place + 4 + length])
        place += 4 + length


def hevc_box_sizes(box: bytes) -> Iterator[Size]:
    """The same of the units in a box ``hvcC``."""
    place = HEVC_ARRAYS + 1
    for _ in range(box[HEVC_ARRAYS]):
        (count,) = struct.unpack_from(">H", box, place + 1)
        place += 3
        for _ in range(count):
            (length,) = struct.unpack_from(">H", box, place)
            if box[place + 2] >> 1 & 63 == HEVC_SEQUENCE:
                yield _hevc_size(box[place + 4 : place + 2 + length])
            place += 2 + length


def _hevc_size(unit: bytes) -> Size:
    """Rows and columns, in a parameter set as section 7.3.2.2 of ITU-T H.265 says."""
    bits = _Bits(re.sub(rb"\0\0\x03", b"\0\0", unit))  # without the bytes against false beginnings
    bits.take(4)
    layers = bits.take(3)
    bits.take(1 + 96)
    flags = [(bits.take(1), bits.take(1)) for _ in range(8)][:layers] if layers else []
    for profile, level in flags:
        bits.take(88 * profile + 8 * level)
    bits.golomb()
    if bits.golomb() == 3:  # every colour has all pixels
        bits.take(1)
    columns = bits.golomb()
    return bits.golomb(), columns
