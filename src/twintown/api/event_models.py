"""Events on the wire: what officers send, what lists and answers say."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, StrictInt

from twintown.api.exchange_models import AuthorModel
from twintown.api.schemas import Model, Names

KindWord = Literal["festival", "performance", "market", "conference"]
StateWord = Literal["draft", "proposed", "agreed", "declined", "ended", "cancelled", "settled", "listed"]
OriginWord = Literal["own", "partner", "listing"]
Lon = Annotated[float, Field(description="degrees east (CRS84)")]
Lat = Annotated[float, Field(description="degrees north (CRS84)")]
Heading = Annotated[float, Field(description="degrees from north, clockwise")]
Metres = Annotated[float, Field(description="metres")]
Moment = Annotated[
    str, Field(max_length=40, description="RFC 3339 with its offset, as 2027-09-18T11:00:00+09:00")
]
EventId = Annotated[
    str, Field(max_length=40, description="`ev-` and 24 hexadecimal digits; of a listing `ls-…`")
]
_NONE = Names(ko="", en="")


class PlaceModel(Model):
    """Where an event is."""

    name: Names
    venue: str = Field(default="", max_length=200, description="id of a row of `landmarks`, or empty")
    lon: Lon
    lat: Lat


class OrganiserModel(Model):
    """Who answers for it."""

    name: str = Field(max_length=200)
    department: str = Field(default="", max_length=200)


class ItemModel(Model):
    """One thing on the programme."""

    id: str = Field(max_length=40)
    start: Moment
    end: Moment
    stage: str = Field(default="", max_length=120)
    title: Names
    performers: list[str] = Field(default=[])
    section: str = Field(default="", max_length=40, description="of a conference; empty for none")
    about: Names = _NONE


class SectionModel(Model):
    """One section of a conference."""

    id: str = Field(max_length=40)
    title: Names


class DelegationModel(Model):
    """Who comes to a conference."""

    id: str = Field(max_length=40)
    name: str = Field(max_length=200)
    city: str = Field(default="", max_length=200)
    size: StrictInt = 1
    wishes: list[str] = Field(
        default=[], description="ids of the delegations that it wishes to meet, dearest first"
    )
    section: str = Field(default="", max_length=40)


class MeetingModel(Model):
    """Two delegations meet."""

    a: str
    b: str
    start: Moment
    end: Moment
    room: StrictInt = Field(description="from 1")


class VisitorsModel(Model):
    """How many people come in all, with the error of that (± , 80 of 100 such statements hold)."""

    expected: StrictInt = 0
    error: StrictInt = 0
    source: Literal["assumed", "counted", "tickets"] = "assumed"
    note: str = Field(default="", max_length=4000)


class StageModel(Model):
    """A stage."""

    lon: Lon
    lat: Lat
    heading_deg: Heading
    width_m: Metres
    depth_m: Metres
    height_m: Metres = 1.0
    level_db: float = Field(default=85.0, description="LAeq at 10 m, dB(A)")
    audience_m: Metres = Field(default=20.0, description="depth of the audience, metres")
    source: Literal["measured", "stated", "assumed", "computed"] = "assumed"


class StandModel(Model):
    """A stand; its counter faces `heading_deg`."""

    id: str = Field(max_length=40)
    name: Names
    lon: Lon
    lat: Lat
    heading_deg: Heading = 0.0
    width_m: Metres = 3.0
    depth_m: Metres = 3.0
    products: list[str] = Field(default=[], description="codes of products")
    power: StrictBool | None = Field(default=None, description="null where nobody knows")
    water: StrictBool | None = None


class WorksModel(Model):
    """What is put up and done there; it decides which permits are needed."""

    temporary_m2: float = Field(default=0.0, description="temporary structures, square metres")
    fire: StrictBool = Field(default=False, description="open fire")
    gas: StrictBool = False
    on_water: StrictBool = False
    food: StrictBool = Field(default=False, description="food is made or sold")
    fireworks: StrictBool = False
    road_closed: StrictBool = False


class PlanLayers(Model):
    """The result layers of a plan of deliveries; empty where there is none."""

    deliveries: str = ""
    loads: str = ""
    unmet: str = ""
    balance: str = ""


class PlanModel(Model):
    """The plan of its deliveries."""

    job: str = Field(default="", max_length=80)
    layers: PlanLayers
    made: Moment


class EventContent(Model):
    """An event as its officer writes it."""

    id: str = Field(
        default="", max_length=40, description="given by the server; may be sent back with a change"
    )
    kind: KindWord
    title: Names
    about: Names = _NONE
    host: str = Field(
        default="", max_length=512, description="DID of the city on whose ground it is; empty for this one"
    )
    agreement: str = Field(default="", max_length=80, description="by which it may be there")
    place: PlaceModel
    start: Moment
    end: Moment
    organiser: OrganiserModel
    programme: list[ItemModel] = Field(default=[])
    sections: list[SectionModel] = Field(default=[])
    delegations: list[DelegationModel] = Field(default=[])
    meetings: list[MeetingModel] = Field(default=[])
    visitors: VisitorsModel = VisitorsModel()
    stage: StageModel | None = None
    stands: list[StandModel] = Field(default=[])
    works: WorksModel = WorksModel()
    plan: PlanModel | None = None

    def said(self, id: str) -> dict[str, Any]:
        """With every member; a text that is said in one language only is called so in the other, too."""
        said: dict[str, Any] = _filled(self.model_dump(mode="json"))
        return said | {"id": id}


def _filled(value: Any) -> Any:
    if isinstance(value, list):
        return [_filled(one) for one in value]
    if not isinstance(value, dict):
        return value
    made = {name: _filled(one) for name, one in value.items()}
    if "ko" in made and "en" in made:
        made["ko"], made["en"] = made["ko"] or made["en"], made["en"] or made["ko"]
    return made


class WrittenEvent(Model):
    """An event to make, or as it shall be from now on."""

    event: EventContent
    author: Annotated[
        str,
        Field(
            default="",
            max_length=80,
            description="the name that you go by, where no token says who you are",
        ),
    ]


class EventFinding(Model):
    """What an officer should know of an event, and of which member."""

    code: str
    level: Literal["bad", "warn", "info"]
    member: str = Field(description="path of the member, as `stands[0]`; empty for the whole")
    text: Names


class EventSource(Model):
    """Where a listing is from, with the words that must stand beside it."""

    layer: str
    row: str = Field(default="", description="id of its row in the layer")
    title: str
    publisher: str
    licence: str
    attribution: str
    url: str
    date: str


class SeenPlace(Model):
    """Where an event is; without coordinates where its source states none."""

    name: Names
    venue: str
    lon: float | None
    lat: float | None


class EventBrief(Model):
    """An event in a list."""

    id: str
    kind: KindWord
    title: Names
    place: SeenPlace
    start: str
    end: str
    all_day: bool = Field(description="only days are known; `end` is the midnight after the last one")
    state: StateWord
    origin: OriginWord
    visitors: VisitorsModel | None = Field(description="null where nobody knows, as of listings")
    stands: int = Field(description="how many")
    stage: bool
    host: str
    agreement: str
    joint: str = Field(description="id of the document that a partner holds too; empty where none does")
    revision: int
    link: str = Field(description="of a listing, its web page")
    at: datetime | None = Field(description="when it was written last; null for a listing")


class EventList(Model):
    """Events by their start, and where the listings among them are from."""

    events: list[EventBrief]
    sources: list[EventSource]


class EventFull(EventContent):
    """An event as it stands."""

    place: SeenPlace  # type: ignore[assignment]
    visitors: VisitorsModel | None  # type: ignore[assignment]
    revision: int = Field(description="what `If-Match` names when it is changed")
    state: StateWord
    origin: OriginWord
    peer: str = Field(description="DID of the partner that told of it; empty for our own")
    joint: str
    why: str = Field(description="why it was declined or cancelled")
    all_day: bool = False
    source: EventSource | None = Field(default=None, description="of a listing")
    listing: dict[str, str] | None = Field(
        default=None, description="what else its row says: audience, fee, paid, link"
    )
    findings: list[EventFinding]
    author: AuthorModel | None
    at: datetime | None
