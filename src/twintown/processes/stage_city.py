"""What stands around a stage: the curtains of a prepared scene, as triangles for the eye and the sun and as they are for the sound."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from twintown.ground.features import Features
from twintown.ground.frames import Frame

from .sunlight_scene import Scene
from .sunpath import Place

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
#: A roof that begins above this stands over people, not in their way, metres.
OVERHEAD_M = 2.5


def open_air(buildings: Features, landmarks: Features | None) -> frozenset[str]:
    """Ids of buildings that are open stages: a landmark of the kind `stage` stands in them and their height is a guess.

    They are drawn as houses for want of anything better; nobody is hidden by them and nothing is shaded.
    """
    table = buildings.table
    if landmarks is None or "kind" not in landmarks.table or "height_source" not in table:
        return frozenset()
    marks = landmarks.table
    points = marks[(marks["kind"] == "stage") & marks.geometry.notna()].geometry.to_numpy()
    tree = shapely.STRtree(table.geometry.to_numpy())
    inside = np.unique(tree.query(points, predicate="within")[1])
    guessed = table["height_source"].to_numpy()[inside] == "estimated"
    return frozenset(str(one) for one in table["id"].to_numpy()[inside[guessed]])


@dataclass(frozen=True)
class City:
    """A prepared scene with the names of its buildings; without those that are open stages. Metres from `scene.origin`."""

    scene: Scene
    open_stages: frozenset[str]
    names: tuple[str, ...]

    @classmethod
    def of(cls, scene: Scene, buildings: Features, landmarks: Features | None) -> City:
        """Of layers as the twin has them."""
        table = buildings.table
        named = table["name"].fillna("").astype(str) if "name" in table else [""] * len(table)
        return cls(scene, open_air(buildings, landmarks), tuple(named))

    @property
    def frame(self) -> Frame:
        """Where the scene is."""
        return self.scene.frame

    @property
    def place(self) -> Place:
        """Its middle for the sun."""
        return self.scene.place

    def local(self, xy: Floats) -> Floats:
        """Places of the frame from the scene's origin."""
        found: Floats = np.asarray(xy, np.float64) - np.asarray(self.scene.origin)
        return found

    @cached_property
    def _solid(self) -> Bools:
        """Which solids count, bool[k]."""
        gone = np.array([one in self.open_stages for one in self.scene.ids], np.bool_)
        owner = self.scene.solids.curtains.owner
        return ~gone[owner] if len(owner) else np.zeros(0, np.bool_)

    @cached_property
    def _of_solid(self) -> Ints:
        """The solid of each curtain, int64[m]."""
        first = self.scene.solids.curtains.first
        return np.repeat(np.arange(len(first) - 1), np.diff(first))

    def near(self, xy: Floats, reach_m: float, lowest: float = 0.0) -> Bools:
        """Solids that count and come within a reach of a place, or as far as they rise above a slope of `lowest` from there."""
        disc = self.scene.solids.curtains.disc
        gap = np.sqrt((disc[:, 0] - xy[0]) ** 2 + (disc[:, 1] - xy[1]) ** 2) - disc[:, 2] - reach_m
        reaching = gap <= 0.0
        if lowest > 0.0:
            reaching |= disc[:, 3] > gap * lowest
        found: Bools = self._solid & reaching
        return found

    def curtains(self, chosen: Bools) -> tuple[Floats, Ints]:
        """The curtains of some solids, float64[m, 8], and where each solid's begin, int64[k + 1]."""
        whole = self.scene.solids.curtains
        sizes = np.diff(whole.first)[chosen]
        first = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        return whole.segments[chosen[self._of_solid]], first

    def triangles(self, chosen: Bools) -> Floats:
        """The same curtains as triangles, float64[2 m, 3, 3]: who looks through a solid looks through one of its curtains."""
        return quads(self.curtains(chosen)[0])

    @cached_property
    def _outlines(self) -> tuple[shapely.STRtree, Ints]:
        solids = self.scene.solids
        standing = np.flatnonzero(self._solid & (solids.base < OVERHEAD_M))
        return shapely.STRtree(solids.outlines[standing]), solids.owner[standing]

    def within(self, xy: Floats) -> Ints:
        """The building in which each place stands, int64[n]: its number, −1 for none."""
        tree, owner = self._outlines
        found = np.full(len(xy), -1, np.int64)
        place, row = tree.query(shapely.points(xy), predicate="intersects")
        found[place] = owner[row]
        return found

    def under(self, ring: Floats) -> list[int]:
        """Numbers of the buildings that an outline meets."""
        tree, owner = self._outlines
        shape: Any = shapely.polygons(ring)
        return sorted({int(owner[row]) for row in tree.query(shape, predicate="intersects")})

    @cached_property
    def windows(self) -> tuple[Floats, Ints, Floats, Ints]:
        """Columns of facade points, float64[n, 2]; where each one's heights begin, int64[n + 1]; the heights; the building of each."""
        scene = self.scene
        columns = scene.columns
        used = np.unique(scene.wall)
        owner = scene.solids.owner[scene.walls.part[used]] if len(used) else np.zeros(0, np.int64)
        return np.ascontiguousarray(columns.place[:, :2]), columns.first, columns.z, owner

    def label(self, number: int) -> str:
        """What a building is called: its name, else its id."""
        return self.names[number] or self.scene.ids[number]


def quads(segments: Floats) -> Floats:
    """Curtains float64[m, ≥ 7] (ax, ay, bx, by, top at a, top at b, base) as triangles, float64[2 m, 3, 3]."""
    a, b, base = segments[:, 0:2], segments[:, 2:4], segments[:, 6:7]
    low_a, low_b = np.hstack([a, base]), np.hstack([b, base])
    top_a, top_b = np.hstack([a, segments[:, 4:5]]), np.hstack([b, segments[:, 5:6]])
    found: Floats = np.concatenate(
        [np.stack([low_a, low_b, top_b], axis=1), np.stack([low_a, top_b, top_a], axis=1)]
    )
    return found
