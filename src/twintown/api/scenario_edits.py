"""The edits of a scenario: what is in force, new ones, taking back, and what they build."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.guard import Asked, Planning, Reading
from twintown.api.scenario_models import (
    NewEdits,
    Overtake,
    ScenarioEntry,
    ScenarioId,
    ScenarioJournal,
    Written,
    base_layers,
    plans,
)
from twintown.city import edits as city
from twintown.city.edits import Edit, Extent
from twintown.ground.errors import BadParameter, NotFound
from twintown.scenario import built
from twintown.scenario.plans import Plans
from twintown.scenario.scenario import Entry, Overtaken, Scenario, digest, in_force, taken_back

router = APIRouter(tags=["scenarios"])
Revision = Annotated[int | None, Query(ge=0, description="as it stood then; now by default")]


@router.get(
    "/twins/{twin}/scenarios/{scenario}/edits", operation_id="getScenarioEdits", response_model=ScenarioJournal,
    responses=problems.responses(400, 401, 403, 404),
)  # fmt: skip
def get_edits(
    request: Request, asked: Reading, scenario: ScenarioId, revision: Revision = None,
    since: Annotated[int, Query(ge=0, description="only entries after this one; `in_force` is of all")] = 0,
) -> Response:  # fmt: skip
    """The journal's edits with what takes them back, and the edits that are in force."""
    found = plans(asked)
    one = found.get(scenario)
    entries = found.entries(scenario, upto=_known(one, revision), kinds=("edit", "undo"))
    gone, force = taken_back(entries), in_force(entries)
    journal = ScenarioJournal(
        revision=one.revision if revision is None else revision, digest=digest(one.base, force, one.parameters),
        entries=[ScenarioEntry.of(entry, gone.get(entry.seq)) for entry in entries if entry.seq > since],
        in_force=list(force),
    )  # fmt: skip
    return answers.answer_json(request, journal, cache="no-store")


@router.post(
    "/twins/{twin}/scenarios/{scenario}/edits", operation_id="addScenarioEdits", status_code=201, response_model=Written,
    responses={
        **problems.responses(400, 401, 403, 404, 410, 413, 428, 503, 507),
        409: {"model": Overtake, "description": "somebody else wrote the same building since `seen`, or the plan is decided"},
    },
)  # fmt: skip
def add_edits(request: Request, asked: Planning, scenario: ScenarioId, body: NewEdits) -> Response:
    """Edit buildings, and take entries back; all or none. Outlines are GeoJSON Polygons (CRS84) or rings in metres of the frame.

    `seen` is the revision that the author looks at. Where somebody else has written the same building since, nothing is written, and
    the answer says who, when and what; sent again with the present revision, it comes after theirs, and both stay in the journal.
    """
    frame = asked.served.twin.description.frame
    edits = [parsed(sent, frame, f"edits[{index}]") for index, sent in enumerate(body.edits)]
    if not edits and not body.undo:
        raise BadParameter("edits", "nothing is sent", remedy="send edits, or numbers of entries to undo")
    store = plans(asked, write=True)
    try:
        return written(asked, *write(asked, store, scenario, edits, body))
    except Overtaken as error:
        return overtake(request, error)


def parsed(sent: Mapping[str, Any], frame: Any, where: str) -> Edit:
    """An edit in its normal form; what is new and has no id gets one. Raises BadParameter."""
    if sent.get("op") == "add" and not sent.get("object"):
        sent = {**sent, "object": f"new/{secrets.token_hex(4)}"}
    return city.parse(sent, frame, where)


def write(
    asked: Asked, store: Plans, scenario: str, edits: Sequence[Edit], body: NewEdits
) -> tuple[Scenario, list[Entry]]:
    """Write edits to a scenario; raises like `Plans.edit`, and Gone."""
    from twintown.city.applied import extents

    def known(one: Scenario, names: Sequence[str]) -> dict[str, Extent]:
        return extents(base_layers(asked, one.versions)[0], names)

    done = store.edit(
        scenario, edits, asked.grant.subject.author(body.author), seen=body.seen, client=body.client, undo=body.undo,
        bounds=asked.served.twin.description.bounds, known=known,
    )  # fmt: skip
    asked.served.twin.watch.touch()
    return done


def written(_asked: Asked, scenario: Scenario, entries: Sequence[Entry]) -> Response:
    """201 with what was written."""
    body = Written(revision=scenario.revision, entries=[ScenarioEntry.of(one) for one in entries])
    return Response(answers.dumps(body), 201, {"Cache-Control": "no-store"}, "application/json")


def overtake(request: Request, error: Overtaken) -> Response:
    """409, with what the others wrote."""
    said = problems.of_error(request, error)
    more = {"revision": error.revision, "conflicts": [ScenarioEntry.of(one) for one in error.entries]}
    body = answers.dumps({**answers.loads(bytes(said.body)), **more})
    return Response(body, said.status_code, {"Cache-Control": "no-store"}, problems.MEDIA_TYPE)


@router.get(
    "/twins/{twin}/scenarios/{scenario}/objects", operation_id="getScenarioObjects", response_class=answers.GeoJSON,
    responses=problems.responses(400, 401, 403, 404, 410),
)  # fmt: skip
def get_objects(
    request: Request, asked: Reading, scenario: ScenarioId, revision: Revision = None,
    ids: Annotated[str, Query(max_length=4000, description="also these buildings as they are, comma-separated")] = "",
) -> Response:  # fmt: skip
    """Every building that the scenario touches, as it would be: GeoJSON (CRS84) with its solids; `removed` names those that go."""
    found = plans(asked)
    one = found.get(scenario)
    at = _known(one, revision)
    force = in_force(found.entries(scenario, upto=at, kinds=("edit", "undo")))
    also = [name for name in ids.split(",") if name]
    features, gone = built.objects(*base_layers(asked, one.versions), force, also)
    if missing := set(also) - {str(feature["id"]) for feature in features} - set(gone):
        raise NotFound(
            f"there is no building {min(missing)[:80]!r}", "ids", "take ids of the layer buildings"
        )
    body = {
        "type": "FeatureCollection", "features": features, "removed": gone,
        "revision": one.revision if revision is None else revision, "scenario": one.id,
    }  # fmt: skip
    return answers.answer(request, answers.dumps(body), "application/geo+json", cache="no-store")


def _known(one: Scenario, revision: int | None) -> int | None:
    if revision is not None and revision > one.revision:
        raise BadParameter(
            "revision", f"{revision} is not there yet", remedy=f"there are 0 to {one.revision}"
        )
    return revision
