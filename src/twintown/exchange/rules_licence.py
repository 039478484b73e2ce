"""What the licences of a layer's sources say to letting it go: the first check of the release gate.

A licence binds by what a layer is made from, however many steps ago: the provenance names all sources. What is made from an
ODbL database is either a **Derivative Database** (it holds the database's objects: share alike, and nothing may be forbidden to
who receives it, 4.4 and 4.8) or a **Produced Work** (a picture, a number on a grid: the notice of 4.3, and 4.6 for the
database behind it). Which of them it is, is said with its reasons, and a person may see it otherwise.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from twintown.ground.errors import BadSettings
from twintown.ground.provenance import Licence, Provenance
from twintown.trust.terms import Terms

from .findings import Finding, message
from .release import ANYONE

_FILE = "licences.toml"
#: What a licence can ask.
CONDITIONS = {
    "attribution", "share_alike", "no_further_restrictions", "copy_on_request", "produced_work", "non_commercial", "no_changes",
}  # fmt: skip
#: Words of purposes that are business; a closed list of codes is the agreement's, this one only recognises.
COMMERCIAL = ("commercial", "business", "advertising", "sale")


@dataclass(frozen=True)
class Known:
    """A licence as machines read it: its conditions, each with its article."""

    id: str
    title: str
    short: str
    url: str = ""
    conditions: Mapping[str, str] = field(default_factory=dict)
    confirmed: str = ""

    def cites(self, condition: str) -> str:
        """`ODbL 4.8`, for one of its conditions."""
        return f"{self.short} {self.conditions[condition]}"


@dataclass(frozen=True)
class Work:
    """What leaves: `database` (a Derivative Database, or the source itself) or `work` (a Produced Work), and why it is taken for that."""

    kind: str
    why: Mapping[str, str]
    numbers: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, kind: str, unit: str = "", objects: int = 0) -> Work:
        """By the kind of the layer (`features`, `table`, `grid`, `series`), a grid's unit and how many objects it holds."""
        if kind in ("grid", "series") and unit != "{category}":
            ko = "격자·시계열의 계산값이며 원본 데이터베이스의 객체를 담지 않으므로, 원본을 다시 꺼낼 수 없습니다"
            en = "it holds computed values and none of the source's objects, which cannot be taken out of it again"
            return cls("work", message(ko, en))
        ko = "원본 데이터베이스의 객체나 그 분류를 그대로 담고 있습니다"
        en = "it holds objects of the source database, or their classes, one by one"
        return cls("database", message(ko, en), {"objects": objects} if objects else {})


def check_licence(
    provenance: Provenance, work: Work, terms: Terms, audience: str, own: Mapping[str, Known] | None = None
) -> Iterator[Finding]:
    """What stands against it, source by source.

    Args:
        own: licences that the twin describes for machines by itself (`[release.licences]`), before ours.
    """
    known = {**licences(), **(own or {})}
    bound: list[Known] = []
    for licence in provenance.licences:
        found = known.get(licence.id)
        sources = [source.title for source in provenance.sources if source.licence.id == licence.id]
        if found is None:
            yield _unknown(licence, sources)
            continue
        bound.append(found)
        yield from _one(found, licence, sources, work, provenance, terms, audience)
    if not provenance.sources:
        yield Finding(
            "licence-unknown", "forbids",
            message("출처가 없어 누구의 것인지 알 수 없습니다", "it names no source, so nobody knows whose it is"),
            "provenance of the layer", {"sources": 0}, (), ("withhold",),
        )  # fmt: skip
    yield from _together(bound, work)


def _one(
    found: Known, licence: Licence, sources: list[str], work: Work, provenance: Provenance, terms: Terms, audience: str
) -> Iterator[Finding]:  # fmt: skip
    asks, name = found.conditions, ", ".join(sources[:3])
    numbers = {"sources": len(sources), "licence": found.id, "is": work.kind, **work.numbers}
    said = {"confirmed": found.confirmed}
    free = work.kind == "work" and "produced_work" in asks
    if "no_further_restrictions" in asks:
        for what, ko, en in _restrictions(terms):
            if free:
                yield Finding(
                    "licence-produced-work", "decides",
                    message(
                        f"{ko} 조건: 이것은 데이터베이스가 아니라 생성물(Produced Work)로 판단됩니다. {work.why['ko']}. "
                        "그렇다면 이 조건을 붙일 수 있으나 출처 고지는 필요합니다",
                        f"{en}: this is taken for a Produced Work, no database, because {work.why['en']}. Then the term may stand, "
                        "with the notice of its origin",
                    ),
                    f"{found.cites('produced_work')}", {**numbers, "term": what}, (), ("terms",), (), **said,
                )  # fmt: skip
                continue
            yield Finding(
                "licence-no-further-restrictions", "forbids" if what != "purposes" else "decides",
                message(
                    f"{name}에서 만든 것에는 {ko} 조건을 붙일 수 없습니다: 받는 사람의 권리를 더 제한할 수 없습니다 "
                    f"({found.cites('no_further_restrictions')}). {work.why['ko']}",
                    f"{en} cannot be asked of what is made from {name}: no further restrictions may be put on those who receive it "
                    f"({found.cites('no_further_restrictions')}); {work.why['en']}",
                ),
                found.cites("no_further_restrictions"), {**numbers, "term": what}, (), ("terms",), (), **said,
            )  # fmt: skip
    if "attribution" in asks and audience != ANYONE and not _attributed(licence, sources, terms):
        wanted = licence.attribution or name
        yield Finding(
            "licence-attribution", "forbids",
            message(
                f"조건에 출처 표시 “{wanted}”가 있어야 합니다 ({found.cites('attribution')})",
                f"the terms must ask for the attribution “{wanted}” ({found.cites('attribution')})",
            ),
            found.cites("attribution"), {**numbers, "attribution": wanted}, (), ("terms",), (), **said,
        )  # fmt: skip
    if "share_alike" in asks and not free:
        yield Finding(
            "licence-share-alike", "notes",
            message(
                f"전체가 {found.short} 아래에 나갑니다: 같은 조건으로 다시 공유할 수 있습니다 ({found.cites('share_alike')})",
                f"it goes out under {found.short} as a whole, and may be shared on under the same ({found.cites('share_alike')})",
            ),
            found.cites("share_alike"), numbers, (), (), (), **said,
        )  # fmt: skip
    elif free and "copy_on_request" in asks:
        yield Finding(
            "licence-produced-work-notice", "notes",
            message(
                f"생성물(Produced Work)입니다: {work.why['ko']}. 출처 고지가 붙고, 바탕이 된 데이터베이스는 요청하면 제공합니다 "
                f"({found.cites('produced_work')}; {found.conditions['copy_on_request']})",
                f"a Produced Work: {work.why['en']}. Its origin is told with it, and the database behind it is offered to who asks "
                f"({found.cites('produced_work')}; {found.conditions['copy_on_request']})",
            ),
            found.cites("produced_work"), numbers, (), (), (), **said,
        )  # fmt: skip
    if "non_commercial" in asks:
        business = [one for one in terms.purposes if any(word in one.lower() for word in COMMERCIAL)]
        if business or not terms.purposes:
            yield Finding(
                "licence-non-commercial", "forbids" if business else "decides",
                message(
                    f"{name}은(는) 상업적 이용이 금지되어 있습니다: 조건의 목적이 이를 지켜야 합니다",
                    f"{name} is not for commercial use: the purposes of the terms must keep to that",
                ),
                found.cites("non_commercial"), {**numbers, "purposes": len(terms.purposes)}, (), ("terms",), (), **said,
            )  # fmt: skip
    changed = len(provenance.steps) > 1 or len(provenance.sources) > 1
    if "no_changes" in asks and changed:
        yield Finding(
            "licence-no-changes", "forbids",
            message(
                f"{name}은(는) 변경이 금지되어 있는데 이것은 {len(provenance.steps)}단계를 거쳐 만든 것입니다",
                f"{name} may not be changed, and this was made of it in {len(provenance.steps)} steps",
            ),
            found.cites("no_changes"), {**numbers, "steps": len(provenance.steps)}, (), (), (), **said,
        )  # fmt: skip


def _restrictions(terms: Terms) -> Iterator[tuple[str, str, str]]:
    """Terms that take something from who receives the data. Area, resolution and the end of access only say what is sent."""
    if terms.no_resharing:
        yield "no_resharing", "재공유 금지", "no re-sharing"
    if terms.delete_by is not None:
        yield "delete_by", "삭제 기한", "deletion by a date"
    if terms.purposes:
        yield "purposes", "이용 목적 제한", "a limit of purposes"


def _attributed(licence: Licence, sources: list[str], terms: Terms) -> bool:
    said = " ".join(terms.attribution.casefold().split())
    wanted = [" ".join(text.casefold().split()) for text in (licence.attribution,) if text]
    return any(text in said for text in wanted or [title.casefold() for title in sources])


def _unknown(licence: Licence, sources: list[str]) -> Finding:
    name = ", ".join(sources[:3])
    return Finding(
        "licence-unknown", "forbids",
        message(
            f"{name}의 이용허락 {licence.id!r}을(를) 알 수 없습니다: 넘겨도 된다는 근거가 없습니다",
            f"the licence {licence.id!r} of {name} is not known: nothing says that it may be passed on",
        ),
        "licences that are known to the gate; [release.licences] of the twin", {"sources": len(sources), "licence": licence.id},
    )  # fmt: skip


def _together(bound: list[Known], work: Work) -> Iterator[Finding]:
    """Conditions of one source that another source's licence does not suffer in the same database."""
    sharing = [one for one in bound if "share_alike" in one.conditions]
    closed = [one for one in bound if {"non_commercial", "no_changes"} & set(one.conditions)]
    if work.kind == "database" and sharing and closed:
        yield Finding(
            "licence-conflict", "forbids",
            message(
                f"{sharing[0].short}의 동일조건 공유와 {closed[0].short}의 제한은 한 데이터베이스에서 함께 지킬 수 없습니다",
                f"share alike of {sharing[0].short} and the limits of {closed[0].short} cannot both be kept in one database",
            ),
            sharing[0].cites("share_alike"), {"licences": len(bound)}, (), ("withhold",), (), confirmed=sharing[0].confirmed,
        )  # fmt: skip


@cache
def licences() -> Mapping[str, Known]:
    """The licences that are known, by SPDX identifier or alias."""
    document = tomllib.loads(files("twintown.exchange").joinpath("rules", _FILE).read_text("utf-8"))
    return {
        name: Known(
            one["id"], one["title"], one["short"], one.get("url", ""), one["conditions"], document["status"]
        )
        for one in document["licences"]
        for name in (one["id"], *one.get("aliases", ()))
    }


def licences_of(table: Mapping[str, Mapping[str, Any]]) -> dict[str, Known]:
    """The licences that a twin describes for machines by itself. Raises BadSettings."""
    found = {}
    for id, said in table.items():
        conditions = said.get("conditions")
        if not isinstance(conditions, Mapping) or (unknown := set(conditions) - CONDITIONS):
            what = (
                f"{sorted(unknown)[0]!r} is no condition"
                if isinstance(conditions, Mapping)
                else "has no conditions"
            )
            raise BadSettings(what, f"release.licences.{id}", f"known are {', '.join(sorted(CONDITIONS))}")
        title = str(said.get("title", id))
        found[id] = Known(
            id,
            title,
            str(said.get("short", id)),
            str(said.get("url", "")),
            dict(conditions),
            "as the twin says",
        )
    return found
