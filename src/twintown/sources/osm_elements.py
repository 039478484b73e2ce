"""OpenStreetMap elements in columns: what the XML and the PBF reader both give, and geometry from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray

from twintown.ground.frames import Frame

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Tags = dict[str, str]
NODE, WAY, RELATION = 0, 1, 2

#: What makes an element worth keeping when a file is larger than the twin.
KEYS = (
    "building",
    "building:part",
    "highway",
    "name",
    "amenity",
    "tourism",
    "leisure",
    "railway",
    "junction",
    "historic",
    "place",
    "public_transport",
)


@dataclass(frozen=True)
class Elements:
    """Nodes, ways and relations of a file.

    Args:
        node_id: int64[n], ascending. node_lonlat: float64[n, 2], degrees.
        point: int64[k], positions in `node_id` of the nodes that carry tags; `point_tags` are theirs.
        way_id: int64[w]; way `i` has the nodes `way_node[way_start[i]:way_start[i + 1]]` (positions in `node_id`).
        relation_id: int64[r]; members by kind (NODE, WAY, RELATION), id and role.
        missing: references to nodes that the file does not hold (they are left out of the ways).
    """

    node_id: Ints
    node_lonlat: Floats
    point: Ints
    point_tags: Sequence[Tags]
    way_id: Ints
    way_start: Ints
    way_node: Ints
    way_tags: Sequence[Tags]
    relation_id: Ints
    relation_tags: Sequence[Tags]
    relation_members: Sequence[Sequence[tuple[int, int, str]]]
    missing: int = 0
    broken_way: frozenset[int] = field(default_factory=frozenset)

    @classmethod
    def of(
        cls,
        nodes: tuple[Sequence[int], Sequence[float], Sequence[float]],
        points: tuple[Sequence[int], Sequence[Tags]],
        ways: tuple[Sequence[int], Sequence[int], Sequence[int], Sequence[Tags]],
        relations: tuple[Sequence[int], Sequence[Tags], Sequence[Sequence[tuple[int, int, str]]]],
    ) -> Elements:
        """From what a reader gathered: ids, lon, lat; tagged node ids; way ids, their numbers of nodes, all node ids in a row."""
        node_id, first = np.unique(np.asarray(nodes[0], np.int64), return_index=True)
        lonlat = (
            np.column_stack([np.asarray(nodes[1], float), np.asarray(nodes[2], float)])[first]
            if len(node_id)
            else np.empty((0, 2))
        )
        refs = np.asarray(ways[2], np.int64)
        at = np.searchsorted(node_id, refs) if len(node_id) else np.zeros(len(refs), np.int64)
        known = np.zeros(len(refs), bool)
        inside = at < len(node_id)
        known[inside] = node_id[at[inside]] == refs[inside]
        counts = np.asarray(ways[1], np.int64)
        owner = np.repeat(np.arange(len(counts)), counts)
        start = np.concatenate([[0], np.cumsum(np.bincount(owner[known], minlength=len(counts)))]).astype(
            np.int64
        )
        way_id = np.asarray(ways[0], np.int64)
        broken = frozenset(way_id[np.unique(owner[~known])].tolist())
        return cls(
            node_id, lonlat, np.searchsorted(node_id, np.asarray(points[0], np.int64)).astype(np.int64), points[1],
            way_id, start, at[known].astype(np.int64), ways[3], np.asarray(relations[0], np.int64), relations[1], relations[2],
            int((~known).sum()), broken,
        )  # fmt: skip

    @property
    def closed(self) -> NDArray[np.bool_]:
        """bool[w]: the way ends where it began, has at least three corners and lacks no node."""
        out = np.zeros(len(self.way_id), bool)
        long = np.diff(self.way_start) >= 4
        first, last = self.way_start[:-1][long], self.way_start[1:][long] - 1
        out[long] = self.way_node[first] == self.way_node[last]
        if self.broken_way:
            out &= ~np.isin(self.way_id, np.fromiter(self.broken_way, np.int64))
        return out

    def coordinates(self, frame: Frame) -> Floats:
        """float64[n, 2]: all nodes in the frame, metres."""
        # PROJ's releases differ by a nanometre: rounded, the same extract gives the same city with each of them
        xy: Floats = np.column_stack(frame.from_lonlat(self.node_lonlat[:, 0], self.node_lonlat[:, 1]))
        return np.asarray(np.round(xy, 3))

    def _gather(self, ways: Ints, xy: Floats) -> tuple[Floats, Ints]:
        counts = (self.way_start[1:] - self.way_start[:-1])[ways]
        owner = np.repeat(np.arange(len(ways)), counts)
        within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
        return xy[self.way_node[self.way_start[ways][owner] + within]], owner

    def lines(self, ways: Ints, xy: Floats) -> NDArray[np.object_]:
        """LineStrings of ways (positions) that have at least two nodes."""
        if not len(ways):
            return np.empty(0, object)
        points, owner = self._gather(ways, xy)
        return np.asarray(shapely.linestrings(points, indices=owner), object)

    def polygons(self, ways: Ints, xy: Floats) -> NDArray[np.object_]:
        """Polygons of closed ways (positions)."""
        if not len(ways):
            return np.empty(0, object)
        points, owner = self._gather(ways, xy)
        return np.asarray(shapely.polygons(shapely.linearrings(points, indices=owner)), object)

    def multipolygon(self, relation: int, xy: Floats, place: dict[int, int]) -> shapely.Geometry | None:
        """The area of a multipolygon relation (position), courtyards cut out; none where its rings do not close.

        `place` tells the position of each way id.
        """
        rings: dict[str, list[int]] = {"outer": [], "inner": []}
        for kind, ref, role in self.relation_members[relation]:
            if kind == WAY and ref in place and role in ("", "outer", "inner", "outline"):
                rings["inner" if role == "inner" else "outer"].append(place[ref])
        if not rings["outer"]:
            return None
        areas = []
        for role in ("outer", "inner"):
            ways = np.array(
                [w for w in rings[role] if self.way_start[w + 1] - self.way_start[w] >= 2], np.int64
            )
            pieces = (
                shapely.get_parts(shapely.polygonize(self.lines(ways, xy)))
                if len(ways)
                else np.empty(0, object)
            )
            areas.append(shapely.union_all(pieces))
        area = areas[0].difference(areas[1])
        return None if area.is_empty else area
