"""The rows of a twin: which version of each layer and product is current, and which build steps are done.

Readers never see half a switch: `Tables.switch` is one transaction.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Row, Table, and_, delete, func, insert, select, update

from twintown.ground.errors import BadSettings, NotFound, StorageFailed
from twintown.store.engine import open_engine, reading, revision, upgrade, writing
from twintown.store.engine import sqlite_url as sqlite_url
from twintown.store.pins import pins, working
from twintown.store.schema import HEAD, build_steps, feature_edits, layer_versions, products

State = Literal["ready", "current", "retired"]
#: `meta["origin"]` of a layer that came by `add`, over the network or was made empty: no description asks for it.
ADDED = "added"
#: `meta["role"]` of a layer that answers a question; it lives as long as a job is answered by it. (`origin` of a grid is its corner.)
RESULT = "result"
#: How long a version stays after it was current, beside the newest two.
HOLD = timedelta(hours=1)


@dataclass(frozen=True)
class LayerRow:
    """One version of one layer. `bbox`: west, south, east, north in degrees; None where there is no place."""

    layer: str
    version: str
    kind: str
    digest: str
    count: int
    built_at: datetime
    path: str
    bbox: tuple[float, float, float, float] | None
    grade: str
    title_ko: str
    title_en: str
    meta: Mapping[str, Any] = field(default_factory=dict)
    state: State = "ready"
    retired_at: datetime | None = None


@dataclass(frozen=True)
class ProductRow:
    """One version of what is made from layers for streaming (a tileset, a tile archive)."""

    product: str
    version: str
    digest: str
    built_at: datetime
    path: str
    meta: Mapping[str, Any] = field(default_factory=dict)
    state: State = "ready"
    retired_at: datetime | None = None


@dataclass(frozen=True)
class StepRow:
    """A finished or running build step; `outputs` names what it staged, by digest."""

    step: str
    inputs_digest: str
    outputs: Mapping[str, Any]
    state: Literal["running", "finished"]
    started: datetime
    finished: datetime | None


def own(meta: Mapping[str, Any]) -> bool:
    """Whether a layer is one that no description asks for, and that a build therefore leaves alone."""
    return meta.get("origin") == ADDED or meta.get("role") == RESULT or "release" in meta


_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_version(now: datetime | None = None) -> str:
    """A ULID (26 characters, sorts by time of making; github.com/ulid/spec): the name of a new version."""
    milliseconds = int((now or datetime.now(UTC)).timestamp() * 1000)
    number = (milliseconds << 80) | int.from_bytes(os.urandom(10))
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))


class Tables:
    """The rows of one twin in one database."""

    def __init__(self, engine: Engine, twin: str) -> None:
        self.engine = engine
        self.twin = twin

    # -- layers -------------------------------------------------------------------------------------------

    def add_layer(self, row: LayerRow) -> None:
        """Record a version that is written but not served yet (state `ready`); once more replaces it."""
        self._add(layer_versions, layer_versions.c.layer == row.layer, row.version, _layer_values(row))

    def add_product(self, row: ProductRow) -> None:
        """Record a product that is written but not served yet (state `ready`)."""
        values = {**row.__dict__, "meta": dict(row.meta), "state": "ready", "retired_at": None}
        self._add(products, products.c.product == row.product, row.version, values)

    def _add(self, table: Table, same: Any, version: str, values: dict[str, Any]) -> None:
        mine = and_(table.c.twin == self.twin, same, table.c.version == version)
        with writing(self.engine) as connection:
            state = connection.execute(select(table.c.state).where(mine)).scalar()
            if state == "current":
                return
            connection.execute(delete(table).where(mine))
            connection.execute(insert(table).values(twin=self.twin, **values))

    def layers(self) -> dict[str, LayerRow]:
        """Current version of each layer, by layer."""
        found = self._current(layer_versions)
        return {row.layer: _layer_row(row) for row in found}

    def products(self) -> dict[str, ProductRow]:
        """Current version of each product, by product."""
        return {row.product: _product_row(row) for row in self._current(products)}

    def _current(self, table: Table) -> list[Row[Any]]:
        query = select(table).where(table.c.twin == self.twin, table.c.state == "current")
        with reading(self.engine) as connection:
            return list(connection.execute(query))

    def layer(self, layer: str, version: str | None = None) -> LayerRow:
        """The current version of a layer, or the named one. Raises NotFound."""
        wanted = (
            layer_versions.c.state == "current" if version is None else layer_versions.c.version == version
        )
        query = select(layer_versions).where(
            layer_versions.c.twin == self.twin, layer_versions.c.layer == layer, wanted
        )
        with reading(self.engine) as connection:
            row = connection.execute(query).first()
        if row is None:
            name = layer if version is None else f"{layer} version {version}"
            raise NotFound(
                f"there is no layer {name}", where=self.twin, remedy="see `twintown info` for the layers"
            )
        return _layer_row(row)

    def product(self, product: str, version: str | None = None) -> ProductRow:
        """The current version of a product, or the named one that was current. Raises NotFound."""
        if version is not None:
            query = select(products).where(
                products.c.twin == self.twin, products.c.product == product, products.c.version == version,
                products.c.state.in_(("current", "retired")),
            )  # fmt: skip
            with reading(self.engine) as connection:
                row = connection.execute(query).first()
            if row is None:
                raise NotFound(f"there is no version {version} of {product}", where=self.twin)
            return _product_row(row)
        found = self.products().get(product)
        if found is None:
            raise NotFound(f"there is no product {product}", where=self.twin, remedy="build the twin first")
        return found

    def layer_history(self, layer: str) -> list[LayerRow]:
        """All recorded versions of a layer, newest first."""
        query = (
            select(layer_versions)
            .where(layer_versions.c.twin == self.twin, layer_versions.c.layer == layer)
            .order_by(layer_versions.c.built_at.desc(), layer_versions.c.version.desc())
        )
        with reading(self.engine) as connection:
            return [_layer_row(row) for row in connection.execute(query)]

    def switch(
        self, layers: Mapping[str, str], made: Mapping[str, str] | None = None, *, only: bool = False
    ) -> None:
        """Make these versions of layers (and products, `made`) current, all in one transaction.

        `only` retires every layer and product that is not named: what the description no longer asks for. Layers that were
        added, and results, stay: the description never asked for them.
        Raises NotFound when a version was never added; then nothing has changed.
        """
        with writing(self.engine) as connection:
            self.switch_in(connection, layers, made, only=only)

    def switch_in(
        self,
        connection: Connection,
        layers: Mapping[str, str],
        made: Mapping[str, str] | None = None,
        *,
        only: bool = False,
    ) -> None:
        """The same within a transaction of the caller's, which decides what else belongs to it."""
        self._switch(connection, layer_versions, "layer", layers, only)
        self._switch(connection, products, "product", made or {}, only)

    def _switch(
        self, connection: Connection, table: Table, key: str, versions: Mapping[str, str], only: bool
    ) -> None:
        name, mine = table.c[key], table.c.twin == self.twin
        now = connection.execute(
            select(name, table.c.version, table.c.meta).where(mine, table.c.state == "current")
        ).all()
        leaving = [
            (what, version)
            for what, version, meta in now
            if versions.get(what, version) != version or (only and what not in versions and not own(meta))
        ]
        stamp = {"state": "retired", "retired_at": datetime.now(UTC)}
        for what, version in leaving:
            chosen = and_(mine, name == what, table.c.version == version)
            connection.execute(update(table).where(chosen).values(stamp))
        for what, version in versions.items():
            chosen = and_(mine, name == what, table.c.version == version)
            entering = update(table).where(chosen).values(state="current", retired_at=None)
            if connection.execute(entering).rowcount != 1:
                raise NotFound(f"version {version} of {key} {what} was never written", where=self.twin)

    def retire(self, layer: str) -> None:
        """Take a layer away; its version stays as long as `prune` keeps it. Raises NotFound."""
        mine = and_(layer_versions.c.twin == self.twin, layer_versions.c.layer == layer)
        leaving = update(layer_versions).where(mine, layer_versions.c.state == "current")
        with writing(self.engine) as connection:
            gone = connection.execute(leaving.values(state="retired", retired_at=datetime.now(UTC)))
            if gone.rowcount != 1:
                raise NotFound(f"there is no layer {layer}", where=self.twin)

    def retire_in(self, connection: Connection, layer: str, version: str) -> None:
        """Take one version away, in a transaction of the caller's; fine if it is not current."""
        mine = and_(
            layer_versions.c.twin == self.twin, layer_versions.c.layer == layer, layer_versions.c.version == version,
            layer_versions.c.state == "current",
        )  # fmt: skip
        stamp = {"state": "retired", "retired_at": datetime.now(UTC)}
        connection.execute(update(layer_versions).where(mine).values(stamp))

    def unpublished(self) -> list[LayerRow]:
        """Versions of results that were staged for a question that nobody works on any more."""
        query = select(layer_versions).where(
            layer_versions.c.twin == self.twin, layer_versions.c.state == "ready",
            layer_versions.c.meta["role"].as_string() == RESULT,
        )  # fmt: skip
        with reading(self.engine) as connection:
            rows = [_layer_row(row) for row in connection.execute(query)]
            busy = working(connection, self.twin) if rows else set()
        return [row for row in rows if row.meta.get("result", {}).get("question") not in busy]

    def working(self) -> set[str]:
        """Digests of the questions that are worked on now."""
        with reading(self.engine) as connection:
            return working(connection, self.twin)

    def prune(self, keep: int = 2, hold: timedelta = HOLD) -> list[str]:
        """Forget all but the newest `keep` versions of each layer and product and what was current less than `hold` ago.

        So a cursor or an address that names a version holds at least that long. What a plan stands on, what a job read and what
        it is answered by stays (`store.pins`); a result that was taken away does not count as one of the newest. The edits
        of a version go with it.
        Returns the paths that nobody names any more, for the caller to delete.
        """
        gone: list[str] = []
        since = datetime.now(UTC) - hold
        with writing(self.engine) as connection:
            pinned = pins(connection, self.twin)
            for table, key in ((layer_versions, "layer"), (products, "product")):
                gone += self._prune(connection, table, key, keep, since, pinned)
            kept = select(layer_versions.c.version).where(
                layer_versions.c.twin == self.twin, layer_versions.c.layer == feature_edits.c.layer
            )
            connection.execute(
                delete(feature_edits).where(
                    feature_edits.c.twin == self.twin, feature_edits.c.base.not_in(kept)
                )
            )
            for table in (layer_versions, products):
                used = set(
                    connection.execute(select(table.c.path).where(table.c.twin == self.twin)).scalars()
                )
                gone = [path for path in gone if path not in used]
        return gone

    def _prune(
        self,
        connection: Connection,
        table: Table,
        key: str,
        keep: int,
        since: datetime,
        pinned: Collection[tuple[str, str]],
    ) -> list[str]:
        role = table.c.meta["role"].as_string()
        query = (
            select(table.c[key], table.c.version, table.c.path, table.c.state, table.c.retired_at, role)
            .where(table.c.twin == self.twin)
            .order_by((table.c.state == "current").desc(), table.c.built_at.desc(), table.c.version.desc())
        )
        seen: dict[str, int] = {}
        gone: list[str] = []
        for name, version, path, state, retired_at, came in connection.execute(query).all():
            seen[name] = seen.get(name, 0) + 1
            left = _utc(retired_at)
            if state == "current" or (name, version) in pinned or (came == RESULT and state == "ready"):
                continue
            if (seen[name] > keep or came == RESULT) and (left is None or left < since):
                old = and_(table.c.twin == self.twin, table.c[key] == name, table.c.version == version)
                connection.execute(delete(table).where(old))
                gone.append(str(path))
        return gone

    def known(self) -> dict[tuple[str, str], tuple[str, State]]:
        """Path and state of every recorded version, by (layer or product, version)."""
        found: dict[tuple[str, str], tuple[str, State]] = {}
        with reading(self.engine) as connection:
            for table, key in ((layer_versions, "layer"), (products, "product")):
                query = select(table.c[key], table.c.version, table.c.path, table.c.state)
                for name, version, path, state in connection.execute(query.where(table.c.twin == self.twin)):
                    found[name, version] = (path, state)
        return found

    def forget(self, versions: Collection[tuple[str, str]]) -> None:
        """Forget these (layer or product, version), whatever their state."""
        with writing(self.engine) as connection:
            for table, key in ((layer_versions, "layer"), (products, "product")):
                for name, version in versions:
                    mine = and_(table.c.twin == self.twin, table.c[key] == name, table.c.version == version)
                    connection.execute(delete(table).where(mine))

    # -- build steps --------------------------------------------------------------------------------------

    def begin_step(self, step: str, inputs_digest: str) -> None:
        """Record that a step has started."""
        self._put_step(StepRow(step, inputs_digest, {}, "running", datetime.now(UTC), None))

    def finish_step(self, step: str, inputs_digest: str, outputs: Mapping[str, Any]) -> None:
        """Record that a step is done and what it made; a killed build starts after it."""
        now = datetime.now(UTC)
        started = self.steps().get(step)
        begun = started.started if started and started.state == "running" else now
        self._put_step(StepRow(step, inputs_digest, outputs, "finished", begun, now))

    def _put_step(self, row: StepRow) -> None:
        with writing(self.engine) as connection:
            connection.execute(
                delete(build_steps).where(build_steps.c.twin == self.twin, build_steps.c.step == row.step)
            )
            connection.execute(
                insert(build_steps).values(twin=self.twin, **{**row.__dict__, "outputs": dict(row.outputs)})
            )

    def steps(self) -> dict[str, StepRow]:
        """Each recorded step, by id."""
        query = select(build_steps).where(build_steps.c.twin == self.twin)
        with reading(self.engine) as connection:
            return {row.step: _step_row(row) for row in connection.execute(query)}

    def forget_steps(self, keep: set[str]) -> None:
        """Forget steps that no plan asks for any more."""
        with writing(self.engine) as connection:
            connection.execute(
                delete(build_steps).where(build_steps.c.twin == self.twin, build_steps.c.step.not_in(keep))
            )

    def built_at(self) -> datetime | None:
        """Time of the newest current version (UTC), None for a twin that was never built."""
        query = select(func.max(layer_versions.c.built_at)).where(
            layer_versions.c.twin == self.twin, layer_versions.c.state == "current"
        )
        with reading(self.engine) as connection:
            return _utc(connection.execute(query).scalar())


def open_tables(url: str, twin: str, *, read_only: bool = False) -> Tables:
    """Tables of `twin` at `url`, with the schema brought up to date unless `read_only`.

    Raises BadSettings: the database is to be read only, and its tables are those of another version of twintown.
    """
    engine = open_engine(url, read_only=read_only)
    if not read_only:
        upgrade(engine)
        return Tables(engine, twin)
    found: str | None = HEAD
    with suppress(StorageFailed):  # a database that is away now may be there for the first question
        found = revision(engine)
    if found != HEAD:
        remedy = "run `twintown build` on the twin once; it brings the tables up to date"
        raise BadSettings(f"the database has revision {found or 'none'}, and {HEAD} is needed", twin, remedy)
    return Tables(engine, twin)


def _layer_values(row: LayerRow) -> dict[str, Any]:
    values = {k: v for k, v in row.__dict__.items() if k not in ("bbox", "meta", "state", "retired_at")}
    west, south, east, north = row.bbox or (None, None, None, None)
    return {
        **values,
        "west": west,
        "south": south,
        "east": east,
        "north": north,
        "meta": dict(row.meta),
        "state": "ready",
    }


def _layer_row(row: Row[Any]) -> LayerRow:
    values = dict(row._mapping)
    values.pop("twin")
    corners = tuple(values.pop(side) for side in ("west", "south", "east", "north"))
    bbox = None if None in corners else corners
    times = {"built_at": _utc(values["built_at"]), "retired_at": _utc(values["retired_at"])}
    return LayerRow(**{**values, **times, "bbox": bbox})


def _product_row(row: Row[Any]) -> ProductRow:
    values = dict(row._mapping)
    values.pop("twin")
    times = {"built_at": _utc(values["built_at"]), "retired_at": _utc(values["retired_at"])}
    return ProductRow(**{**values, **times})


def _step_row(row: Row[Any]) -> StepRow:
    values = dict(row._mapping)
    values.pop("twin")
    return StepRow(**{**values, "started": _utc(values["started"]), "finished": _utc(values["finished"])})


def _utc(value: datetime | None) -> datetime | None:
    # SQLite keeps no zone; everything written here is UTC.
    if value is None:
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
