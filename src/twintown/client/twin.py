"""`Twin("https://…" or path)`: the layers of a twin as GeoDataFrame, Arrow and xarray, the same over HTTP and from its folder.

    from twintown import Twin

    twin = Twin("https://twin.example.kr/twins/icheon")
    twin.layers
    twin["towns"].geodataframe(filter="population > 20000")
    twin["weather"].xarray()
    twin.run("view", observers=[[127.1, 37.51]]).layer()

Over HTTP, rows come as GeoParquet and grids as cloud-optimised GeoTIFF from the open API. From a folder, the same question is
answered by the same code without a server, as the owner of the files (`LOCAL_OWNER`).
"""

from __future__ import annotations

import difflib
import html
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twintown.client.origin import About, Origin
from twintown.client.process import Processes, Progress, Result
from twintown.client.shown import Schema, array
from twintown.ground.errors import BadInput, BadParameter, NotFound
from twintown.ground.names import Name
from twintown.ground.provenance import Provenance

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    import pyarrow as pa
    import xarray as xr


_EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
_WORDS = {"features": "features", "table": "table", "series": "series", "grid": "grid"}


class Twin:
    """A twin, to be read.

    Args:
        where: address of the twin (`https://host/twins/icheon`), or the path of its folder.
        token: the owner's, for what is not open to all; over HTTP only.
        timeout_s: how long one answer may take to begin, seconds; over HTTP only.

    Raises:
        BadInput: neither an address nor a folder of a twin.
        NotFound, StorageFailed: there is none, or it cannot be reached.
    """

    def __init__(self, where: str | Path, *, token: str = "", timeout_s: float = 60.0) -> None:
        text = str(where)
        self._origin: Origin
        if text.startswith(("http://", "https://")):
            from twintown.client.remote import Remote

            self._origin = Remote(text, token, timeout_s)
        elif "://" in text:
            raise BadInput(
                f"{text.partition('://')[0]} is no way to a twin", text, "give https://… or a folder"
            )
        else:
            from twintown.client.folder import Folder

            self._origin = Folder(Path(where))
        self._names = self._origin.names()

    @property
    def url(self) -> str:
        """The address, or the folder."""
        return self._origin.url

    @property
    def names(self) -> Name:
        """What people call it, in Korean and English."""
        return self._names

    @property
    def layers(self) -> Layers:
        """All layers by id, as they are now."""
        return Layers({about.id: Layer(self._origin, about) for about in self._origin.catalogue()})

    def __getitem__(self, layer: str) -> Layer:
        """One layer. Raises NotFound."""
        return self.layers[layer]

    def processes(self) -> Processes:
        """What this twin can be asked, by id, as it is now."""
        return Processes({one.id: one for one in self._origin.processes()})

    def run(
        self, process: str, /, *, scenario: str = "", fresh: bool = False, progress: Progress | None = None, **inputs: Any
    ) -> Result:  # fmt: skip
        """Ask a process and wait for what comes out.

        Over HTTP the server computes; from the folder, this process does. The answer is one or more layers of the twin.

        Args:
            process: its id.
            scenario: ask of the city with the edits of this scenario: id, or id@revision.
            fresh: compute anew what was answered before.
            progress: told what is being done and how far it is, 0 to 1.
            inputs: by name; what is left out has its default.

        Raises:
            BadParameter: an input cannot be; names it.
            NotFound: no such process or scenario, or the twin has not what it needs.
            TooMany: too much waits at the server already.
            TwintownError: it could not be answered; says why.
        """
        return self._result(self._origin.run(process, inputs, scenario, fresh, progress))

    def jobs(self, limit: int = 20) -> list[Result]:
        """What was asked last, the newest first."""
        return [self._result(job) for job in self._origin.jobs(limit)]

    def _result(self, job: str) -> Result:
        return Result(self._origin, job, lambda layer: self[layer])

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.layers)

    def __repr__(self) -> str:
        return f"Twin({self.url!r})  {self.names.ko} · {self.names.en}\n{self.layers!r}"

    def _repr_html_(self) -> str:
        title = html.escape(f"{self.names.ko} · {self.names.en}")
        return f"<p><b>{title}</b> <code>{html.escape(self.url)}</code></p>{self.layers._repr_html_()}"


class Layers(Mapping[str, "Layer"]):
    """The layers of a twin by id; a notebook shows them as a table."""

    def __init__(self, layers: Mapping[str, Layer]) -> None:
        self._layers = layers

    def __getitem__(self, layer: str) -> Layer:
        if layer not in self._layers:
            near = difflib.get_close_matches(layer, self._layers, 3)
            known = ", ".join(near or self._layers)
            raise NotFound(
                f"there is no layer {layer!r}",
                remedy=f"did you mean {known}?" if near else f"there are {known}",
            )
        return self._layers[layer]

    def __contains__(self, layer: object) -> bool:
        return layer in self._layers

    def __iter__(self) -> Iterator[str]:
        return iter(self._layers)

    def __len__(self) -> int:
        return len(self._layers)

    def _rows(self) -> list[tuple[str, ...]]:
        return [
            (one.id, _WORDS.get(one.kind, one.kind) + (f" ({one.geometry})" if one.geometry else ""), f"{one.count:,}",
             one.names.ko, one.names.en, ", ".join(dict.fromkeys(s.licence.id for s in one.provenance.sources)))
            for one in self._layers.values()
        ]  # fmt: skip

    def __repr__(self) -> str:
        rows = [("id", "kind", "count", "", "", "licence"), *self._rows()]
        widths = [max(len(row[i]) for row in rows) for i in range(3)]
        return "\n".join(
            f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:>{widths[2]}}  {' · '.join(dict.fromkeys(filter(None, row[3:5])))}"
            + (f"  [{row[5]}]" if row[5] != "licence" else "")
            for row in rows
        )

    def _repr_html_(self) -> str:
        heads = "".join(f"<th>{one}</th>" for one in ("id", "kind", "count", "이름", "name", "licence"))
        lines = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
            for row in self._rows()
        )
        return f"<table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>"


class Layer:
    """One layer of a twin. Its rows and cells are read when they are asked for."""

    def __init__(self, origin: Origin, about: About) -> None:
        self._origin = origin
        self.about = about

    @property
    def id(self) -> str:
        """Its id in the twin."""
        return self.about.id

    @property
    def names(self) -> Name:
        """What people call it, in Korean and English."""
        return self.about.names

    @property
    def kind(self) -> str:
        """`features`, `table`, `series` or `grid`."""
        return self.about.kind

    @property
    def geometry(self) -> str:
        """The type of its geometries, empty where it has none."""
        return self.about.geometry

    @property
    def count(self) -> int:
        """Rows, instants or cells."""
        return self.about.count

    @property
    def schema(self) -> Schema:
        """Its columns: name, type, UCUM unit, title."""
        return Schema(self.about.columns)

    @property
    def provenance(self) -> Provenance:
        """Where it comes from, under which licence, through which steps."""
        return self.about.provenance

    @property
    def url(self) -> str:
        """Its address, or its file."""
        return self.about.url

    def geodataframe(
        self, *, bbox: Sequence[float] | None = None, filter: str = "", columns: Sequence[str] | None = None,
        limit: int | None = None, crs: str = "",
    ) -> gpd.GeoDataFrame:  # fmt: skip
        """Its rows as a GeoDataFrame with the index `id`.

        Args:
            bbox: west, south, east, north, degrees: rows that touch it.
            filter: CQL2 text, such as `height_m > 50 AND kind = 'apartments'`.
            columns: only these.
            limit: no more rows than this.
            crs: of the coordinates, such as `EPSG:5186`; x is east, y is north. Longitude and latitude by default.

        Raises:
            BadInput: the layer has no geometry.
            BadParameter: naming the argument that cannot be used.
        """
        import geopandas as gpd
        import pyarrow as pa

        if self.kind != "features":
            raise BadInput(
                f"{self.id} is a {self.kind} and has no geometry",
                remedy="use dataframe(), arrow() or xarray()",
            )
        table = self.arrow(bbox=bbox, filter=filter, columns=columns, limit=limit, crs=crs)
        with pa.BufferOutputStream() as kept:
            import pyarrow.parquet as pq

            pq.write_table(table, kept, compression="none")
            frame = gpd.read_parquet(pa.BufferReader(kept.getvalue()))
        return frame.set_index("id") if "id" in frame.columns else frame

    def dataframe(
        self, *, bbox: Sequence[float] | None = None, filter: str = "", columns: Sequence[str] | None = None, limit: int | None = None
    ) -> pd.DataFrame:  # fmt: skip
        """Its rows without geometry as a DataFrame with the index `id`; arguments and errors as `geodataframe`."""
        table = self.arrow(bbox=bbox, filter=filter, columns=columns, limit=limit, geometry=False)
        frame: pd.DataFrame = table.to_pandas()
        return frame.set_index("id") if "id" in frame.columns else frame

    def arrow(
        self, *, bbox: Sequence[float] | None = None, filter: str = "", columns: Sequence[str] | None = None,
        limit: int | None = None, crs: str = "", geometry: bool = True,
    ) -> pa.Table:  # fmt: skip
        """Its rows as an Arrow table: `id`, columns, `geometry` (WKB); arguments and errors as `geodataframe`."""
        if self.kind == "grid":
            raise BadInput(f"{self.id} is a grid and has no rows", remedy="use xarray()")
        asked: dict[str, str] = {}
        if bbox is not None:
            asked["bbox"] = ",".join(f"{float(number):.10g}" for number in bbox)
        if filter:
            asked["filter"] = filter
        if columns is not None:
            asked["properties"] = ",".join(columns)
        if crs:
            asked["crs"] = _uri(crs)
        if not geometry and self.kind == "features":
            asked["skipGeometry"] = "true"
        if limit is not None and limit < 1:
            raise BadParameter("limit", f"{limit} rows", remedy="ask for at least one, or for all without it")
        return self._origin.rows(self.id, asked, limit)

    def xarray(self, *, columns: Sequence[str] | None = None) -> xr.DataArray | xr.Dataset:
        """A grid as a DataArray over y and x (metres, centres of the cells; what is not known is NaN), or a series as a
        Dataset over time.

        Args:
            columns: of a series, only these.

        Raises:
            BadInput: the layer is neither.
        """
        if self.kind == "grid":
            return array(self._origin.grid(self.id), self.id)
        if self.kind != "series":
            raise BadInput(f"{self.id} is a {self.kind}", remedy="use geodataframe(), dataframe() or arrow()")
        return self._dataset(columns)

    def _dataset(self, columns: Sequence[str] | None) -> xr.Dataset:
        import pandas as pd
        import xarray as xr

        time = next((one.name for one in self.about.columns if one.type == "datetime"), "time")
        wanted = None if columns is None else [time, *(one for one in columns if one != time)]
        frame = self.arrow(columns=wanted).to_pandas()
        when = pd.DatetimeIndex(frame.pop(time))
        # the clock of the place, without a zone, because arrays have none; `zone` says which one it is
        zone = str(self.about.attributes.get("zone") or when.tz or "")
        if when.tz is not None:
            when = when.tz_convert(zone or "UTC").tz_localize(None)
        found = xr.Dataset(coords={"time": when})
        told = {one.name: one for one in self.about.columns}
        for name in frame.columns:
            if name in told:
                attributes = {
                    "units": told[name].unit,
                    "long_name": told[name].title.en,
                    "title_ko": told[name].title.ko,
                }
                found[name] = ("time", frame[name].to_numpy(), {k: v for k, v in attributes.items() if v})
        found.attrs |= {"layer": self.id, "zone": zone, "place": str(self.about.attributes.get("place", ""))}
        return found

    def __repr__(self) -> str:
        shape = f" ({self.geometry})" if self.geometry else ""
        return f"Layer({self.id!r})  {self.names.ko} · {self.names.en}: {self.kind}{shape}, {self.count:,}\n{self.schema!r}"

    def _repr_html_(self) -> str:
        said = html.escape(f"{self.names.ko} · {self.names.en}: {self.kind}, {self.count:,}")
        return f"<p><b>{html.escape(self.id)}</b> {said}</p>{self.schema._repr_html_()}"


def _uri(crs: str) -> str:
    """`EPSG:5186` as the URI that names it; everything else as it is."""
    authority, _, code = crs.partition(":")
    return f"{_EPSG}{code}" if authority.upper() == "EPSG" and code.isalnum() else crs
