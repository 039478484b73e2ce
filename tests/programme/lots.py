"""A tiny twin with lots and their producers, as the demonstration has them, for tests of certificates and recalls."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import shapely

from twintown.ground.provenance import Licence, Source
from twintown.programme.produce_layers import DESK
from twintown.trust.grades import Grade
from twintown.trust.identity import LOCAL_OWNER
from twintown.trust.policy import Resource, decide
from twintown.twin.add import About, add_empty
from twintown.twin.edits import Change, Draft, write
from twintown.twin.layers import Twin

LON_LAT = (127.4425, 37.2722)
SOURCE = Source("test", "lots of the test", "test", Licence("CC0-1.0", "CC0"), date="2026-11-22")
ROW: dict[str, Any] = {
    "producer": "p-1", "origin_ko": "부발읍", "origin_en": "Bubal-eup", "product": "rice", "variety": "알찬미", "grade": "special",
    "quantity_kg": 1200.0, "error_kg": 60.0, "from": "2026-10-01", "until": "2027-12-31", "shelf_life_d": 90, "price_krw_kg": 3000.0,
    "allergens": "", "state": "offered", "promised_kg": 0.0, "promised_to": "", "batch": "ICN-2027-01", "gtin": "02900000000018",
    "substitute": False, "source": "assumed", "note": "햅쌀",
}  # fmt: skip
MAKER: dict[str, Any] = {
    "name_ko": "부발 작목반", "name_en": "Bubal growers", "town_ko": "부발읍", "town_en": "Bubal-eup", "kind": "cooperative",
    "source": "assumed", "note": "",
}  # fmt: skip


def with_desk(directory: Path, *layers: str) -> Twin:
    """The twin in a folder with empty layers of offers and needs, opened for writing."""
    twin = Twin.open(directory, read_only=False)
    grant = decide(LOCAL_OWNER, "write", Resource(twin.description.id))
    for name in layers or ("lots", "producers"):
        desk = DESK[name]
        add_empty(
            twin,
            About(desk.id, desk.title, SOURCE, Grade.O, editable=True),
            desk.geometry,
            desk.columns,
            grant,
        )
    return twin


def put(
    twin: Twin,
    layer: str,
    rows: Mapping[str, Mapping[str, Any]],
    lonlat: tuple[float, float] | None = LON_LAT,
) -> None:
    """Write rows of a layer, by id."""
    grant = decide(LOCAL_OWNER, "write", Resource(twin.description.id))
    spot = None
    if lonlat is not None:
        x, y = twin.description.frame.from_crs("OGC:CRS84", *lonlat)
        spot = shapely.to_wkb(shapely.Point(float(x), float(y)), byte_order=1)
    changes = [Change(id, lambda _, row=row: Draft(row, spot)) for id, row in rows.items()]  # type: ignore[misc]
    write(twin, layer, grant, changes)


def lots(twin: Twin, count: int, **other: Any) -> list[str]:
    """So many lots, each with a batch of its own; their ids."""
    ids = [f"icn-rice-{number:05d}" for number in range(count)]
    put(twin, "lots", {id: {**ROW, "batch": f"ICN-{number:05d}", **other} for number, id in enumerate(ids)})
    return ids


def deliveries(twin: Twin, rows: list[dict[str, Any]], layer: str = "deliveries") -> None:
    """A layer that says who gets which lot, as a plan makes it."""
    import geopandas as gpd
    from shapely.geometry import LineString

    from twintown.ground.features import Features
    from twintown.ground.provenance import Provenance

    frame = twin.description.frame
    x, y = (float(one) for one in frame.from_crs("OGC:CRS84", *LON_LAT))
    said = [
        {"id": f"d-{number}", **row, "geometry": LineString([(x, y), (x + 10, y)])}
        for number, row in enumerate(rows)
    ]
    shape = Features(
        gpd.GeoDataFrame(said, geometry="geometry", crs=frame.crs),
        frame,
        Provenance((SOURCE,), ()),
        {"quantity_kg": "kg"},
    )
    staged = twin.stage(layer, shape, Grade.O)
    twin.tables.switch({layer: staged.version})
    twin.watch.touch()
