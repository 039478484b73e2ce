"""What buildings are for, and what a storey of such a building is assumed to be high."""

from __future__ import annotations

#: Function of a building by its `building=` value in OpenStreetMap; what is not here is "other".
FUNCTIONS: dict[str, str] = {
    value: function
    for function, values in {
        "housing": "apartments residential house detached semidetached_house terrace dormitory bungalow villa",
        "mixed": "officetel yes;apartments apartments;commercial",
        "commerce": "commercial retail supermarket kiosk shop",
        "office": "office government public civic townhall fire_station",
        "lodging": "hotel",
        "education": "school kindergarten university college",
        "health": "hospital clinic",
        "worship": "church cathedral temple mosque shrine chapel religious",
        "industry": "industrial warehouse factory manufacture",
        "transport": "train_station transportation parking garage garages carport",
        "culture": "museum theatre stadium sports_hall sports_centre grandstand",
        "small": "shed hut roof greenhouse cabin service toilets",
    }.items()
    for value in values.split()
}

#: Storey height (m) assumed where nothing better is known. Dwellings in Korea are built with 2.8–3.0 m from floor to
#: floor, offices, shops and hotels with 3.6–4.2 m; the mappers of the demo's file used 3.0 and 4.0 themselves (623 of
#: its 644 pairs of height and levels).
STOREY_M: dict[str, float] = {
    "housing": 3.0, "mixed": 3.3, "small": 3.0,
    "commerce": 4.0, "office": 4.0, "lodging": 4.0, "education": 4.0, "health": 4.0, "worship": 4.0,
    "industry": 4.0, "transport": 4.0, "culture": 4.0,
}  # fmt: skip
OTHER_STOREY_M = 3.3

#: Tag values that name a function where `building=yes` does not, in order.
HINTS: tuple[tuple[str, str], ...] = (
    ("shop", "commerce"), ("office", "office"), ("tourism=hotel", "lodging"), ("tourism=museum", "culture"),
    ("tourism=theme_park", "culture"), ("tourism=gallery", "culture"), ("amenity=school", "education"),
    ("amenity=kindergarten", "education"), ("amenity=hospital", "health"), ("amenity=place_of_worship", "worship"),
    ("amenity=townhall", "office"), ("amenity=theatre", "culture"), ("amenity=toilets", "small"),
    ("amenity=shelter", "small"), ("leisure", "culture"),
)  # fmt: skip


def function_of(kind: str, tags: dict[str, str]) -> str:
    """The function of a building from its kind, else from its other tags, else "other"."""
    if kind in FUNCTIONS:
        return FUNCTIONS[kind]
    for hint, function in HINTS:
        key, _, value = hint.partition("=")
        if key in tags and (not value or tags[key] == value):
            return function
    return "other"


def storey_m(function: str) -> float:
    """The assumed storey height (m) of a function."""
    return STOREY_M.get(function, OTHER_STOREY_M)
