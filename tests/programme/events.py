"""Events that the tests of this room use: the story's festival, and a conference."""

from __future__ import annotations

import copy
from typing import Any

from twintown.programme.event import Event
from twintown.programme.event_reading import read

HOST = "did:web:seoul.example:twins:jamsil"
ID = "ev-0123456789abcdef01234567"
FESTIVAL: dict[str, Any] = {
    "id": ID, "kind": "festival", "title": {"ko": "거북놀이와 햅쌀", "en": "Geobuknori and new rice"},
    "about": {"ko": "호숫가의 하루", "en": "A day by the lake"}, "host": HOST, "agreement": "urn:uuid:1",
    "place": {"name": {"ko": "서울놀이마당", "en": "Seoul Nori Madang"}, "venue": "서울놀이마당", "lon": 127.0981982, "lat": 37.50936664},
    "start": "2027-09-18T11:00:00+09:00", "end": "2027-09-18T19:00:00+09:00",
    "organiser": {"name": "이천문화재단", "department": "공연기획팀"},
    "programme": [
        {
            "id": "geobuk", "start": "2027-09-18T14:00:00+09:00", "end": "2027-09-18T15:00:00+09:00", "stage": "주무대",
            "title": {"ko": "거북놀이", "en": "Geobuknori"}, "performers": ["거북놀이보존회"], "section": "", "about": {"ko": "", "en": ""},
        }
    ],
    "sections": [], "delegations": [], "meetings": [],
    "visitors": {"expected": 2400, "error": 800, "source": "assumed", "note": "작년과 비슷하다고 가정"},
    "stage": {
        "lon": 127.0982, "lat": 37.5094, "heading_deg": 180.0, "width_m": 8.0, "depth_m": 6.0, "height_m": 1.0, "level_db": 90.0,
        "audience_m": 25.0, "source": "assumed",
    },
    "stands": [
        {
            "id": f"stand-{at}", "name": {"ko": f"판매대 {at}", "en": f"Stand {at}"}, "lon": 127.0985 + at * 1e-4, "lat": 37.5095,
            "heading_deg": 90.0, "width_m": 3.0, "depth_m": 2.0, "products": [product], "power": None, "water": True,
        }
        for at, product in enumerate(("rice", "peach", "sweet-potato"))
    ],
    "works": {
        "temporary_m2": 80.0, "fire": False, "gas": False, "on_water": False, "food": True, "fireworks": False, "road_closed": False,
    },
    "plan": None,
}  # fmt: skip


def said(**changed: Any) -> dict[str, Any]:
    """The festival as JSON, with some members otherwise."""
    return copy.deepcopy(FESTIVAL) | changed


def festival(**changed: Any) -> Event:
    """The festival, with some members otherwise."""
    return read(said(**changed))


def delegation(id: str, *wishes: str, section: str = "") -> dict[str, Any]:
    """One delegation as JSON."""
    return {"id": id, "name": id.upper(), "city": "", "size": 3, "wishes": list(wishes), "section": section}


def conference(*delegations: dict[str, Any], **changed: Any) -> Event:
    """A conference of a day with these delegations."""
    return festival(kind="conference", delegations=list(delegations), stands=[], stage=None, **changed)
