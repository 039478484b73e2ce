"""Search by name, Korean and English: one small index a twin, made once for each set of versions."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
import shapely
from fastapi import APIRouter, Query, Request
from numpy.typing import NDArray
from pydantic import Field
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.guard import Asked, Reading
from twintown.api.schemas import Model, Names
from twintown.api.shelf import Served, terms
from twintown.trust.policy import Grant
from twintown.twin.layers import LayerVersion

if TYPE_CHECKING:
    import pyarrow as pa

    from twintown.index.view import View

router = APIRouter(tags=["search"])
#: Whoever types a name looks for a place or a building before a road or a row of a table.
_FIRST = ("places", "towns", "neighbourhoods", "stations", "buildings", "schools", "hospitals", "roads")
#: Layers whose rows are answers, parts of other rows or measurements: they have no names of their own.
_NAMELESS = {"building-parts", "findings", "facades"}
_NAMES = ("name_ko", "name_en", "name")
#: Rows of a layer whose names are held in memory; larger layers are asked with a filter.
MOST_ROWS = 300_000


class SearchResult(Model):
    """Something that has a name."""

    id: str
    layer: str
    names: Names
    kind: str
    lon: float
    lat: float
    height_m: float | None = Field(description="of its highest point above the ground, m, where it is known")


class SearchResults(Model):
    """What was found, best first."""

    results: list[SearchResult]


@dataclass(frozen=True, slots=True)
class Entry:
    """A result with the forms of its names that are compared, and how early it comes among equals."""

    result: SearchResult
    forms: tuple[str, ...]
    words: tuple[str, ...]
    order: tuple[int, float]


def normalise(text: str) -> str:
    """One form for what people type as the same: compatibility forms and case folded; no spaces, no punctuation.

    >>> normalise("Ｌotte  World-Tower")
    'lotteworldtower'
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in folded if letter.isalnum())


class Index:
    """All names of a twin. `find` looks at each of them: some ten thousand a millisecond or two."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = sorted(entries, key=lambda entry: entry.order)

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, text: str, limit: int) -> list[SearchResult]:
        """The best results: the whole name, then its beginning, then a word's beginning, then anywhere in it;
        among equals the layers in the order of `_FIRST`, and the tallest first."""
        wanted = normalise(text)
        if not wanted:
            return []
        ranked = []
        for place, entry in enumerate(self._entries):
            rank = _rank(entry, wanted)
            if rank < 4:
                ranked.append((rank, place))
        ranked.sort()
        return [self._entries[place].result for _, place in ranked[:limit]]


def _rank(entry: Entry, wanted: str) -> int:
    found = [form for form in entry.forms if wanted in form]
    if not found:
        return 4
    if wanted in found:
        return 0
    if any(form.startswith(wanted) for form in found):
        return 1
    return 2 if any(word.startswith(wanted) for word in entry.words) else 3


def entries(layer: str, view: View) -> list[Entry]:
    """The named rows of one layer that lie somewhere; rows of one name next to each other (a road's pieces) once."""
    there = {column.name for column in view.columns}
    columns = [name for name in (*_NAMES, "kind", "height_m") if name in there]
    first = _FIRST.index(layer) if layer in _FIRST else len(_FIRST)
    out: dict[tuple[str, str] | int, Entry] = {}
    at = 0
    for batch in view.batches(columns=columns, lonlat=True):
        points = _points(batch)
        for i, row in enumerate(batch.drop_columns(["geometry", "lonlat"]).to_pylist()):
            ko, en, plain_name = (row.get(name) for name in _NAMES)
            known = [str(name) for name in (ko, en, plain_name) if name]
            if not known or points[i] is None or points[i].is_empty:
                continue
            height = row.get("height_m")
            height = None if height is None or height != height else float(height)
            result = SearchResult(
                id=str(row["id"]),
                layer=layer,
                names=Names(ko=str(ko or plain_name or en), en=str(en or plain_name or ko)),
                kind=str(row.get("kind") or layer),
                lon=round(float(points[i].x), 7),
                lat=round(float(points[i].y), 7),
                height_m=height,
            )
            forms = tuple(dict.fromkeys(normalise(name) for name in known))
            words = tuple(normalise(word) for name in known for word in name.split())
            key: tuple[str, str] | int = ("road", result.names.ko) if layer == "roads" else at + i
            out.setdefault(key, Entry(result, forms, words, (first, -(height or 0.0))))
        at += batch.num_rows
    return list(out.values())


def _points(batch: pa.RecordBatch) -> NDArray[np.object_]:
    """Where each row is found: a road in its middle, everything else on itself."""
    shapes = shapely.from_wkb(batch.column("lonlat").to_numpy(zero_copy_only=False))
    points = shapely.point_on_surface(shapes)
    lines = shapely.get_type_id(shapes) == 1
    points[lines] = shapely.line_interpolate_point(shapes[lines], 0.5, normalized=True)
    return np.asarray(points, object)


def index(served: Served, grant: Grant) -> Index:
    """The index of the versions that are current now."""
    layers = [
        layer
        for layer in served.twin.layers(grant)
        if layer.kind == "features" and layer.layer not in _NAMELESS
    ]

    def make() -> Index:
        found: list[Entry] = []
        for layer in layers:
            if _has_names(layer) and layer.count <= MOST_ROWS:
                found += entries(layer.layer, served.view(layer, grant))
        return Index(found)

    key = ("search", terms(grant), tuple((one.layer, served.view(one, grant).token) for one in layers))
    return served.bodies.get(key, make)


def _has_names(layer: LayerVersion) -> bool:
    columns = {column["name"] for column in layer.meta.get("columns", [])}
    return not columns.isdisjoint(_NAMES)


@router.get(
    "/twins/{twin}/search",
    operation_id="search",
    response_model=SearchResults,
    responses=problems.responses(400, 401, 404),
)
def search(
    request: Request,
    asked: Reading,
    q: Annotated[
        str, Query(min_length=1, max_length=100, description="part of a name", examples=["롯데월드타워"])
    ],
    limit: Annotated[int, Query(ge=1, le=100, description="names in the answer")] = 10,
) -> Response:
    """Named things of a twin by part of a name; case, spaces and punctuation do not matter."""
    return answers.answer_json(request, SearchResults(results=_find(asked, q, limit)))


def _find(asked: Asked, text: str, limit: int) -> list[SearchResult]:
    return index(asked.served, asked.grant).find(text, int(np.clip(limit, 1, 100)))
