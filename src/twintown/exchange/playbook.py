"""A playbook: what a city knows how to do, so that another can do it with its own layers.

A chain of processes with their parameters, the layers that it needs with columns and units, thresholds with their source, how the answer
is drawn and told in numbers, what it was validated against, and the know-how of running it. It is text: it holds no code, and asks for
processes by their names. Its file is `playbook.toml`:

    [playbook]      id, version, names, about, licence
    [author]        city, did, department, contact
    [[needs]]       layer, shape, geometry, least, why   [needs.columns] NAME = unit ("" for what has none)
    [[thresholds]]  id, names, value, unit, source, convention
    [[steps]]       id, process, versions, title   [steps.inputs] NAME = value   [steps.takes] NAME = "<step>.<output>"
    [answer]        step, output, style, label   [[answer.numbers]]   [answer.worst]
    [knowhow]       sizing, cost, update, service
    [[validation]]  id, what, process or file

A value of an input that begins with @ is looked up: `@shortest-day`, or `@` and the id of a threshold.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from twintown.ground.errors import BadData, BadInput
from twintown.ground.names import Name, check_id
from twintown.ground.units import check_unit

from .playbook_answer import Answer

FILE = "playbook.toml"
KNOWHOW = ("sizing", "cost", "update", "service")
SHORTEST_DAY = "@shortest-day"
_SHAPES = ("features", "grid", "series", "table")
One = TypeVar("One")


@dataclass(frozen=True)
class Need:
    """A layer that the chain reads: its shape, of features their geometry and how many at least, and columns with their units."""

    layer: str
    shape: str
    geometry: str
    least: int
    columns: Mapping[str, str]
    why: Name


@dataclass(frozen=True)
class Threshold:
    """A number that decides, and where it is from; `convention`: no standard says it, the author chose it."""

    id: str
    names: Name
    value: float
    unit: str
    source: Name
    convention: bool


@dataclass(frozen=True)
class Step:
    """One process of the chain: its inputs, and which of them are results of earlier steps (step, output)."""

    id: str
    process: str
    versions: tuple[str, ...]
    title: Name
    inputs: Mapping[str, Any] = field(default_factory=dict)
    takes: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """What the playbook was validated against: a case of a process, or numbers that it gave in a city (`file`)."""

    id: str
    what: Name
    process: str
    file: str


@dataclass(frozen=True)
class Playbook:
    """A playbook, checked."""

    id: str
    version: str
    names: Name
    about: Name
    licence: str
    author: Mapping[str, Any]
    needs: tuple[Need, ...]
    thresholds: tuple[Threshold, ...]
    steps: tuple[Step, ...]
    answer: Answer
    knowhow: Mapping[str, Name]
    validation: tuple[Case, ...]

    @classmethod
    def parse(cls, raw: bytes, where: str = FILE) -> Playbook:
        """From the bytes of a `playbook.toml`.

        Raises:
            BadData: it is none: no TOML, a key too many or too few, a step that takes what no earlier step gives.
        """
        try:
            return _playbook(tomllib.loads(raw.decode("utf-8")))
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise BadData(f"is not TOML ({str(error)[:120]})", where, "mend that line") from error
        except BadInput as error:
            raise BadData(error.what, f"{where}: {error.where}", error.remedy) from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadData(
                f"is no playbook ({type(error).__name__}: {str(error)[:120]})", where, "see the how-to"
            ) from error

    def threshold(self, id: str) -> Threshold:
        """One of its thresholds. Raises BadData."""
        for one in self.thresholds:
            if one.id == id:
                return one
        raise BadData(f"has no threshold {id[:60]!r}", f"playbook {self.id}", "mend the playbook")

    def inputs(
        self, step: Step, day: str, lat: float, chosen: Mapping[str, float] | None = None
    ) -> dict[str, Any]:
        """The inputs of a step for a city, without those that are results.

        Args:
            day: the twin's day (ISO 8601); `lat`: where it is, degrees.
            chosen: other values for thresholds, by id.
        """
        values = {one.id: one.value for one in self.thresholds} | dict(chosen or {})

        def value(said: Any) -> Any:
            if said == SHORTEST_DAY:
                return shortest_day(day, lat)
            return values[said[1:]] if isinstance(said, str) and said.startswith("@") else said

        return {name: value(said) for name, said in step.inputs.items()}


def shortest_day(day: str, lat: float) -> str:
    """The shortest day of a year at a latitude (degrees), ISO 8601: 22 December in the north, 21 June in the south.

    The solstice is up to a day off that; the sun's declination differs by less than 0.01° then.
    """
    year = date.fromisoformat(day).year
    return f"{year}-12-22" if lat >= 0 else f"{year}-06-21"


def _playbook(said: Mapping[str, Any]) -> Playbook:
    _keys(said, "the document", "playbook author steps answer", "needs thresholds knowhow validation")
    head = said["playbook"]
    _keys(head, "playbook", "id version names about", "licence")
    if not isinstance(head["version"], str) or not 0 < len(head["version"]) <= 40:
        raise BadData(f"{head['version']!r} is no version", "playbook.version", 'write a text, as "1.0"')
    author = said["author"]
    _keys(author, "author", "city", "did department contact")
    thresholds = _each(said.get("thresholds", []), _threshold)
    steps = _each(said["steps"], _step)
    _chained(steps, {one.id for one in thresholds})
    answer = Answer.of(said["answer"], {one.id for one in thresholds})
    if answer.step not in {one.id for one in steps}:
        raise BadData(f"there is no step {answer.step!r}", "answer.step", "name a step")
    knowhow = said.get("knowhow", {})
    _keys(knowhow, "knowhow", "", " ".join(KNOWHOW))
    return Playbook(
        check_id(head["id"], "playbook.id"), head["version"], Name.of(head["names"], "playbook.names"),
        Name.of(head["about"], "playbook.about"), _text(head.get("licence", ""), "playbook.licence"),
        {key: Name.of(said, "author.city").to_dict() if key == "city" else _text(said, f"author.{key}") for key, said in author.items()},
        _each(said.get("needs", []), _need, "layer"), thresholds, steps, answer,
        {key: Name.of(text, f"knowhow.{key}") for key, text in knowhow.items()}, _each(said.get("validation", []), _case),
    )  # fmt: skip


def _need(said: Mapping[str, Any]) -> Need:
    where = f"needs.{said.get('layer', '?')}"
    _keys(said, where, "layer shape why", "geometry least columns")
    if said["shape"] not in _SHAPES:
        raise BadData(f"{said['shape']!r} is no shape", where, f"use one of {', '.join(_SHAPES)}")
    columns = {
        str(name): check_unit(unit, f"{where}.{name}") if unit else "" for name, unit in said.get("columns", {}).items()
    }  # fmt: skip
    return Need(
        check_id(said["layer"], where), said["shape"], _text(said.get("geometry", ""), where), int(said.get("least", 0)), columns,
        Name.of(said["why"], where),
    )  # fmt: skip


def _threshold(said: Mapping[str, Any]) -> Threshold:
    where = f"thresholds.{said.get('id', '?')}"
    _keys(said, where, "id names value unit source", "convention")
    if isinstance(said["value"], bool) or not isinstance(said["value"], int | float):
        raise BadData(f"{said['value']!r} is no number", where)
    return Threshold(
        check_id(said["id"], where), Name.of(said["names"], where), float(said["value"]), check_unit(said["unit"], where),
        Name.of(said["source"], where), bool(said.get("convention", False)),
    )  # fmt: skip


def _step(said: Mapping[str, Any]) -> Step:
    where = f"steps.{said.get('id', '?')}"
    _keys(said, where, "id process", "versions title inputs takes")
    takes = {}
    for name, whence in said.get("takes", {}).items():
        step, dot, output = str(whence).partition(".")
        if not dot:
            raise BadData(f"{whence!r} is no result", f"{where}.{name}", 'write "<step>.<output>"')
        takes[str(name)] = (step, output)
    return Step(
        check_id(said["id"], where), check_id(said["process"], where), tuple(map(str, said.get("versions", []))),
        Name.of(said.get("title", said["id"]), where), dict(said.get("inputs", {})), takes,
    )  # fmt: skip


def _case(said: Mapping[str, Any]) -> Case:
    where = f"validation.{said.get('id', '?')}"
    _keys(said, where, "id what", "process file")
    return Case(
        check_id(said["id"], where), Name.of(said["what"], where), _text(said.get("process", ""), where), _text(said.get("file", ""), where)
    )  # fmt: skip


def _chained(steps: tuple[Step, ...], thresholds: set[str]) -> None:
    """Whether every step takes only what is there before it. Raises BadData."""
    before: set[str] = set()
    if not 0 < len(steps) <= 20:
        raise BadData(f"has {len(steps)} steps", "steps", "give 1 to 20")
    for step in steps:
        for name, (source, _) in step.takes.items():
            if source not in before:
                raise BadData(
                    f"takes {name!r} from {source!r}, which is no earlier step",
                    f"steps.{step.id}",
                    "order the steps",
                )
        for name, value in step.inputs.items():
            known = (
                value == SHORTEST_DAY
                or not (isinstance(value, str) and value.startswith("@"))
                or value[1:] in thresholds
            )
            if not known:
                raise BadData(
                    f"{value!r} is nothing that is looked up",
                    f"steps.{step.id}.{name}",
                    f"use {SHORTEST_DAY} or a threshold",
                )
        before.add(step.id)


def _each(said: Any, make: Callable[[Mapping[str, Any]], One], mark: str = "id") -> tuple[One, ...]:
    if not isinstance(said, list) or len(said) > 100:
        raise BadData("must be a list of at most 100 tables", "the document")
    made = tuple(make(one) for one in said)
    ids = [getattr(one, mark) for one in made]
    if twice := [one for one in ids if ids.count(one) > 1]:
        raise BadData(f"{twice[0]!r} stands twice", "the document", "give each its own")
    return made


def _keys(table: object, where: str, required: str, optional: str) -> None:
    if not isinstance(table, Mapping):
        raise BadData("must be a table", where)
    need, may = set(required.split()), set(optional.split())
    if missing := sorted(need - set(table)):
        raise BadData(f"{missing[0]!r} is missing", where, "add it")
    if unknown := sorted(set(table) - need - may):
        raise BadData(
            f"unknown key {str(unknown[0])[:60]!r}", where, f"known here: {', '.join(sorted(need | may))}"
        )


def _text(said: object, where: str) -> str:
    if not isinstance(said, str) or len(said) > 500:
        raise BadData("is no text of at most 500 letters", where)
    return said
