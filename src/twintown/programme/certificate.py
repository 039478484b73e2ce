"""What the certificate of a lot says: a W3C Verifiable Credential with the field names of the UN Transparency Protocol. Pure.

Names of the Digital Product Passport 0.6.0 of that protocol (UNTP, context and schema below; the version is pinned): `issuer`,
`validFrom`, `validUntil`; of the subject `granularityLevel`, `product` and `conformityClaim`; of the product `id`, `name`,
`registeredId`, `idScheme`, `batchNumber`, `description`, `producedByParty`, `producedAtFacility`, `productionDate`,
`countryOfProduction`, `dimensions`; of the claim `description`, `referenceStandard`, `conformance`, `conformityTopic`.
Names of our own, which that protocol has not: `lot`, `quantity` (with its error and source), `allergens`,
`producer` (with its source), `town`.

A certificate says what the row of the lot says at that moment, and nothing else: where a grade or a quantity is an assumption, it says so,
and no conformity is claimed for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from twintown.ground.errors import BadData, BadParameter
from twintown.trust.credential import CONTEXT, moment, text
from twintown.trust.digital_link import LotLink, batch_of, gtin14, restricted

UNTP_VERSION = "0.6.0"
UNTP = f"https://test.uncefact.org/vocabulary/untp/dpp/{UNTP_VERSION}/"
UNTP_SCHEMA = f"https://test.uncefact.org/vocabulary/untp/dpp/untp-dpp-schema-{UNTP_VERSION}.json"
#: The last gives every word that the others do not know a meaning of its own, as the data model asks.
CONTEXTS = (CONTEXT, UNTP, "https://www.w3.org/ns/credentials/undefined-terms/v2")
TYPES = ("DigitalProductPassport", "VerifiableCredential")
#: How far a quantity, a grade or a place is known.
Known = Literal["measured", "stated", "assumed", "computed"]
_KNOWN: tuple[Known, ...] = ("measured", "stated", "assumed", "computed")
#: States of a lot that nothing is certified of.
_NEVER = {"failed": "the lot has failed", "recalled": "the lot was recalled"}
#: Grades as people say them, of the standard for agricultural products.
GRADES = {"special": ("특", "special"), "upper": ("상", "upper"), "middle": ("보통", "middle")}
_STANDARD = {
    "type": ["Standard"],
    "id": "https://www.naqs.go.kr/",
    "name": "농산물 표준규격 / Standard specifications for agricultural products",
    "issuingParty": {
        "id": "https://www.naqs.go.kr/",
        "name": "국립농산물품질관리원 / National Agricultural Products Quality Management Service",
    },
}
#: Kilograms in the codes of UN/ECE Recommendation 20.
_KG = "KGM"


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot as its row says it, as far as a certificate tells of it.

    Attributes:
        origin: town or city where it grew, Korean and English.
        quantity_kg, error_kg: kilograms, and how far they may be wrong.
        since, until: from which day to which it is there.
        shelf_life_d: days that it keeps, from the first.
        allergens: codes.
        lon, lat: degrees (CRS84); None where the row has no place.
        source: how far the quantity is known.
    """

    id: str
    producer: str
    origin: tuple[str, str]
    product: str
    variety: str
    grade: str
    quantity_kg: float
    error_kg: float
    since: date
    until: date
    shelf_life_d: int
    allergens: tuple[str, ...]
    batch: str
    gtin: str
    substitute: bool
    source: Known
    note: str
    lon: float | None = None
    lat: float | None = None

    @classmethod
    def of(cls, id: str, row: Mapping[str, Any], place: tuple[float, float] | None = None) -> Lot:
        """From a row of the layer `lots`. Raises BadParameter, naming the column that nothing can be certified of."""
        state = _text(row, "state")
        if state in _NEVER:
            raise BadParameter("state", _NEVER[state], remedy="offer another lot")
        source = _text(row, "source")
        quantity, error = _number(row, "quantity_kg"), _number(row, "error_kg")
        if quantity <= 0:
            raise BadParameter(
                "quantity_kg", "is not above zero", remedy="write how much there is, kilograms"
            )
        since, until = _day(row, "from"), _day(row, "until")
        if until < since:
            raise BadParameter("until", "lies before the first day", remedy="write the last day of the lot")
        return cls(
            id=id, producer=_text(row, "producer"), origin=(_text(row, "origin_ko"), _text(row, "origin_en")),
            product=_must(row, "product"), variety=_text(row, "variety"), grade=_text(row, "grade"), quantity_kg=quantity,
            error_kg=max(error, 0.0), since=since, until=until, shelf_life_d=max(int(_number(row, "shelf_life_d")), 0),
            allergens=tuple(one.strip() for one in _text(row, "allergens").split(",") if one.strip()),
            batch=batch_of(_text(row, "batch")), gtin=gtin14(_text(row, "gtin")), substitute=row.get("substitute") in (True, "true"),
            source=known(source), note=_text(row, "note"),
            lon=place[0] if place else None, lat=place[1] if place else None,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Maker:
    """Who produced a lot: an address that names it, its name in Korean and English, its town, and how far that is known."""

    url: str
    name: tuple[str, str]
    town: tuple[str, str] = ("", "")
    source: Known = "assumed"


@dataclass(frozen=True, slots=True)
class Words:
    """What a product and its allergens (by code) are called, by language."""

    product: Mapping[str, str]
    allergens: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Certifying:
    """Who certifies, where, and in which zone its days begin.

    Attributes:
        did, name: of the issuer. address: of the twin. country: ISO 3166-1 alpha-2, or "".
    """

    did: str
    name: str
    address: str
    zone: ZoneInfo
    country: str = ""

    @property
    def issuer(self) -> dict[str, Any]:
        """As credentials name it."""
        return {"type": ["CredentialIssuer"], "id": self.did, "name": self.name}


def known(said: str) -> Known:
    """How far something is known, as its row says; what it does not say is assumed."""
    return next((one for one in _KNOWN if one == said), "assumed")


def ends(lot: Lot, zone: ZoneInfo) -> datetime:
    """Until when a certificate holds by itself: the end of the lot's last day, or of the last day that it keeps."""
    day = max(lot.until, lot.since + timedelta(days=lot.shelf_life_d))
    return datetime.combine(day, time(23, 59, 59), zone).astimezone(UTC)


def content(
    id: str, lot: Lot, maker: Maker, by: Certifying, words: Words, status: Mapping[str, Any], now: datetime, until: datetime
) -> dict[str, Any]:  # fmt: skip
    """The credential of a lot, to be signed.

    Args:
        id: of the certificate.
        words: what the product and its allergens are called; their codes where there are none.
        status: its place in a status list (`status_list.entry`).
        now, until: from when to when it holds; whole seconds are kept.
    """
    link = LotLink(by.address, lot.gtin, lot.batch)
    called = (
        " / ".join(
            dict.fromkeys(one for one in (words.product.get("ko", ""), words.product.get("en", "")) if one)
        )
        or lot.product
    )
    origin = _both(lot.origin)
    product: dict[str, Any] = {
        "type": ["Product"], "id": link.url, "name": f"{called}, {lot.variety}" if lot.variety else called,
        "registeredId": f"{lot.gtin}.{lot.batch}",
        "idScheme": {"type": ["IdentifierScheme"], "id": "https://id.gs1.org/01/", "name": "Global Trade Item Number (GTIN)"},
        "batchNumber": lot.batch, "description": lot.note or called,
        "producedByParty": {"id": maker.url, "name": _both(maker.name) or lot.producer},
        "producedAtFacility": {"id": f"{by.address}/collections/lots/items/{lot.id}", "name": _both(maker.town) or origin},
        "productionDate": lot.since.isoformat(),
        "dimensions": {"type": ["Dimension"], "weight": {"type": ["Measure"], "value": lot.quantity_kg, "unit": _KG}},
    }  # fmt: skip
    if by.country:
        product["countryOfProduction"] = by.country
    subject: dict[str, Any] = {
        "type": ["ProductPassport"], "id": link.url, "granularityLevel": "batch", "product": product,
        "conformityClaim": _claims(lot, link),
        "lot": {
            "id": lot.id, "product": lot.product, "names": dict(words.product), "variety": lot.variety, "grade": lot.grade,
            "from": lot.since.isoformat(), "until": lot.until.isoformat(), "shelfLifeDays": lot.shelf_life_d,
            "substitute": lot.substitute, "numberCirculates": "restricted" if restricted(lot.gtin) else "world",
        },
        "quantity": {"value": lot.quantity_kg, "error": lot.error_kg, "unit": _KG, "source": lot.source},
        "allergens": [{"code": one, "names": dict(words.allergens.get(one, {}))} for one in lot.allergens],
        "producer": {"id": lot.producer, "ko": maker.name[0], "en": maker.name[1], "source": maker.source},
        "town": {"ko": lot.origin[0], "en": lot.origin[1]} | ({} if lot.lon is None else {"lon": lot.lon, "lat": lot.lat}),
    }  # fmt: skip
    return {
        "@context": list(CONTEXTS), "id": f"{by.address}/certificates/{id}", "type": list(TYPES), "issuer": by.issuer,
        "validFrom": text(now), "validUntil": text(until),
        "credentialSchema": {"id": UNTP_SCHEMA, "type": "JsonSchema"},
        "credentialStatus": dict(status), "credentialSubject": subject,
    }  # fmt: skip


def _claims(lot: Lot, link: LotLink) -> list[dict[str, Any]]:
    """That it conforms to its grade, where somebody measured or states that."""
    if lot.grade not in GRADES or lot.source not in ("measured", "stated"):
        return []
    ko, en = GRADES[lot.grade]
    return [
        {
            "type": ["Claim", "Declaration"], "id": f"{link.url}#grade", "description": f"등급 {ko} / grade {en} ({lot.source})",
            "referenceStandard": dict(_STANDARD), "conformance": True, "conformityTopic": "governance.compliance",
        }
    ]  # fmt: skip


def until_of(said: str, now: datetime) -> datetime:
    """Until when an officer wants certificates to hold. Raises BadParameter."""
    try:
        found = moment(said, "until")
    except BadData as error:
        raise BadParameter("until", error.what, remedy="write it as 2027-12-31T23:59:59+09:00") from error
    if found <= now:
        raise BadParameter("until", "lies in the past", remedy="write a moment to come, with its zone")
    return found


def _both(names: tuple[str, str]) -> str:
    return " / ".join(dict.fromkeys(one for one in names if one))


def _text(row: Mapping[str, Any], name: str) -> str:
    said = row.get(name)
    return "" if said is None else str(said).strip()


def _must(row: Mapping[str, Any], name: str) -> str:
    if not (said := _text(row, name)):
        raise BadParameter(name, "is not said", remedy="fill it in where the lot is offered")
    return said


def _number(row: Mapping[str, Any], name: str) -> float:
    said = row.get(name)
    if said is None:
        return 0.0
    if isinstance(said, bool) or not isinstance(said, int | float) or not abs(said) < 1e9:
        raise BadParameter(name, f"{said!r} is no number", remedy="write a number")
    return float(said)


def _day(row: Mapping[str, Any], name: str) -> date:
    said = _must(row, name)
    try:
        return date.fromisoformat(said[:10])
    except ValueError as error:
        raise BadParameter(name, f"{said[:20]!r} is no day", remedy="write YYYY-MM-DD") from error
