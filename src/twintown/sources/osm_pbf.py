"""OpenStreetMap PBF through libosmium: only what a twin uses ever reaches Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twintown.ground.errors import BadData

from .osm_elements import KEYS, NODE, RELATION, WAY, Elements, Tags
from .source import Progress, check_file, silent

_KINDS = {"n": NODE, "w": WAY, "r": RELATION}


def read_pbf(path: Path, progress: Progress = silent) -> Elements:
    """The elements of a PBF file (or any other that libosmium reads) that carry one of `KEYS`, with the ways of relations.

    Raises:
        BadData: damaged, truncated, or no PBF at all.
    """
    import osmium  # an extension that is not needed for XML
    from osmium.filter import IdFilter, KeyFilter
    from osmium.osm import NODE as NODES
    from osmium.osm import RELATION as RELATIONS
    from osmium.osm import WAY as WAYS

    check_file(path)
    relation_ids: list[int] = []
    relation_tags: list[Tags] = []
    relation_members: list[list[tuple[int, int, str]]] = []
    nodes: tuple[list[int], list[float], list[float]] = ([], [], [])
    points: tuple[list[int], list[Tags]] = ([], [])
    way_ids: list[int] = []
    counts: list[int] = []
    refs: list[int] = []
    way_tags: list[Tags] = []
    seen: set[int] = set()

    def keep(way: Any) -> None:
        if way.id in seen:
            return
        seen.add(way.id)
        way_ids.append(way.id)
        counts.append(len(way.nodes))
        way_tags.append({tag.k: tag.v for tag in way.tags})
        for node in way.nodes:
            refs.append(node.ref)
            if node.location.valid():
                nodes[0].append(node.ref)
                nodes[1].append(node.lon)
                nodes[2].append(node.lat)

    try:
        for relation in osmium.FileProcessor(path, RELATIONS).with_filter(KeyFilter("building", "building:part")):
            relation_ids.append(relation.id)
            relation_tags.append({tag.k: tag.v for tag in relation.tags})
            relation_members.append([(_KINDS[m.type], m.ref, m.role) for m in relation.members])
        known = set(relation_ids)
        progress("relations", 0.2)
        for relation in osmium.FileProcessor(path, RELATIONS).with_filter(osmium.filter.TagFilter(("type", "building"))):
            if relation.id not in known:
                relation_ids.append(relation.id)
                relation_tags.append({tag.k: tag.v for tag in relation.tags})
                relation_members.append([(_KINDS[m.type], m.ref, m.role) for m in relation.members])
        progress("relations", 0.3)
        members = {ref for several in relation_members for kind, ref, _ in several if kind == WAY}
        for node in osmium.FileProcessor(path, NODES).with_filter(KeyFilter(*KEYS)):
            points[0].append(node.id)
            points[1].append({tag.k: tag.v for tag in node.tags})
            nodes[0].append(node.id)
            nodes[1].append(node.lon)
            nodes[2].append(node.lat)
        progress("nodes", 0.5)
        for way in osmium.FileProcessor(path, NODES | WAYS).with_locations().with_filter(KeyFilter(*KEYS).enable_for(WAYS)):
            if way.is_way():
                keep(way)
        progress("ways", 0.9)
        if members - seen:
            for way in osmium.FileProcessor(path, NODES | WAYS).with_locations().with_filter(IdFilter(members - seen).enable_for(WAYS)):
                if way.is_way():
                    keep(way)
        progress("ways", 1.0)
    except (RuntimeError, ValueError, OSError) as error:
        raise BadData(f"damaged, truncated or no OpenStreetMap file ({str(error).splitlines()[0]})", str(path), "fetch it again") from error
    if not nodes[0]:
        raise BadData("holds no building, road or place", str(path), "check that it is an extract of OpenStreetMap")
    return Elements.of(nodes, points, (way_ids, counts, refs, way_tags), (relation_ids, relation_tags, relation_members))
