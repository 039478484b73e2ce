"""Values over time: as they were observed, or one of mean, least, most and sum of each day or month; as JSON, CSV or CoverageJSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import orjson
from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import answers, patterns, problems
from twintown.api.guard import Asked, LayerId, Reading
from twintown.api.items_query import interval
from twintown.api.represent import VARY, Form, Lang, language, negotiate, represent
from twintown.api.schemas import Model, Scalar
from twintown.api.shelf import terms
from twintown.formats import covjson
from twintown.ground.errors import BadParameter, Denied
from twintown.ground.names import Name
from twintown.ground.series import Series
from twintown.query.query import Interval
from twintown.twin.layers import LayerVersion

if TYPE_CHECKING:
    import pandas as pd

router = APIRouter(tags=["series"])
OFFERS: Mapping[str, str] = {
    "json": "application/json",
    "html": "text/html",
    "csv": "text/csv",
    "covjson": covjson.MEDIA_TYPE,
}
Resample = Literal["none", "day", "month"]
Method = Literal["mean", "min", "max", "sum"]


class SeriesColumn(Model):
    """One property over time."""

    unit: str
    values: list[Scalar] = Field(description="as many as there are times; null where nothing was observed")


class SeriesModel(Model):
    """Columns over one time axis."""

    place: str
    zone: str
    resample: Resample
    method: Literal["as observed", "mean", "min", "max", "sum"] = Field(
        description="what the numbers of a step are of its values; texts are left out"
    )
    time: list[str] = Field(description="ISO 8601; the start of the step")
    columns: dict[str, SeriesColumn]
    attributes: dict[str, Scalar]


@dataclass(frozen=True)
class Cut:
    """Which part of a series is meant, and how it is summed up."""

    columns: tuple[str, ...]
    resample: Resample
    method: Method
    during: Interval | None


def chosen(series: Series, columns: str | None, granted: tuple[str, ...] | None = None) -> list[str]:
    """The columns that are asked for, all but `time` by default.

    Raises:
        BadParameter: there is no such column.
        Denied: the Grant lets none of them out.
    """
    known = [n for n in series.table.column_names if n != "time" and (granted is None or n in granted)]
    if not known:
        raise Denied("the Grant lets no column of this series out")
    if columns is None:
        return known
    wanted = list(dict.fromkeys(part.strip() for part in columns.split(",") if part.strip()))
    for name in wanted:
        if name not in known:
            raise BadParameter(
                "columns", f"there is no column {name[:80]!r}", remedy=f"its columns are {', '.join(known)}"
            )
    if not wanted:
        raise BadParameter("columns", "names no column", remedy=f"its columns are {', '.join(known)}")
    return wanted


def cut(series: Series, wanted: Cut) -> pd.DataFrame:
    """The part that is meant: a column `time` and the columns that are wanted; only numbers where steps are summed up."""
    import pandas as pd

    table: pd.DataFrame = series.table.select(["time", *wanted.columns]).to_pandas()
    if wanted.during is not None:
        time = table["time"] if table["time"].dt.tz is not None else table["time"].dt.tz_localize("UTC")
        start, end = wanted.during
        kept = pd.Series(True, index=table.index)
        if start is not None:
            kept &= time >= pd.Timestamp(start)
        if end is not None:
            kept &= time <= pd.Timestamp(end)
        table = table.loc[kept]
    if wanted.resample == "none":
        return table
    numbers = [name for name in wanted.columns if pd.api.types.is_numeric_dtype(table[name])]
    step = {"day": "D", "month": "MS"}[wanted.resample]
    steps = table.set_index("time")[numbers].resample(step)
    table = steps.sum(min_count=1) if wanted.method == "sum" else getattr(steps, wanted.method)()
    found: pd.DataFrame = table[table.notna().any(axis=1)] if numbers else table.iloc[:0]
    return found.reset_index()


def plain(values: pd.Series) -> list[Any]:
    """A column as JSON values: nothing known becomes null, times become ISO 8601."""
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(values):
        return [None if pd.isna(v) else v.isoformat() for v in values]
    if pd.api.types.is_float_dtype(values):
        return [float(v) if np.isfinite(v) else None for v in values.to_numpy(float, na_value=np.nan)]
    return [_plain(value) for value in values.astype(object).where(values.notna(), None)]


def _plain(value: Any) -> Any:
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return None
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, str | int | float | bool):
        return value
    return orjson.dumps(value, default=str, option=orjson.OPT_SERIALIZE_NUMPY).decode()


def render(series: Series, wanted: Cut) -> dict[str, Any]:
    """The JSON body."""
    table = cut(series, wanted)
    return {
        "place": series.place,
        "zone": series.zone,
        "resample": wanted.resample,
        "method": "as observed" if wanted.resample == "none" else wanted.method,
        "time": plain(table["time"]),
        "columns": {
            str(name): {"unit": series.units.get(str(name), ""), "values": plain(table[name])}
            for name in table.columns
            if name != "time"
        },
        "attributes": {k: v for k, v in series.attributes.items() if isinstance(v, Scalar)},
    }


def _csv(body: Mapping[str, Any]) -> bytes:
    import pyarrow as pa
    import pyarrow.csv

    table = pa.table({"time": body["time"], **{name: one["values"] for name, one in body["columns"].items()}})
    out = pa.BufferOutputStream()
    pyarrow.csv.write_csv(table, out)
    return bytes(out.getvalue())


def _covjson(body: Mapping[str, Any], version: LayerVersion) -> bytes:
    titles = {one["name"]: Name.of(one["title"]) for one in version.meta["columns"]}
    parameters, held = {}, {}
    for name, one in body["columns"].items():
        parameters[name] = covjson.parameter(titles.get(name, Name(name, name)), one["unit"])
        values = one["values"]
        texts = any(isinstance(value, str) for value in values)
        array = np.array(
            ["" if v is None else v for v in values]
            if texts
            else [np.nan if v is None else v for v in values]
        )
        held[name] = covjson.values(array, np.array([v is not None for v in values], bool), ("t",))
    axes: dict[str, Any] = {"t": {"values": body["time"]}}
    # A series says its place in words; without coordinates it is no PointSeries, and a made-up point would be a lie.
    value = covjson.coverage("", axes, [covjson.GREGORIAN], parameters, held)
    value["domain"]["place"] = body["place"]
    return answers.dumps(value)


def written(body: dict[str, Any], version: LayerVersion, form: str) -> bytes:
    """A rendered series as bytes: `csv`, `covjson` or `json`."""
    if form == "csv":
        return _csv(body)
    return _covjson(body, version) if form == "covjson" else answers.dumps(body)


def _answer(
    request: Request, asked: Asked, version: LayerVersion, body: dict[str, Any], form: Form, etag: str
) -> Response:
    vary = {"Vary": VARY}
    if form.format == "csv":
        name = {"Content-Disposition": f'attachment; filename="{asked.served.id}-{version.layer}.csv"'}
        return answers.answer(
            request,
            _csv(body),
            "text/csv; charset=utf-8; header=present",
            etag=etag,
            headers={**name, **vary},
        )
    if form.format == "covjson":
        return answers.answer(request, _covjson(body, version), OFFERS["covjson"], etag=etag, headers=vary)
    if form.format == "html":
        return represent(request, body, form, "series")
    return answers.answer(request, answers.dumps(body), etag=etag, headers=vary)


@router.get(
    "/twins/{twin}/collections/{layer}/series",
    operation_id="getSeries",
    response_model=SeriesModel,
    responses={
        200: {
            "content": {
                "text/csv": {"schema": {"type": "string"}},
                "text/html": {"schema": {"type": "string"}},
                covjson.MEDIA_TYPE: {"schema": {"type": "object"}},
            }
        },
        **problems.responses(400, 401, 403, 404, 406),
    },
)
def get_series(
    request: Request,
    asked: Reading,
    layer: LayerId,
    columns: Annotated[
        str | None, Query(description="names joined by commas; all by default", max_length=2000)
    ] = None,
    resample: Annotated[
        Resample, Query(description="one value a day or a month instead of every value")
    ] = "none",
    method: Annotated[Method, Query(description="what the values of a day or a month become")] = "mean",
    datetime: Annotated[
        str | None,
        Query(
            description="an instant, or an interval start/end with .. for an open end (RFC 3339)",
            max_length=100,
            json_schema_extra=patterns.DATETIME,
        ),
    ] = None,
    f: Annotated[
        Literal["json", "html", "csv", "covjson"] | None,
        Query(description="format; without it the header Accept decides"),
    ] = None,
    lang: Lang = None,
) -> Response:
    """A series, whole or a part of it, as it was observed or summed up by days or months."""
    served = asked.served
    version = served.twin.version(layer, asked.grant)
    series = served.series(version, asked.grant)
    form = Form(negotiate(request, OFFERS, f), language(request, lang))
    names = tuple(chosen(series, columns, asked.grant.columns))
    wanted = Cut(names, resample, method, None if datetime is None else interval(datetime))
    etag = answers.tag(version.version, terms(asked.grant), wanted, form.format)
    if form.format != "html" and answers.unchanged(request, etag):
        return answers.not_modified(
            etag, answers.PRIVATE if answers.personal(request) else answers.REVALIDATE, VARY
        )
    return _answer(request, asked, version, render(series, wanted), form, etag)
