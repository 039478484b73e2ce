"""A source reads files of one kind and gives layers; built-ins and plug-ins come through the same door.

A package offers a source by an entry point in the group `twintown.sources`, whose value is an object with the members of
`Source` below (or a class of such objects that takes no arguments). A source that cannot be loaded is named, reported and skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

from twintown.ground.bounds import Bounds
from twintown.ground.errors import BadData, BadSettings, NotFound, PluginFailed, TooLarge
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.grid import Grid
from twintown.ground.names import Name
from twintown.ground.provenance import Provenance, Step, digest_file, digest_of
from twintown.ground.provenance import Source as Origin
from twintown.ground.series import Series

GROUP = "twintown.sources"
Shape: TypeAlias = Features | Grid | Series
Progress: TypeAlias = Callable[[str, float], None]


def silent(_what: str, _fraction: float) -> None:
    """A progress callback that says nothing."""


@dataclass(frozen=True)
class Option:
    """One option of a source: the types of value it takes, its default, and what it is for."""

    types: tuple[type, ...]
    default: Any
    about: str

    def check(self, name: str, value: object, where: str) -> None:
        """
        Raises:
            BadSettings: the value is of another type.
        """
        wrong_bool = isinstance(value, bool) and bool not in self.types
        if wrong_bool or not isinstance(value, self.types):
            kinds = " or ".join(kind.__name__ for kind in self.types)
            raise BadSettings(f"option {name!r} is {value!r}, not {kinds}", where, self.about)


@dataclass(frozen=True)
class Ask:
    """What a twin asks of a source.

    Args:
        paths: the files, in order.
        frame: where the answer's coordinates must be.
        bounds: what to keep, metres in the frame.
        origin: publisher, licence, date of the files; goes into every shape's provenance.
        options: what the description gives under `[sources.options]`.
        zone: IANA name of the city's time zone.
        progress: told what is being done and how far it is, 0 to 1.
        base: the directory that paths inside options are relative to.
    """

    paths: tuple[Path, ...]
    frame: Frame
    bounds: Bounds
    origin: Origin
    options: Mapping[str, Any] = field(default_factory=dict)
    zone: str = "UTC"
    progress: Progress = silent
    base: Path = Path()

    @property
    def where(self) -> str:
        return f"sources.{self.origin.id}"

    def provenance(self, step: str, by: str, parameters: Mapping[str, Any] | None = None) -> Provenance:
        """The origin, and one step that was done with it."""
        return Provenance((self.origin,), (Step(step, by, dict(parameters or {})),))


@runtime_checkable
class Source(Protocol):
    """What an entry point of the group `twintown.sources` must give.

    `id` is the name a description uses; `version` changes whenever the same files would give another answer;
    `options` declares every option.
    """

    id: str
    version: str
    title: Name
    options: Mapping[str, Option]

    def layers(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        """The ids of the layers that `read` gives under these options."""
        ...

    def read(self, ask: Ask) -> Iterator[tuple[str, Shape]]:
        """One pair of layer id and shape after the other; each declared layer once, empty ones too.

        Raises:
            BadData: a file cannot be used: what, where in it, what to do.
            TooLarge: more than the source takes.
        """
        ...


@dataclass(frozen=True)
class Broken:
    """A plug-in that could not be loaded, and why."""

    name: str
    package: str
    reason: str


@dataclass(frozen=True)
class Registry:
    """All sources that are there, and those that are broken."""

    sources: Mapping[str, Source]
    broken: tuple[Broken, ...]

    @classmethod
    def of(cls, points: Iterable[EntryPoint]) -> Registry:
        """Load the entry points; whatever one of them does wrong ends in `broken`, not in an exception."""
        sources: dict[str, Source] = {}
        broken: list[Broken] = []
        for point in sorted(points, key=lambda one: one.name):
            package = point.dist.name if point.dist else "?"
            try:
                thing = point.load()
                source = thing() if isinstance(thing, type) else thing
                if not isinstance(source, Source):
                    missing = [
                        m
                        for m in ("id", "version", "title", "options", "layers", "read")
                        if not hasattr(source, m)
                    ]
                    raise TypeError(f"is not a source (without {', '.join(missing)})")
                if source.id != point.name:
                    raise TypeError(f"calls itself {source.id!r}")
                if source.id in sources:
                    raise TypeError("is offered twice; the first one is used")
                sources[source.id] = source
            except Exception as error:  # a stranger's code may raise anything
                broken.append(Broken(point.name, package, f"{type(error).__name__}: {error}"))
        return cls(sources, tuple(broken))

    def find(self, name: str, where: str = "source") -> Source:
        """The source of that name.

        Raises:
            PluginFailed: it is there and broken.
            NotFound: it is not there.
        """
        if name in self.sources:
            return self.sources[name]
        for one in self.broken:
            if one.name == name:
                raise PluginFailed(
                    f"the source {name!r} cannot be loaded ({one.reason})",
                    where,
                    f"mend or remove the package {one.package}",
                )
        near = get_close_matches(name, self.sources, 1)
        hint = (
            f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(self.sources)) or 'none'}"
        )
        raise NotFound(f"there is no source {name!r}", where, hint)


@lru_cache(maxsize=1)
def registry() -> Registry:
    """The installed sources, loaded once."""
    return Registry.of(entry_points(group=GROUP))


def check_options(source: Source, options: Mapping[str, Any], where: str) -> dict[str, Any]:
    """All options with their defaults filled in.

    Raises:
        BadSettings: an option is unknown or of the wrong type.
    """
    for name, value in options.items():
        if name not in source.options:
            near = get_close_matches(name, source.options, 1)
            hint = (
                f"did you mean {near[0]!r}?"
                if near
                else f"{source.id} takes {', '.join(sorted(source.options)) or 'none'}"
            )
            raise BadSettings(f"unknown option {name!r} of the source {source.id!r}", where, hint)
        source.options[name].check(name, value, where)
    return {name: options.get(name, option.default) for name, option in source.options.items()}


def digest_ask(source: Source, ask: Ask) -> str:
    """The digest of all that decides the answer: code version, options, frame, bounds, origin and every byte of the files.

    Files that options name (a table, or a list of tables, with a key `path`) count too.

    Raises:
        BadData: a file is not there.
    """
    nested = [
        one for value in ask.options.values() for one in (value if isinstance(value, list) else [value])
    ]
    inside = [
        ask.base / one["path"]
        for one in nested
        if isinstance(one, Mapping) and isinstance(one.get("path"), str)
    ]
    return digest_of(
        {
            "source": source.id, "version": source.version, "options": dict(ask.options), "zone": ask.zone,
            "frame": ask.frame.to_dict(), "bounds": ask.bounds.as_tuple(), "origin": Provenance((ask.origin,)).to_dict(),
            "files": [digest_file(check_file(path)) for path in (*ask.paths, *inside)],
        }
    )  # fmt: skip


def check_file(path: Path, limit_bytes: int | None = None) -> Path:
    """The path itself when it is a file with something in it.

    Raises:
        BadData: missing, a directory, unreadable or empty.
        TooLarge: more bytes than the limit.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise BadData(
            "the file is not there" if not path.exists() else f"cannot be read ({error.strerror})",
            str(path),
            "check the path",
        ) from error
    if path.is_dir() and path.suffix.lower() != ".gdb":
        raise BadData("is a directory, not a file", str(path), "name the file itself")
    if size == 0:
        raise BadData("the file is empty", str(path), "fetch it again")
    if limit_bytes is not None and size > limit_bytes:
        raise TooLarge(
            f"{size / 1e6:,.0f} MB are more than the {limit_bytes / 1e6:,.0f} MB that are read at once",
            str(path),
            "cut it to the city first",
        )
    return path


def read(source: Source, ask: Ask) -> Iterator[tuple[str, Shape]]:
    """Ask a source, options checked, and see that it keeps its promise.

    Raises:
        BadSettings: an option is unknown or of the wrong type.
        PluginFailed: the source gives a layer that it did not declare, gives one twice, or leaves one out.
    """
    options = check_options(source, ask.options, ask.where)
    promised = list(source.layers(options))
    for layer_id, shape in source.read(Ask(**{**vars(ask), "options": options})):
        if layer_id not in promised:
            raise PluginFailed(
                f"the source {source.id!r} gave a layer {layer_id!r} that it had not declared",
                ask.where,
                "report it to its author",
            )
        promised.remove(layer_id)
        yield layer_id, shape
    if promised:
        raise PluginFailed(
            f"the source {source.id!r} did not give {', '.join(promised)}",
            ask.where,
            "report it to its author",
        )
