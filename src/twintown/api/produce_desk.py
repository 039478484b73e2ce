"""What the routes of offers and needs share: prices by product, rows that are written by the desk, a fold once the answer is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from starlette.background import BackgroundTask
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.guard import Asked
from twintown.ground.errors import Busy, StorageFailed
from twintown.programme import produce_rows
from twintown.programme.produce_layers import DESK
from twintown.programme.produce_seed import check_near, draft_of
from twintown.programme.product import LastPrice, last_price, products
from twintown.trust.policy import Grant
from twintown.twin import edits
from twintown.twin.edits import Change, Draft, Present, Written
from twintown.twin.layers import Twin

PRICES, FORECAST = "prices", "price-forecast"


def today(asked: Asked) -> date:
    """The day in the city."""
    return datetime.now(ZoneInfo(asked.served.twin.description.time_zone)).date()


def prices(twin: Twin, grant: Grant) -> dict[str, LastPrice]:
    """The last wholesale price of each product that the layer `prices` has one of; none where the twin has no such layer."""
    version = next((one for one in twin.layers(grant) if one.layer == PRICES), None)
    if version is None or (grant.narrows and grant.columns is not None):
        return {}
    known = _last(twin, grant, version.version)
    found = {code: last_price(one, known) for code, one in products().items()}
    return {code: price for code, price in found.items() if price is not None}


@lru_cache(16)
def _last(twin: Twin, grant: Grant, version: str) -> Mapping[str, tuple[str, float]]:
    view = twin.view(PRICES, grant)
    batch = view.take(view.positions(), geometry=False)
    times = batch.column(batch.schema.names.index("time")).to_pylist()
    order = sorted(range(len(times)), key=lambda at: times[at])
    found: dict[str, tuple[str, float]] = {}
    for name in batch.schema.names:
        values = batch.column(batch.schema.names.index(name)).to_pylist()
        if name in ("id", "time") or not any(isinstance(value, float | int) for value in values):
            continue
        at = next((at for at in reversed(order) if values[at] is not None and values[at] == values[at]), None)
        if at is not None:
            found[name] = (str(times[at])[:10], float(values[at]))
    return found


def forecast(twin: Twin, grant: Grant) -> str:
    """The layer of the newest price forecast, "" where there is none."""
    found = [
        one for one in twin.layers(grant) if one.layer == FORECAST or one.layer.startswith(f"{FORECAST}-")
    ]
    return max(found, key=lambda one: one.built_at).layer if found else ""


def change(
    asked: Asked,
    layer: str,
    id: str,
    make: Callable[[dict[str, Any] | None], Mapping[str, Any] | None],
    author: Mapping[str, Any],
) -> Change:
    """One row to write: `make` gets what it is, with `id`, and gives what it shall be; its place stays unless `lon` and `lat` are said."""
    desk, frame = DESK[layer], asked.served.twin.description.frame

    def made(present: Present | None) -> Draft | None:
        row = make(None if present is None else {**present.properties, "id": id})
        if row is None:
            return None
        draft = draft_of(produce_rows.stamped(row, author), desk, frame)
        if draft.geometry is None and present is not None and present.geometry is not None:
            return Draft(draft.properties, present.geometry)
        return draft

    return Change(id, made)


def replacing(
    asked: Asked, layer: str, rows: Sequence[Mapping[str, Any]], author: Mapping[str, Any]
) -> list[Change]:
    """Many rows with `id`, `lon` and `lat` that take the place of whatever is there; their places are computed at once."""
    desk, frame = DESK[layer], asked.served.twin.description.frame
    lon, lat = (np.array([row.get(name) for row in rows], float) for name in ("lon", "lat"))
    placed = np.isfinite(lon) & np.isfinite(lat)
    points: list[bytes | None] = [None] * len(rows)
    if placed.any():
        x, y = frame.from_lonlat(lon[placed], lat[placed])
        far = int(np.argmax(np.hypot(x, y)))  # infinity is the farthest
        check_near(float(x[far]), float(y[far]))
        wkb = shapely.to_wkb(shapely.points(x, y))
        for at, one in zip(np.flatnonzero(placed).tolist(), wkb.tolist(), strict=True):
            points[at] = one
    stamp = produce_rows.stamped({}, author)
    names = [name for name in desk.names if name not in stamp]
    drafts = [
        Draft({name: row.get(name) for name in names} | stamp, point)
        for row, point in zip(rows, points, strict=True)
    ]
    return [Change(str(row["id"]), _always(draft)) for row, draft in zip(rows, drafts, strict=True)]


def _always(draft: Draft) -> Callable[[Present | None], Draft]:
    return lambda _: draft


def write(asked: Asked, layer: str, changes: Sequence[Change]) -> Written:
    """Write what was checked; raises like `produce_rows.write`."""
    return produce_rows.write(asked.served.twin, layer, asked.grant, changes)


def response(asked: Asked, layer: str, done: Written | None, body: object, status: int = 200) -> Response:
    """The answer; a layer with many edits is folded once it is sent."""

    def fold() -> None:
        try:
            produce_rows.fold(asked.served.twin, layer, asked.grant)
        except (Busy, StorageFailed) as error:
            problems.LOG.warning("the edits of %s wait: %s", layer, error)

    task = BackgroundTask(fold) if done is not None and edits.due(done.token) else None
    headers = {"Cache-Control": answers.PRIVATE}
    if body is None:
        return Response(status_code=status, headers=headers, background=task)
    return Response(answers.dumps(body), status, headers, "application/json", task)
