"""Colours for the values of a grid: ramps, classes, legends, and the PNG that carries them.

Shade 0 is what is not known and stays transparent; shades 1 to 255 run from the least to the most.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twintown.ground.errors import NotFound
from twintown.ground.names import Name

Bytes = NDArray[np.uint8]
#: Shades that are seen; 0 is not.
SEEN = 255


@dataclass(frozen=True)
class Ramp:
    """A way to colour values.

    Args:
        id: its name in addresses.
        stops: colours at even steps from the least to the most, sRGB as hexadecimal.
        classes: number of equal classes, each of one colour; 0 for a ramp without steps.
        source: where the colours are from.
    """

    id: str
    title: Name
    stops: tuple[str, ...]
    classes: int = 0
    source: str = ""

    def colours(self) -> Bytes:
        """uint8[256, 3]: sRGB behind each shade; shade 0 is not seen."""
        given = np.array([[int(stop[k : k + 2], 16) for k in (0, 2, 4)] for stop in self.stops], float)
        share = np.linspace(0.0, 1.0, SEEN)
        if self.classes:
            share = np.minimum(np.floor(share * self.classes), self.classes - 1) / max(self.classes - 1, 1)
        at = share * (len(given) - 1)
        ramp = np.column_stack([np.interp(at, np.arange(len(given)), given[:, band]) for band in range(3)])
        return np.vstack([np.zeros((1, 3)), ramp.round()]).astype(np.uint8)


# The colours of viridis (van der Walt and Smith, CC0) and cividis [nunez2018] at 33 even steps.
_VIRIDIS = tuple(
    (
        "440154 470d60 48186a 482374 472d7b 453781 424086 3e4989 3b528b 375b8d 33638d "
        "2f6b8e 2c728e 297a8e 26828e 23898e 21918c 1f988b 1fa088 22a785 28ae80 32b67a "
        "3fbc73 4ec36b 5ec962 70cf57 84d44b 98d83e addc30 c2df23 d8e219 ece51b fde725"
    ).split()
)
_CIVIDIS = tuple(
    (
        "00224e 00285b 002e6a 053371 1a386f 273e6e 32436d 3b496c 434e6c 4b546c 535a6d "
        "5a5f6e 61656f 686a71 6f7073 767676 7d7c78 848279 8c8878 938e78 9b9476 a39a74 "
        "aba072 b4a76f bcae6c c4b468 cdbb63 d5c25e dec958 e7d150 f0d846 f9e03a fee838"
    ).split()
)

#: The first is what is shown when nobody asks for another.
RAMPS: Mapping[str, Ramp] = MappingProxyType(
    {
        ramp.id: ramp
        for ramp in (
            # from little to much, readable without colour: dark blue, teal, sand
            Ramp("shore", Name("물가", "Shore"), ("1b264f", "2b607d", "52988c", "babc78", "fde7a0")),
            Ramp("cividis", Name("시비디스", "Cividis"), _CIVIDIS, source="doi:10.1371/journal.pone.0199239"),
            Ramp("viridis", Name("비리디스", "Viridis"), _VIRIDIS, source="https://bids.github.io/colormap/"),
            Ramp("greys", Name("회색조", "Greys"), ("101010", "f5f5f5")),
            Ramp(
                "classes", Name("일곱 등급", "Seven classes"), _VIRIDIS, 7, "https://bids.github.io/colormap/"
            ),
        )
    }
)
DEFAULT = RAMPS["shore"]


def ramp(name: str) -> Ramp:
    """The ramp of a name. Raises NotFound."""
    if name not in RAMPS:
        raise NotFound(f"there is no style {name[:64]!r}", remedy=f"known: {', '.join(RAMPS)}")
    return RAMPS[name]


def shades(
    values: NDArray[Any], known: NDArray[np.bool_], low: float | None = None, high: float | None = None
) -> Bytes:
    """Where each value lies between `low` and `high` (the smallest and the largest known one): 1 to 255; 0 for the unknown."""
    if not known.any():
        return np.zeros(values.shape, np.uint8)
    least = float(values[known].min()) if low is None else low
    most = float(values[known].max()) if high is None else high
    scale = np.float32((SEEN - 1) / max(most - least, 1e-12))
    share = np.clip((values.astype(np.float32) - np.float32(least)) * scale, 0, SEEN - 1)
    return np.where(known, np.nan_to_num(share).round() + 1, 0).astype(np.uint8)


def palette() -> Bytes:
    """uint8[256, 3]: the colours of the default ramp."""
    return DEFAULT.colours()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(shade: Bytes, colours: Bytes | None = None, background: tuple[int, int, int] | None = None) -> bytes:
    """A PNG of uint8[rows, cols] (W3C PNG, third edition: IHDR, PLTE, tRNS, IDAT, IEND; no filters).

    Args:
        colours: uint8[256, 3], of the default ramp where not given.
        background: sRGB behind what is not known; transparent where not given.
    """
    rows, cols = shade.shape
    table = np.array(palette() if colours is None else colours, np.uint8)
    if background is not None:
        table[0] = background
    lines = np.zeros((rows, 1 + cols), np.uint8)  # each line starts with its filter, 0 for none
    lines[:, 1:] = shade
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", cols, rows, 8, 3, 0, 0, 0)),  # 8 bits, indexed
        (b"PLTE", table.tobytes()),
        *([(b"tRNS", b"\x00")] if background is None else []),  # shade 0 is transparent, all others are not
        (b"IDAT", zlib.compress(lines.tobytes(), 6 if rows * cols > 70_000 else 4)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def legend(ramp: Ramp, low: float, high: float, unit: str) -> dict[str, object]:
    """What colour means which value: classes with their bounds, or seven stops of the ramp."""
    colours = ramp.colours()
    count = ramp.classes or 7

    def colour(share: float) -> str:
        return "#" + "".join(f"{int(band):02x}" for band in colours[1 + round(share * (SEEN - 1))])

    if ramp.classes:
        edges = np.linspace(low, high, count + 1)
        entries = [
            {"from": float(edges[k]), "to": float(edges[k + 1]), "colour": colour((k + 0.5) / count)}
            for k in range(count)
        ]
    else:
        values = np.linspace(low, high, count)
        entries = [{"value": float(values[k]), "colour": colour(k / (count - 1))} for k in range(count)]
    return {"unit": unit, "low": low, "high": high, "entries": entries}


def legend_png(ramp: Ramp, width: int = 256, height: int = 24) -> bytes:
    """The ramp from the least on the left to the most on the right."""
    across = np.rint(np.linspace(1, SEEN, width)).astype(np.uint8)
    return png(np.broadcast_to(across, (height, width)), ramp.colours())
