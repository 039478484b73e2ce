"""The words of scenarios on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import Field, JsonValue, StrictInt

from twintown.api.guard import Asked
from twintown.api.problems import Problem
from twintown.api.schemas import Model
from twintown.city.edits import MOST_EDITS
from twintown.ground.features import Features
from twintown.scenario import built
from twintown.scenario.plans import Plans
from twintown.scenario.scenario import Entry, Scenario, in_force

ScenarioId = Annotated[
    str,
    Path(description="id of the scenario", max_length=36, examples=["01jd4n6v2b8gq5w0z7c9x3t1ke"]),
]
Who = Annotated[
    str,
    Field(default="", max_length=80, description="the name that you go by, where no token says who you are"),
]
Client = Annotated[
    str,
    Field(
        default="",
        max_length=64,
        description="of your choice, the same for all that one page or program sends: it does not overtake itself",
    ),
]
_EDIT = {
    "type": "object", "required": ["op"],
    "properties": {
        "op": {"enum": ["add", "replace", "remove", "set"]},
        "object": {"type": "string", "maxLength": 200},
    },
}  # fmt: skip
SentEdit = Annotated[dict[str, JsonValue], Field(json_schema_extra=_EDIT)]


class Author(Model):
    """Who said or did something."""

    name: str
    kind: Literal["anyone", "person", "owner"]
    verified: bool = Field(
        description="whether a token proves it; a name that was only typed is not verified"
    )


class BaseVersion(Model):
    """The version of a layer that a scenario rests on."""

    version: str
    digest: str
    current: bool = Field(description="whether the twin shows the same content now")


class Decision(Model):
    """Who approved a scenario, when and why."""

    who: Author
    at: datetime
    why: str
    revision: int
    versions: dict[str, str] = Field(description="the base at that moment, by layer")
    job: str = Field(default="", description="id of the job that made it part of the city")


class ScenarioBrief(Model):
    """A scenario in a list."""

    id: str
    name: str
    about: str
    state: Literal["draft", "approved", "withdrawn"]
    parent: str | None = Field(description="id of the scenario that it was branched from")
    parent_revision: int | None
    revision: int = Field(description="number of its last entry")
    author: Author
    created: datetime
    updated: datetime
    decision: Decision | None


class ScenarioFull(ScenarioBrief):
    """A scenario: a base, parameters, and a journal of edits."""

    base: dict[str, BaseVersion]
    moved: bool = Field(description="whether the twin has other buildings by now than the scenario rests on")
    parameters: dict[str, JsonValue]
    edits: int = Field(description="how many edits are in force")
    digest: str = Field(description="of base, edits in force and parameters: equal plans have equal digests")


class ScenarioList(Model):
    """The scenarios of a twin, last changed first."""

    scenarios: list[ScenarioBrief]


class ScenarioEntry(Model):
    """One entry of the journal."""

    seq: int
    kind: Literal["edit", "undo", "comment", "parameters", "name", "about", "base", "state"]
    object: str = Field(description="id of the building that it is about, or empty")
    author: Author
    at: datetime
    client: str = ""
    edit: dict[str, JsonValue] | None = Field(
        default=None, description="the edit, metres of the twin's frame"
    )
    entry: int | None = Field(
        default=None, description="of an undo: the number of the entry that it takes back"
    )
    text: str | None = Field(default=None, description="of a comment")
    lon: float | None = None
    lat: float | None = None
    value: JsonValue = Field(
        default=None, description="of parameters, name, about, base, state: what it was set to"
    )
    undone_by: int | None = Field(default=None, description="number of the entry that takes this one back")
    copied: dict[str, JsonValue] | None = Field(default=None, description="where it was branched from")

    @classmethod
    def of(cls, entry: Entry, undone_by: int | None = None) -> ScenarioEntry:
        """From an entry of the journal."""
        known = {name: entry.body[name] for name in cls.model_fields if name in entry.body}
        return cls.model_validate({
            "seq": entry.seq, "kind": entry.kind, "object": entry.object, "author": entry.author, "at": entry.at,
            "undone_by": undone_by, **known,
        })  # fmt: skip


class ScenarioJournal(Model):
    """Entries, and what is in force after them."""

    revision: int
    digest: str
    entries: list[ScenarioEntry]
    in_force: list[dict[str, JsonValue]] = Field(
        description="of each building at most one that makes it, and one set"
    )


class NewEdits(Model):
    """Edits to make, and entries to take back; all or none."""

    edits: list[SentEdit] = Field(default=[], max_length=MOST_EDITS)
    undo: list[StrictInt] = Field(default=[], max_length=500, description="numbers of entries to take back")
    seen: int | None = Field(
        default=None,
        ge=0,
        strict=True,
        description="the revision that you look at; without it nothing is written (428)",
    )
    author: Who
    client: Client


class Written(Model):
    """What was written; it is on the disk."""

    revision: int
    entries: list[ScenarioEntry]


class Overtake(Problem):
    """Somebody else wrote the same building since the revision that you had seen; or the scenario is decided (then without both)."""

    revision: int | None = Field(
        default=None, description="the present one: send it as `seen` if yours shall come after"
    )
    conflicts: list[ScenarioEntry] | None = Field(
        default=None, description="what the others wrote, who and when"
    )


def plans(asked: Asked, *, write: bool = False) -> Plans:
    """The scenarios of the twin that is asked. Raises StorageFailed: it may not be written to."""
    twin = asked.served.twin.writing() if write else asked.served.twin
    return Plans(twin.tables)


def base_layers(asked: Asked, versions: Mapping[str, str]) -> tuple[Features, Features]:
    """Buildings and parts of these versions, by layer, which a scenario rests on; read once. Raises Gone, Denied, BadData."""
    from twintown.api.shelf import terms

    served = asked.served

    def make() -> tuple[Features, Features]:
        return built.read_base(served.twin, asked.grant, versions)

    return served.layers.get(("plan", *sorted(versions.items()), terms(asked.grant)), make)


def brief(one: Scenario) -> dict[str, Any]:
    """The members of `ScenarioBrief`."""
    return {
        "id": one.id, "name": one.name, "about": one.about, "state": one.state, "parent": one.parent or None,
        "parent_revision": one.parent_revision if one.parent else None, "revision": one.revision, "author": one.author,
        "created": one.created, "updated": one.updated, "decision": one.decision,
    }  # fmt: skip


def full(asked: Asked, one: Scenario) -> ScenarioFull:
    """The whole scenario, as it is now."""
    from twintown.scenario.scenario import digest

    now = {version.layer: version for version in asked.served.twin.layers(asked.grant)}
    base = {
        layer: BaseVersion(**said, current=layer in now and now[layer].digest == said["digest"])
        for layer, said in one.base.items()
    }
    force = in_force(plans(asked).entries(one.id, kinds=("edit", "undo")))
    return ScenarioFull(
        **brief(one), base=base, moved=not all(said.current for said in base.values()), parameters=dict(one.parameters),
        edits=len(force), digest=digest(one.base, force, one.parameters),
    )  # fmt: skip
