"""Formats of picture files: their names, suffixes and first bytes, and whether they are read."""

from __future__ import annotations

import re
from typing import NamedTuple

HEAD = 32  # bytes that tell most formats


class Format(NamedTuple):
    """A format of picture files.

    Attributes
    ----------
    name : str
    suffixes : bytes
        Endings of files' names without their dots, in lower case, with spaces between.
    beginning : bytes
        A regular expression that the first bytes of such a file match; empty if they tell nothing.
    read : bool
        Whether `inkfold.picture` decodes it.
    """

    name: str
    suffixes: bytes
    beginning: bytes
    read: bool = True


FORMATS = (
    Format("PNG", b"png apng", rb"\x89PNG\r\n\x1a\n"),
    Format("JPEG", b"jpg jpeg jpe jfif", rb"\xff\xd8\xff"),
    Format("BMP", b"bmp dib", rb"BM.{4}\0{4}"),
    Format(
        "the raw format of a camera",
        b"cr2 crw nef nrw arw srf sr2 dng pef srw 3fr",
        rb"II\*\0.{4}CR",
        False,
    ),
    Format("TIFF", b"tif tiff", rb"II[*+]\0|MM\0[*+]"),
    Format("WebP", b"webp", rb".{8}WEBP"),
    Format("GIF", b"gif", rb"GIF8[79]a"),
    Format("PBM, PGM and PPM", b"pbm pgm ppm pnm", rb"P[1-6]\s+(?:#|\d+\s+(?:#|\d+\s))"),
    Format("PAM", b"pam", rb"P7\n"),
    Format("Sun raster", b"ras", rb"\x59\xa6\x6a\x95"),
    Format("AVIF", b"avif avifs", rb".{4}ftypavi[fs]"),
    Format("JPEG 2000", b"jp2 j2k jpf jpx j2c jpc", rb".{4}jP  \r\n|\xffO\xffQ"),
    Format("HEIC", b"heic heif hif", rb".{4}ftyp(?:he[iv][cxms]|mif1|msf1)"),
    Format("JPEG XL", b"jxl", rb".{4}JXL \r\n|\xff\x0a", False),
    Format("JPEG XR", b"jxr wdp hdp", rb"II\xbc", False),
    Format("PSD", b"psd psb", rb"8BPS", False),
    Format("XCF", b"xcf", rb"gimp xcf", False),
    Format("SVG", b"svg svgz", rb"(?:\xef\xbb\xbf)?\s*<svg", False),
    Format("PDF", b"pdf", rb"%PDF-", False),
    Format("PostScript", b"eps ps", rb"%!PS|\xc5\xd0\xd3\xc6", False),
    Format("DjVu", b"djvu djv", rb"AT&TFORM", False),
    Format("ICO", b"ico cur", rb"\0\0[\x01\x02]\0[^\0]\0", False),
    Format("OpenEXR", b"exr", rb"v/1\x01", False),
    Format("Radiance HDR", b"", rb"#\?R(?:ADIANCE|GBE)", False),  # .hdr is other programs' too
    Format("PFM", b"pfm", rb"P[Ff]\n", False),
    Format("TGA", b"tga", b"", False),
    Format("DDS", b"dds", rb"DDS ", False),
    Format("PCX", b"pcx", rb"\n[\0\x02-\x05]\x01[\x01\x02\x04\x08]", False),
    Format("QOI", b"qoi", rb"qoif", False),
    Format("DICOM", b"dcm", b"", False),
    Format(
        "the raw format of a camera",
        b"cr3 raf orf rw2 x3f",
        rb".{4}ftypcrx |FUJIFILM|IIR[OS]|IIU\0|FOVb",
        False,
    ),
)
SUFFIXES = tuple(b"." + suffix for known in FORMATS for suffix in known.suffixes.split())

ENDINGS = frozenset(suffix[1:] for suffix in SUFFIXES)


def named_as_a_picture(path: bytes) -> bool:
    """Whether a file's name ends in a suffix of a format in `FORMATS`, in any case."""
    _, dot, ending = path.rpartition(b".")
    return bool(dot) and ending.lower() in ENDINGS


def begins_a_picture(head: bytes) -> bool:
    """Whether these are the first bytes of a format in `FORMATS`; a file's first `HEAD` do."""
    return format_of(head) is not None


def format_of(head: bytes) -> Format | None:
    """The format whose files begin with these bytes."""
    for known in FORMATS:
        if known.beginning and re.match(known.beginning, head, re.DOTALL):
            return known
    return None


def unread(data: bytes) -> str:
    """Why a picture file of another format is not decoded; empty for data of unknown format."""
    known = format_of(data[:HEAD])
    name = "" if known is None or known.read else known.name
    if known is None or known.name == "ICO":  # TGA may begin like an icon
        name = "TGA" if data.endswith(b"TRUEVISION-XFILE.\0") else name
        name = "DICOM" if data[128:132] == b"DICM" else name
        name = "SVG" if b"<svg" in data[:1000] else name
    return f"{name} is not read; save the picture as PNG" if name else ""
