"""Mesh: triangles that know their owner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .errors import BadInput


@dataclass(frozen=True)
class Mesh:
    """Triangles in metres; x east, y north, z up; anticlockwise from outside.

    Args:
        vertices: float64[n, 3], metres.
        triangles: int32[m, 3], indices into `vertices`.
        feature: int32[m], index of the owner of each triangle.

    Raises:
        BadInput: shapes do not fit, or an index points nowhere.
    """

    vertices: NDArray[np.float64]
    triangles: NDArray[np.int32]
    feature: NDArray[np.int32]

    def __post_init__(self) -> None:
        v, t, f = self.vertices, self.triangles, self.feature
        if v.ndim != 2 or v.shape[1] != 3 or t.ndim != 2 or t.shape[1] != 3 or f.shape != t.shape[:1]:
            raise BadInput(
                f"mesh arrays do not fit: vertices {v.shape}, triangles {t.shape}, feature {f.shape}"
            )
        if len(t) and (int(t.min()) < 0 or int(t.max()) >= len(v)):
            raise BadInput("a triangle points to a vertex that is not there")

    @classmethod
    def join(cls, meshes: Sequence[Mesh]) -> Mesh:
        """All triangles of several meshes; owners keep their numbers."""
        if not meshes:
            return cls(np.empty((0, 3)), np.empty((0, 3), np.int32), np.empty(0, np.int32))
        starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes[:-1])]).astype(np.int32)
        return cls(
            np.concatenate([mesh.vertices for mesh in meshes]),
            np.concatenate([mesh.triangles + start for mesh, start in zip(meshes, starts, strict=True)]),
            np.concatenate([mesh.feature for mesh in meshes]),
        )

    def volume(self) -> float:
        """Signed volume (m³) by the divergence theorem; positive for a closed mesh whose faces look outwards."""
        a, b, c = (self.vertices[self.triangles[:, k]] for k in range(3))
        return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6.0)

    def is_closed(self) -> bool:
        """Every directed edge is met once by its opposite: a 2-manifold without boundary."""
        edges = self.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
        there = np.unique(edges, axis=0)
        return len(there) == len(edges) and np.array_equal(there, np.unique(edges[:, ::-1], axis=0))
