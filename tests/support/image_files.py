"""Image files for tests: ordinary, odd and hostile ones."""

from __future__ import annotations

import io
import os
import struct
import zlib

from PIL import Image

PLACE = b"GPSLatitude"


def saved(image: Image.Image, name: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, name, **options)
    return file.getvalue()


def read(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def png(width: int = 40, height: int = 30, colour: str = "red") -> bytes:
    return saved(Image.new("RGB", (width, height), colour), "PNG")


def photograph(width: int, height: int) -> Image.Image:
    """Noise, which no encoder makes small."""
    return Image.frombytes("RGB", (width, height), os.urandom(3 * width * height))


def with_place() -> bytes:
    """A JPEG from a phone: GPS data, a maker and a comment, and it has to be turned."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    exif[0x010F] = "SecretPhone"
    exif.get_ifd(0x8825)[1] = "N"
    return saved(Image.new("RGB", (40, 20), "blue"), "JPEG", exif=exif, comment=b"at home")


def huge_header(side: int = 50_000) -> bytes:
    """A PNG of a few bytes that claims to have side x side pixels."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b""))
    body = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def bomb(side: int = 12_000) -> bytes:
    """A valid PNG of 20 kB with 144 million pixels."""
    return saved(Image.new("1", (side, side)), "PNG")
