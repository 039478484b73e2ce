"""What a twin needs, and what of it is stale. Pure: digests in, decisions out; nothing is read or written here.

A step is a source's reading, a process or a product. It is stale when the digest of all that decides its answer
differs from the one under which it last finished, or when something that it made is gone. The digest of a process
or product includes the digests of the layers that it takes, so a changed file that gives the same layer stops there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from twintown.ground.errors import BadSettings
from twintown.ground.provenance import digest_of
from twintown.store.tables import StepRow
from twintown.twin.description import Description, LayerEntry


@dataclass(frozen=True)
class Planned:
    """One step: its id (`source/osm`), its kind, and the layers it gives and takes, as far as they are declared."""

    id: str
    kind: str
    entry: str
    gives: tuple[str, ...]
    takes: tuple[str, ...] = ()


def in_order(steps: Iterable[Planned]) -> tuple[Planned, ...]:
    """The steps so that each comes after those whose layers it takes; otherwise in the given order.

    Raises BadSettings: two steps give the same layer, or steps wait for one another.
    """
    waiting = list(steps)
    giver: dict[str, str] = {}
    for step in waiting:
        for layer in step.gives:
            if layer in giver:
                raise BadSettings(
                    f"the layer {layer!r} comes from both {giver[layer]} and {step.id}", "twintown.toml",
                    "give one of them another layer id",
                )  # fmt: skip
            giver[layer] = step.id
    ordered: list[Planned] = []
    placed: set[str] = set()
    while waiting:
        ready = [s for s in waiting if all(giver.get(t, s.id) in placed | {s.id} for t in s.takes)]
        if not ready:
            raise BadSettings(
                f"steps wait for one another: {', '.join(s.id for s in waiting)}", "twintown.toml"
            )
        ordered.append(ready[0])
        placed.add(ready[0].id)
        waiting.remove(ready[0])
    return tuple(ordered)


def check_layers(described: Mapping[str, LayerEntry], given: Collection[str]) -> None:
    """Raises BadSettings: the description speaks of a layer that nothing gives (a slip of the pen, mostly)."""
    if unknown := sorted(set(described) - set(given)):
        raise BadSettings(
            f"describes the layer {unknown[0]!r}, which no source or process gives", "twintown.toml",
            f"layers here are {', '.join(sorted(given))}",
        )  # fmt: skip


def mark(step: Planned, description: Description, asked: str, code: str, layers: Mapping[str, str]) -> str:
    """Digest of all that decides a step's answer.

    Args:
        asked: digest of what the step itself is asked: files, options, declared version.
        code: digest of the code that the step runs.
        layers: digest of the version of each layer that it takes.
    """
    entries = {layer: repr(description.layer(layer)) for layer in step.gives}
    return digest_of(
        {"step": step.id, "asked": asked, "code": code, "layers": dict(layers), "entries": entries}
    )


def fresh(row: StepRow | None, inputs: str, there: Collection[tuple[str, str]]) -> bool:
    """Whether a step need not run: it finished under the same inputs and all (name, version) it made are there."""
    if row is None or row.state != "finished" or row.inputs_digest != inputs:
        return False
    return all((name, version) in there for name, version in row.outputs.items())
