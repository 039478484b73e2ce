"""`twintown.toml`: what this city is. Its frame, bounds, ground, sources with licence and grade, layers, processes, products.

    [twin]       id, names, kind, time_zone, day, summary
    [frame]      crs, vertical          [frame.geoid]  undulation_m, source
    [bounds]     crs, xmin, ymin, xmax, ymax
    [ground]     kind = "flat", height_m, assumed, note
    [home]       lon, lat, heading_deg, pitch_deg, range_m
    [[notices]]  ko, en
    [licences.ID]  title, url, attribution, share_alike
    [[sources]]  id, source, paths, title, publisher, licence, url, date, note, grade   [sources.options]
    [[layers]]   id, title, grade, assumed, [layers.columns.NAME] title, unit
    [[processes]]  id, process, [processes.options]
    [[products]]   id, product, [products.options]
    [access]       plan, run, share, release: "anyone" or "people" (by their roles)
    [identity]     did: the city's did:web, where it is not the server's address; certifier: the office that issues certificates
    [identity.oidc]  issuer, client_id, secret_file, title, claim, [identity.oidc.roles] VALUE = role or list of roles
    [[zones]]      id, title, outline (lon, lat), height_m, floor_area_percent, coverage_percent, note, example
    [peers.ID]     address, did, keys, country, grade: cities elsewhere; ID = "https://…/twins/…" is one without keys
    [release]      pack, country, rules, sites, layers, licences: what the release gate goes by (`exchange.rules_pack`)
    [cloud]        scheme  [[cloud.places]]  where the twin's bytes lie, in which country and zone, up to which grade

Paths are relative to the directory of the file. Unknown keys are refused, so that a slip does not go unnoticed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
import shapely

from twintown.city.zoning import Zone
from twintown.ground.bounds import Bounds
from twintown.ground.errors import BadInput, BadSettings
from twintown.ground.frames import Frame
from twintown.ground.names import Name, check_id
from twintown.ground.provenance import Licence, Source, digest
from twintown.ground.units import check_unit
from twintown.trust.cloud import Cloud, parse_cloud
from twintown.trust.grades import Grade
from twintown.trust.oidc import Provider
from twintown.trust.peers import Peer, parse_peers
from twintown.trust.policy import Access

FILE = "twintown.toml"
KINDS = ("city3d", "atlas")
Entry = TypeVar("Entry", bound="SourceEntry | StepEntry")


@dataclass(frozen=True)
class Ground:
    """The declared ground: flat, at one height (m, in the frame's vertical datum)."""

    height_m: float
    assumed: bool
    note: Name
    kind: str = "flat"


@dataclass(frozen=True)
class Home:
    """Where the camera looks at first: a point on the ground, and from where (degrees, metres)."""

    lon: float
    lat: float
    heading_deg: float
    pitch_deg: float
    range_m: float


@dataclass(frozen=True)
class SourceEntry:
    """One `[[sources]]`: which entry point reads which files, and whose they are."""

    id: str
    source: str
    paths: tuple[Path, ...]
    origin: Source
    grade: Grade
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Column:
    """What a column is called for people, and its unit."""

    title: Name
    unit: str = ""


@dataclass(frozen=True)
class LayerEntry:
    """One `[[layers]]`: how a layer is called, graded and explained. `grade` none: as its sources say."""

    id: str
    title: Name
    grade: Grade | None = None
    assumed: tuple[Name, ...] = ()
    columns: Mapping[str, Column] = field(default_factory=dict)


@dataclass(frozen=True)
class StepEntry:
    """One `[[processes]]` or `[[products]]`: what to run, with which options."""

    id: str
    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Description:
    """All of `twintown.toml`, checked."""

    id: str
    names: Name
    kind: str
    time_zone: str
    day: str
    summary: Name
    frame: Frame
    bounds: Bounds
    ground: Ground
    home: Home
    notices: tuple[Name, ...]
    sources: tuple[SourceEntry, ...]
    layers: Mapping[str, LayerEntry]
    processes: tuple[StepEntry, ...]
    products: tuple[StepEntry, ...]
    digest: str
    #: Whom the twin lets plan and run.
    access: Access = field(default_factory=Access)
    #: The OpenID provider that people sign in through, where there is one.
    oidc: Provider | None = None
    #: The city's `did:web:…`, "" where it follows from the server's address.
    did: str = ""
    #: Which office of the city issues certificates; the city itself where nobody says.
    certifier: Name | None = None
    #: Cities elsewhere, by id; `trust.peers.peers_of` knows those too that were pinned beside.
    peers: Mapping[str, Peer] = field(default_factory=dict)
    zones: tuple[Zone, ...] = ()
    #: What the release gate goes by (`exchange.rules_pack` reads it).
    release: Mapping[str, Any] = field(default_factory=dict)
    #: Where the twin's bytes may lie.
    cloud: Cloud = field(default_factory=Cloud)

    def layer(self, layer_id: str) -> LayerEntry:
        """The entry of a layer; one that is not described is called by its id."""
        return self.layers.get(layer_id) or LayerEntry(layer_id, Name(layer_id, layer_id))

    @classmethod
    def load(cls, directory: Path) -> Description:
        """Read and check `directory/twintown.toml`.

        Raises:
            BadSettings: missing, not UTF-8, not TOML, a key too many or too few, a value out of range.
        """
        path = directory / FILE
        try:
            raw = path.read_bytes()
        except FileNotFoundError as error:
            raise BadSettings(
                "there is no description of a twin", str(path), f"run `twintown init {directory}`"
            ) from error
        except OSError as error:
            raise BadSettings(
                f"cannot be read ({error.strerror})", str(path), "check the path and its permissions"
            ) from error
        try:
            return cls.parse(tomllib.loads(raw.decode("utf-8")), directory, digest(raw))
        except UnicodeDecodeError as error:
            raise BadSettings(f"is not UTF-8 (byte {error.start})", str(path), "save it as UTF-8") from error
        except tomllib.TOMLDecodeError as error:
            raise BadSettings(f"is not TOML: {error}", str(path), "mend that line") from error
        except BadInput as error:
            raise BadSettings(error.what, f"{path}: {error.where}", error.remedy) from error

    @classmethod
    def parse(cls, document: Mapping[str, Any], directory: Path, file_digest: str) -> Description:
        """From a parsed document; see `load`."""
        _keys(document, "", required="twin frame bounds ground home",
              optional="notices licences sources layers processes products access identity peers zones cloud release")  # fmt: skip
        twin = document["twin"]
        _keys(twin, "twin", required="id names time_zone day", optional="kind summary")
        kind = twin.get("kind", "city3d")
        if kind not in KINDS:
            raise BadSettings(f"unknown kind {kind!r}", "twin.kind", f"use one of {', '.join(KINDS)}")
        try:
            ZoneInfo(twin["time_zone"])
        except (KeyError, ValueError, OSError) as error:
            raise BadSettings(
                f"unknown time zone {twin['time_zone']!r}",
                "twin.time_zone",
                "use an IANA name, such as Asia/Seoul",
            ) from error
        frame = _frame(document["frame"])
        names = Name.of(twin["names"], "twin.names")
        layers = {entry.id: entry for entry in map(_layer, document.get("layers", []))}
        licences = {key: _licence(key, value) for key, value in document.get("licences", {}).items()}
        return cls(
            id=check_id(twin["id"], "twin.id"), names=names, kind=kind, time_zone=twin["time_zone"], day=str(twin["day"]),
            summary=Name.of(twin.get("summary", names), "twin.summary"), frame=frame, bounds=_bounds(document["bounds"], frame),
            ground=_ground(document["ground"]), home=_home(document["home"]),
            notices=tuple(Name.of(notice, "notices") for notice in document.get("notices", [])),
            sources=_unique(_source(entry, directory, licences) for entry in document.get("sources", [])),
            layers=layers, processes=_unique(_step(entry, "process") for entry in document.get("processes", [])),
            products=_unique(_step(entry, "product") for entry in document.get("products", [])), digest=file_digest,
            access=_access(document.get("access", {})), did=_did(document.get("identity", {})),
            certifier=_certifier(document.get("identity", {})), oidc=_oidc(document, directory),
            peers=parse_peers(document.get("peers", {})),
            zones=tuple(_zone(entry, frame) for entry in document.get("zones", [])), release=_release(document.get("release", {})),
            cloud=parse_cloud(document["cloud"]) if "cloud" in document else Cloud(),
        )  # fmt: skip


def _keys(table: object, where: str, required: str, optional: str = "") -> None:
    if not isinstance(table, Mapping):
        raise BadSettings("must be a table", where or "the document")
    need, may = set(required.split()), set(optional.split())
    if missing := sorted(need - set(table)):
        raise BadSettings(f"{missing[0]!r} is missing", where or "the document", "add it")
    if unknown := sorted(set(table) - need - may):
        raise BadSettings(
            f"unknown key {unknown[0]!r}",
            where or "the document",
            f"known here: {', '.join(sorted(need | may))}",
        )


def _number(table: Mapping[str, Any], key: str, where: str, low: float, high: float) -> float:
    value = table[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise BadSettings(f"{value!r} is not a number from {low:g} to {high:g}", f"{where}.{key}")
    return float(value)


def _frame(table: Mapping[str, Any]) -> Frame:
    _keys(table, "frame", required="crs vertical geoid")
    _keys(table["geoid"], "frame.geoid", required="undulation_m source")
    return Frame(
        table["crs"],
        table["vertical"],
        _number(table["geoid"], "undulation_m", "frame.geoid", -120, 100),
        str(table["geoid"]["source"]),
    )


def _bounds(table: Mapping[str, Any], frame: Frame) -> Bounds:
    _keys(table, "bounds", required="xmin ymin xmax ymax", optional="crs")
    bounds = Bounds(*(_number(table, key, "bounds", -1e8, 1e8) for key in ("xmin", "ymin", "xmax", "ymax")))
    crs = table.get("crs", frame.crs)
    if crs == frame.crs:
        return bounds
    x, y = frame.from_crs(crs, *bounds.ring().T)
    return Bounds(round(float(x.min())), round(float(y.min())), round(float(x.max())), round(float(y.max())))


def _ground(table: Mapping[str, Any]) -> Ground:
    _keys(table, "ground", required="kind height_m assumed note")
    if table["kind"] != "flat":
        raise BadSettings(
            f"unknown kind {table['kind']!r}", "ground.kind", "only flat ground can be declared so far"
        )
    return Ground(
        _number(table, "height_m", "ground", -500, 9000),
        bool(table["assumed"]),
        Name.of(table["note"], "ground.note"),
    )


def _home(table: Mapping[str, Any]) -> Home:
    _keys(table, "home", required="lon lat heading_deg pitch_deg range_m")
    limits = {
        "lon": (-180, 180),
        "lat": (-90, 90),
        "heading_deg": (-360, 360),
        "pitch_deg": (-90, 0),
        "range_m": (10, 1e6),
    }
    return Home(**{key: _number(table, key, "home", *limit) for key, limit in limits.items()})


def _licence(key: str, table: Mapping[str, Any]) -> Licence:
    where = f"licences.{key}"
    _keys(table, where, required="title", optional="url attribution share_alike")
    return Licence(
        key,
        table["title"],
        table.get("url", ""),
        table.get("attribution", ""),
        bool(table.get("share_alike", False)),
    )


def _source(table: Mapping[str, Any], directory: Path, licences: Mapping[str, Licence]) -> SourceEntry:
    where = f"sources.{table.get('id', '?')}"
    _keys(
        table,
        where,
        required="id source paths title publisher licence grade",
        optional="url date note options",
    )
    if table["licence"] not in licences:
        raise BadSettings(
            f"licence {table['licence']!r} is not described", where, f"add [licences.{table['licence']}]"
        )
    paths = table["paths"]
    if not isinstance(paths, list) or not paths or not all(isinstance(path, str) for path in paths):
        raise BadSettings("paths must be a list of at least one file", where)
    origin = Source(
        check_id(table["id"], where), table["title"], table["publisher"], licences[table["licence"]],
        table.get("url", ""), str(table.get("date", "")), table.get("note", ""),
    )  # fmt: skip
    return SourceEntry(
        origin.id,
        table["source"],
        tuple(directory / path for path in paths),
        origin,
        Grade.of(table["grade"]),
        dict(table.get("options", {})),
    )


def _layer(table: Mapping[str, Any]) -> LayerEntry:
    where = f"layers.{table.get('id', '?')}"
    _keys(table, where, required="id title", optional="grade assumed columns")
    columns = {}
    for key, value in table.get("columns", {}).items():
        _keys(value, f"{where}.columns.{key}", required="title", optional="unit")
        unit = value.get("unit", "")
        columns[key] = Column(
            Name.of(value["title"], f"{where}.columns.{key}"),
            check_unit(unit, f"{where}.columns.{key}") if unit else "",
        )
    grade = Grade.of(table["grade"]) if "grade" in table else None
    return LayerEntry(check_id(table["id"], where), Name.of(table["title"], where), grade,
                      tuple(Name.of(note, f"{where}.assumed") for note in table.get("assumed", [])), columns)  # fmt: skip


def _step(table: Mapping[str, Any], noun: str) -> StepEntry:
    _keys(table, f"{noun}.{table.get('id', '?')}", required=f"id {noun}", optional="options")
    return StepEntry(check_id(table["id"], noun), table[noun], dict(table.get("options", {})))


def _zone(table: Mapping[str, Any], frame: Frame) -> Zone:
    where = f"zones.{table.get('id', '?')}"
    _keys(table, where, required="id title outline",
          optional="height_m floor_area_percent coverage_percent note example")  # fmt: skip
    limits = {
        key: _number(table, key, where, 0, high) if key in table else None
        for key, high in (("height_m", 1000), ("floor_area_percent", 5000), ("coverage_percent", 100))
    }
    try:
        lon, lat = zip(*((float(x), float(y)) for x, y in table["outline"]), strict=True)
        polygon = shapely.Polygon(np.round(np.column_stack(frame.from_lonlat(lon, lat)), 3))
    except (TypeError, ValueError) as error:
        raise BadSettings("is no ring of [longitude, latitude]", f"{where}.outline") from error
    if not polygon.is_valid or not polygon.area > 0.0:
        raise BadSettings("crosses itself or has no area", f"{where}.outline", "draw it anew")
    note = Name.of(table["note"], f"{where}.note") if "note" in table else None
    return Zone(check_id(table["id"], where), Name.of(table["title"], where), polygon, **limits, note=note,
                example=bool(table.get("example", False)))  # fmt: skip


def _access(table: Mapping[str, Any]) -> Access:
    _keys(table, "access", required="", optional="plan run share release")
    for key, value in table.items():
        if value not in ("anyone", "people"):
            raise BadSettings(f"{value!r} is nobody", f"access.{key}", 'write "anyone" or "people"')
    return Access(**table)


def _release(table: object) -> Mapping[str, Any]:
    if not isinstance(table, Mapping):
        raise BadSettings("must be a table", "release")
    return dict(table)


def _oidc(document: Mapping[str, Any], directory: Path) -> Provider | None:
    said = document.get("identity", {}).get("oidc")
    return None if said is None else Provider.of(said, directory)


def _certifier(table: Mapping[str, Any]) -> Name | None:
    return Name.of(table["certifier"], "identity.certifier") if "certifier" in table else None


def _did(table: Mapping[str, Any]) -> str:
    _keys(table, "identity", required="", optional="did oidc certifier")
    did = table.get("did", "")
    if not isinstance(did, str) or (did and not did.startswith("did:web:")):
        raise BadSettings(f"{did!r} is no did:web", "identity.did", "write did:web:<host>[:path…]")
    return did


def _unique(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    known = tuple(entries)
    ids = [entry.id for entry in known]
    if twice := [one for one in ids if ids.count(one) > 1]:
        raise BadSettings(
            f"{twice[0]!r} stands twice", "ids of sources, processes or products", "give each its own id"
        )
    return known
