"""Values over time as JSON columns, as they are or as means of days or months."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import orjson
from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.guard import LayerId, Reading
from twintown.api.schemas import Model, Scalar
from twintown.ground.errors import BadParameter
from twintown.ground.series import Series

if TYPE_CHECKING:
    import pandas as pd

router = APIRouter(tags=["series"])
Resample = Literal["none", "day", "month"]


class SeriesColumn(Model):
    """One property over time."""

    unit: str
    values: list[Scalar] = Field(description="as many as there are times; null where nothing was observed")


class SeriesModel(Model):
    """Columns over one time axis."""

    place: str
    zone: str
    resample: Resample
    method: Literal["as observed", "mean"] = Field(
        description="numbers of a step are their mean; texts are left out"
    )
    time: list[str] = Field(description="ISO 8601; the start of the step")
    columns: dict[str, SeriesColumn]
    attributes: dict[str, Scalar]


def chosen(series: Series, columns: str | None) -> list[str]:
    """The columns that are asked for, all but `time` by default. Raises BadParameter for one that is not there."""
    known = [name for name in series.table.column_names if name != "time"]
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


def render(series: Series, columns: list[str], resample: Resample) -> dict[str, Any]:
    """The body of the answer."""
    table = series.table.select(["time", *columns]).to_pandas()
    if resample != "none":
        import pandas as pd

        numbers = [name for name in columns if pd.api.types.is_numeric_dtype(table[name])]
        columns = numbers
        step = {"day": "D", "month": "MS"}[resample]
        table = table.set_index("time")[numbers].resample(step).mean().reset_index()
        table = table[table[numbers].notna().any(axis=1)] if numbers else table
    return {
        "place": series.place,
        "zone": series.zone,
        "resample": resample,
        "method": "as observed" if resample == "none" else "mean",
        "time": plain(table["time"]),
        "columns": {
            name: {"unit": series.units.get(name, ""), "values": plain(table[name])} for name in columns
        },
        "attributes": {k: v for k, v in series.attributes.items() if isinstance(v, Scalar)},
    }


@router.get(
    "/twins/{twin}/collections/{layer}/series",
    operation_id="getSeries",
    response_model=SeriesModel,
    responses=problems.responses(400, 401, 403, 404),
)
def get_series(
    request: Request,
    asked: Reading,
    layer: LayerId,
    columns: Annotated[
        str | None, Query(description="names joined by commas; all by default", max_length=2000)
    ] = None,
    resample: Annotated[
        Resample, Query(description="means of days or months instead of every value")
    ] = "none",
) -> Response:
    """A series, whole or as means."""
    served = asked.served
    version = served.twin.version(layer, asked.grant)
    series = served.series(version, asked.grant)
    wanted = chosen(series, columns)
    etag = answers.tag(version.version, asked.grant.grade, resample, *wanted)
    if answers.unchanged(request, etag):
        return answers.not_modified(etag, answers.REVALIDATE)
    return answers.answer(request, answers.dumps(render(series, wanted, resample)), etag=etag)
