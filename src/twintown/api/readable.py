"""How values are written for a person: numbers, dates, units and names in two languages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from twintown.ground.units import UNITS

#: UCUM codes as they are written in Korean; in English, and for what is not here, `ground/units` has them.
_KOREAN = {
    "min": "분", "h": "시간", "d": "일", "a": "년", "{storey}": "층", "{person}": "명", "{household}": "세대", "{head}": "마리",
    "{school}": "개교", "{lane}": "차로", "{doctor}": "명", "{facility}": "곳", "{farm}": "곳", "{space}": "면", "{step}": "단계",
    "{person}/km2": "명/km²", "[KRW]": "원",
}  # fmt: skip
_STAMP = re.compile(r"^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?$")


def name(names: Any, lang: str, fallback: str = "") -> str:
    """A name `{ko, en}` in one language; a plain string as it is."""
    if isinstance(names, Mapping):
        return str(names.get(lang) or names.get("en") or names.get("ko") or fallback)
    return str(names) if isinstance(names, str) and names else fallback


def is_names(value: Any) -> bool:
    """Whether a value is a name in two languages."""
    return isinstance(value, Mapping) and set(value) == {"ko", "en"}


def number(value: Any) -> str:
    """A number with thousands set apart and no digits that nobody reads; other values as they are."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "" if value is None else str(value)
    if isinstance(value, int) or value == int(value):
        return f"{int(value):,}"
    digits = 1 if abs(value) >= 100 else 2 if abs(value) >= 1 else 5
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".")


def date(value: Any) -> str:
    """An ISO 8601 time to the minute; other values as they are."""
    found = _STAMP.match(str(value or ""))
    if not found:
        return str(value or "")
    zone = {"Z": " UTC", "+00:00": " UTC", None: ""}.get(found[3], f" {found[3]}")
    return f"{found[1]} {found[2]}{zone}"


def unit(code: Any, lang: str) -> str:
    """A UCUM code as a person writes it."""
    text = str(code or "")
    if lang == "ko" and text in _KOREAN:
        return _KOREAN[text]
    return UNITS[text] if text in UNITS else text.strip("{}[]") if text[:1] in "{[" else text


def kind_of(value: Any) -> str:
    """How a JSON value is drawn: nothing, names, scalar, object, list (of scalars), table (of objects) or mixed."""
    if value is None or value in ("", [], {}):
        return "nothing"
    if is_names(value):
        return "names"
    if isinstance(value, Mapping):
        return "object"
    if not isinstance(value, list | tuple):
        return "scalar"
    if all(isinstance(one, str | int | float | bool) or one is None for one in value):
        return "list"
    if all(isinstance(one, Mapping) for one in value) and len(flat(value)) <= 8:
        simple = (v for one in value for v in one.values())
        if all(not isinstance(v, list | tuple | Mapping) or is_names(v) for v in simple):
            return "table"
    return "mixed"


def flat(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The members of a list of objects, each once, in the order of their first appearance."""
    return list(dict.fromkeys(key for row in rows for key in row))


def crs(uri: str) -> str:
    """The URI of a reference system as people call it: `EPSG:5186`, `CRS84`."""
    parts = uri.rstrip("/").split("/")
    return f"EPSG:{parts[-1]}" if len(parts) > 2 and parts[-3] == "EPSG" else parts[-1]


def columns(collection: Any) -> dict[str, Mapping[str, Any]]:
    """The columns of a collection by name."""
    found = collection.get("columns", []) if isinstance(collection, Mapping) else []
    return {column["name"]: column for column in found}


def property_names(features: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names of the properties of features, each once, in the order of their first appearance."""
    return [one for one in flat([feature.get("properties") or {} for feature in features]) if one != "id"]


def without_value(properties: Mapping[str, Any]) -> list[str]:
    """The properties of which nothing is known."""
    return [key for key, value in properties.items() if value is None or value == ""]


def besides(value: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """An object without some of its members, and without those that say nothing."""
    return {key: one for key, one in value.items() if key not in names and one not in (None, "", [], {})}
