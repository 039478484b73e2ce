"""Pixels as a PNG."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray


def png(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG of u1[rows, cols, 3], or of [rows, cols, 4] with opacity: each row as its difference from the one above, deflated."""
    rows, cols, bands = pixels.shape
    lines = pixels.reshape(rows, cols * bands)
    up = np.empty((rows, 1 + cols * bands), np.uint8)
    up[:, 0] = 2
    up[0, 1:] = lines[0]
    np.subtract(lines[1:], lines[:-1], out=up[1:, 1:])

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", cols, rows, 8, {3: 2, 4: 6}[bands], 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(up.tobytes(), 4))
        + chunk(b"IEND", b"")
    )
