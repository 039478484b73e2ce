"""The streets that people walk on as a graph: lines noded where they meet, cut into short pieces; nodes by number."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from .along_lines import pieces_of
from .footfall_assumed import NOT_WALKED

if TYPE_CHECKING:
    import geopandas as gpd
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: Nodes nearer than this are the same, metres.
_GRAIN_M = 0.01
#: Pieces are no longer than this, metres, so that buildings join near their doors.
PIECE_M = 60.0
#: What is told of a street.
LABELS = ("name_ko", "name_en", "kind")


@dataclass(frozen=True)
class Streets:
    """Pieces of streets and the nodes at their ends.

    Args:
        shapes: LineString[n], metres; `lengths` float64[n].
        ends: int64[n, 2], the nodes of each piece.
        nodes: float64[m, 2], metres.
        ids: of the pieces; `labels`: what is told of each, by column.
    """

    shapes: NDArray[Any]
    lengths: Floats
    ends: Ints
    nodes: Floats
    ids: list[str]
    labels: dict[str, list[str]]

    @cached_property
    def graph(self) -> csr_array:
        """Metres between neighbouring nodes, both ways; of parallel pieces the shorter."""
        from scipy.sparse import coo_array

        a, b = self.ends[self.first].T
        length = self.lengths[self.first]
        n = len(self.nodes)
        one = coo_array((np.tile(length, 2), (np.concatenate([a, b]), np.concatenate([b, a]))), shape=(n, n))
        return one.tocsr()

    @cached_property
    def keys(self) -> Ints:
        """A number for each piece's pair of nodes."""
        return np.asarray(self.ends.min(axis=1) * np.int64(len(self.nodes)) + self.ends.max(axis=1), np.int64)

    @cached_property
    def first(self) -> Ints:
        """The pieces that are walked: of those between the same two nodes the shortest; none that ends where it begins."""
        order = np.lexsort((self.lengths, self.keys))
        order = order[self.ends[order, 0] != self.ends[order, 1]]
        key = self.keys[order]
        return np.asarray(order[np.append(True, key[1:] != key[:-1])[: len(key)]], np.int64)

    def between(self, a: Ints, b: Ints) -> Ints:
        """The walked pieces between neighbouring nodes, int64[k]."""
        wanted = np.minimum(a, b) * np.int64(len(self.nodes)) + np.maximum(a, b)
        return np.asarray(self.first[np.searchsorted(self.keys[self.first], wanted)], np.int64)

    def nearest(self, xy: Floats) -> tuple[Ints, Floats]:
        """The node nearest to each place float64[k, 2], and how far it is, metres."""
        from scipy.spatial import cKDTree

        far, node = cKDTree(self.nodes).query(xy)
        return np.asarray(node, np.int64), np.asarray(far, np.float64)


def streets_of(roads: gpd.GeoDataFrame, places: gpd.GeoDataFrame | None = None) -> Streets:
    """The streets of a table of lines; places are joined to the nearest street by a straight way (kind `access`).

    Lines meet where they cross or touch; bridges and what is tagged with a layer meet others at their ends only. Tunnels and car
    roads without pavements (`NOT_WALKED`) are left out.
    """
    import geopandas as gpd

    table = roads[roads.geometry.geom_type.isin(("LineString", "MultiLineString")).to_numpy()]
    kind = _column(table, "kind", "").astype(str)
    walked = ~np.isin(kind, NOT_WALKED) & ~_column(table, "tunnel", False).astype(bool)
    table = table[walked]
    lines = shapely.force_2d(table.geometry.to_numpy())
    aloft = _column(table, "bridge", False).astype(bool) | (_column(table, "layer", 0).astype(float) != 0)
    low = shapely.get_parts(shapely.node(shapely.multilinestrings(shapely.get_parts(lines[~aloft]))))
    shapes = np.concatenate([low, shapely.get_parts(lines[aloft])])
    shapes = shapes[shapely.length(shapes) > _GRAIN_M]
    if not len(shapes):
        empty: dict[str, list[str]] = {one: [] for one in LABELS}
        return Streets(shapes, np.zeros(0), np.zeros((0, 2), np.int64), np.zeros((0, 2)), [], empty)
    owner = _owners(shapes, lines)
    whole = gpd.GeoDataFrame({"id": [f"street-{k:05d}" for k in range(len(shapes))]}, geometry=shapes)
    pieces = pieces_of(whole, PIECE_M)
    of = owner[pieces.rows]
    labels = {one: [_text(v) for v in _column(table, one, "")[of]] for one in LABELS}
    ids, cut = list(pieces.ids), list(pieces.shapes)
    if places is not None and len(places):
        _join(places, cut, ids, labels)
    held = np.empty(len(cut), object)
    held[:] = cut
    begin, end = (shapely.get_coordinates(shapely.get_point(held, k)) for k in (0, -1))
    grains = np.round(np.concatenate([begin, end]) / _GRAIN_M).astype(np.int64)
    nodes, number = np.unique(grains, axis=0, return_inverse=True)
    ends = number.reshape(2, -1).T.astype(np.int64)
    return Streets(
        held,
        shapely.length(held),
        np.ascontiguousarray(ends),
        np.asarray(nodes * _GRAIN_M, np.float64),
        ids,
        labels,
    )


def _join(places: gpd.GeoDataFrame, cut: list[Any], ids: list[str], labels: dict[str, list[str]]) -> None:
    """Add a straight way from each place to the nearest end of a piece."""
    ends = shapely.get_point(np.array(cut, object), 0)
    tree = shapely.STRtree(ends)
    points = places.geometry.to_numpy()
    near = tree.nearest(points)
    for k, row in enumerate(near.tolist()):
        way = shapely.linestrings(
            [shapely.get_coordinates(ends[row])[0], shapely.get_coordinates(points[k])[0]]
        )
        if shapely.length(way) <= _GRAIN_M:
            continue
        cut.append(way)
        ids.append(f"access-{k:04d}")
        for one in LABELS:
            labels[one].append("access" if one == "kind" else _text(_column(places, one, "")[k]))


def _owners(shapes: NDArray[Any], lines: NDArray[Any]) -> Ints:
    """The line that each noded piece is of: the one that its middle lies on."""
    middles = shapely.line_interpolate_point(shapes, 0.5, normalized=True)
    return np.asarray(shapely.STRtree(lines).nearest(middles), np.int64)


def _column(table: gpd.GeoDataFrame, name: str, default: object) -> NDArray[Any]:
    """A column of a table; `default` where it has none or says nothing."""
    if name not in table.columns:
        return np.full(len(table), default, object)
    found = table[name].to_numpy(object)
    return np.array([default if v is None or v is np.nan or v != v else v for v in found], object)


def _text(value: Any) -> str:
    return str(value) if value else ""
