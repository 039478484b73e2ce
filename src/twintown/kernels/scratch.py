"""Room for large arrays that are needed again and again."""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np
import numpy.typing as npt


class Scratch:
    """Large arrays that are used again by whoever works on one tile after the other.

    Memory that the system gives anew is cleared page by page, which takes as long as the work on it. Travels to another process empty.
    Each thread has its own.
    """

    def __init__(self) -> None:
        self._of = threading.local()

    def take(self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """An array of that name; what is in it is not known, and what was given under that name before is gone."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        held: dict[str, npt.NDArray[np.uint8]] = self._of.__dict__.setdefault("held", {})
        if name not in held or held[name].size < size:
            held[name] = np.empty(size, np.uint8)
        return held[name][:size].view(dtype).reshape(shape)

    def __reduce__(self) -> tuple[type[Scratch], tuple[()]]:
        return Scratch, ()
