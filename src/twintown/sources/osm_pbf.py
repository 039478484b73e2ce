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
    from osmium.filter import EntityFilter, IdFilter, KeyFilter, TagFilter
    from osmium.osm import NODE as NODES
    from osmium.osm import RELATION as RELATIONS
    from osmium.osm import WAY as WAYS

    check_file(path)
    processor: Any = osmium.FileProcessor  # its stubs know only the union of all kinds
    relation_ids: dict[int, None] = {}
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

    def relations(chosen: Any) -> None:
        for relation in processor(path, RELATIONS).with_filter(chosen):
            if relation.id not in relation_ids:
                relation_ids[relation.id] = None
                relation_tags.append({tag.k: tag.v for tag in relation.tags})
                relation_members.append([(_KINDS[m.type], m.ref, m.role) for m in relation.members])

    try:
        relations(KeyFilter("building", "building:part"))
        relations(TagFilter(("type", "building")))
        progress("relations", 0.3)
        for node in processor(path, NODES).with_filter(KeyFilter(*KEYS)):
            points[0].append(node.id)
            points[1].append({tag.k: tag.v for tag in node.tags})
            nodes[0].append(node.id)
            nodes[1].append(node.lon)
            nodes[2].append(node.lat)
        progress("nodes", 0.5)
        members = {ref for several in relation_members for kind, ref, _ in several if kind == WAY}
        for chosen in (KeyFilter(*KEYS), IdFilter(members)):
            ways_only = EntityFilter(WAYS)
            for way in (
                processor(path, NODES | WAYS).with_locations().with_filter(ways_only).with_filter(chosen)
            ):
                keep(way)
            progress("ways", 0.9)
    except (RuntimeError, ValueError, OSError) as error:
        raise BadData(
            f"damaged, truncated or no OpenStreetMap file ({str(error).splitlines()[0]})",
            str(path),
            "fetch it again",
        ) from error
    if not nodes[0]:
        raise BadData(
            "holds no building, road or place", str(path), "check that it is an extract of OpenStreetMap"
        )
    return Elements.of(
        nodes,
        points,
        (way_ids, counts, refs, way_tags),
        (list(relation_ids), relation_tags, relation_members),
    )
