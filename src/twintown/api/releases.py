"""The release gate for officers: ask whether an asset may go, see what stands against it, try a remedy, decide."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.guard import Asked, Releasing
from twintown.api.landing import base
from twintown.api.release_models import (
    FindingModel,
    Kind,
    Named,
    Officer,
    Preview,
    Question,
    ReleaseId,
    ReleaseList,
    ReleaseModel,
    RemedyModel,
    RuleList,
    RuleModel,
    State,
    Wish,
    Word,
    audience_of,
)
from twintown.api.represent import absolute
from twintown.exchange.release import Release
from twintown.ground.errors import BadParameter
from twintown.trust.grades import Grade
from twintown.trust.terms import Asset, Terms

router = APIRouter(tags=["exchange"])
_READ = problems.responses(400, 401, 403, 404)
_WRITE = problems.responses(400, 401, 403, 404, 405, 409, 413, 503, 507)
_LOCATION = {"Location": {"schema": {"type": "string"}, "description": "address of the answer"}}
#: Bytes of the parameters of a remedy in an address.
MOST_PARAMETERS = 4000


@router.get(
    "/twins/{twin}/releases", operation_id="listReleases", response_model=ReleaseList, responses=_READ
)
def list_releases(
    request: Request,
    asked: Officer,
    asset: Annotated[str, Query(max_length=300, description="only of this asset")] = "",
    audience: Annotated[str, Query(max_length=512, description="only to this audience")] = "",
    state: Annotated[State | None, Query(description="only in this state")] = None,
) -> Response:
    """What was asked of the gate, last first: what it found, what waits for a person, what was decided by whom and why."""
    from twintown.exchange.release_rows import Releases

    whom = audience_of(asked, audience) if audience else ""
    found = Releases(asked.served.twin.tables).listed(asset, whom, state or "")
    return answers.answer_json(
        request, ReleaseList(releases=[ReleaseModel.of(one) for one in found]), cache=answers.PRIVATE
    )


@router.post(
    "/twins/{twin}/releases", operation_id="askRelease", status_code=201, response_model=ReleaseModel,
    responses={**_WRITE, 201: {"headers": _LOCATION}},
)  # fmt: skip
def ask_release(request: Request, asked: Officer, body: Question) -> Response:
    """Ask the gate. It looks at licences, spatial security, personal data and the combination with what is open, and offers remedies.

    A scenario is asked about as the layer of what it builds, which is made where it is not there yet.
    """
    from twintown.api.offers import published
    from twintown.exchange import gate

    now, asset = _now(), Asset.of(body.asset)
    said = body.terms.terms() if body.terms else Terms((asset,))
    grant = asked.grant
    if asset.kind == "scenario":  # what of it leaves is its layer, as when it is offered
        among = said if asset in said.assets else replace(said, assets=(*said.assets, asset))
        said, planned = published(asked, among, now)
        asset = next(iter(published(asked, Terms((asset,)), now)[1]))
        grant = replace(grant, grade=max(grant.grade, Grade.S))
        assert asset in planned
    made = gate.question(
        asked.served.twin, grant, asset, audience_of(asked, body.audience), said, now, said_by=body.author
    )  # fmt: skip
    return _created(request, asked, made)


@router.get(
    "/twins/{twin}/releases/{release}",
    operation_id="getRelease",
    response_model=ReleaseModel,
    responses=_READ,
)
def get_release(request: Request, asked: Officer, release: ReleaseId) -> Response:
    """One answer of the gate as it stands now."""
    from twintown.exchange.release_rows import Releases

    found = Releases(asked.served.twin.tables).get(release)
    return answers.answer_json(request, ReleaseModel.of(found), cache=answers.PRIVATE)


@router.get(
    "/twins/{twin}/releases/{release}/preview/{remedy}", operation_id="previewRemedy", response_model=Preview,
    responses={**problems.responses(400, 401, 403, 404, 405, 409, 413), 200: {"content": {"image/png": {}, "application/geo+json": {}}}},
)  # fmt: skip
def preview_remedy(
    request: Request,
    asked: Officer,
    release: ReleaseId,
    remedy: Annotated[Kind, Path(description="which remedy")],
    parameters: Annotated[
        str,
        Query(
            max_length=MOST_PARAMETERS, description="JSON object; those that the gate has offered, by default"
        ),
    ] = "",
    f: Annotated[
        Literal["json", "geojson", "png"],
        Query(
            description="numbers and findings, or what would go: its features (at most 2,000), or a picture of its cells"
        ),
    ] = "json",
    sketch: Annotated[
        bool,
        Query(
            description="with a drawing of the asset before and after, where the remedy changes it (f=json)"
        ),
    ] = False,
) -> Response:
    """What a remedy would make, looked at by the same gate, beside what there is now. Nothing is kept."""
    from twintown.api import release_previews, release_sketch
    from twintown.exchange import gate
    from twintown.exchange.findings import verdict

    said = _object(parameters) if parameters else None
    made = gate.preview(asked.served.twin, asked.grant, release, remedy, said)
    if f == "geojson":
        body, kind = release_previews.features(made.shape), "application/geo+json"
        return Response(body, 200, {"Cache-Control": answers.PRIVATE}, kind)
    if f == "png":
        return Response(
            release_previews.picture(made.shape), 200, {"Cache-Control": answers.PRIVATE}, "image/png"
        )
    before, after = release_sketch.side(made.before), release_sketch.side(made.shape)
    told = Preview(
        remedy=RemedyModel.of(made.remedy), verdict=verdict(made.findings), features=after.count, columns=after.columns,
        findings=[FindingModel.model_validate(one.to_dict()) for one in made.findings], before=before, after=after,
        names=Named.model_validate(made.names), sketch=release_sketch.sketch(made) if sketch else None,
    )  # fmt: skip
    return answers.answer_json(request, told, cache=answers.PRIVATE)


@router.post(
    "/twins/{twin}/releases/{release}/remedies", operation_id="applyRemedy", status_code=201, response_model=ReleaseModel,
    responses={**_WRITE, 201: {"headers": _LOCATION}},
)  # fmt: skip
def apply_remedy(request: Request, asked: Officer, release: ReleaseId, body: Wish) -> Response:
    """Make a new layer by a remedy and ask the gate about that one; its answer comes back. The source stays as it is."""
    from twintown.exchange import gate

    made = gate.remedy(
        asked.served.twin, asked.grant, release, body.remedy, body.parameters, _now(), said_by=body.author
    )
    return _created(request, asked, made)


@router.post(
    "/twins/{twin}/releases/{release}/decision", operation_id="decideRelease", response_model=ReleaseModel, responses=_WRITE
)  # fmt: skip
def decide_release(request: Request, asked: Releasing, release: ReleaseId, body: Word) -> Response:
    """Let it go or not, once, with the reason. What the gate forbids cannot be allowed; what has changed since is asked about anew."""
    from twintown.exchange import gate

    decided = gate.decide(
        asked.served.twin, asked.grant, release, body.allow, body.why, _now(), said_by=body.author
    )
    return answers.answer_json(request, ReleaseModel.of(decided), cache=answers.PRIVATE)


@router.get(
    "/twins/{twin}/release-rules", operation_id="listReleaseRules", response_model=RuleList, responses=_READ
)
def list_release_rules(request: Request, asked: Officer) -> Response:
    """The rules that the gate goes by, each with its limit, its source and whether anybody has confirmed it."""
    from twintown.exchange.rules_pack import rules_of

    about = asked.served.twin.description
    found = rules_of(about.release, asked.served.twin.directory, about.time_zone)
    rules = [RuleModel.model_validate(one.to_dict()) for one in found.rules.values()]
    told = RuleList(pack=found.id, country=found.country, rules=rules, sites=len(found.sites))
    return answers.answer_json(request, told, cache="no-store")


def _created(request: Request, asked: Asked, made: Release) -> Response:
    place = absolute(request, f"{base(asked.served.id)}/releases/{made.id}")
    headers = {"Location": place, "Cache-Control": answers.PRIVATE}
    return Response(answers.dumps(ReleaseModel.of(made)), 201, headers, "application/json")


def _object(text: str) -> dict[str, object]:
    import orjson

    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadParameter(
            "parameters", "is no JSON", remedy='write an object, such as {"cell_m": 90}'
        ) from error
    if not isinstance(said, dict):
        raise BadParameter("parameters", "is no object", remedy='write an object, such as {"cell_m": 90}')
    return said


def _now() -> datetime:
    return datetime.now(UTC)
