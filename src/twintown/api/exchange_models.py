"""What the officers' routes of the exchange say in JSON: terms, changes, signatures; and whom and what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Path, Request
from pydantic import Field, JsonValue

from twintown.api.dsp_entry import handshake_of, party_of
from twintown.api.guard import Asked
from twintown.api.schemas import Model
from twintown.exchange.agreed import Agreed
from twintown.exchange.changes import Change
from twintown.exchange.party import Party
from twintown.exchange.signing import Signature
from twintown.ground.errors import BadParameter
from twintown.trust.peers import Peer, peer_of, peers_of
from twintown.trust.terms import Asset, Terms, terms_from_json

Box = tuple[float, float, float, float]
Who = Annotated[
    str,
    Field(default="", max_length=80, description="the name that you go by, where no token says who you are"),
]
Why = Annotated[str, Field(min_length=1, max_length=1000, description="the reason; the partner reads it")]
Id = Annotated[str, Path(max_length=80, description="its id")]


class TermsModel(Model):
    """What an agreement allows and asks for; null, an empty list, 0 and "" do not limit."""

    assets: list[Annotated[str, Field(max_length=300)]] = Field(
        min_length=1, max_length=200, description="`layer:buildings`, `process:sunlight`, `scenario:<id>`, `playbook:<id>`"
    )  # fmt: skip
    purposes: list[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]] = Field(
        default=[], max_length=40, description="codes of what it may be used for"
    )
    area: Box | None = Field(default=None, description="west, south, east, north, degrees (CRS84)")
    since: datetime | None = Field(default=None, description="RFC 3339, with its zone")
    until: datetime | None = Field(default=None, description="RFC 3339, with its zone")
    finest_m: float = Field(
        default=0.0,
        ge=0,
        le=1e6,
        allow_inf_nan=False,
        description="the finest resolution that leaves, metres",
    )
    no_resharing: bool = Field(default=False, description="nothing of it is passed on to others")
    delete_by: datetime | None = Field(default=None, description="when copies have been deleted")
    attribution: str = Field(default="", max_length=600, description="what stands beside it wherever it shows")  # fmt: skip

    @classmethod
    def of(cls, terms: Terms) -> TermsModel:
        """As they are sent: every member is there."""
        return cls(
            assets=[str(asset) for asset in terms.assets], purposes=list(terms.purposes), area=terms.area, since=terms.since,
            until=terms.until, finest_m=terms.finest_m, no_resharing=terms.no_resharing, delete_by=terms.delete_by,
            attribution=terms.attribution,
        )  # fmt: skip

    def terms(self) -> Terms:
        """What they mean. Raises BadInput, naming the member."""
        from twintown.exchange.agreement import offer, read

        said = self.model_dump(mode="json", exclude_defaults=True) | {"assets": self.assets}
        return read(offer("urn:uuid:0", terms_from_json(said)), "terms").terms


class ChangeModel(Model):
    """One term that a counter-offer changes."""

    term: str
    kind: Literal["narrower", "wider", "other"] = Field(
        description="whether the receiving city may do less or more"
    )
    before: JsonValue
    after: JsonValue
    added: list[str] = Field(default=[], description="of a list, what came")
    removed: list[str] = Field(default=[], description="of a list, what went")

    @classmethod
    def of(cls, change: Change) -> ChangeModel:
        """As it is sent."""
        return cls(
            term=change.term, kind=change.kind, before=change.before, after=change.after, added=list(change.added),
            removed=list(change.removed),
        )  # fmt: skip


class SignatureModel(Model):
    """A city's signature over the agreement."""

    role: Literal["provider", "consumer"]
    did: str
    key: str = Field(description="the key that signed (Multikey)")
    at: datetime
    proof: dict[str, JsonValue] = Field(description="data integrity proof, eddsa-jcs-2022")
    good: bool = Field(description="whether it holds now, by the keys that are known of that city")

    @classmethod
    def of(cls, one: Signature, good: bool) -> SignatureModel:
        """As it is sent."""
        return cls(role=one.role, did=one.did, key=one.key, at=one.at, proof=dict(one.proof), good=good)


class AuthorModel(Model):
    """Who did something."""

    name: str
    kind: str
    verified: bool = Field(description="whether a token proves it")


def meaning(request: Request) -> Agreed:
    """What offers and agreements mean on this server."""
    return Agreed(handshake_of(request).public_url)


def peer_named(asked: Asked, name: str) -> Peer:
    """A peer by its id or DID. Raises BadParameter: there is none."""
    from twintown.ground.errors import NotFound

    try:
        return peer_of(asked.served.twin, name)
    except NotFound as error:
        known = ", ".join(one.id for one in peers_of(asked.served.twin)) or "none"
        raise BadParameter(
            "peer", f"{name[:100]!r} is no peer of this twin", remedy=f"peers: {known}"
        ) from error


def author_of(asked: Asked, said: str = "") -> dict[str, Any]:
    """Who asks, as it is written down."""
    return asked.grant.subject.author(said)


def assets_of(assets: Sequence[Asset], kind: str) -> tuple[str, ...]:
    """The ids of the assets of one kind."""
    return tuple(asset.id for asset in assets if asset.kind == kind)


def side(request: Request, asked: Asked) -> Party:
    """The twin that is asked as one side of a handshake. Raises StorageFailed: its rows cannot be written to."""
    return party_of(request, asked.served.id)
