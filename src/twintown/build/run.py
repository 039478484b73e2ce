"""Builds a twin: takes the lock, runs the stale steps, then switches everything to the new versions at once.

Readers see the last good version until the switch. A killed build loses only the step that it was in: a finished step's
versions lie whole on disk, recorded as `ready`, and the next build picks them up by digest. What a dead build left
half-written has no record and is swept away.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from twintown.build import mark as quick
from twintown.build.plan import check_layers, fresh, in_order, mark
from twintown.build.progress import FIRST_GUESS, ProgressLine
from twintown.build.steps import Step, all_steps, layer_version, owner
from twintown.ground.errors import Busy, PluginFailed, StorageFailed, TwintownError
from twintown.jobs.question import DIGITS
from twintown.products import catalogue
from twintown.store.blobs import storage_failed
from twintown.store.lock import locked
from twintown.store.tables import StepRow, own
from twintown.twin import edits
from twintown.twin.description import Description
from twintown.twin.layers import LayerVersion, Twin

#: Versions of each layer and product that stay on disk: the current one and the one before.
KEEP = 2
#: STAC: the item beside each version's data, and the catalog of the current ones at the twin's root.
ITEM, LISTING = "item.json", "catalog.json"


@dataclass(frozen=True)
class Built:
    """What a build did: the steps that ran and those that were fresh, and how much is current now."""

    twin: str
    ran: tuple[str, ...]
    kept: tuple[str, ...]
    layers: int
    products: int
    seconds: float


Told: TypeAlias = Callable[[str, float], None]


@dataclass
class _Work:
    """What is known while a build runs: versions of layers and products, steps that ran and that were kept."""

    layers: dict[str, LayerVersion] = field(default_factory=dict)
    products: dict[str, str] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def build(
    directory: Path, *, database: str = "", blobs: str = "", show: bool = True, told: Told | None = None
) -> Built:
    """Bring the twin in `directory` up to date.

    Args:
        told: hears the running step and how far the whole is, 0 to 1; what it raises ends the build.

    Raises:
        BadInput: the description or a file cannot be used.
        Busy: another build is at work.
        StorageFailed: the disk is full, or may not be written to.
        PluginFailed: a source, process or product broke.

    After any of them the last good version is still the current one.
    """
    begun = time.monotonic()
    Description.load(directory)  # a bad description is said before a lock or a database is made
    before = "" if database or blobs else _quick_mark(directory)
    with locked(directory):
        twin = Twin.open(directory, database=database, blobs=blobs, read_only=False)
        _sweep(twin)
        work = _run(twin, show, told)
        for version in work.layers.values():
            twin.index(version)
        _switch(twin, work)
        fold(twin)
        publish(twin)
        if before:
            quick.remember(directory, before)
    ran, kept = tuple(work.ran), tuple(work.kept)
    return Built(
        twin.description.id, ran, kept, len(work.layers), len(work.products), time.monotonic() - begun
    )


def _quick_mark(directory: Path) -> str:
    try:
        return quick.inputs(directory)
    except (OSError, ValueError):
        return ""  # a missing file is named by the step that needs it


def _run(twin: Twin, show: bool, told: Told | None) -> _Work:
    steps = all_steps(twin)
    by_id = {step.planned.id: step for step in steps}
    ordered = in_order(step.planned for step in steps)
    check_layers(twin.description.layers, {layer for planned in ordered for layer in planned.gives})
    asked = {
        planned.id: by_id[planned.id].asked(twin) for planned in ordered
    }  # a missing file is said at once
    rows, there = twin.tables.steps(), twin.tables.known()
    work = _Work()
    line = ProgressLine(
        twin.description.id,
        {p.id: _seconds(rows.get(p.id), p.kind) for p in ordered},
        shown=None if show else False,
        told=told,
    )
    try:
        for planned in ordered:
            step = by_id[planned.id]
            taken = {layer: work.layers[layer] for layer in planned.takes if layer in work.layers}
            digests = {name: version.digest for name, version in taken.items()}
            inputs = mark(planned, twin.description, asked[planned.id], step.code(), digests)
            row = rows.get(planned.id)
            if row is not None and fresh(row, inputs, there):
                outputs = dict(row.outputs)
                work.kept.append(planned.id)
            else:
                line.begin(planned.id)
                twin.tables.begin_step(planned.id, inputs)
                with _named(step):
                    outputs = step.make(twin, taken, line.report)
                twin.tables.finish_step(planned.id, inputs, outputs)
                work.ran.append(planned.id)
            line.end(planned.id)
            if planned.kind == "product":
                work.products.update(outputs)
            else:
                work.layers.update({n: layer_version(twin, n, version) for n, version in outputs.items()})
    finally:
        line.close()
    twin.tables.forget_steps(set(by_id))
    return work


def _seconds(row: StepRow | None, kind: str) -> float:
    if row is None or row.finished is None:
        return FIRST_GUESS[kind]
    return max((row.finished - row.started).total_seconds(), 0.01)


@contextmanager
def _named(step: Step) -> Iterator[None]:
    """Whatever a step raises leaves as one line that names it."""
    where = step.planned.id
    try:
        yield
    except TwintownError:
        raise
    except MemoryError as error:
        raise StorageFailed(
            "there is not enough memory", where, "build a smaller area, or on a larger machine"
        ) from error
    except OSError as error:
        raise storage_failed(error, where) from error
    except Exception as error:  # a stranger's code may raise anything
        reason = (str(error).strip().splitlines() or [""])[0]
        raise PluginFailed(
            f"broke ({type(error).__name__}: {reason})",
            where,
            "check its input; --debug shows where it happened",
        ) from error


def _switch(twin: Twin, work: _Work) -> None:
    """All new versions become current in one transaction, unless they are already; then the old are removed."""
    layers = {name: version.version for name, version in work.layers.items()}
    tables = twin.tables
    now = {name: row.version for name, row in tables.layers().items()}
    made = {name: row.version for name, row in tables.products().items()}
    _items(twin, work.layers.values())
    added = [name for name, row in tables.layers().items() if own(row.meta)]
    described = {name: version for name, version in now.items() if name not in added or name in layers}
    if (described, made) != (layers, work.products):
        tables.switch(layers, work.products, only=True)
    _prune(twin)


def fold(twin: Twin, least: int = 1) -> dict[str, int]:
    """Make new versions of the layers that were edited, with their edits in them; the caller holds the lock.

    Returns:
        how many edits went into each layer.
    """
    grant = owner(twin)
    counts = {
        version.layer: edits.fold_locked(twin, version.layer, grant, least)
        for version in twin.layers(grant)
        if edits.editable(version)
    }
    return {layer: count for layer, count in counts.items() if count}


def publish(twin: Twin) -> None:
    """Say at the twin's root which versions are current, the added ones too. Raises StorageFailed."""
    versions = twin.layers(owner(twin))
    _items(twin, versions)
    listing = catalogue.catalog(twin.description.id, twin.description.names, versions)
    if not twin.blobs.exists(LISTING) or twin.blobs.get(LISTING) != listing:
        twin.blobs.put(LISTING, listing)


def settle(twin: Twin) -> None:
    """What follows when a layer was added, taken away or folded outside of a build: the listing, and old versions go.

    A build that is at work does the same at its end.
    """
    with suppress(Busy), locked(twin.directory):
        publish(twin)
        _prune(twin)


def _prune(twin: Twin) -> None:
    for path in twin.tables.prune(KEEP):
        twin.blobs.delete_prefix(path)
        twin.forget_index(path)


def _items(twin: Twin, versions: Iterable[LayerVersion]) -> None:
    """A STAC item beside each version that has none yet: whoever finds the files finds what they are."""
    for version in versions:
        key = f"{version.path}/{ITEM}"
        if not twin.blobs.exists(key):
            twin.blobs.put(key, catalogue.item_bytes(version, twin.description.frame, twin.description.id))


def _sweep(twin: Twin) -> None:
    """Remove what dead builds left: records without bytes, versions that no finished step made, bytes without record.

    What is staged for a question that a worker is answering just now is no dead build's.
    """
    busy = tuple(f"-{question.partition(':')[2][:DIGITS]}" for question in twin.tables.working())
    known = {pair: said for pair, said in twin.tables.known().items() if not pair[0].endswith(busy)}
    finished = {
        pair
        for row in twin.tables.steps().values()
        for pair in row.outputs.items()
        if row.state == "finished"
    }
    folders = {f for f in _folders(twin, ("layers", "tiles")) if not f.rpartition("/")[0].endswith(busy)}
    lost = [pair for pair, (path, _) in known.items() if path not in folders or not _has_data(twin, path)]
    dead = [pair for pair, (_, state) in known.items() if state == "ready" and pair not in finished]
    twin.tables.forget([*lost, *dead])
    recorded = {path for path, _ in twin.tables.known().values()}
    for folder in folders:
        if folder not in recorded:
            twin.blobs.delete_prefix(folder)
    twin.sweep_indexes(recorded)
    twin.blobs.sweep()


def _has_data(twin: Twin, path: str) -> bool:
    """Whether a version's folder holds more than the item that describes it."""
    return any(not key.endswith(f"/{ITEM}") for key in twin.blobs.keys(path))


def _folders(twin: Twin, tops: Sequence[str]) -> set[str]:
    blobs = twin.blobs
    return {version for top in tops for name in blobs.folders(top) for version in blobs.folders(name)}
