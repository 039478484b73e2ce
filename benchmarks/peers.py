"""One peer's shadow masks of one height field; runs in the peers' own environment, never in ours.

    python peers.py NAME heights.npy suns.npy out.npy

`suns` float64[n, 2]: azimuth (degrees clockwise from grid north) and altitude (degrees). Prints one line of JSON: seconds a mask.
The peers are AGPL: they are called as programs of their own, nothing of theirs is imported by Twintown.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any


def umep(heights: Any) -> Callable[[float, float], Any]:
    """UMEP's building shadows in NumPy (`shadowingfunctionglobalradiation`)."""
    from umep.util.shadowingfunctions import shadowingfunctionglobalradiation

    return lambda azimuth, altitude: shadowingfunctionglobalradiation(heights, azimuth, altitude, 1.0, 1)


def umepr(heights: Any) -> Callable[[float, float], Any]:
    """UMEP's shadows in Rust, without vegetation and walls, on the processor."""
    from umepr.rustalgos import shadowing

    shadowing.disable_gpu()
    top = float(heights.max())

    def mask(azimuth: float, altitude: float) -> Any:
        # (azimuth, altitude, scale, highest, heights, then no vegetation, bushes, walls, aspects, and no least elevation)
        found = shadowing.calculate_shadows_wall_ht_25(azimuth, altitude, 1.0, top, heights, *[None] * 8)
        return found.bldg_sh

    return mask


def solweig(heights: Any) -> Callable[[float, float], Any]:
    """SOLWEIG's shadows in Rust, without vegetation and walls, on the processor."""
    from solweig.rustalgos import shadowing

    shadowing.disable_gpu()
    top = float(heights.max())
    return lambda azimuth, altitude: (
        shadowing.calculate_shadows_wall_ht_25(azimuth, altitude, 1.0, top, heights).bldg_sh
    )


def main() -> None:
    """Time one peer: a first mask to warm up, then each position once."""
    import numpy as np

    name, heights_path, suns_path, out_path = sys.argv[1:5]
    heights, suns = np.load(heights_path), np.load(suns_path)
    mask = {"umep": umep, "umepr": umepr, "solweig": solweig}[name](heights)
    mask(float(suns[-1, 0]), 60.0)
    seconds, masks = [], []
    for azimuth, altitude in suns:
        begun = time.perf_counter()
        found = mask(float(azimuth), float(altitude))
        seconds.append(time.perf_counter() - begun)
        masks.append((np.asarray(found) > 0.5).astype(np.uint8))
    np.save(out_path, np.stack(masks))
    print(json.dumps({"peer": name, "version": version(name), "seconds": seconds}))


if __name__ == "__main__":
    main()
