"""How values are written in requests, as patterns of the OpenAPI document (JSON Schema: ECMA-262 expressions, the part that Python shares).

They say as much as an expression can: that a day is one of its month, but not that an interval ends after it begins. What reads a
value refuses what its pattern forbids, with words of its own.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import JsonValue

_D = "[0-9]"
_YEAR = rf"(?:[1-9]{_D}{{3}}|0[1-9]{_D}{{2}}|00[1-9]{_D}|000[1-9])"
_LEAP = rf"(?:{_D}{_D}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
_DAY = (
    rf"(?:{_YEAR}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]{_D}|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]{_D}|30)"
    rf"|02-(?:0[1-9]|1{_D}|2[0-8]))|{_LEAP}-02-29)"
)
_HOUR = rf"(?:[01]{_D}|2[0-3])"
_CLOCK = rf"[Tt]{_HOUR}:[0-5]{_D}:(?:[0-5]{_D}|60)(?:[.]{_D}{{1,9}})?(?:[Zz]|[+-]{_HOUR}:[0-5]{_D})"


def _interval(instant: str) -> str:
    return rf"{instant}(?:/(?:[.][.]|{instant})?)?|(?:[.][.])?/{instant}"


#: An instant, or an interval that is open at one end at most (RFC 3339; a day alone is all of it).
DATETIME: dict[str, JsonValue] = {"pattern": f"^(?:{_interval(f'{_DAY}(?:{_CLOCK})?')})$"}
#: The same, or nothing: an empty field of a form asks for nothing.
DATETIME_FIELD: dict[str, JsonValue] = {"pattern": f"^(?:{_interval(f'{_DAY}(?:{_CLOCK})?')})?$"}
#: With times of day, as STAC has it; nothing asks for nothing.
MOMENT_FIELD: dict[str, JsonValue] = {"pattern": f"^(?:{_interval(f'{_DAY}{_CLOCK}')})?$"}

_FRACTION = rf"(?:[.]{_D}{{1,12}})?"
_LON = rf"-?(?:(?:1[0-7]{_D}|{_D}{{1,2}}){_FRACTION}|180(?:[.]0{{1,12}})?)"
_LAT = rf"-?(?:[0-8]?{_D}{_FRACTION}|90(?:[.]0{{1,12}})?)"
_NUMBER = rf"-?{_D}{{1,9}}{_FRACTION}"
_DEGREES = rf"{_LON},{_LAT},{_LON},{_LAT}|{_LON},{_LAT},{_NUMBER},{_LON},{_LAT},{_NUMBER}"
#: `west,south,east,north` in degrees, or with heights in between and behind; nothing asks for nothing.
BBOX_FIELD: dict[str, JsonValue] = {"pattern": f"^(?:{_DEGREES})?$"}
#: Four numbers, or six, in the units of some CRS.
BBOX: dict[str, JsonValue] = {"pattern": rf"^{_NUMBER}(?:,{_NUMBER}){{3}}(?:(?:,{_NUMBER}){{2}})?$"}

_AXIS = r"[A-Za-z]{1,9}"
_END = rf"(?:{_NUMBER}|[*])"
_SLICE, _SIZE = rf"{_AXIS}[(]{_END}:{_END}[)]", rf"{_AXIS}[(]{_D}{{1,5}}{_FRACTION}[)]"
#: A slice of one axis or of both: `Lat(37.50:37.52),Lon(127.09:*)`.
SUBSET: dict[str, JsonValue] = {"pattern": f"^{_SLICE}(?:,{_SLICE})?$"}
#: A number for one axis or for both: `E(10),N(10)`.
AXES: dict[str, JsonValue] = {"pattern": f"^{_SIZE}(?:,{_SIZE})?$"}

#: `0xRRGGBB`, or one of a few names.
COLOUR: dict[str, JsonValue] = {"pattern": "^(?:(?:0x|#)?[0-9A-Fa-f]{6}|white|black|silver|gr[ae]y)$"}

_ULID = "[0-7][0-9A-HJKMNP-TV-Z]{25}"
_TOKEN = rf"{_ULID}(?:[.]{_D}{{1,9}})?"
#: A version: a ULID (github.com/ulid/spec).
VERSION: dict[str, JsonValue] = {"pattern": f"^{_ULID}$"}
#: A version with its edits.
TOKEN: dict[str, JsonValue] = {"pattern": f"^{_TOKEN}$"}
#: Versions of several layers together.
TOKENS = "^[0-9a-f]{24}$"
#: Where a page begins, or before which row it ends.
CURSOR: dict[str, JsonValue] = {"pattern": rf"^{_TOKEN}-(?:before-)?{_D}{{1,18}}$"}

#: Ids joined by commas, as they stand in an address.
WORDS = r"^[A-Za-z0-9_.:,-]*$"
#: A JSON object as a text.
OBJECT: dict[str, JsonValue] = {"pattern": r"^[{].*[}]$", "contentMediaType": "application/geo+json"}


def crs(codes: Iterable[str] = ()) -> str:
    """The pattern of a CRS that is offered, as URI or safe CURIE.

    Args:
        codes: `EPSG:5186`, `OGC:CRS84` …; without them whatever EPSG may know.
    """
    known = [code for code in codes if code.startswith("EPSG:")]
    numbers = "|".join(code.removeprefix("EPSG:") for code in known) if known else f"{_D}{{4,6}}"
    return (
        rf"^(?:http://www[.]opengis[.]net/def/crs/(?:OGC/1[.]3/CRS84|EPSG/0/(?:{numbers}))"
        rf"|\[(?:OGC:CRS84|EPSG:(?:{numbers}))\])$"
    )


#: The CRS of a request, before it is known of which twin.
CRS: dict[str, JsonValue] = {"pattern": crs()}
