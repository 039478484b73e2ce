"""Sixty-four bits for each of many texts: FNV-1a [fowler2019, section 3] over the bytes of an Arrow column."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["marks"]

_PRIME = np.uint64(0x00000100000001B3)
_BASIS = np.uint64(0xCBF29CE484222325)


@njit(cache=True, nogil=True)
def marks(data, offsets):  # type: ignore[no-untyped-def]
    """uint64[n] of the texts data[offsets[i]:offsets[i + 1]]; uint8[…] and integers [n + 1]."""
    out = np.empty(offsets.shape[0] - 1, np.uint64)
    for i in range(out.shape[0]):
        mark = _BASIS
        for k in range(offsets[i], offsets[i + 1]):
            mark = (mark ^ np.uint64(data[k])) * _PRIME
        out[i] = mark
    return out
