"""A question: a process and its version, its inputs, the layers by digest, the edits, the place. Its digest names it.

The same question has the same answer wherever it is asked. It is frozen when it is asked: layers that change afterwards do not
change it, because it names the versions that it means.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from twintown.ground.bounds import Bounds
from twintown.ground.errors import BadData, BadInput, BadParameter, Gone, NotFound
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.provenance import digest
from twintown.jobs.process import (
    Ask,
    Output,
    Process,
    Progress,
    Spread,
    in_memory,
    in_order,
    processes,
    silent,
)
from twintown.trust.grades import Grade, mix
from twintown.trust.policy import Grant
from twintown.trust.proof import canonical
from twintown.twin.layers import LayerVersion, Shape, Twin
from twintown.twin.versions import layer_version

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

#: The layers that edits are made to.
EDITED = ("buildings", "building-parts")
#: Hexadecimal digits of a question's digest that its result layers carry in their names.
DIGITS = 10


@dataclass(frozen=True)
class Question:
    """What is asked, frozen.

    Args:
        process, version: what answers it.
        inputs: every parameter, defaults filled in.
        layers: by layer: `version` (with `.n` where n edits were written to it), `digest` of its file, `grade`.
        edits: of a plan, in force, as `city.edits` has them (metres of the frame).
        scenario: which plan they are of (`id`, `name`, `revision`); says where the edits are from and does not count for the digest.
        place: frame, bounds (metres), zone, day of the twin.
        fresh: ask anew even where the same question was answered.
        narrowed: how the Grant narrows what is read; empty where it does not.
    """

    process: str
    version: str
    inputs: Mapping[str, Any]
    layers: Mapping[str, Mapping[str, str]]
    edits: tuple[Mapping[str, Any], ...]
    scenario: Mapping[str, Any] | None
    place: Mapping[str, Any]
    fresh: bool = False
    narrowed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """`sha256:` and 64 digits: of everything that the answer hangs on, in the canonical form of JSON (RFC 8785)."""
        said: dict[str, Any] = {
            "process": self.process, "version": self.version, "inputs": dict(self.inputs),
            "layers": {layer: one["digest"] for layer, one in self.layers.items()},
            "edits": [dict(edit) for edit in self.edits], "place": dict(self.place),
        }  # fmt: skip
        if self.narrowed:
            said["narrowed"] = dict(self.narrowed)
        return digest(canonical(said))

    @property
    def grade(self) -> Grade:
        """Of the answer: the highest of the layers that it is made from; open where it is made from none."""
        return mix([Grade.O, *(Grade.of(one["grade"]) for one in self.layers.values())])

    def layer(self, output: Output | str) -> str:
        """The id of the layer that an output is published as: `<output>-<first digits of the digest>`."""
        name = output if isinstance(output, str) else output.layer
        return f"{name}-{self.digest.partition(':')[2][:DIGITS]}"

    def to_request(self, **more: Any) -> dict[str, Any]:
        """As a job keeps it (JSON); `more` beside it (respond, subscriber, lang)."""
        return {
            "process": self.process, "version": self.version, "inputs": dict(self.inputs),
            "layers": {layer: dict(one) for layer, one in self.layers.items()},
            "edits": [dict(edit) for edit in self.edits],
            "scenario": dict(self.scenario) if self.scenario else None, "place": dict(self.place),
            "fresh": self.fresh, "narrowed": dict(self.narrowed), **more,
        }  # fmt: skip

    @classmethod
    def from_request(cls, request: Mapping[str, Any]) -> Question:
        """The inverse of `to_request`. Raises BadData: something is missing."""
        try:
            return cls(
                request["process"], request["version"], request["inputs"], request["layers"],
                tuple(request.get("edits") or ()), request.get("scenario"), request["place"],
                bool(request.get("fresh", False)), request.get("narrowed") or {},
            )  # fmt: skip
        except (KeyError, TypeError) as error:
            raise BadData(f"this is no question ({error})", "request", "ask it again") from error


def ask(
    twin: Twin,
    grant: Grant,
    process: Process | str,
    inputs: Mapping[str, Any],
    edits: Sequence[Mapping[str, Any]] = (),
    scenario: Mapping[str, Any] | None = None,
    fresh: bool = False,
    *,
    base: Mapping[str, str] | None = None,
) -> Question:
    """Check what is asked, all of it, before anything is computed, and freeze it.

    Args:
        process: itself, or its id.
        inputs: values by name; defaults fill in the rest.
        edits: in force, normalised and checked (`city.edits`).
        scenario: id, name and revision of the plan that they are of.
        base: versions to read instead of the current ones, by layer (a plan's base).

    Raises:
        BadParameter: an input cannot be, or names a layer that is not there for who asks; names it.
        NotFound: no such process, or a layer that it needs is not there.
        Gone: a version of `base` is not kept any more.
        Unauthenticated, Denied: the Grant does not cover a layer that it needs.
    """
    one = processes().find(process) if isinstance(process, str) else process
    grant.require()
    options = {name: _plain(one, name, value) for name, value in one.check(inputs).items()}
    for name, layer in one.named(options).items():
        _fits(twin, grant, one, name, layer)
    wanted = [*one.reads(options), *one.takes]
    if edits and set(EDITED) & set(wanted):
        wanted += [layer for layer in EDITED if layer not in wanted]
    there = {version.layer for version in twin.layers(grant)}
    needed = set(one.reads(options)) | (set(EDITED) & set(wanted) if edits else set())
    layers: dict[str, dict[str, str]] = {}
    for layer in dict.fromkeys(wanted):
        if layer in (base or {}) or layer in there or layer in needed:
            layers[layer] = _named(twin, grant, layer, (base or {}).get(layer, ""))
    about = twin.description
    place = {
        "frame": about.frame.to_dict(), "bounds": list(about.bounds.as_tuple()), "zone": about.time_zone,
        "day": about.day,
    }  # fmt: skip
    asked = Question(
        one.id, one.version, options, layers, tuple(dict(edit) for edit in edits), scenario, place, fresh, _narrowed(grant)
    )  # fmt: skip
    if one.accept is not None:
        one.accept(without_layers(asked))
    return asked


def shapes(
    twin: Twin,
    grant: Grant,
    question: Question,
    progress: Progress = silent,
    spread: Spread = in_order,
    room: Callable[[tuple[int, ...], DTypeLike], NDArray[Any]] = in_memory,
) -> Ask:
    """What the process is handed: the layers, read and edited, and the rest of the question.

    Raises:
        Gone: a version that the question names is not kept any more, or not the same any more.
        Unauthenticated, Denied, BadData, StorageFailed: see `Twin.read`.
        BadParameter: an edit cannot be made.
    """
    read = {layer: twin.read(found(twin, grant, layer, one), grant) for layer, one in question.layers.items()}
    return replace(
        without_layers(question), layers=edited(read, question.edits), progress=progress, spread=spread, room=room
    )  # fmt: skip


def without_layers(question: Question) -> Ask:
    """The question to a process without anything read: enough to check inputs, and to begin from files of one's own."""
    place = question.place
    return Ask(
        {},
        Frame(**place["frame"]),
        Bounds(*place["bounds"]),
        place["zone"],
        place["day"],
        dict(question.inputs),
    )


def edited(read: Mapping[str, Shape], edits: Sequence[Mapping[str, Any]]) -> dict[str, Shape]:
    """The layers with the edits of a plan made to them. Raises BadParameter, BadInput."""
    shapes_of = dict(read)
    if not edits or not set(EDITED) <= set(shapes_of):
        return shapes_of
    from twintown.city import edits as city_edits

    buildings, parts = (shapes_of[layer] for layer in EDITED)
    if not isinstance(buildings, Features) or not isinstance(parts, Features):
        raise BadInput("buildings and their parts are not features", "edits", "build the layers again")
    changed, solids, _findings = city_edits.apply(buildings, parts, [dict(edit) for edit in edits])
    return {**shapes_of, EDITED[0]: changed, EDITED[1]: solids}


def found(twin: Twin, grant: Grant, layer: str, named: Mapping[str, str]) -> LayerVersion:
    """The version of a layer that a question names.

    Raises:
        Gone: it is not kept any more, or it was edited since.
        Unauthenticated, Denied: the Grant does not cover it.
    """
    name, _, edit = named["version"].partition(".")
    try:
        version = layer_version(twin.tables.layer(layer, name))
    except NotFound as error:
        raise Gone(
            f"the version {name} of {layer} is not kept any more",
            "question",
            "ask again, of the present version",
        ) from error
    grant.require(version.grade, layer)
    revision = twin.edits.revision(layer, name) if twin.edits and version.meta.get("editable") else 0
    if revision != int(edit or 0):
        raise Gone(f"{layer} was edited since", "question", "ask again, of the layer as it is now")
    return version


def input_bytes(twin: Twin, grant: Grant, question: Question, layer: str) -> bytes:
    """The file of one layer of a question, whose digest the question names. Raises like `found`."""
    version = found(twin, grant, layer, question.layers[layer])
    if "." in question.layers[layer]["version"]:
        return _encoded(twin.read(version, grant))
    return twin.blobs.get(version.key)


def _named(twin: Twin, grant: Grant, layer: str, name: str) -> dict[str, str]:
    if name:
        version = found(twin, grant, layer, {"version": name})
    else:
        version = twin.version(layer, grant)
    revision = (
        twin.edits.revision(layer, version.version) if twin.edits and version.meta.get("editable") else 0
    )
    if not revision:
        return {"version": version.version, "digest": version.digest, "grade": version.grade.value}
    mark = digest(_encoded(twin.read(version, grant)))
    return {"version": f"{version.version}.{revision}", "digest": mark, "grade": version.grade.value}


def _fits(twin: Twin, grant: Grant, process: Process, name: str, layer: str) -> None:
    """Whether a layer that an input names is there for who asks, and is what the input takes. Raises BadParameter."""
    wanted = next(one.layer for one in process.inputs if one.name == name)
    there = {version.layer: version.kind for version in twin.layers(grant)}
    if layer not in there:
        raise BadParameter(
            name, f"there is no layer {layer[:80]!r}", remedy=f"name a layer of this twin that is {wanted}"
        )
    if there[layer] != wanted:
        raise BadParameter(
            name, f"the layer {layer!r} is {there[layer]}, not {wanted}", remedy="name another layer"
        )


def _encoded(shape: Shape) -> bytes:
    if not isinstance(shape, Features):
        raise BadInput("only features can be edited", "question")  # a slip of ours
    return shape.to_parquet_bytes()


def _plain(process: Process, name: str, value: Any) -> Any:
    """One way to write a number: 1 and 1.0 are one question."""
    kinds = next(one.types for one in process.inputs if one.name == name)
    return (
        float(value) if float in kinds and isinstance(value, int) and not isinstance(value, bool) else value
    )


def _narrowed(grant: Grant) -> dict[str, Any]:
    said: dict[str, Any] = {
        "filter": grant.filter, "columns": grant.columns and list(grant.columns),
        "area": grant.area and list(grant.area.as_tuple()), "finest_m": grant.finest_m,
    }  # fmt: skip
    return {name: value for name, value in said.items() if value}
