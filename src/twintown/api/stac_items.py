"""The layers as STAC 1.1 items, one a current version, in collections, one a kind of layer: values, no HTTP.

A collection is a kind (features, table, series, grid): all its items have the same assets, which is what a STAC client asks a
collection for. Licences differ from item to item, so each item says its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twintown.api import dates, extents, layer_links
from twintown.api.collections import keywords, sentence
from twintown.api.guard import Asked
from twintown.api.represent import GEOJSON, HTML, JSON, Language, word
from twintown.ground.names import Name
from twintown.products import catalogue
from twintown.twin.layers import LayerVersion

VERSION = "1.1.0"
KINDS: Mapping[str, Name] = {
    "features": Name("지물", "Features"),
    "table": Name("표", "Tables"),
    "series": Name("시계열", "Series"),
    "grid": Name("격자", "Grids"),
}
_ABOUT: Mapping[str, Name] = {
    "features": Name("위치가 있는 자료층", "Layers of things that have a place"),
    "table": Name("위치가 없는 표", "Tables of rows without a place"),
    "series": Name("한 곳에서 시간에 따라 잰 값", "Values at one place over time"),
    "grid": Name("넓이를 덮는 값", "Values over an area"),
}


@dataclass(frozen=True)
class Place:
    """Where the STAC API of a twin stands.

    Args:
        root: absolute address of the twin.
        asked: the twin, and what may be read of it.
        lang: language of titles.
    """

    root: str
    asked: Asked
    lang: Language

    @property
    def stac(self) -> str:
        """Absolute address of the STAC API's landing page."""
        return f"{self.root}/stac"

    def collection(self, kind: str) -> str:
        """Absolute address of a collection."""
        return f"{self.stac}/collections/{kind}"

    def versions(self) -> tuple[LayerVersion, ...]:
        """The layers that the caller may see, by id."""
        return self.asked.served.twin.layers(self.asked.grant)


def _item_id(place: Place, version: LayerVersion) -> str:
    return f"{place.asked.served.id}.{version.layer}.{version.version}"


def items(place: Place) -> list[dict[str, Any]]:
    """All items, by the id of their layers."""
    versions = place.versions()
    served = place.asked.served
    key = ("stac", tuple((version.layer, version.version) for version in versions))

    def make() -> list[dict[str, Any]]:
        frame = served.twin.description.frame
        return [
            catalogue.item(version, frame, served.id).to_dict(include_self_link=False, transform_hrefs=False)
            for version in versions
        ]

    plain: list[dict[str, Any]] = served.bodies.get(key, make)
    tiles = {one.product.removesuffix("-3dtiles"): one.version
             for one in served.twin.products(place.asked.grant) if one.product.endswith("-3dtiles")}  # fmt: skip
    return [
        _placed(place, version, one, tiles.get(version.layer))
        for version, one in zip(versions, plain, strict=True)
    ]


def _placed(
    place: Place, version: LayerVersion, plain: Mapping[str, Any], tiles: str | None
) -> dict[str, Any]:
    """An item with its addresses, in the language of the answer."""
    layer = f"{place.root}/collections/{version.layer}"
    here = f"{place.collection(version.kind)}/items/{_item_id(place, version)}"
    said = {
        **plain["properties"],
        "title": word(version.title, place.lang),
        "description": sentence(version, place.lang),
        "keywords": keywords(version),
        "updated": extents.stamp(version.built_at),
    }
    if (span := extents.span(version, place.asked)) is not None:
        said |= {"start_datetime": extents.stamp(span[0]), "end_datetime": extents.stamp(span[1])}
    elif (dated := dates.of_sources(version)) is not None:
        said |= {"start_datetime": extents.stamp(dated[0]), "end_datetime": extents.stamp(dated[1])}
    extensions = [one for one in plain.get("stac_extensions", []) if "/file/" not in one]
    return {
        **plain,
        "stac_extensions": extensions,
        "collection": version.kind,
        "properties": said,
        "assets": assets(layer, version, place, tiles),
        "links": [
            {"href": here, "rel": "self", "type": GEOJSON},
            {"href": f"{here}?f=html", "rel": "alternate", "type": HTML},
            {"href": place.stac, "rel": "root", "type": JSON, "title": "the STAC API"},
            {"href": place.collection(version.kind), "rel": "parent", "type": JSON},
            {"href": place.collection(version.kind), "rel": "collection", "type": JSON},
            {"href": layer, "rel": "about", "type": JSON, "title": "the layer"},
            *(
                {"type": HTML, **link}
                for link in plain["links"]
                if link["rel"] in ("license", "via")
            ),
        ],
    }  # fmt: skip


def assets(layer: str, version: LayerVersion, place: Place, tiles: str | None) -> dict[str, dict[str, Any]]:
    """What can be taken: the data in each format, a picture, tiles. `data` is the one to take first."""
    path = "coverage" if version.kind == "grid" else "items"
    frame = place.asked.served.twin.description.frame
    made: dict[str, dict[str, Any]] = {}
    for at, (name, media_type, title) in enumerate(layer_links.formats(version, frame)):
        key = "data" if at == 0 else name
        roles = ["overview", "thumbnail"] if name == "png" else ["data"]
        made[key] = {
            "href": f"{layer}/{path}?f={name}", "type": media_type, "title": title, "roles": roles,
        }  # fmt: skip
    if version.kind == "features":
        made["vectortiles"] = {
            "href": f"{layer}/tiles", "type": JSON, "title": "vector tiles", "roles": ["tiles"],
        }  # fmt: skip
    if tiles:
        made["3dtiles"] = {
            "href": f"{place.root}/3dtiles/{version.layer}/tileset.json?v={tiles}",
            "type": JSON, "title": "3D Tiles", "roles": ["tiles"],
        }  # fmt: skip
    return dict(sorted(made.items(), key=lambda pair: pair[0] != "data"))


def collections(place: Place, found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The collections that have items.

    Args:
        place: where they stand.
        found: all items.
    """
    by_kind = {kind: [one for one in found if one["collection"] == kind] for kind in KINDS}
    return [_collection(place, kind, held) for kind, held in by_kind.items() if held]


def _collection(place: Place, kind: str, held: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    twin = place.asked.served.twin.description
    here, lang = place.collection(kind), place.lang
    boxes = [one["bbox"] for one in held if one.get("bbox")]
    if boxes:
        wests, souths, easts, norths = zip(*boxes, strict=True)
        box = [min(wests), min(souths), max(easts), max(norths)]
    else:  # what lies nowhere is about the twin all the same
        box = list(twin.frame.lonlat_bounds(twin.bounds).as_tuple())
    starts = [one["properties"].get("start_datetime") or one["properties"]["datetime"] for one in held]
    ends = [one["properties"].get("end_datetime") or one["properties"]["datetime"] for one in held]
    licences = {one["properties"]["license"] for one in held}
    providers = {p["name"]: p for one in held for p in one["properties"].get("providers", [])}
    terms = {link["href"]: link for one in held for link in one["links"] if link["rel"] == "license"}
    return {
        "type": "Collection",
        "stac_version": VERSION,
        "stac_extensions": [],
        "id": kind,
        "title": f"{word(twin.names, lang)}: {word(KINDS[kind], lang)}",
        "description": word(_ABOUT[kind], lang),
        "keywords": [kind, twin.names.en, twin.names.ko],
        "license": licences.pop() if len(licences) == 1 else "other",
        "providers": list(providers.values()),
        "extent": {
            "spatial": {"bbox": [box]},
            "temporal": {"interval": [[min(starts), max(ends)]]},
        },
        "summaries": {
            "twintown:layer": sorted(one["properties"]["twintown:layer"] for one in held),
            "license": sorted({one["properties"]["license"] for one in held}),
        },
        "links": [
            {"href": here, "rel": "self", "type": JSON, "title": "this collection"},
            {"href": f"{here}?f=html", "rel": "alternate", "type": HTML, "title": "for people"},
            {"href": place.stac, "rel": "root", "type": JSON, "title": "the STAC API"},
            {"href": place.stac, "rel": "parent", "type": JSON, "title": "the STAC API"},
            {"href": f"{here}/items", "rel": "items", "type": GEOJSON, "title": "items"},
            *terms.values(),
        ],
    }
