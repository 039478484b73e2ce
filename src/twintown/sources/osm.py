"""OpenStreetMap: buildings with parts and roofs, roads, places; from XML or PBF."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from twintown.city.assembly import assemble
from twintown.ground.errors import BadData
from twintown.ground.names import Name

from .osm_buildings import drawn_buildings
from .osm_elements import Elements
from .osm_pbf import read_pbf
from .osm_places import places
from .osm_roads import roads
from .osm_xml import read_xml
from .source import Ask, Option, Progress, Shape, check_file

LAYERS = ("buildings", "building-parts", "findings", "roads", "places")


def elements(path: Path, progress: Progress) -> Elements:
    """The elements of a file, whichever of the two formats it is in (told by its content).

    Raises:
        BadData: it is neither, or damaged.
    """
    with check_file(path).open("rb") as file:
        head = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"<"):
        return read_xml(path, progress)
    if b"OSMHeader" in head or path.name.endswith((".pbf", ".o5m")):
        return read_pbf(path, progress)
    if head[:2] in (b"\x1f\x8b", b"BZ"):
        raise BadData("is compressed", str(path), "unpack it first (gunzip, bunzip2)")
    raise BadData("is neither OpenStreetMap XML nor PBF", str(path), "give an .osm or .osm.pbf file")


class OpenStreetMap:
    """The source `osm`: one file of OpenStreetMap, XML or PBF."""

    id = "osm"
    version = "1"
    title = Name("오픈스트리트맵", "OpenStreetMap")
    options: Mapping[str, Option] = {
        "layers": Option((list,), list(LAYERS), f"which of {', '.join(LAYERS)} to give"),
    }

    def layers(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        from twintown.ground.errors import BadSettings

        chosen = tuple(options.get("layers", LAYERS))
        if unknown := [one for one in chosen if one not in LAYERS]:
            raise BadSettings(
                f"unknown layer {unknown[0]!r}", "options.layers", f"use some of {', '.join(LAYERS)}"
            )
        return chosen

    def read(self, ask: Ask) -> Iterator[tuple[str, Shape]]:
        """Buildings, their parts and findings; roads; places.

        Raises:
            BadData: more than one file, a damaged one, or one that holds nothing within the bounds.
        """
        if len(ask.paths) != 1:
            raise BadData(
                f"{len(ask.paths)} files; OpenStreetMap is read from one",
                ask.where,
                "merge the extracts first",
            )
        chosen = self.layers(ask.options)
        found = elements(ask.paths[0], lambda what, done: ask.progress(what, 0.5 * done))
        xy = found.coordinates(ask.frame)
        box = ask.bounds
        inside = ((xy >= (box.xmin, box.ymin)) & (xy <= (box.xmax, box.ymax))).all(axis=1)
        if not inside.any():
            lon, lat = found.node_lonlat.mean(axis=0)
            raise BadData(
                f"nothing lies within the bounds; the file is about {lat:.4f}° N {lon:.4f}° E", str(ask.paths[0]),
                "check bounds in twintown.toml, or fetch the extract of this city",
            )  # fmt: skip
        by = f"twintown.sources.osm {self.version}"
        if {"buildings", "building-parts", "findings"} & set(chosen):
            city = assemble(drawn_buildings(found, xy, ask, by))
            ask.progress("buildings", 0.8)
            for layer, shape in (
                ("buildings", city.buildings),
                ("building-parts", city.parts),
                ("findings", city.findings),
            ):
                if layer in chosen:
                    yield layer, shape
        if "roads" in chosen:
            yield "roads", roads(found, xy, ask, by)
        ask.progress("roads", 0.9)
        if "places" in chosen:
            yield "places", places(found, xy, ask, by)
        ask.progress("places", 1.0)


SOURCE = OpenStreetMap()
