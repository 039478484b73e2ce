"""What the release gate looks into: the rows or cells of a layer as they would leave, or of what a remedy has made and nobody has kept yet.

Rows come in batches and only the columns that are asked for, cells in windows: no check holds a whole layer with its shapes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from twintown.ground.bounds import Bounds
from twintown.ground.errors import NotFound
from twintown.ground.features import Features
from twintown.ground.grid import Grid
from twintown.ground.lattice import Lattice
from twintown.ground.provenance import Provenance
from twintown.trust.grant import Grant
from twintown.twin.cells import Cells
from twintown.twin.layers import LayerVersion, Shape, Twin
from twintown.twin.views import KINDS

#: Rows that are looked at together.
BATCH = 20_000


class Content(Protocol):
    """Rows or cells, whoever holds them."""

    @property
    def layer(self) -> str: ...
    @property
    def version_id(self) -> str:
        """Of the version; "" for what is no layer yet."""
        ...

    @property
    def kind(self) -> str: ...
    @property
    def provenance(self) -> Provenance: ...
    @property
    def words(self) -> tuple[str, ...]:
        """What the layer is called and what its values are, in lower case: by this a rule knows terrain."""
        ...

    @property
    def units(self) -> dict[str, str]:
        """The columns and their units."""
        ...

    @property
    def count(self) -> int: ...
    def table(self, columns: Sequence[str]) -> pa.Table:
        """`id` and these columns of all rows."""
        ...

    def shapes(self) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        """Ids and shapes (metres of the frame), some thousand at a time."""
        ...

    @property
    def lattice(self) -> Lattice:
        """Where the cells are. Raises NotFound: it has none."""
        ...

    def known_in(self, shape: Any) -> tuple[int, tuple[float, float] | None]:
        """How many cells that a shape touches tell something, and the centre of one of them (metres); none where all say the same."""
        ...


@dataclass(frozen=True)
class OfLayer:
    """A version of a layer, through a Grant."""

    twin: Twin
    version: LayerVersion
    grant: Grant

    @property
    def layer(self) -> str:
        return self.version.layer

    @property
    def version_id(self) -> str:
        return self.version.version

    @property
    def kind(self) -> str:
        return self.version.kind

    @property
    def provenance(self) -> Provenance:
        return self.version.provenance

    @property
    def words(self) -> tuple[str, ...]:
        said = self.version.meta.get("attributes") or {}
        title = self.version.title
        return _words(self.layer, said.get("quantity", ""), title.ko, title.en)

    @property
    def units(self) -> dict[str, str]:
        if self.kind not in KINDS:
            return {}
        return {column.name: column.unit for column in self._view.columns if column.name != "id"}

    @property
    def count(self) -> int:
        if self.kind in KINDS:
            return int(self._view.count)
        return self.lattice.rows * self.lattice.cols if self.kind == "grid" else self.version.count

    @cached_property
    def _view(self) -> Any:
        return self.twin.view(self.version, self.grant)

    @cached_property
    def _cells(self) -> Cells:
        return Cells(self.twin, self.version, self.grant)

    def table(self, columns: Sequence[str]) -> pa.Table:
        names = [name for name in columns if name in self.units]
        positions = self._view.positions()
        return pa.Table.from_batches([self._view.take(positions, names, geometry=False)])

    def shapes(self) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        if self.kind != "features":
            return
        for batch in self._view.batches(columns=(), size=BATCH):
            wkb = batch.column("geometry").to_numpy(zero_copy_only=False)
            yield batch.column("id").to_numpy(zero_copy_only=False), np.asarray(shapely.from_wkb(wkb), object)

    @property
    def lattice(self) -> Lattice:
        return self._cells.lattice

    def known_in(self, shape: Any) -> tuple[int, tuple[float, float] | None]:
        part = _within(self.lattice, Bounds(*shape.bounds))
        if part is None:
            return 0, None
        found = self._cells.read(part, self._cells.fields[:1])
        return _first(found.values[0], found.known[0] & touched(part, shape), part)


@dataclass(frozen=True)
class OfShape:
    """A shape in memory: what a remedy would make."""

    layer: str
    shape: Shape
    title: tuple[str, ...] = ()
    version_id: str = ""

    @property
    def kind(self) -> str:
        if isinstance(self.shape, Grid):
            return "grid"
        if isinstance(self.shape, Features):
            return "features" if self.shape.bounds is not None else "table"
        return "series"

    @property
    def provenance(self) -> Provenance:
        return self.shape.provenance

    @property
    def words(self) -> tuple[str, ...]:
        said = self.shape.attributes if isinstance(self.shape, Grid) else {}
        return _words(self.layer, said.get("quantity", ""), *self.title)

    @property
    def units(self) -> dict[str, str]:
        if not isinstance(self.shape, Features):
            return {}
        names = [
            str(name)
            for name in self.shape.table.columns
            if name not in ("id", self.shape.table.geometry.name)
        ]
        return {name: self.shape.units.get(name, "") for name in names}

    @property
    def count(self) -> int:
        return self.shape.values.size if isinstance(self.shape, Grid) else len(self.shape)

    def table(self, columns: Sequence[str]) -> pa.Table:
        if not isinstance(self.shape, Features):
            raise NotFound(f"{self.layer} has no rows")
        names = ["id", *(name for name in columns if name in self.units)]
        return pa.Table.from_pandas(
            self.shape.table.drop(columns=self.shape.table.geometry.name)[names], preserve_index=False
        )

    def shapes(self) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        if not isinstance(self.shape, Features):
            return
        ids, drawn = self.shape.table["id"].to_numpy(object), self.shape.table.geometry.to_numpy()
        for start in range(0, len(ids), BATCH):
            yield ids[start : start + BATCH], np.asarray(drawn[start : start + BATCH], object)

    @property
    def lattice(self) -> Lattice:
        if not isinstance(self.shape, Grid):
            raise NotFound(f"{self.layer} has no cells")
        from twintown.ground.crs import crs_of

        one = self.shape
        return Lattice(
            crs_of(one.frame.crs), one.origin_x, one.origin_y, one.cell_m, one.cell_m, one.rows, one.cols
        )

    def known_in(self, shape: Any) -> tuple[int, tuple[float, float] | None]:
        part = _within(self.lattice, Bounds(*shape.bounds))
        if part is None or not isinstance(self.shape, Grid):
            return 0, None
        grid = self.shape
        row, col = (
            round((grid.origin_y - part.y) / grid.cell_m),
            round((part.x - grid.origin_x) / grid.cell_m),
        )
        values = grid.values if grid.values.ndim == 2 else grid.values[0]
        values = values[row : row + part.rows, col : col + part.cols]
        return _first(values, known(values, grid.nodata) & touched(part, shape), part)


def known(values: NDArray[Any], nodata: float | None) -> NDArray[np.bool_]:
    """Which cells are known: finite, and not the value that means that nothing is."""
    finite = np.isfinite(values) if np.issubdtype(values.dtype, np.floating) else np.ones(values.shape, bool)
    return finite if nodata is None or np.isnan(nodata) else finite & (values != nodata)


def touched(part: Lattice, shape: Any) -> NDArray[np.bool_]:
    """The cells of a lattice that a shape (metres) touches: bool[rows, cols]."""
    from rasterio.features import rasterize

    marks = rasterize(
        [(shape, 1)], (part.rows, part.cols), transform=part.transform, all_touched=True, dtype="uint8"
    )
    return np.asarray(marks, bool)


def _first(
    values: NDArray[Any], known: NDArray[np.bool_], part: Lattice
) -> tuple[int, tuple[float, float] | None]:
    at = np.flatnonzero(known)
    if not len(at) or (len(at) > 1 and np.ptp(values.ravel()[at]) == 0):
        return 0, None  # cells that all say the same show nothing: so are they after a blur
    row, col = divmod(int(at[0]), part.cols)
    return len(at), (part.x + (col + 0.5) * part.width, part.y - (row + 0.5) * part.height)


def _within(lattice: Lattice, box: Bounds) -> Lattice | None:
    try:
        return lattice.part(box)
    except NotFound:
        return None


def _words(*texts: object) -> tuple[str, ...]:
    return tuple(str(text).casefold() for text in texts if text)
