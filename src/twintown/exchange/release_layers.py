"""Layers that go out: what a remedy made, and what a decision grades lower. Always a layer of its own; the source stays as it is.

`<layer>-release-<n>` carries in its provenance what was done, and in `meta["release"]` of what it was made and by which release.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from twintown.ground.errors import BadSettings
from twintown.ground.grid import Grid
from twintown.ground.names import Name, check_id
from twintown.ground.provenance import Step
from twintown.store.lock import locked
from twintown.store.tables import ADDED
from twintown.trust.grades import Grade
from twintown.twin.description import Column, LayerEntry
from twintown.twin.layers import LayerVersion, Shape, Twin

from .matter import Matter
from .release import ANYONE
from .released import origin


def keep(matter: Matter, shape: Shape, about: Mapping[str, Any]) -> str:
    """A new layer from what a remedy made, graded as the asset is. Returns its id.

    Raises:
        Busy: a build is at work. StorageFailed: it could not be kept; nothing has changed.
    """
    with locked(matter.twin.directory):
        staged = _stage(matter, shape, matter.grade, about)
        matter.twin.writing().tables.switch({staged.layer: staged.version})
    matter.twin.watch.touch()
    return staged.layer


@contextmanager
def lowered(matter: Matter, release: str) -> Iterator[LayerVersion | None]:
    """The asset at the grade that a decision gives it, staged and not current yet; none where its grade is low enough already.

    To anyone it goes as O, to peers at most as S. The twin is locked while the block runs, in which the caller switches to it together
    with the decision.
    """
    wanted = Grade.O if matter.audience == ANYONE else Grade.S
    if matter.asset.kind != "layer" or matter.grade.within(wanted):
        yield None
        return
    with locked(matter.twin.directory):
        part = matter.parts[0]
        shape = matter.twin.read(part, matter.grant)
        about = {**dict(part.meta.get("release", {})), "decided": release}
        step = Step(
            "released", "twintown", {"release": release, "from": part.grade.value, "to": wanted.value}
        )
        made = replace(shape, provenance=shape.provenance.then(step))
        yield _stage(matter, made, wanted, about, part.layer if matter.made else "", release)


def _stage(
    matter: Matter, shape: Shape, grade: Grade, about: Mapping[str, Any], layer: str = "", decided: str = ""
) -> LayerVersion:  # fmt: skip
    twin, part = matter.twin, matter.parts[0]
    writer = twin.writing()
    root = origin(part.layer)
    name = layer or _free(writer, root)
    number = name.rpartition("-")[2]
    title = (
        part.title
        if layer
        else Name(f"{part.title.ko} (공개본 {number})", f"{part.title.en} (release {number})")
    )
    columns = {
        one["name"]: Column(Name.of(one["title"]), one["unit"]) for one in part.meta.get("columns", ()) if one["name"] != "id"
    }  # fmt: skip
    said: dict[str, Any] = {"release": {"of": root, "version": part.version, **about}}
    if not isinstance(shape, Grid):  # of a grid, `origin` is its corner
        said |= {"origin": ADDED, "editable": False}
    entry = LayerEntry(name, title, None, (), columns)
    version = writer.stage(
        name, shape, grade, said, entry=entry, kind=part.kind if layer else "", decided=decided
    )
    writer.index(version)
    return version


def _free(writer: Twin, root: str) -> str:
    """The next id of a layer that is made from another one for a release. Raises BadSettings: it cannot be."""
    number = 1
    while writer.tables.layer_history(f"{root}-release-{number}"):
        number += 1
    try:
        return check_id(f"{root}-release-{number}", "layer")
    except BadSettings as error:
        raise BadSettings(
            "the id of the layer is too long for its releases", root, "give the layer a shorter id"
        ) from error
