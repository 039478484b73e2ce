"""A question to any source, about the two hamlets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from twintown.ground.bounds import Bounds
from twintown.ground.frames import Frame
from twintown.ground.provenance import Licence, Source
from twintown.sources import source as sources

KOREA = Frame("EPSG:5186")
TOWER = Bounds(208816, 545640, 209336, 546160)
ICHEON = Bounds(228800, 493200, 257200, 529800)
ORIGIN = Source("somewhere", "Somewhere", "Somebody", Licence("CC0-1.0", "CC0"))

Answer = dict[str, Any]


@pytest.fixture
def read() -> Callable[..., Answer]:
    """Ask a source of the registry by name; all its layers."""

    def ask(
        name: str,
        *paths: Path,
        bounds: Bounds = TOWER,
        frame: Frame = KOREA,
        base: Path = Path(),
        **options: Any,
    ) -> Answer:
        question = sources.Ask(paths, frame, bounds, ORIGIN, options, "Asia/Seoul", base=base)
        return dict(sources.read(sources.registry().find(name), question))

    return ask
