"""The account of an event: a draft from its plan and what officers enter, proposed to the partner, signed by both cities."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import orjson
from fastapi import APIRouter, Query, Request
from pydantic import Field, JsonValue
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from twintown.api import answers, problems, workplan_models
from twintown.api.contracts import POLICY, names_of
from twintown.api.event_joint import Id, joint_of, row_of, wanted_of
from twintown.api.event_matter import event_of
from twintown.api.event_models import EventFinding
from twintown.api.exchange_models import Who, author_of, meaning, side
from twintown.api.guard import Asked, Sharing
from twintown.api.schemas import Model, Names
from twintown.api.workplan_models import JointProgramme, JointSignature, ShareModel
from twintown.exchange import programmes
from twintown.exchange.programme_document import Document
from twintown.ground.errors import BadParameter, Conflict
from twintown.ground.names import Name
from twintown.programme import account as accounts
from twintown.programme import account_draft, account_page, account_text
from twintown.programme.account import Account, Side
from twintown.programme.event import Event
from twintown.programme.event_rows import Kept
from twintown.programme.product import products
from twintown.query.query import Query as Rows

router = APIRouter(tags=["events"])
_PROBLEMS = problems.responses(400, 401, 403, 404, 409, 503, 507)
Money = Annotated[float | None, Field(default=None, ge=0, le=1e15, allow_inf_nan=False)]
Kg = Annotated[float | None, Field(default=None, ge=0, le=1e9, allow_inf_nan=False)]


class SaleModel(Model):
    """What is entered of one product."""

    product: str = Field(min_length=1, max_length=60)
    delivered_kg: Kg
    sold_kg: Kg
    wasted_kg: Kg
    income: Money


class SpentModel(Model):
    """What each city spent, whole units of the currency."""

    guest: Money
    host: Money


class EntriesModel(Model):
    """What officers enter; what is left out stays as it was."""

    sales: list[SaleModel] = Field(default=[], max_length=100)
    came: float | None = Field(default=None, ge=0, le=1e8, allow_inf_nan=False, description="people")
    came_error: float = Field(default=0.0, ge=0, le=1e8, allow_inf_nan=False, description="± , 80 %")
    came_source: Literal["counted", "tickets", "assumed"] = "counted"
    spent: SpentModel = SpentModel(guest=None, host=None)
    note: Names = Names(ko="", en="")

    def entries(self) -> account_draft.Entries:
        """What they mean."""
        sales = tuple(account_draft.Sale(**one.model_dump()) for one in self.sales)
        spent: dict[Side, float | None] = {"guest": self.spent.guest, "host": self.spent.host}
        return account_draft.Entries(
            sales, self.came, self.came_error, self.came_source, spent, Name(self.note.ko, self.note.en)
        )


class AccountWritten(Model):
    """What officers enter, looked at or proposed to the other city."""

    entries: EntriesModel = EntriesModel()
    propose: bool = Field(default=False, description="false: only computed and looked at; nothing is kept")
    author: Who


class EventAccount(Model):
    """The account as it stands."""

    state: Literal["draft", "proposed", "signed"]
    turn: Literal["ours", "theirs", ""] = Field(description="whose answer is waited for")
    ours: Literal["guest", "host"] = Field(description="which side this city is")
    sides: dict[str, Names] = Field(description="names of the guest and the host")
    joint: str = Field(
        description="id of the document that both hold; empty where the event was not proposed"
    )
    digest: str = Field(description="SHA-256 of the document; what an answer names")
    account: dict[str, JsonValue]
    findings: list[EventFinding]
    text: Names = Field(description="the account in plain text")
    signatures: list[JointSignature]


@router.get(
    "/twins/{twin}/events/{event}/account", operation_id="getAccount", response_model=EventAccount,
    responses=problems.responses(400, 401, 403, 404),
)  # fmt: skip
def get_account(request: Request, asked: Sharing, event: Id) -> Response:
    """What both signed; else what is proposed; else a draft of what is known, in which what nobody knows is null."""
    row = row_of(asked, event)
    return answers.answer_json(
        request, _told(request, asked, row, *_present(request, asked, row)), cache="no-store"
    )


@router.post(
    "/twins/{twin}/events/{event}/account", operation_id="writeAccount", response_model=EventAccount, responses=_PROBLEMS
)  # fmt: skip
def write_account(request: Request, asked: Sharing, event: Id, body: AccountWritten) -> Response:
    """The account with what officers enter. `propose` sends it to the other city, signed; POST …/answer signs it there.

    Figures that contradict each other are findings, and are not proposed.
    """
    row = row_of(asked, event)
    account, joint, _ = _present(request, asked, row)
    zone = ZoneInfo(asked.served.twin.description.time_zone)
    filled = account_draft.filled(
        row.event, account, body.entries.entries(), _plan(asked, row, "loads"), zone, _layer(row, "loads")
    )
    if not body.propose:
        return answers.answer_json(request, _told(request, asked, row, filled, joint, None), cache="no-store")
    found = joint_of(asked, row)
    stands = found.at(found.position.stands)
    if stands is None:
        raise Conflict(
            "both cities have not agreed to this event", event, "propose it, and let the other city sign"
        )
    accounts.read(filled.to_dict())
    party = side(request, asked)
    mine, theirs = (ShareModel(**share.to_dict()) for share in _shares(stands, party.did))
    wanted = wanted_of(
        party, event_of(stands), filled.to_dict(), mine, theirs, stands.agreement, "done", zone
    )
    programmes.change(party, found.id, wanted, author_of(asked, body.author), datetime.now(UTC))
    row = row_of(asked, event)
    return answers.answer_json(
        request, _told(request, asked, row, *_present(request, asked, row)), cache="no-store"
    )


@router.get(
    "/twins/{twin}/events/{event}/account/document", operation_id="getAccountDocument", response_class=HTMLResponse,
    responses={200: {"content": {"text/plain": {}, "application/json": {}}}, **problems.responses(400, 401, 403, 404)},
)  # fmt: skip
def get_account_document(
    request: Request, asked: Sharing, event: Id,
    lang: Annotated[Literal["ko", "en"], Query(description="language of the page")] = "ko",
    form: Annotated[Literal["html", "text", "json"], Query(alias="f", description="json: what was signed, with both proofs")] = "html",
) -> Response:  # fmt: skip
    """The account to keep and to print. As JSON: the document with both proofs, which anybody can check without us."""
    row = row_of(asked, event)
    account, joint, document = _present(request, asked, row)
    told = _told(request, asked, row, account, joint, document)
    name = f"account-{row.id}"
    if form == "json":
        if document is None:
            raise BadParameter("f", "there is nothing signed yet", remedy="ask for html or text")
        said = {
            "document": document.to_dict(),
            "digest": document.digest,
            "proofs": [one.proof for one in told.signatures],
        }
        headers = {
            "Content-Disposition": f'attachment; filename="{name}.json"',
            "Cache-Control": answers.PRIVATE,
        }
        return Response(answers.dumps(said), media_type="application/json", headers=headers)
    if form == "text":
        return PlainTextResponse(getattr(told.text, lang), headers={"Cache-Control": answers.PRIVATE})
    shares = dict(zip(document.parties, document.shares, strict=True)) if document else {}
    guest = row.peer if row.origin == "partner" else meaning(request).did(asked.served.twin)
    signed = [
        account_page.Signed(
            "guest" if one.did == guest else "host", shares[one.did].department if one.did in shares else one.did, one.did, one.key,
            one.at, one.good,
        )
        for one in told.signatures
    ]  # fmt: skip
    cities = {side: Name(one.ko, one.en) for side, one in told.sides.items()}
    text = account_page.page(
        account, row.event, cities, {code: one.name for code, one in products().items()}, signed, told.digest,  # type: ignore[arg-type]
        ZoneInfo(asked.served.twin.description.time_zone), lang,
    )  # fmt: skip
    return HTMLResponse(text, headers={"Content-Security-Policy": POLICY, "Cache-Control": answers.PRIVATE})


def _present(
    request: Request, asked: Asked, row: Kept
) -> tuple[Account, JointProgramme | None, Document | None]:
    """The account that stands, is proposed, or can be drafted; with its document where there is one."""
    zone, event = ZoneInfo(asked.served.twin.description.time_zone), row.event
    if row.joint:
        joint = workplan_models.whole(request, asked, row.joint)
        found = joint_of(asked, row)
        for place in (found.position.open, found.position.stands):
            said = found.at(place)
            if said is not None and said.matter.get("account"):
                return accounts.read(dict(said.matter["account"])), joint, said
        stands = found.at(found.position.stands)
        budget: dict[Side, float] = {}
        if stands is not None:
            for did, share in zip(stands.parties, stands.shares, strict=True):
                budget["host" if did == event.host else "guest"] = float(share.budget)
        return _draft(asked, row, zone, budget), joint, None
    return _draft(asked, row, zone, {}), None, None


def _draft(asked: Asked, row: Kept, zone: ZoneInfo, budget: dict[Side, float]) -> Account:
    layer = _layer(row, "deliveries")
    made = account_draft.draft(
        row.event,
        _plan(asked, row, "deliveries"),
        _plan(asked, row, "loads"),
        zone,
        layer,
        budget=budget or None,
    )
    if row.event.plan is not None:
        return made
    unknown = Name("배달 계획이 없습니다", "there is no delivery plan")
    none = [replace(one, promised=replace(one.promised, value=None, origin=unknown)) for one in made.products]
    return replace(made, products=tuple(none), promised=accounts.sum_of(tuple(none), "promised", "kg"))


def _layer(row: Kept, output: str) -> str:
    plan = row.event.plan
    return str(plan.layers.get(output, "")) if plan is not None else ""


def _plan(asked: Asked, row: Kept, output: str) -> list[dict[str, Any]]:
    """Rows of a layer of the event's plan; none where it has none."""
    if not (layer := _layer(row, output)):
        return []
    view = asked.served.twin.view(layer, asked.grant)
    names = [column.name for column in view.columns if column.name != "id"]
    return [orjson.loads(bytes(text))["properties"] for text in view.encoded(view.positions(Rows()), names)]


def _shares(document: Document, own: str) -> tuple[Any, Any]:
    at = document.parties.index(own)
    return document.shares[at], document.shares[1 - at]


def _told(
    request: Request,
    asked: Asked,
    row: Kept,
    account: Account,
    joint: JointProgramme | None,
    document: Document | None,
) -> EventAccount:
    event: Event = row.event
    own = meaning(request).did(asked.served.twin)
    guest, host = (row.peer, event.host) if row.origin == "partner" else (own, event.host or own)
    cities = names_of(request, asked)
    named = {side: cities.get(did, Name(did, did)) for side, did in (("guest", guest), ("host", host))}
    signed = (
        joint is not None
        and document is not None
        and joint.stands is not None
        and joint.stands.digest == document.digest
    )
    text = {
        language: account_text.text(
            account, event, {side: one[language] for side, one in named.items()}, language
        )
        for language in account_text.LANGUAGES
    }
    return EventAccount(
        state="signed" if signed else "proposed" if document is not None else "draft",
        turn=joint.turn if joint is not None and document is not None else "", ours="guest" if guest == own else "host",
        sides={side: Names(ko=one.ko, en=one.en) for side, one in named.items()}, joint=row.joint,
        digest=document.digest if document is not None else "", account=account.to_dict(),
        findings=[
            EventFinding(code=one.code, level=one.level, member=one.row, text=Names(ko=one.text.ko, en=one.text.en))
            for one in accounts.contradictions(account)
        ],
        text=Names(ko=text["ko"], en=text["en"]), signatures=joint.signatures if joint is not None and signed else [],
    )  # fmt: skip
