"""What a twin lacks for a playbook: processes and their versions, layers, shapes, columns, units. Nothing is guessed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from twintown.ground.errors import TwintownError
from twintown.ground.names import Name
from twintown.jobs.process import processes
from twintown.trust.policy import Grant
from twintown.twin.layers import LayerVersion, Twin

from .playbook import Need, Playbook, Step

What = Literal[
    "process", "version", "input", "output", "layer", "shape", "geometry", "rows", "column", "unit"
]


@dataclass(frozen=True)
class Missing:
    """One thing that is not there: what it is, of which layer or process, and in words."""

    what: What
    name: str
    says: Name
    why: Name | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        said = {"what": self.what, "name": self.name, "says": self.says.to_dict()}
        return {**said, "why": self.why.to_dict()} if self.why else said


def missing(twin: Twin, grant: Grant, playbook: Playbook) -> tuple[Missing, ...]:
    """All that is lacking, processes first; empty where the playbook can be run by who asks.

    A layer that the caller may not read is not there for it. Raises Unauthenticated, Denied: the Grant allows nothing.
    """
    grant.require()
    there = {version.layer: version for version in twin.layers(grant)}
    found: list[Missing] = []
    for step in playbook.steps:
        found += _process(playbook, step)
    for need in playbook.needs:
        found += _layer(need, there.get(need.layer))
    return tuple(found)


def _process(playbook: Playbook, step: Step) -> list[Missing]:
    known = processes()
    try:
        process = known.find(step.process)
    except TwintownError:
        says = _both(
            f"과정 {step.process} 이(가) 설치되어 있지 않습니다",
            f"the process {step.process} is not installed",
        )
        return [Missing("process", step.process, says)]
    found = []
    if step.versions and process.version not in step.versions:
        wanted = ", ".join(step.versions)
        found.append(Missing("version", f"{step.process} {process.version}", _both(
            f"과정 {step.process} 의 판이 {process.version} 이고 {wanted} 이(가) 필요합니다",
            f"the process {step.process} is here in version {process.version}; {wanted} is needed",
        )))  # fmt: skip
    inputs = {one.name for one in process.inputs}
    for name in sorted({*step.inputs, *step.takes} - inputs):
        found.append(Missing("input", f"{step.process}.{name}", _both(
            f"과정 {step.process} 에 입력 {name} 이(가) 없습니다", f"the process {step.process} has no input {name}"
        )))  # fmt: skip
    outputs = {one.layer for one in process.outputs}
    taken = {
        output for later in playbook.steps for source, output in later.takes.values() if source == step.id
    }
    if playbook.answer.step == step.id:
        taken.add(playbook.answer.output)
    for name in sorted(taken - outputs):
        found.append(Missing("output", f"{step.process}.{name}", _both(
            f"과정 {step.process} 에 결과 {name} 이(가) 없습니다", f"the process {step.process} gives no {name}"
        )))  # fmt: skip
    return found


def _layer(need: Need, version: LayerVersion | None) -> list[Missing]:
    layer = need.layer
    if version is None:
        return [
            Missing(
                "layer",
                layer,
                _both(f"자료층 {layer} 이(가) 없습니다", f"there is no layer {layer}"),
                need.why,
            )
        ]
    if version.kind != need.shape:
        says = _both(
            f"자료층 {layer} 은(는) {version.kind} 이고 {need.shape} 이어야 합니다",
            f"the layer {layer} is {version.kind}, not {need.shape}",
        )
        return [Missing("shape", layer, says, need.why)]
    found = []
    drawn = str(version.meta.get("geometry", ""))
    if need.geometry and drawn and drawn != need.geometry:
        says = _both(
            f"자료층 {layer} 의 도형은 {drawn} 이고 {need.geometry} 이어야 합니다",
            f"the layer {layer} holds {drawn}, not {need.geometry}",
        )
        found.append(Missing("geometry", layer, says, need.why))
    if version.count < need.least:
        says = _both(
            f"자료층 {layer} 에 {version.count}건뿐입니다({need.least}건 이상 필요)",
            f"the layer {layer} has {version.count} rows; {need.least} are needed",
        )
        found.append(Missing("rows", layer, says, need.why))
    columns = {one["name"]: one for one in version.meta.get("columns", [])}
    for name, unit in need.columns.items():
        if name not in columns:
            found.append(
                Missing(
                    "column",
                    f"{layer}.{name}",
                    _both(
                        f"자료층 {layer} 에 열 {name} 이(가) 없습니다",
                        f"the layer {layer} has no column {name}",
                    ),
                )
            )
        elif unit and columns[name].get("unit") != unit:
            told = columns[name].get("unit") or "?"
            says = _both(
                f"열 {layer}.{name} 의 단위는 {told} 이고 {unit} 이어야 합니다",
                f"the column {layer}.{name} is in {told}, not in {unit}",
            )
            found.append(Missing("unit", f"{layer}.{name}", says))
    return found


def _both(ko: str, en: str) -> Name:
    return Name(ko, en)
