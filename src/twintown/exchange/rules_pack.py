"""Reading the rules of the release gate: packs as they are shipped or lie beside twintown.toml, and `[release]` of a twin's description.

[release]            pack = "korea" (or a file beside twintown.toml), country = "KR"
[release.rules.ID]   value, source, article, seen, severity, …: in place of the pack's; who changes a limit says by which source
[[release.sites]]    id, title, outline (lon, lat) or layer, buffer_m, source, example
[release.layers.ID]  is, quasi_identifiers, sensitive, counts, groups, withheld, resolution_m: what the gate must know of a layer
[release.licences.ID]  title, short, conditions: a licence of the city's own (see rules/licences.toml)
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from twintown.ground.errors import BadSettings

from .findings import SEVERITIES
from .rules import REACHES, STATUS, About, Rule, Rules, Site

PACKS = ("korea", "europe", "general")
_KNOWN = {
    "id",
    "title",
    "value",
    "unit",
    "source",
    "article",
    "url",
    "seen",
    "status",
    "verified",
    "severity",
}


def rules_of(table: Mapping[str, Any], directory: Path, time_zone: str = "") -> Rules:
    """The rules of a twin, from `[release]` of its description.

    Args:
        directory: of the twin, where a pack of its own may lie.
        time_zone: of the twin; without a pack it is `korea` in Asia/Seoul and `general` elsewhere.

    Raises:
        BadSettings: naming the entry.
    """
    _keys(table, "release", "pack country rules sites layers licences")
    chosen = str(table.get("pack") or ("korea" if time_zone == "Asia/Seoul" else "general"))
    pack = _packaged(chosen) if chosen in PACKS else _own(directory / chosen)
    rules = dict(pack.rules)
    for name in ("rules", "layers", "licences"):
        if not isinstance(table.get(name, {}), Mapping):
            raise BadSettings("must be a table", f"release.{name}")
    for id, said in dict(table.get("rules", {})).items():
        where = f"release.rules.{id}"
        if not isinstance(said, Mapping) or not said.get("source"):
            raise BadSettings("changes a rule without its source", where, 'add source = "…"')
        rules[id] = _rule({"status": f"as the twin says; {STATUS}", **said, "id": id}, rules.get(id), where)
    return replace(
        pack, country=str(table.get("country", pack.country)), rules=rules, licences=dict(table.get("licences", {})),
        sites=tuple(_site(one) for one in table.get("sites", ())),
        layers={id: _about(one, f"release.layers.{id}") for id, one in dict(table.get("layers", {})).items()},
    )  # fmt: skip


@cache
def _packaged(name: str) -> Rules:
    text = files("twintown.exchange").joinpath("rules", f"{name}.toml").read_text("utf-8")
    return _pack(tomllib.loads(text), f"pack {name}")


def _own(path: Path) -> Rules:
    try:
        return _pack(tomllib.loads(path.read_text("utf-8")), str(path))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSettings(
            f"no pack of rules: {str(error).splitlines()[0]}", f"release.pack {path.name}",
            f"name a TOML file beside twintown.toml, or one of {', '.join(PACKS)}",
        ) from error  # fmt: skip


def _pack(document: Mapping[str, Any], where: str) -> Rules:
    _keys(document, where, "id extends country title status rules")
    before = _packaged(document["extends"]).rules if "extends" in document else {}
    rules = dict(before)
    for said in document.get("rules", ()):
        id = str(said.get("id", "?"))
        rules[id] = _rule({"status": document.get("status", STATUS), **said}, rules.get(id), f"{where}.{id}")
    return Rules(str(document["id"]), str(document.get("country", "")), rules)


def _rule(said: Mapping[str, Any], before: Rule | None, where: str) -> Rule:
    """A rule, over the one that it takes the place of: what is not said stays, but for how sure it is."""
    missing = [name for name in ("source", "seen") if name not in said and before is None]
    if missing or (before is None and "severity" not in said):
        raise BadSettings(f"{(missing or ['severity'])[0]!r} is missing", where, "add it")
    severity = {**(before.severity if before else {}), **dict(said.get("severity", {}))}
    for reach, weight in severity.items():
        if reach not in REACHES or weight not in (*SEVERITIES, "off"):
            raise BadSettings(
                f"{reach} = {weight!r} is no severity",
                f"{where}.severity",
                f"use {', '.join(SEVERITIES)} or off",
            )
    value = said.get("value", before.value if before else None)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or value < 0):
        raise BadSettings(f"{value!r} is no limit", f"{where}.value", "write a number")
    fresh = {name: said[name] for name in said if name not in _KNOWN}
    return Rule(
        id=str(said["id"]), title=dict(said.get("title") or (before.title if before else {"ko": said["id"], "en": said["id"]})),
        source=str(said.get("source", before.source if before else "")), seen=str(said.get("seen", "")), severity=severity,
        value=None if value is None else float(value), unit=str(said.get("unit", before.unit if before else "")),
        article=str(said.get("article", "")), url=str(said.get("url", "")), status=str(said.get("status", STATUS)),
        verified=bool(said.get("verified", True)), options={**(before.options if before else {}), **fresh},
    )  # fmt: skip


def _site(said: Mapping[str, Any]) -> Site:
    where = f"release.sites.{said.get('id', '?')}"
    _keys(said, where, "id title outline layer buffer_m source example")
    if "id" not in said or ("outline" in said) == ("layer" in said):
        raise BadSettings("a site needs an id, and an outline or a layer", where)
    try:
        outline = tuple((float(x), float(y)) for x, y in said.get("outline", ()))
        buffer = float(said.get("buffer_m", 0.0))
    except (TypeError, ValueError) as error:
        raise BadSettings("is no ring of [longitude, latitude]", f"{where}.outline") from error
    if "outline" in said and len(outline) < 3:
        raise BadSettings("a ring needs three corners", f"{where}.outline")
    title = said.get("title", said["id"])
    names = {"ko": title, "en": title} if isinstance(title, str) else dict(title)
    return Site(
        str(said["id"]), names, outline, str(said.get("layer", "")), buffer, str(said.get("source", ""))
    )


def _about(said: Mapping[str, Any], where: str) -> About:
    lists = "quasi_identifiers sensitive counts groups withheld"
    _keys(said, where, f"is resolution_m {lists}")
    kind = str(said.get("is", ""))
    if kind not in ("", "persons", "terrain", "imagery", "interior", "other"):
        raise BadSettings(
            f"{kind!r} is not known", f"{where}.is", "use persons, terrain, imagery, interior or other"
        )
    columns = {name: tuple(str(one) for one in said.get(name, ())) for name in lists.split()}
    return About(kind, resolution_m=float(said.get("resolution_m", 0.0)), **columns)


def _keys(table: object, where: str, known: str) -> None:
    if not isinstance(table, Mapping):
        raise BadSettings("must be a table", where)
    if unknown := sorted(set(table) - set(known.split())):
        raise BadSettings(f"unknown key {unknown[0]!r}", where, f"known here: {known.replace(' ', ', ')}")
