"""Files come into a scenario: CityJSON, glTF or GLB with a position, IFC; each building in them is an edit that adds it."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.guard import Planning
from twintown.api.scenario_edits import overtake, parsed, write
from twintown.api.scenario_models import NewEdits, Overtake, ScenarioEntry, ScenarioId, Written, plans
from twintown.api.schemas import Model
from twintown.ground.errors import BadParameter, TooLarge
from twintown.scenario.scenario import Overtaken

router = APIRouter(tags=["scenarios"])
KINDS = (
    "model/gltf-binary",
    "model/gltf+json",
    "application/city+json",
    "application/x-step",
    "application/octet-stream",
)
#: Bytes of a file.
MAX_BYTES = 64_000_000


class ImportNote(Model):
    """What was odd or simplified in a file."""

    code: str
    what: str
    object: str = Field(description="of the file, where it is about one")


class Imported(Written):
    """What was written: an `add` for each building of the file."""

    kind: str = Field(description="CityJSON, glTF or IFC")
    notes: list[ImportNote]


@router.post(
    "/twins/{twin}/scenarios/{scenario}/imports", operation_id="importIntoScenario", status_code=201,
    response_model=Imported,
    responses={
        **problems.responses(400, 401, 403, 404, 410, 413, 415, 428, 503, 507),
        409: {"model": Overtake, "description": "the plan is decided"},
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in KINDS},
        }
    },
)  # fmt: skip
async def import_file(
    request: Request, asked: Planning, scenario: ScenarioId,
    seen: Annotated[int | None, Query(ge=0, description="the revision that you look at")] = None,
    lon: Annotated[float | None, Query(ge=-180, le=180, allow_inf_nan=False, description="where the origin of the file stands")] = None,
    lat: Annotated[float | None, Query(ge=-90, le=90, allow_inf_nan=False, description="the same, degrees north")] = None,
    heading_deg: Annotated[float, Query(ge=-360, le=360, allow_inf_nan=False, description="of its north (−Z in glTF), clockwise")] = 0.0,
    stands: Annotated[Literal["lowest", "origin"] | None, Query(description="on the ground; lowest for glTF, origin for IFC")] = None,
    name: Annotated[str, Query(max_length=200, description="of the building, where the file says none")] = "",
    author: Annotated[str, Query(max_length=80, description="the name that you go by")] = "",
    client: Annotated[str, Query(max_length=64, description="which page or program sends")] = "",
) -> Response:  # fmt: skip
    """The buildings of a file as new ones; its kind is told by its content, whatever is said. All of them or none."""
    from twintown.scenario import files

    if (lon is None) != (lat is None):
        missing = "lon" if lon is None else "lat"
        raise BadParameter(missing, "is missing beside the other", remedy="give both, or none")
    data = await request.body()
    if len(data) > MAX_BYTES:
        raise TooLarge(f"a file has at most {MAX_BYTES:,} bytes here", "file", "simplify it")
    about = asked.served.twin.description
    place = None if lon is None or lat is None else files.Placement(lon, lat, heading_deg)

    def work() -> Response:
        found = files.read(
            data, about.frame, about.bounds, ground_m=about.ground.height_m, place=place, stands=stands or "", name=name
        )  # fmt: skip
        edits = [parsed(one, about.frame, f"buildings[{index}]") for index, one in enumerate(found.edits)]
        try:
            body = NewEdits(seen=seen, author=author, client=client)
            said, entries = write(asked, plans(asked, write=True), scenario, edits, body)
        except Overtaken as error:
            return overtake(request, error)
        sent = Imported(
            revision=said.revision, entries=[ScenarioEntry.of(one) for one in entries], kind=found.kind,
            notes=[ImportNote(code=one.code, what=one.what, object=one.object) for one in found.notes],
        )  # fmt: skip
        return Response(answers.dumps(sent), 201, {"Cache-Control": "no-store"}, "application/json")

    return await run_in_threadpool(work)
