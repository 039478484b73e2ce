"""Units: UCUM codes. A number without a unit does not travel."""

from __future__ import annotations

from .errors import BadSettings

#: The UCUM codes that the house uses, and how each is written for people.
UNITS: dict[str, str] = {
    "1": "", "%": "%", "m": "m", "cm": "cm", "mm": "mm", "km": "km", "m2": "m²", "km2": "km²", "ha": "ha", "m3": "m³", "m3/d": "m³/d",
    "deg": "°", "s": "s", "min": "min", "h": "h", "d": "d", "a": "a", "Cel": "°C", "Pa": "Pa", "m/s": "m/s",
    "W/m2": "W/m²", "W.h/m2": "Wh/m²", "kW.h/m2": "kWh/m²", "kW.h": "kWh", "kW.h/a": "kWh/a", "h/a": "h/a", "sr": "sr",
    "kg": "kg", "g": "g", "t": "t", "ppm": "ppm", "ug/m3": "µg/m³", "lx": "lx", "dB": "dB",
    "{person}": "people", "{household}": "households", "{head}": "head", "{school}": "schools", "{storey}": "storeys",
    "{step}": "steps", "{building}": "buildings",
    "{point}": "points", "{space}": "spaces", "{lane}": "lanes", "{doctor}": "doctors", "{facility}": "facilities",
    "{farm}": "farms", "{person}/km2": "people/km²", "[KRW]": "₩", "{category}": "",
    "[KRW]/kg": "₩/kg", "[KRW]/km": "₩/km", "[KRW]/d": "₩/d", "kg/km": "kg/km", "km/h": "km/h", "g/{meal}": "g/meal", "{meal}/d": "meals/d",
    "{person}/h": "people/h", "{person}/d": "people/d", "{train}/h": "trains/h", "min/h": "min/h",
}  # fmt: skip


def check_unit(code: str, where: str = "unit") -> str:
    """The code itself when the house knows it; UCUM annotations in braces count.

    Raises:
        BadSettings: unknown code.
    """
    if code in UNITS or (code.startswith("{") and code.endswith("}")):
        return code
    raise BadSettings(f"unknown unit {code!r}", where, f"use a UCUM code: {', '.join(sorted(UNITS))}")
