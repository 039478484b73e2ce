"""Restricted sites: what of an asset shows within them. The sites are the twin's own configuration; none is shipped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import shapely

from twintown.ground.bounds import Bounds
from twintown.ground.frames import Frame

from .content import Content, OfLayer
from .findings import MOST_PLACES, Finding, message
from .matter import Matter
from .rules import Site


def check_sites(matter: Matter) -> Iterator[Finding]:
    """Objects and known cells within the sites."""
    content = matter.content
    if content is not None and content.kind == "grid":
        yield from _site_cells(matter, content)
    elif content is not None and content.kind == "features":
        yield from _site_objects(matter, content)


def sites_of(matter: Matter) -> list[tuple[Site, Any]]:
    """The restricted sites and their shapes in the frame (metres); those of a layer are read through the Grant."""
    frame, found = matter.twin.description.frame, []
    for site in matter.rules.sites:
        if site.outline:
            shape = shapely.Polygon(np.column_stack(frame.from_lonlat(*zip(*site.outline, strict=True))))
            found.append((site, shape.buffer(site.buffer_m) if site.buffer_m else shape))
            continue
        everything = replace(matter.grant, area=None, finest_m=0.0)
        layer = OfLayer(matter.twin, matter.twin.version(site.layer, everything), everything)
        drawn = [
            one for _, shapes in layer.shapes() for one in shapes if one is not None and not one.is_empty
        ]
        if drawn:
            found.append((site, shapely.union_all(drawn).buffer(site.buffer_m)))
    return found


def within(content: Content, site: Any) -> list[tuple[str, Any]]:
    """The objects that meet a site: id and shape."""
    shapely.prepare(site)
    met: list[tuple[str, Any]] = []
    for ids, shapes in content.shapes():
        hit = np.flatnonzero(shapely.intersects(site, shapes))
        met += [(str(ids[at]), shapes[at]) for at in hit]
    return met


def _site_objects(matter: Matter, content: Content) -> Iterator[Finding]:
    found = matter.rules.at("site-objects", matter.reach)
    if found is None:
        return
    rule, severity = found
    frame = matter.twin.description.frame
    for site, shape in sites_of(matter):
        if met := within(content, shape):
            places = [place(frame, id, *inside(one), site=site.id) for id, one in met[:MOST_PLACES]]
            yield rule.finding(
                severity,
                message(
                    f"제한 구역 “{site.title['ko']}” 안에 객체 {len(met)}개가 보입니다",
                    f"{len(met)} objects show within the restricted site “{site.title['en']}”",
                ),
                {"objects": len(met), "site": site.id, "places": len(met)}, places=places, remedies=("mask",),
            )  # fmt: skip


def _site_cells(matter: Matter, content: Content) -> Iterator[Finding]:
    found = matter.rules.at("site-cells", matter.reach)
    if found is None:
        return
    rule, severity = found
    frame = matter.twin.description.frame
    for site, shape in sites_of(matter):
        if not Bounds(*shape.bounds).intersects(content.lattice.bounds):
            continue
        count, first = content.known_in(shape)
        if first is not None:
            where = place(frame, "", *first, site=site.id)
            yield rule.finding(
                severity,
                message(
                    f"제한 구역 “{site.title['ko']}”을(를) 덮는 격자값 {count}개가 있습니다",
                    f"{count} known cells lie in the restricted site “{site.title['en']}”",
                ),
                {"cells": count, "site": site.id}, places=(where,), remedies=("mask",),
            )  # fmt: skip


def inside(shape: Any) -> tuple[float, float]:
    """A point that lies in a shape."""
    point = shape.representative_point()
    return float(point.x), float(point.y)


def place(frame: Frame, id: str, x: float, y: float, **more: Any) -> dict[str, Any]:
    """Where something is, as findings say it: degrees, six decimals."""
    lon, lat = frame.to_lonlat(x, y)
    return {**({"id": id} if id else {}), "lon": round(float(lon), 6), "lat": round(float(lat), 6), **more}
