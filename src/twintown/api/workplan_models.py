"""Joint programmes as officers see them: what stands with both signatures, what waits and what it would change, and every move."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Literal

from fastapi import Request
from pydantic import Field, JsonValue

from twintown.api.exchange_models import AuthorModel, meaning
from twintown.api.guard import Asked
from twintown.api.schemas import Model, Names
from twintown.exchange import programme_document, programme_message, programmes
from twintown.exchange import programme_rows as rows
from twintown.exchange.programme import possible, turn
from twintown.exchange.programme_document import BUDGET, NOTES, TEXT, TITLE, WHO, Document, Note, Share
from twintown.exchange.programme_rows import Kept, Programme
from twintown.ground.errors import BadInput, BadParameter
from twintown.ground.names import Name
from twintown.store.engine import reading
from twintown.trust.peers import peers_of

Whose = Literal["ours", "theirs"]
Period = Literal["once", "weekly", "monthly", "quarterly", "half-yearly", "yearly"]


class ShareModel(Model):
    """One city's part in a joint programme."""

    owner: str = Field(default="", max_length=WHO, description="who answers for it there")
    department: str = Field(default="", max_length=WHO)
    budget: int = Field(default=0, ge=0, le=BUDGET, description="whole units of the currency")


class NoteModel(Model):
    """What a review found."""

    on: date
    text: Names


class JointContent(Model):
    """What two cities do together, as an officer writes it; each city has its own share."""

    title: Names
    about: Names
    period: Period
    currency: str = Field(default="KRW", pattern=r"^[A-Z]{3}$", description="ISO 4217, of both shares")
    start: date
    end: date
    review: date = Field(description="the day on which it is looked at")
    status: Literal["planned", "running", "paused", "done"] = "planned"
    ours: ShareModel = Field(description="of this city")
    theirs: ShareModel = Field(default=ShareModel(), description="of the partner")
    notes: list[NoteModel] = Field(default=[], max_length=NOTES, description="what reviews found")

    def wanted(self, own: str, agreement: str) -> programmes.Wanted:
        """What it means. Raises BadParameter."""
        title, about = _named(self.title, "title", TITLE), _named(self.about, "about", TEXT)
        notes = tuple(Note(one.on, _named(one.text, "notes", TEXT)) for one in self.notes)

        def make(id: str, revision: int, replaces: str, parties: tuple[str, str]) -> Document:
            ours, theirs = (
                Share(one.owner.strip(), one.department.strip(), one.budget)
                for one in (self.ours, self.theirs)
            )
            shares = (ours, theirs) if parties[0] == own else (theirs, ours)
            return Document(
                id, revision, replaces, parties, agreement, title, about, self.period, self.currency, self.start, self.end, self.review,
                self.status, shares, notes,
            )  # fmt: skip

        return programmes.Wanted(make)


class JointText(JointContent):
    """A document of a joint programme, as this city sees it. `document` is what is signed."""

    digest: str = Field(
        description="SHA-256 of the document's canonical form (RFC 8785), the same in both cities"
    )
    document: dict[str, JsonValue]


class JointChange(Model):
    """One thing that a proposal changes."""

    field: str
    of: Literal["", "ours", "theirs"] = Field(description="whose share; empty for what is of both")
    before: JsonValue
    after: JsonValue


class JointSignature(Model):
    """A city's signature under the document."""

    by: Whose
    did: str
    key: str = Field(description="the key that signed (Multikey)")
    at: datetime
    proof: dict[str, JsonValue] = Field(description="data integrity proof, eddsa-jcs-2022")
    good: bool = Field(description="whether it holds now, by the keys that are known of that city")


class JointMove(Model):
    """One move, as it came or went."""

    seq: int
    move: Literal["propose", "agree", "decline", "withdraw", "end"]
    by: Whose
    at: datetime
    author: AuthorModel
    said: JointText | None = Field(description="what it proposes")
    changes: list[JointChange] = Field(description="what it changes of what was proposed before")
    reason: str
    ledger: int = Field(description="its entry in this city's ledger")
    heard: datetime | None = Field(description="when the partner took it, of ours; of theirs when it came")
    void: str = Field(description="why it does not count; empty where it does")


class JointBrief(Model):
    """A joint programme as it stands."""

    id: str
    peer: str = Field(description="DID of the other city")
    peer_id: str = Field(description="what it is called here; empty for one that is no peer any more")
    began: Whose = Field(description="who proposed it first")
    proposer: Literal["ours", "theirs", ""] = Field(description="whose proposal waits for an answer")
    agreement: str
    state: Literal["", "proposed", "agreed", "changing", "declined", "withdrawn", "ended"] = Field(
        description="`changing`: something is agreed, and a change of it is proposed; empty: the partner did not take the first proposal"
    )
    turn: Literal["ours", "theirs", ""] = Field(description="whose answer is waited for")
    may: list[str] = Field(description="what an officer may do now")
    stands: JointText | None = Field(description="what both agreed to")
    open: JointText | None = Field(description="what is proposed")
    last: JointText = Field(description="what was proposed last")
    changes: list[JointChange] = Field(
        description="what the proposal would change of what stands, or of the proposal before it"
    )
    due: bool = Field(description="its review was due and has not come")
    unheard: int = Field(description="how many of our moves the partner has not answered yet")
    error: dict[str, JsonValue] | None = Field(description="why our last move was not taken")
    created: datetime
    updated: datetime


class JointProgramme(JointBrief):
    """A joint programme with both signatures and all that was said."""

    signatures: list[JointSignature] = Field(description="under what stands")
    ledger: int | None = Field(
        description="the entry of this city's ledger that says that both agreed to what stands"
    )
    moves: list[JointMove]


def listed(request: Request, asked: Asked, agreement: str = "") -> list[JointBrief]:
    """All joint programmes, those that wait for us first, then by their last change."""
    tables, own = asked.served.twin.tables, meaning(request).did(asked.served.twin)
    with reading(tables.engine) as connection:
        found = [
            one for one in rows.all_in(connection, tables.twin) if not agreement or one.agreement == agreement
        ]
    said = [JointBrief(**_brief(asked, one, own)) for one in found if one.moves or one.void]
    return sorted(said, key=lambda one: one.turn != "ours")


def whole(request: Request, asked: Asked, id: str) -> JointProgramme:
    """One joint programme. Raises NotFound."""
    tables, own = asked.served.twin.tables, meaning(request).did(asked.served.twin)
    with reading(tables.engine) as connection:
        one = rows.one_in(connection, tables.twin, id)
    stands = one.position.stands
    ledger = one.moves[stands + 1].ledger if stands is not None else None
    return JointProgramme(
        **_brief(asked, one, own),
        signatures=_signatures(asked, one, own),
        ledger=ledger,
        moves=_moves(one, own),
    )


def _brief(asked: Asked, one: Programme, own: str) -> dict[str, Any]:
    now, last = one.position, _last(one)
    stands, said = one.at(now.stands), one.at(now.open)
    before = stands or (_proposed_before(one, now.open) if now.open is not None else None)
    whose = turn(now)
    present = stands or last
    over = now.state in ("declined", "withdrawn", "ended")
    noted = max((note.on for note in present.notes), default=date.min)
    today = datetime.now(UTC).date()
    return {
        "id": one.id, "peer": one.peer, "peer_id": next((p.id for p in peers_of(asked.served.twin) if p.did == one.peer), ""),
        "began": _whose(one, one.began), "agreement": one.agreement, "state": now.state,
        "proposer": "" if not now.proposer else "ours" if now.proposer == one.side else "theirs",
        "turn": "" if not whose else "ours" if whose == one.side else "theirs", "may": list(possible(now, one.side)),
        "stands": _text(stands, own) if stands else None, "open": _text(said, own) if said else None, "last": _text(last, own),
        "changes": _changes(before, said, own), "due": stands is not None and not over and noted < stands.review < today,
        "unheard": sum(kept.way == "out" and kept.heard is None for kept in one.moves),
        "error": dict(one.error) if one.error else None, "created": one.created, "updated": one.updated,
    }  # fmt: skip


def _moves(one: Programme, own: str) -> list[JointMove]:
    made, before = [], None
    for kept in sorted((*one.moves, *one.void), key=lambda kept: (kept.move.seq, not kept.void, kept.at)):
        said = kept.says
        made.append(
            JointMove(
                seq=kept.move.seq, move=kept.move.event, by="ours" if kept.way == "out" else "theirs", at=kept.at,
                author=AuthorModel.model_validate(dict(kept.author)), said=_text(said, own) if said else None,
                changes=_changes(before, said, own), reason=str(kept.body.get("reason", "")), ledger=kept.ledger,
                heard=kept.heard if kept.way == "out" else kept.at, void=kept.void,
            )
        )  # fmt: skip
        if said is not None and not kept.void:
            before = said
    return made


def _signatures(asked: Asked, one: Programme, own: str) -> list[JointSignature]:
    place, made = one.position.stands, []
    document = one.at(place)
    if document is None or place is None:
        return []
    for side, proof in sorted(one.proofs(place).items()):
        did = own if side == one.side else one.peer
        at = datetime.fromisoformat(str(proof.get("created", "")))
        try:
            keys = programmes.keys_of(asked.served.twin, own, did, at)
            programme_message.check_signature(document, proof, did, keys)
            good = True
        except BadInput:
            good = False
        key = str(proof.get("verificationMethod", "")).partition("#")[2]
        made.append(
            JointSignature(by=_whose(one, did), did=did, key=key, at=at, proof=dict(proof), good=good)
        )
    return made


def _last(one: Programme) -> Document:
    """What was said last; of a programme whose first proposal was not taken, that."""
    kept: tuple[Kept, ...] = one.moves or one.void
    return next(said for move in reversed(kept) if (said := move.says) is not None)


def _proposed_before(one: Programme, open: int) -> Document | None:
    return next((said for move in reversed(one.moves[:open]) if (said := move.says) is not None), None)


def _changes(before: Document | None, after: Document | None, own: str) -> list[JointChange]:
    if before is None or after is None:
        return []
    return [
        JointChange(
            field=one.field, of="" if not one.of else "ours" if one.of == own else "theirs", before=one.before, after=one.after
        )
        for one in programme_document.changes(before, after)
    ]  # fmt: skip


def _text(one: Document, own: str) -> JointText:
    ours = one.parties.index(own) if own in one.parties else 0
    document = one.to_dict()
    said = {name: document[name] for name in JointContent.model_fields if name in document}
    shares = {"ours": one.shares[ours].to_dict(), "theirs": one.shares[1 - ours].to_dict()}
    return JointText.model_validate(said | shares | {"digest": one.digest, "document": document})


def _whose(one: Programme, did: str) -> Whose:
    return "theirs" if did == one.peer else "ours"


def _named(said: Names, name: str, most: int) -> Name:
    found = Name.of(said.model_dump(), name)
    if any(len(text) > most for text in found.to_dict().values()):
        raise BadParameter(name, f"is longer than {most} characters", remedy="say it shorter")
    return found
