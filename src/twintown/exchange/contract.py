"""An agreement as a contract that people read: numbered articles in Korean, English or Vietnamese, made from the signed ODRL alone.

Nothing is said that the agreement, its row or the house does not hold: a term that limits nothing says so. `articles` are data; the page
for print is `contract.html.j2`, the same as plain text is `text`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from twintown.exchange.agreement import Deed
from twintown.exchange.odrl import PROFILE
from twintown.exchange.signing import Signature
from twintown.ground.names import Name
from twintown.trust.terms import Asset

Language = Literal["ko", "en", "vi"]
LANGUAGES: tuple[Language, ...] = ("ko", "en", "vi")
HERE = Path(__file__).parent
_MONTHS = "January February March April May June July August September October November December".split()
#: The articles in their order; an article speaks of another by its place here.
_ORDER = ("parties", "assets", "purposes", "area", "time", "finest", "forbidden", "duties", "access", "end", "ledger", "seal")  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """What stands beside the agreement.

    Attributes:
        names: of the cities, by DID.
        titles: of the assets.
        zone: IANA name of the zone that dates are written in.
        digest: SHA-256 of what was signed; "" for a draft.
        signatures: none for a draft.
        state: `waiting`, `active`, `suspended`, `ended`; "" for a draft.
        change: who changed the state last: `who`, `at`, `why`; none where nobody did.
        records: entries of our ledger about it: kind (`agreement`), or step of its negotiation (`step:agree`); place, time.
    """

    names: Mapping[str, Name]
    titles: Mapping[Asset, Name]
    zone: str
    digest: str = ""
    signatures: Sequence[Signature] = ()
    state: str = ""
    change: Mapping[str, Any] | None = None
    records: Sequence[tuple[str, int, datetime]] = ()


@dataclass(frozen=True)
class Article:
    """One article: its heading with its number, sentences, and numbered items after the first of them."""

    title: str
    sentences: tuple[str, ...]
    items: tuple[str, ...] = ()


@dataclass(frozen=True)
class Signed:
    """A signature as it is shown."""

    role: str
    name: str
    did: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Contract:
    """A contract in one language, ready to be laid out."""

    language: Language
    title: str
    draft: str
    lead: str
    articles: tuple[Article, ...]
    signatures_title: str
    signatures: tuple[Signed, ...]
    state: tuple[str, ...]
    state_title: str
    records_title: str
    records: tuple[str, ...]
    note: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "language": self.language, "title": self.title, "draft": bool(self.draft), "lead": self.lead,
            "articles": [{"title": a.title, "sentences": list(a.sentences), "items": list(a.items)} for a in self.articles],
            "signatures": [{"role": s.role, "name": s.name, "did": s.did, "lines": list(s.lines)} for s in self.signatures],
            "state": list(self.state), "records": list(self.records), "note": self.note,
        }  # fmt: skip


def contract(deed: Deed, facts: Facts, language: Language) -> Contract:
    """The contract that an agreement is, or an offer would be."""
    say = _Saying(language, ZoneInfo(facts.zone))
    provider, consumer = (_name(facts.names, did, language) for did in (deed.assigner, deed.assignee))
    lead = say("lead", provider=provider, consumer=consumer, **_particles(provider, consumer))
    articles = tuple(
        Article(say("article", number=say("number", n=n), title=say(name)), *_body(name, deed, facts, say))
        for n, name in enumerate(_present(deed), 1)
    )
    return Contract(
        language, say("title"), "" if facts.signatures else say("draft"), lead, articles, say("signatures"),
        tuple(_signed(role, did, facts, say) for role, did in (("provider", deed.assigner), ("consumer", deed.assignee))),
        _state(facts, say), say("state"), say("records"),
        tuple(say("record", kind=say.kind(kind), seq=seq, at=say.at(at)) for kind, seq, at in facts.records),
        say("note", zone=facts.zone),
    )  # fmt: skip


def text(made: Contract) -> str:
    """The same as plain text, lines as long as they are."""
    lines = [made.title, *([made.draft] if made.draft else []), "", made.lead, ""]
    for article in made.articles:
        first, *more = article.sentences
        lines += [article.title, f"  {first}", *(f"    {n}. {one}" for n, one in enumerate(article.items, 1))]
        lines += [*(f"  {one}" for one in more), ""]
    lines += [made.signatures_title]
    for one in made.signatures:
        lines += [f"  {one.role}", *(f"    {line}" for line in one.lines)]
    if made.state:
        lines += ["", made.state_title, *(f"  {line}" for line in made.state)]
    if made.records:
        lines += ["", made.records_title, *(f"  {line}" for line in made.records)]
    return "\n".join([*lines, "", made.note, ""])


def html(made: Contract) -> str:
    """The same as one HTML document, for the screen and for print; it needs nothing from outside."""
    return str(_template().render(c=made))


@cache
def words() -> Mapping[str, Mapping[str, Any]]:
    """All words, by language."""
    with (HERE / "contract_words.toml").open("rb") as file:
        return tomllib.load(file)


@cache
def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string((HERE / "contract.html.j2").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class _Saying:
    """Sentences of one language."""

    language: Language
    zone: ZoneInfo

    def __call__(self, word: str, **values: Any) -> str:
        return str(words()[self.language][word]).format(**values)

    def purpose(self, code: str) -> str:
        return str(words()[self.language]["purpose"].get(code, code))

    def kind(self, kind: str) -> str:
        """What an entry of the ledger tells of: a kind, or a step of the negotiation (`step:agree`)."""
        step = kind.removeprefix("step:")
        return str(words()[self.language]["kind" if step == kind else "step"].get(step, step))

    def at(self, moment: datetime) -> str:
        """A moment in the city's own time, with the zone's short name."""
        here = moment.astimezone(self.zone)
        clock = f"{here:%H:%M:%S}" if here.second else f"{here:%H:%M}"
        shift = f"{here:%z}"
        offset = f"UTC{shift[:3]}" + (f":{shift[3:5]}" if shift[3:5] != "00" else "")
        return self(
            "moment",
            year=here.year,
            month=here.month,
            day=here.day,
            monthname=_MONTHS[here.month - 1],
            time=f"{clock} ({offset})",
        )


def _present(deed: Deed) -> tuple[str, ...]:
    return _ORDER if deed.kind == "Agreement" else tuple(name for name in _ORDER if name != "seal")


def _number(name: str) -> int:
    return _ORDER.index(name) + 1


def _body(name: str, deed: Deed, facts: Facts, say: _Saying) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Sentences and items of one article."""
    terms = deed.terms
    match name:
        case "parties":
            return (tuple(line for role, did in (("provider", deed.assigner), ("consumer", deed.assignee)) for line in (
                say(role, name=_name(facts.names, did, say.language)), say("identity", did=did),
            )), ())  # fmt: skip
        case "assets":
            items = tuple(
                say(one.kind, name=_title(facts, one, say.language), id=one.id) for one in terms.assets
            )
            return (say("assets_text"), say("assets_else")), items
        case "purposes":
            if not terms.purposes:
                return (say("purposes_none"),), ()
            return (say("purposes_text"),), tuple(say.purpose(code) for code in terms.purposes)
        case "area":
            if terms.area is None:
                return (say("area_none"),), ()
            west, south, east, north = (f"{x:.10g}" for x in terms.area)
            return (say("area_text", west=west, south=south, east=east, north=north),), ()
        case "time":
            since = say("since", at=say.at(terms.since)) if terms.since else say("since_none")
            until = (
                say("until", at=say.at(terms.until)) if terms.until else say("until_none", end=_number("end"))
            )
            return (since, until), ()
        case "finest":
            limit = say("finest_text", metres=f"{terms.finest_m:.10g}")
            return (limit if terms.finest_m else say("finest_none"),), ()
        case "forbidden":
            return (say("resharing" if terms.no_resharing else "resharing_none"), say("denied")), ()
        case "duties":
            found = [say("attribution", text=terms.attribution)] if terms.attribution else []
            found += [say("delete_by", at=say.at(terms.delete_by))] if terms.delete_by else []
            return tuple(found) or (say("duties_none"),), ()
        case "access":
            return (say("access_text"),), ()
        case "end":
            left = say("end_delete", forbidden=_number("forbidden"), duties=_number("duties"))
            return (say("end_text"), say("end_effect"), say("end_resume"), left), ()
        case "ledger":
            return (say("ledger_text"),), ()
    said = [say("seal_text", profile=PROFILE), say("seal_id", id=deed.id)]
    said += [say("seal_digest", digest=facts.digest)] if facts.digest else []
    said += [say("seal_at", at=say.at(deed.at))] if deed.at else []
    return tuple(said), ()


def _signed(role: str, did: str, facts: Facts, say: _Saying) -> Signed:
    name = _name(facts.names, did, say.language)
    found = next((one for one in facts.signatures if one.role == role), None)
    if found is None:
        return Signed(say(role, name=name), name, did, (say("unsigned"),))
    lines = (
        say("signed", name=name, at=say.at(found.at)),
        say("key", key=found.key),
        say("proof", value=str(found.proof.get("proofValue", ""))),
    )
    return Signed(say(role, name=name), name, did, lines)


def _state(facts: Facts, say: _Saying) -> tuple[str, ...]:
    if not facts.state:
        return ()
    change = facts.change
    if not change:
        return (say(facts.state),)
    at = say.at(datetime.fromisoformat(str(change["at"])))
    why, who = str(change.get("why", "")), str(change.get("who", ""))
    line = say("change", who=who, at=at, why=why) if why else say("change_plain", who=who, at=at)
    return (say(facts.state), line)


def _name(names: Mapping[str, Name], did: str, language: str) -> str:
    return names[did][language] if did in names else did


def _title(facts: Facts, asset: Asset, language: str) -> str:
    return facts.titles[asset][language] if asset in facts.titles else asset.id


def _particles(one: str, other: str) -> dict[str, str]:
    """The Korean particles after two names: they follow the last syllable's end."""
    return {"with": _closed(one, "과", "와", "과(와)"), "topic": _closed(other, "은", "는", "은(는)")}


def _closed(word: str, closed: str, open_: str, unknown: str) -> str:
    last = ord(word[-1]) - 0xAC00 if word else -1
    if not 0 <= last < 11172:
        return unknown
    return closed if last % 28 else open_
