"""A process answers a question about a twin with new layers; built-ins and plug-ins come through the same door.

A package offers a process by an entry point in the group `twintown.processes` (the built-ins live in `twintown.processes`), whose
value is a `Process`. What it answers are layers like any others: named, with units and provenance. A process that cannot be
loaded is named, reported and skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from twintown.ground.bounds import Bounds
from twintown.ground.errors import BadParameter, NotFound, PluginFailed
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.grid import Grid
from twintown.ground.names import Name, check_id
from twintown.ground.provenance import digest_of
from twintown.ground.series import Series
from twintown.ground.units import check_unit

GROUP = "twintown.processes"
Shape: TypeAlias = Features | Grid | Series
Progress: TypeAlias = Callable[[str, float], None]


Context = TypeVar("Context")


def silent(_what: str, _fraction: float) -> None:
    """A progress callback that says nothing."""


@dataclass(frozen=True)
class Window:
    """A rectangle of cells: first row, first column, how many of each. Row 0 is the northernmost of the whole grid."""

    row0: int
    col0: int
    rows: int
    cols: int


class Spread(Protocol):
    """How the tiles of a large question are worked on: here one after the other, or by a cluster.

    `work(context, window)` is a function of a module (it travels by name), pure, and answers the arrays of its window by name.
    The windows come back in any order, each once; a process writes each where it belongs, so that the order does not count.
    """

    def __call__(
        self,
        work: Callable[[Context, Window], Mapping[str, NDArray[Any]]],
        context: Context,
        windows: Sequence[Window],
    ) -> Iterator[tuple[Window, Mapping[str, NDArray[Any]]]]: ...


def in_order(
    work: Callable[[Context, Window], Mapping[str, NDArray[Any]]], context: Context, windows: Sequence[Window]
) -> Iterator[tuple[Window, Mapping[str, NDArray[Any]]]]:
    """One window after the other, in this process; the kernels use both processors within each."""
    for window in windows:
        yield window, work(context, window)


def in_memory(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Room for a result, zeros; a runner gives room on disk instead where the result is large."""
    return np.zeros(shape, dtype)


@dataclass(frozen=True)
class Input:
    """One input: its name, for people, its UCUM unit (`1` for what has none), its default and the types it takes."""

    name: str
    title: Name
    unit: str
    default: Any = None
    types: tuple[type, ...] = (str,)
    choices: tuple[Any, ...] = ()
    about: Name | None = None
    minimum: float | None = None
    maximum: float | None = None
    #: JSON Schema of one value, where type, choices and range do not say enough (lists, objects); `check` of it is the process's own.
    schema: Mapping[str, Any] | None = field(default=None, compare=False)
    #: What kind of layer the value names (`grid`, `features`, `series`); "" for a value that names none.
    layer: Literal["", "features", "grid", "series"] = ""
    #: The layer of whose rows the value names one or several by id; "" for a value that names none.
    rows_of: str = ""

    def __post_init__(self) -> None:
        check_unit(self.unit, self.name)

    def check(self, value: object) -> None:
        """
        Raises:
            BadParameter: the value is of another type, or none of the choices.
        """
        if not isinstance(value, self.types) or (isinstance(value, bool) and bool not in self.types):
            kinds = " or ".join(kind.__name__ for kind in self.types)
            raise BadParameter(self.name, f"{value!r} is not {kinds}")
        if self.choices and value not in self.choices:
            raise BadParameter(
                self.name, f"{value!r} is not known", remedy=f"use one of {', '.join(map(str, self.choices))}"
            )
        if isinstance(value, int | float) and not isinstance(value, bool):
            low, high = self.minimum, self.maximum
            if value != value or (low is not None and value < low) or (high is not None and value > high):
                span = f"from {low if low is not None else '…'} to {high if high is not None else '…'}"
                raise BadParameter(
                    self.name, f"{value!r} is out of range", remedy=f"give a number {span} {self.unit}"
                )


@dataclass(frozen=True)
class Output:
    """One layer of the answer: its id, for people, the unit of its values, its shape.

    `error`: two values that differ by no more than this (in `unit`) are the same within the method's error.
    """

    layer: str
    title: Name
    unit: str
    shape: Literal["features", "grid", "series"]
    error: float = 0.0

    def __post_init__(self) -> None:
        check_id(self.layer, "output")
        check_unit(self.unit, self.layer)


@dataclass(frozen=True)
class Ask:
    """What a twin asks of a process.

    Args:
        layers: the shapes that it needs or takes, or that an input names, by layer id.
        frame: of all layers.
        bounds: of the twin, metres in the frame.
        zone: IANA name of the city's time zone.
        day: the twin's day, ISO 8601.
        options: values for the inputs.
        progress: told what is being done and how far it is, 0 to 1.
        spread: works on the tiles of a large question.
        room: gives zeroed arrays for large results, on disk where they would not fit memory.
    """

    layers: Mapping[str, Shape]
    frame: Frame
    bounds: Bounds
    zone: str
    day: str
    options: Mapping[str, Any] = field(default_factory=dict)
    progress: Progress = silent
    spread: Spread = in_order
    room: Callable[[tuple[int, ...], DTypeLike], NDArray[Any]] = in_memory


@dataclass(frozen=True)
class Process:
    """What a process promises.

    Args:
        id: its name in descriptions and addresses.
        title: for people.
        version: raise it whenever the same layers and inputs would give another answer.
        needs: ids of the layers without which there is no answer.
        takes: ids of layers that are used where the twin has them.
        inputs, outputs: each with its unit.
        citations: keys of `references.bib`.
        validation: names of the files in `validation/` that measure its error.
        run: the pure function; one pair of layer id and shape after the other.
        about: what it answers, in a sentence or two for people.
        error: how far off it is, in words with numbers.
        accept: checks the inputs together and those with a `schema`, before anything is computed; raises BadParameter.
        halo_m: how far around a tile its answer looks, metres; none for a process that does not tile.
    """

    id: str
    title: Name
    version: str
    needs: tuple[str, ...]
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    citations: tuple[str, ...]
    validation: tuple[str, ...]
    run: Callable[[Ask], Iterator[tuple[str, Shape]]] = field(compare=False)
    takes: tuple[str, ...] = ()
    about: Name | None = None
    error: Name | None = None
    accept: Callable[[Ask], None] | None = field(default=None, compare=False)
    halo_m: Callable[[Ask], float] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        check_id(self.id, "process")

    def check(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """All inputs with their defaults filled in.

        Raises:
            BadParameter: an input is unknown or cannot take the value; names it.
        """
        known = {one.name: one for one in self.inputs}
        for name, value in options.items():
            if name not in known:
                near = get_close_matches(name, known, 1)
                hint = (
                    f"did you mean {near[0]!r}?" if near else f"{self.id} takes {', '.join(known) or 'none'}"
                )
                raise BadParameter(name, f"the process {self.id!r} has no such input", remedy=hint)
            known[name].check(value)
        return {name: options.get(name, one.default) for name, one in known.items()}

    def named(self, options: Mapping[str, Any]) -> dict[str, str]:
        """The layers that the inputs name, by input; a process that takes the results of others has such inputs."""
        values = {one.name: options.get(one.name, one.default) for one in self.inputs if one.layer}
        return {name: str(value) for name, value in values.items() if value}

    def reads(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        """The layers without which there is no answer to these inputs."""
        return tuple(dict.fromkeys((*self.needs, *self.named(options).values())))

    def digest(self, digests: Mapping[str, str], ask: Ask) -> str:
        """Names the answer before it is made: version, inputs, place, day and the digests of the layers it needs.

        Raises:
            NotFound: a needed layer has no version.
        """
        for layer in self.reads(ask.options):
            if layer not in digests:
                raise NotFound(
                    f"the layer {layer!r} has no version yet", f"process {self.id}", "build the layer first"
                )
        return digest_of(
            {
                "process": self.id, "version": self.version, "options": self.check(ask.options), "frame": ask.frame.to_dict(),
                "bounds": ask.bounds.as_tuple(), "zone": ask.zone, "day": ask.day,
                "layers": {one: digests[one] for one in (*self.reads(ask.options), *self.takes) if one in digests},
            }
        )  # fmt: skip


def run(process: Process, ask: Ask) -> Iterator[tuple[str, Shape]]:
    """Ask a process, inputs checked, and see that it keeps its promise.

    Raises:
        BadParameter: an input is unknown or cannot take the value.
        NotFound: a needed layer is missing.
        PluginFailed: it gives a layer that it did not declare, gives one twice, or leaves one out.
    """
    options = process.check(ask.options)
    where = f"process {process.id}"
    for layer in process.reads(options):
        if layer not in ask.layers:
            raise NotFound(f"the layer {layer!r} is missing", where, "build the layer first")
    promised = [one.layer for one in process.outputs]
    for layer, shape in process.run(replace(ask, options=options)):
        if layer not in promised:
            raise PluginFailed(
                f"gave a layer {layer!r} that it had not declared", where, "report it to its author"
            )
        promised.remove(layer)
        yield layer, shape
    if promised:
        raise PluginFailed(f"did not give {', '.join(promised)}", where, "report it to its author")


@dataclass(frozen=True)
class Processes:
    """All processes that are there (`working`, by id), and why the others are not (`broken`, by name)."""

    working: Mapping[str, Process]
    broken: Mapping[str, str]

    @classmethod
    def of(cls, points: Iterable[EntryPoint]) -> Processes:
        """Load the entry points; whatever one of them does wrong ends in `broken`, not in an exception."""
        working: dict[str, Process] = {}
        broken: dict[str, str] = {}
        for point in sorted(points, key=lambda one: one.name):
            package = point.dist.name if point.dist else "?"
            try:
                process = point.load()
                if not isinstance(process, Process):
                    raise TypeError("is not a Process")
                if process.id != point.name:
                    raise TypeError(f"calls itself {process.id!r}")
                if process.id in working:
                    raise TypeError("is offered twice; the first one is used")
                working[process.id] = process
            except Exception as error:  # a stranger's code may raise anything
                broken[point.name] = f"{type(error).__name__}: {error} (package {package})"
        return cls(working, broken)

    def find(self, name: str, where: str = "process") -> Process:
        """The process of that name.

        Raises:
            PluginFailed: it is there and broken.
            NotFound: it is not there.
        """
        if name in self.working:
            return self.working[name]
        if name in self.broken:
            raise PluginFailed(
                f"the process {name!r} cannot be loaded ({self.broken[name]})",
                where,
                "mend or remove the package",
            )
        near = get_close_matches(name, self.working, 1)
        hint = (
            f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(self.working)) or 'none'}"
        )
        raise NotFound(f"there is no process {name!r}", where, hint)


@lru_cache(maxsize=1)
def processes() -> Processes:
    """The installed processes, loaded once."""
    return Processes.of(entry_points(group=GROUP))
