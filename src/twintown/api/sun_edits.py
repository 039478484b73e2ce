"""Edits that the page's quick sun is asked about: heights alone, or anything that a plan does, of a scenario or in the hand."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue

from twintown.api.guard import Asked
from twintown.api.schemas import Model

MOST_EDITS = 200
_HEIGHT = {"op", "object", "height_m"}
_SCHEMA: dict[str, Any] = {
    "type": "object", "required": ["object"],
    "properties": {
        "op": {"enum": ["add", "replace", "remove", "set"], "default": "set"},
        "object": {"type": "string", "minLength": 1, "maxLength": 200, "examples": ["relation/8824257"]},
        "height_m": {"type": "number", "minimum": 0, "maximum": 1000},
    },
}  # fmt: skip
SunEdit = Annotated[dict[str, JsonValue], Field(json_schema_extra=_SCHEMA)]


class HeightEdit(Model):
    """Another height for one building; its parts follow in proportion. Nothing at all is a height too: it is gone."""

    op: Literal["set"] = "set"
    object: str = Field(min_length=1, max_length=200, description="id of a building")
    height_m: float = Field(ge=0, le=1000, allow_inf_nan=False)


def read_edits(asked: Asked, sent: Sequence[Mapping[str, Any]], scenario: str | None) -> list[dict[str, Any]]:
    """The edits of a scenario in force (`id` or `id@revision`), then those that are sent.

    Raises BadParameter: an edit that is none, no such revision; NotFound: no such scenario.
    """
    from pydantic import ValidationError

    from twintown.city import edits as city
    from twintown.ground.errors import BadParameter

    frame = asked.served.twin.description.frame
    read: list[dict[str, Any]] = []
    for index, edit in enumerate(sent):
        if (
            edit.get("op", "set") == "set"
            and set(edit) <= _HEIGHT
            and ("height_m" in edit or "op" not in edit)
        ):
            try:
                read.append(HeightEdit.model_validate(edit).model_dump())
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(str(one) for one in first["loc"])
                raise BadParameter(
                    f"inputs.edits.{index}.{where}", first["msg"], remedy="give a building and a height from 0 to 1000 m"
                ) from None  # fmt: skip
        else:
            read.append(city.parse(edit, frame, f"inputs.edits.{index}"))
    if scenario is None:
        return read
    from twintown.scenario.plans import Plans

    return [*Plans(asked.served.twin.tables).resolve(scenario).edits, *read]


def heights_only(edits: Sequence[Mapping[str, Any]], known: Container[str]) -> bool:
    """Whether nothing but heights of buildings that are there is edited, which is answered quickest."""
    return all(
        edit["op"] == "set" and set(edit) == _HEIGHT and (edit["object"] in known or not _new(edit))
        for edit in edits
    )


def _new(edit: Mapping[str, Any]) -> bool:
    return str(edit["object"]).startswith("new/")
