"""How layers show themselves in a notebook: columns as a table, grids as labelled arrays."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from twintown.ground.columns import Column

if TYPE_CHECKING:
    import xarray as xr

    from twintown.ground.grid import Grid


class Schema(tuple[Column, ...]):
    """The columns of a layer; a notebook shows them as a table."""

    __slots__ = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(one.name for one in self)

    def __repr__(self) -> str:
        width = max((len(one.name) for one in self), default=0)
        return "\n".join(
            f"  {one.name:<{width}}  {one.type}{f', {one.unit}' if one.unit else ''}  {one.title.en}"
            for one in self
        )

    def _repr_html_(self) -> str:
        heads = "".join(f"<th>{one}</th>" for one in ("name", "type", "unit", "제목", "title"))
        lines = "".join(
            "<tr>"
            + "".join(
                f"<td>{html.escape(cell)}</td>" for cell in (c.name, c.type, c.unit, c.title.ko, c.title.en)
            )
            + "</tr>"
            for c in self
        )
        return f"<table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>"


def array(grid: Grid, name: str) -> xr.DataArray:
    """A grid with its coordinates, unit and CRS; what is not known is NaN."""
    import numpy as np
    import xarray as xr

    values = grid.values
    if grid.nodata is not None:
        known = values != values.dtype.type(grid.nodata)
        values = np.where(known, values, np.nan).astype(
            np.float32 if values.dtype.itemsize <= 2 else np.float64
        )
    x = grid.origin_x + grid.cell_m * (np.arange(grid.cols) + 0.5)
    y = grid.origin_y - grid.cell_m * (np.arange(grid.rows) + 0.5)
    metres = {"units": "m"}
    coordinates: dict[str, Any] = {"y": ("y", y, metres), "x": ("x", x, metres)}
    dimensions = ("y", "x") if values.ndim == 2 else ("band", "y", "x")
    about = {
        "units": grid.unit,
        "crs": grid.frame.crs,
        **{k: v for k, v in grid.attributes.items() if v is not None},
    }
    return xr.DataArray(values, coordinates, dimensions, name, about)
