"""The twins that this server shows, and what it keeps in memory of them.

Kept by version, so that nothing is ever stale: a build that switches versions changes the key, and the old
entry falls out when it was not used for long.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from twintown.ground.errors import BadSettings, NotFound, TwintownError
from twintown.ground.grid import Grid
from twintown.ground.series import Series
from twintown.trust.identity import Either, Known, Secret
from twintown.trust.policy import Grant
from twintown.trust.rules import FOLDER, Rules, rules_of
from twintown.trust.sessions import Sessions
from twintown.trust.standing import Standings
from twintown.twin.kept import Kept
from twintown.twin.layers import LayerVersion, Twin

if TYPE_CHECKING:
    from twintown.index.view import View

LOG = logging.getLogger("twintown.api")


def terms(grant: Grant) -> Hashable:
    """What of a Grant changes the content of a layer; part of every key."""
    return (
        grant.grade, grant.filter, grant.columns, grant.area, grant.finest_m, grant.layers, grant.hidden, grant.processes,
        grant.agreement,
    )  # fmt: skip


@dataclass(frozen=True)
class Served:
    """One twin on the shelf."""

    twin: Twin
    secret: Secret | None
    #: Whom the owner has named.
    people: Known | None = None
    #: Decoded layers; a city's worth of building rows is some hundred MB, so few are kept.
    layers: Kept = field(default_factory=lambda: Kept(24))
    #: Prepared scenes (tens of MB each) and their answers.
    scenes: Kept = field(default_factory=lambda: Kept(2))
    #: Files of tilesets and vector tiles with their compressed form, some 0.5 MB at most each.
    tiles: Kept = field(default_factory=lambda: Kept(256))
    #: Bodies that are dear to make: base answers, pictures of grids.
    bodies: Kept = field(default_factory=lambda: Kept(16))
    #: Layers and versions that were looked into before.
    opened: set[tuple[str, str]] = field(default_factory=set)
    #: Set once what the first click needs is in memory.
    warm: Event = field(default_factory=Event)
    #: By which policies is decided here; none of its own is the house's alone.
    rules: Rules | None = field(init=False)
    #: Tokens and agreements as they stand now.
    standings: Standings = field(init=False)
    #: Who is signed in.
    sessions: Sessions = field(init=False)

    def __post_init__(self) -> None:
        own = (self.twin.directory / FOLDER).is_dir()
        object.__setattr__(self, "rules", rules_of(self.twin.directory) if own else None)
        object.__setattr__(self, "standings", Standings(self.twin))
        object.__setattr__(self, "sessions", Sessions(self.twin))

    @property
    def known(self) -> Known:
        """Everybody whom a token names."""
        return Either(self.people, self.standings)

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
