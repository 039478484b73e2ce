"""An account as people read it, in Korean and English. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from twintown.ground.names import Name

from .account import FLOWS, SIDES, Account, Figure
from .event import Event

Language = Literal["ko", "en"]
LANGUAGES: tuple[Language, ...] = ("ko", "en")
_FLOWS = {
    "promised": Name("약속", "promised"), "delivered": Name("배달", "delivered"), "sold": Name("판매", "sold"),
    "wasted": Name("폐기", "wasted"), "income": Name("수입", "income"),
}  # fmt: skip
_SOURCES = {
    "measured": Name("측정", "measured"), "stated": Name("진술", "stated"), "assumed": Name("가정", "assumed"),
    "computed": Name("계산", "computed"),
}  # fmt: skip
_UNITS = {
    "[KRW]": Name("원", " KRW"),
    "kg": Name(" kg", " kg"), "km": Name(" km", " km"), "h": Name("시간", " h"), "{person}": Name("명", " people"),
    "{group}": Name("팀", " groups"),
}  # fmt: skip


def text(account: Account, event: Event, cities: Mapping[str, str], language: Language) -> str:
    """The account in lines of plain text.

    Args:
        cities: names of the `guest` and the `host`.
    """
    ko = language == "ko"
    lines = [
        f"{'정산' if ko else 'Account'}: {event.title[language]}",
        f"{event.place.name[language]}, {event.start:%Y-%m-%d %H:%M}–{event.end:%Y-%m-%d %H:%M}",
        f"{'손님 도시' if ko else 'Guest'}: {cities['guest']} · {'주인 도시' if ko else 'Host'}: {cities['host']}",
        "",
    ]
    for row in account.products:
        told = ", ".join(f"{_FLOWS[name][language]} {figure(getattr(row, name), language)}" for name in FLOWS)
        lines.append(f"- {row.product}: {told}")
    lines.append(f"{'합계' if ko else 'In all'}: " + ", ".join(
        f"{_FLOWS[name][language]} {figure(getattr(account, name), language)}" for name in FLOWS
    ))  # fmt: skip
    lines.append(f"{'방문' if ko else 'Who came'}: {figure(account.came, language)}")
    for side in SIDES:
        lines.append(f"{'지출' if ko else 'Spent'}, {cities[side]}: {figure(account.spent[side], language)}")
    for side in SIDES:
        lines.append(f"{'얻은 것' if ko else 'Benefits'}, {cities[side]}:")
        lines += [f"- {one.text[language]}: {figure(one.figure, language)}" for one in account.benefits[side]]
    if account.note[language].strip():
        lines += ["", account.note[language].strip()]
    return "\n".join(lines) + "\n"


_PAGE = {
    "account": Name("정산서", "Account"), "signed": Name("두 도시가 서명함", "signed by both cities"),
    "draft": Name("초안: 두 도시가 아직 서명하지 않음", "draft: not signed by both cities yet"), "produce": Name("농산물", "Produce"),
    "product": Name("품목", "Product"), "sum": Name("합계", "In all"), "came": Name("방문", "Who came"),
    "benefits": Name("지출과 얻은 것", "What each city spent, and has of it"), "spent": Name("지출", "Spent"),
    "note": Name("덧붙임", "Note"), "signatures": Name("서명", "Signatures"), "nobody": Name("아직 없습니다.", "None yet."),
    "guest": Name("손님 도시", "guest city"), "host": Name("주인 도시", "host city"),
    "good": Name("서명이 유효함", "the signature holds"), "not_good": Name("서명이 유효하지 않음", "the signature does not hold"),
}  # fmt: skip


def words(language: Language) -> dict[str, str]:
    """What a page of an account says in a language, by code: flows, sources, headings."""
    return {code: name[language] for code, name in {**_FLOWS, **_SOURCES, **_PAGE}.items()}


def figure(one: Figure, language: Language) -> str:
    """A number with its unit, its error, how it is known and where it is from."""
    how = f"{_SOURCES[one.source][language]}: {one.origin[language]}"
    if one.value is None:
        return f"{'모름' if language == 'ko' else 'not known'} ({one.origin[language]})"
    unit = _UNITS.get(one.unit, Name(f" {one.unit}", f" {one.unit}"))[language]
    error = f" ± {plain(one.error)}" if one.error else ""
    return f"{plain(one.value)}{error}{unit} ({how})"


def plain(value: float) -> str:
    """A number as people write it."""
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"
