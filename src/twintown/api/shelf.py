"""The twins that this server shows, and what it keeps in memory of them.

Kept by version, so that nothing is ever stale: a build that switches versions changes the key, and the old
entry falls out when it was not used for long.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, TypeVar

from twintown.ground.errors import BadSettings, NotFound, TwintownError
from twintown.ground.grid import Grid
from twintown.ground.series import Series
from twintown.trust.identity import Secret
from twintown.trust.policy import Grant
from twintown.twin.layers import LayerVersion, Twin

if TYPE_CHECKING:
    from twintown.index.view import View

LOG = logging.getLogger("twintown.api")
T = TypeVar("T")


class Memory:
    """The most recently used results by key; two callers who want the same one make it once."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._making: dict[Hashable, Lock] = {}
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is kept under `key`, or what `make` gives; its errors are not kept."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]  # type: ignore[no-any-return]
            turn = self._making.setdefault(key, Lock())
        with turn:
            with self._lock:
                if key in self._kept:
                    return self._kept[key]  # type: ignore[no-any-return]
            try:
                value = make()
                with self._lock:
                    self._kept[key] = value
                    while len(self._kept) > self._size:
                        self._kept.popitem(last=False)
            finally:
                with self._lock:
                    self._making.pop(key, None)
        return value

    def __contains__(self, key: Hashable) -> bool:
        with self._lock:
            return key in self._kept


def terms(grant: Grant) -> Hashable:
    """What of a Grant changes the content of a layer; part of every key."""
    return (grant.grade, grant.filter, grant.columns, grant.area, grant.finest_m)


@dataclass(frozen=True)
class Served:
    """One twin on the shelf."""

    twin: Twin
    secret: Secret | None
    #: Decoded layers; a city's worth of building rows is some hundred MB, so few are kept.
    layers: Memory = field(default_factory=lambda: Memory(24))
    #: Prepared scenes (tens of MB each) and their answers.
    scenes: Memory = field(default_factory=lambda: Memory(2))
    #: Files of tilesets and vector tiles with their compressed form, some 0.5 MB at most each.
    tiles: Memory = field(default_factory=lambda: Memory(256))
    #: Bodies that are dear to make: base answers, pictures of grids.
    bodies: Memory = field(default_factory=lambda: Memory(16))
    #: Layers and versions that were looked into before.
    opened: set[tuple[str, str]] = field(default_factory=set)
    #: Set once what the first click needs is in memory.
    warm: Event = field(default_factory=Event)

    @property
    def id(self) -> str:
        return self.twin.description.id

    def view(self, layer: LayerVersion | str, grant: Grant, token: str = "") -> View:
        """The caller's sight of the rows of a layer; an older one by the token that a cursor carried.

        Raises:
            NotFound: there is no such layer, or it has no rows.
            Gone: what the token names is not kept any more.
            Unauthenticated, Denied: the Grant does not cover its grade.
        """
        found = self.twin.view(layer, grant, token)
        self.opened.add((found.layer, found.version))
        return found

    def at_hand(self, version: LayerVersion, token: str = "") -> bool:
        """Whether a view of it is there at once: it was opened before, so nothing has to be made ready."""
        return (version.layer, token.partition(".")[0] or version.version) in self.opened

    def grid(self, version: LayerVersion, grant: Grant) -> Grid:
        """The grid of a version. Raises NotFound for other kinds."""

        def make() -> Grid:
            shape = self.twin.read(version, grant)
            if not isinstance(shape, Grid):
                raise NotFound(f"{version.layer} is no grid", remedy="ask for its items or its series")
            return shape

        return self.layers.get(("grid", version.layer, version.version, terms(grant)), make)

    def series(self, version: LayerVersion, grant: Grant) -> Series:
        """The series of a version. Raises NotFound for other kinds."""

        def make() -> Series:
            shape = self.twin.read(version, grant)
            if not isinstance(shape, Series):
                raise NotFound(f"{version.layer} is no series", remedy="ask for its items or its coverage")
            return shape

        return self.layers.get(("series", version.layer, version.version, terms(grant)), make)


@dataclass(frozen=True)
class Shelf:
    """All served twins by id, and in one line each what is wrong with those that could not be opened."""

    twins: Mapping[str, Served]
    broken: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def open(cls, directories: Iterable[Path], open_one: Callable[[Path], Served]) -> Shelf:
        """Open every twin; one that cannot be opened, or repeats an id, is named, logged and left out."""
        twins: dict[str, Served] = {}
        broken: dict[str, str] = {}
        for directory in directories:
            try:
                served = open_one(directory)
                if served.id in twins:
                    raise BadSettings(
                        f"another twin is called {served.id!r} too", str(directory), "give each its own id"
                    )
                twins[served.id] = served
            except TwintownError as error:
                LOG.error("the twin in %s is not served: %s", directory, error)
                broken[directory.name] = error.what
        return cls(twins, broken)

    def get(self, twin: str) -> Served:
        """One twin. Raises NotFound."""
        if twin not in self.twins:
            raise NotFound(f"there is no twin {twin!r} here", remedy="GET /twins lists them")
        return self.twins[twin]
