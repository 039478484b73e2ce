"""OpenStreetMap XML, element by element. Plain: it also reads files that libosmium refuses.

Overpass' `out geom` repeats coordinates as `<nd lat lon>` inside `<member>` and `<bounds>` inside ways and relations;
both are ignored here, because the nodes themselves are in the file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

from twintown.ground.errors import BadData, TooLarge

from .osm_elements import NODE, RELATION, WAY, Elements, Tags
from .source import Progress, check_file, silent

_BLOCK = 1 << 20
_KINDS = {"node": NODE, "way": WAY, "relation": RELATION}
#: XML holds all of itself in Python lists: above this use the PBF of the same extract.
LIMIT_BYTES = 2_000_000_000


def _tags(element: Element) -> Tags:
    return {tag.get("k", ""): tag.get("v", "") for tag in element.iterfind("tag")}


def _events(file: BinaryIO, path: Path, progress: Progress) -> Iterator[tuple[int, str, Element]]:
    """(depth, event, element) from a stream; a document type (entities) is refused before it is parsed."""
    parser: Any = XMLPullParser(("start", "end"))  # its stubs know events of other kinds too
    size, depth, first = max(os.fstat(file.fileno()).st_size, 1), 0, True
    while block := file.read(_BLOCK):
        if first and b"<!DOCTYPE" in block[:4096]:
            raise BadData(
                "has a document type, which OpenStreetMap files never have",
                str(path),
                "remove the <!DOCTYPE …>",
            )
        first = False
        parser.feed(block)
        for event, element in parser.read_events():
            depth += 1 if event == "start" else -1
            yield depth, event, element
        progress("parse", file.tell() / size)
    parser.close()
    for event, element in parser.read_events():
        depth += 1 if event == "start" else -1
        yield depth, event, element


def read_xml(path: Path, progress: Progress = silent) -> Elements:
    """All elements of an OpenStreetMap XML file.

    Raises:
        BadData: not XML, not OpenStreetMap, truncated, a number that is none, or no element at all.
        TooLarge: over 2 GB; use PBF.
    """
    try:
        check_file(path, LIMIT_BYTES)
    except TooLarge as error:
        raise TooLarge(error.what, error.where, "use the .osm.pbf of the same extract") from None
    node_ids: list[int] = []
    lon: list[float] = []
    lat: list[float] = []
    point_ids: list[int] = []
    point_tags: list[Tags] = []
    way_ids: list[int] = []
    way_counts: list[int] = []
    way_refs: list[int] = []
    way_tags: list[Tags] = []
    relation_ids: list[int] = []
    relation_tags: list[Tags] = []
    relation_members: list[list[tuple[int, int, str]]] = []
    root: Element | None = None
    last = "the beginning"
    try:
        with path.open("rb") as file:
            for depth, event, element in _events(file, path, progress):
                if event == "start":
                    if depth == 1:
                        root = element
                        if element.tag != "osm":
                            raise BadData(
                                f"begins with <{element.tag}>, not <osm>",
                                str(path),
                                "give an OpenStreetMap file",
                            )
                    continue
                if depth != 1:
                    continue
                if element.tag in _KINDS and element.get("action") != "delete":
                    number = int(element.attrib["id"])
                    last = f"{element.tag} {number}"
                    tags = _tags(element)
                    if element.tag == "node":
                        node_ids.append(number)
                        lon.append(float(element.attrib["lon"]))
                        lat.append(float(element.attrib["lat"]))
                        if tags:
                            point_ids.append(number)
                            point_tags.append(tags)
                    elif element.tag == "way":
                        refs = [int(nd.attrib["ref"]) for nd in element.iterfind("nd")]
                        way_ids.append(number)
                        way_counts.append(len(refs))
                        way_refs.extend(refs)
                        way_tags.append(tags)
                    else:
                        relation_ids.append(number)
                        relation_tags.append(tags)
                        relation_members.append(
                            [
                                (_KINDS[m.attrib["type"]], int(m.attrib["ref"]), m.get("role", ""))
                                for m in element.iterfind("member")
                            ]
                        )
                if root is not None:
                    root.clear()
    except ParseError as error:
        whole = "truncated or not XML" if not node_ids else f"breaks off or is damaged after {last}"
        raise BadData(f"{whole} (line {error.position[0]})", str(path), "fetch it again") from error
    except (KeyError, ValueError) as error:
        raise BadData(
            f"an element after {last} lacks or spoils a number ({error})", str(path), "fetch it again"
        ) from error
    if not node_ids:
        raise BadData("holds no node", str(path), "fetch the extract again, with nodes (`out body; >;`)")
    if not all(-180 <= x <= 180 for x in (min(lon), max(lon))) or not all(
        -90 <= y <= 90 for y in (min(lat), max(lat))
    ):
        raise BadData(
            "has coordinates that are not degrees",
            str(path),
            "OpenStreetMap files hold longitude and latitude",
        )
    return Elements.of(
        (node_ids, lon, lat),
        (point_ids, point_tags),
        (way_ids, way_counts, way_refs, way_tags),
        (relation_ids, relation_tags, relation_members),
    )
