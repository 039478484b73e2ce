"""Spatial security: grades, how fine grids and coordinates are, the inside of buildings, maps that go abroad."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely
from numpy.typing import NDArray

from twintown.trust.grades import Grade

from .content import Content
from .findings import Finding, Severity, message
from .matter import Matter
from .rules import Rule
from .rules_sites import place

#: Vertices that are looked at to see how finely coordinates are written.
SAMPLE = 20_000


def check_grade(matter: Matter) -> Iterator[Finding]:
    """What is not open leaves by a person's word only; what is classified only after a remedy."""
    found = matter.rules.at("grade", matter.reach)
    if found is None or matter.grade is Grade.O:
        return
    rule, severity = found
    closed = matter.grade is Grade.C and not matter.made
    weight: Severity = "forbids" if closed and rule.options.get("classified") == "forbids" else severity
    grade, layers = matter.grade, [part.layer for part in matter.parts if part.grade is matter.grade]
    yield rule.finding(
        weight,
        message(
            f"등급 {grade.value} ({grade.title.ko})입니다: {', '.join(layers[:5])}",
            f"it is graded {grade.value} ({grade.title.en}): {', '.join(layers[:5])}",
        ),
        {"grade": grade.value, "layers": len(layers)}, layers=tuple(layers),
        remedies=("mask", "coarsen", "aggregate", "withhold") if closed else (),
    )  # fmt: skip


def check_spatial(matter: Matter) -> Iterator[Finding]:
    """What the cells, coordinates and objects of the asset show that a rule keeps back."""
    content = matter.content
    if content is None:
        return
    if content.kind == "grid":
        yield from _cells(matter, content)
    elif content.kind == "features":
        yield from _heights(matter, content)
    yield from _interior(matter, content)
    if content.kind in ("grid", "features"):
        yield from _export(matter, content)


def terrain_rule(matter: Matter, content: Content) -> tuple[Rule, Severity] | None:
    """The limit of cells that holds for this grid: of terrain, of imagery, or none."""
    said = matter.rules.about(content.layer).kind
    for id, kind in (("terrain-cell", "terrain"), ("imagery-cell", "imagery")):
        found = matter.rules.at(id, matter.reach)
        if found is None:
            continue
        words = (*found[0].words("quantities"), *found[0].words("names"))
        if said == kind or (not said and _named(content.words, words)):
            return found
    return None


def _named(said: tuple[str, ...], words: tuple[str, ...]) -> bool:
    parts = {part for text in said for part in text.replace("_", "-").replace(" ", "-").split("-")} | set(
        said
    )
    return any(word in parts or (not word.isascii() and any(word in text for text in said)) for word in words)


def _cells(matter: Matter, content: Content) -> Iterator[Finding]:
    found = terrain_rule(matter, content)
    if found is None:
        return
    rule, severity = found
    lattice = content.lattice
    if lattice.width >= rule.limit * (1 - 1e-9):
        return
    yield rule.finding(
        severity,
        message(
            f"격자 간격 {lattice.width:g} m는 한도 {rule.limit:g} m보다 정밀합니다",
            f"cells of {lattice.width:g} m are finer than the limit of {rule.limit:g} m",
        ),
        {"cell_m": lattice.width, "cells": lattice.rows * lattice.cols},
        places=(place(matter.twin.description.frame, "", *lattice.bounds.centre),), remedies=("coarsen",),
    )  # fmt: skip


def _interior(matter: Matter, content: Content) -> Iterator[Finding]:
    found = matter.rules.at("interior", matter.reach)
    if found is None:
        return
    rule, severity = found
    said = matter.rules.about(content.layer).kind
    columns = [name for name in content.units if name.casefold() in rule.words("columns")]
    whole = said == "interior" or content.layer.partition("-release-")[0] in rule.words("names")
    if not whole and not columns:
        return
    yield rule.finding(
        severity,
        message(
            f"건물 내부 정보입니다: {', '.join(columns) or content.layer}",
            f"it shows the inside of buildings: {', '.join(columns) or content.layer}",
        ),
        {"columns": len(columns), "objects": content.count}, remedies=("withhold",) if columns and not whole else (),
    )  # fmt: skip


def _heights(matter: Matter, content: Content) -> Iterator[Finding]:
    """Points with heights above the sea, closer together than the limit: terrain by another name."""
    found = matter.rules.at("heights-spacing", matter.reach)
    if found is None:
        return
    rule, severity = found
    columns = [name for name in content.units if name.casefold() in rule.words("columns")]
    count, solid, box = 0, False, None
    for _, shapes in content.shapes():
        count += len(shapes)
        solid = solid or bool(shapely.has_z(shapes).any())
        sides = shapely.total_bounds(shapes)
        box = sides if box is None else np.array([*np.fmin(box[:2], sides[:2]), *np.fmax(box[2:], sides[2:])])
    if box is None or not (columns or solid) or count < 2:
        return
    spacing = float(np.sqrt(max((box[2] - box[0]) * (box[3] - box[1]), 1e-9) / count))
    if spacing >= rule.limit:
        return
    yield rule.finding(
        severity,
        message(
            f"해발 높이를 가진 객체 {count}개가 평균 {spacing:.0f} m 간격으로 있습니다 (한도 {rule.limit:g} m)",
            f"{count} objects with heights above the sea lie {spacing:.0f} m apart on average (limit {rule.limit:g} m)",
        ),
        {"objects": count, "spacing_m": round(spacing, 1)}, remedies=("withhold",),
    )  # fmt: skip


def _export(matter: Matter, content: Content) -> Iterator[Finding]:
    """How finely coordinates are written, as the scale of a map that could be drawn from them."""
    found = matter.rules.at("export-scale", matter.reach)
    if found is None:
        return
    rule, severity = found
    limit = rule.limit * float(rule.options.get("drawn_mm", 0.5)) / 1000
    finest = matter.rules.about(content.layer).resolution_m or resolution(content)
    if finest >= limit * (1 - 1e-9):
        return
    words = rule.words("surveys")
    surveys = [
        one.title for one in content.provenance.sources if any(word in f"{one.publisher} {one.title}".casefold() for word in words)
    ]  # fmt: skip
    scale = max(1, round(finest / float(rule.options.get("drawn_mm", 0.5)) * 1000))
    if surveys:
        ko = f"측량성과({', '.join(surveys[:3])})에서 만든 것으로, 축척 1:{rule.limit:,.0f}보다 정밀합니다 (좌표 {finest:g} m)"
        en = f"it is made from survey results ({', '.join(surveys[:3])}) and finer than 1:{rule.limit:,.0f} (coordinates of {finest:g} m)"
    else:
        ko = f"축척 1:{rule.limit:,.0f}보다 정밀합니다 (좌표 {finest:g} m). 출처에는 측량성과가 없습니다: 확인만 필요합니다"
        en = f"finer than 1:{rule.limit:,.0f} (coordinates of {finest:g} m); none of its sources is a survey result: to be confirmed"
    yield rule.finding(
        severity if surveys else "notes", message(ko, en),
        {"resolution_m": finest, "limit_m": limit, "scale": scale, "survey_sources": len(surveys)},
        remedies=("coarsen",) if surveys else (),
    )  # fmt: skip


def resolution(content: Content) -> float:
    """How finely places are told, metres: the cell of a grid; of shapes, the coarsest mesh on which all coordinates lie."""
    if content.kind == "grid":
        return content.lattice.width
    seen: list[NDArray[np.float64]] = []
    left = SAMPLE
    for _, shapes in content.shapes():
        seen.append(shapely.get_coordinates(shapes)[:left])
        left -= len(seen[-1])
        if left <= 0:
            break
    points = np.concatenate(seen) if seen else np.empty((0, 2))
    for mesh in (1000.0, 500.0, 250.0, 100.0, 50.0, 25.0, 12.5, 10.0, 5.0, 2.5, 1.0, 0.5, 0.1, 0.01):
        if len(points) and bool((np.abs(points / mesh - np.round(points / mesh)) * mesh < 1e-3).all()):
            return mesh
    return 0.001
