"""The views of a twin's layers: each version's sidecar opened once, where it lies, and what a Grant makes of it."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from twintown.ground.columns import Column
from twintown.ground.errors import NotFound, StorageFailed
from twintown.ground.names import Name
from twintown.index import sidecar
from twintown.index.rows import Rows
from twintown.index.view import Segment, View
from twintown.store.blobs import Blobs
from twintown.trust.policy import Grant

from . import narrowing
from .kept import Kept

if TYPE_CHECKING:
    from .layers import LayerVersion, Twin

#: Kinds of layers that have rows.
KINDS = ("features", "table", "series")
FOLDER, _LAYERS = "index", "layers"
_PART = 8 << 20
_LEAST = 1e-8  # degrees; a millimetre


class Edits(Protocol):
    """What was written to layers since their versions were made; `twin.edits` has one."""

    def revision(self, layer: str, version: str) -> int:
        """The last edit of a version, 0 where it was never edited."""
        ...

    def segments(self, version: LayerVersion, revision: int, base: Rows) -> Sequence[Segment]:
        """The rows of a version as they were after an edit: its own, less what was replaced, and the edited ones.

        Raises Gone: that revision is not kept.
        """
        ...


class Views:
    """The open sidecars and views of one twin."""

    def __init__(self, twin: Twin) -> None:
        self._twin = twin
        self._rows = Kept(64)
        self._views = Kept(256)
        self._edited = Kept(16)
        self._held = Kept(16)  # each holds rows in memory: edited ones, or made coarse
        self._folder: Path | None = None

    def view(self, version: LayerVersion, grant: Grant, revision: int) -> View:
        """What the Grant lets out of a version's rows. Raises NotFound for a kind without rows, and as `View`."""
        grant.require(version.grade, version.layer)
        finest = grant.finest_m if version.kind == "features" else 0.0
        key = (version.layer, version.version, revision, grant.filter, grant.columns, grant.area, finest)
        kept = (
            self._held
            if revision or finest or (grant.area is not None and version.kind == "features")
            else self._views
        )
        return kept.get(key, lambda: self._view(version, grant, revision))

    def rows(self, version: LayerVersion) -> Rows:
        """The version's own rows, mapped; its sidecar is made first where there is none. Raises as `sidecar.ensure`."""
        return self._rows.get((version.layer, version.version), lambda: self._opened(version))

    def told(self, version: LayerVersion, revision: int) -> LayerVersion:
        """The version as the catalogue shows it after an edit: with as many rows as it has then, and a box around them (degrees)."""
        segments = self._segments(version, revision)
        count = sum(one.rows.count - (0 if one.dropped is None else len(one.dropped)) for one in segments)
        boxes = [box for one in segments if (box := one.rows.tree.bounds) is not None]
        if version.bbox_lonlat is not None:
            boxes.append(version.bbox_lonlat)
        if not boxes:
            return replace(version, count=count)
        sides = np.array(boxes)
        west, south = (float(side) for side in sides[:, :2].min(axis=0))
        east, north = (float(side) for side in sides[:, 2:].max(axis=0))
        # one point has a place but no extent, and a box without one is no box to those who read it
        return replace(
            version,
            count=count,
            bbox_lonlat=(west, south, max(east, west + _LEAST), max(north, south + _LEAST)),
        )

    def _segments(self, version: LayerVersion, revision: int) -> Sequence[Segment]:
        edits = self._twin.edits
        if not revision or edits is None:
            return (Segment(self.rows(version)),)
        key = (version.layer, version.version, revision)
        return self._edited.get(key, lambda: edits.segments(version, revision, self.rows(version)))

    def _view(self, version: LayerVersion, grant: Grant, revision: int) -> View:
        if version.kind not in KINDS:
            raise NotFound(
                f"{version.layer} is a {version.kind} and has no items", remedy="ask for its coverage"
            )
        if version.kind != "features":
            narrowing.placeless(version, grant)
        segments = self._segments(version, revision)
        there = set(segments[0].rows.columns)
        columns = [
            Column(one["name"], one["type"], one["unit"], Name.of(one["title"]))
            for one in version.meta.get("columns", [])
            if one["name"] in there
        ]
        about = replace(grant, filter="", columns=None)

        def made(rows: Sequence[Segment], grant: Grant) -> View:
            return View(
                layer=version.layer, version=version.version,
                token=f"{version.version}.{revision}" if revision else version.version,
                grade=version.grade, frame=self._twin.description.frame, columns=columns,
                time=_time(version.kind, columns, version.meta), segments=rows, grant=grant, place=version.kind == "features",
                geometry=str(version.meta.get("geometry", "")),
            )  # fmt: skip

        if version.kind == "features" and (grant.finest_m or grant.area is not None):
            segments = (Segment(narrowing.narrowed_rows(made(segments, about), grant.area, grant.finest_m)),)
            grant = replace(grant, area=None)  # nothing outside of it is left
        return made(segments, grant)

    def _opened(self, version: LayerVersion) -> Rows:
        folder = self.folder(version.path)
        for where in (self._twin.directory / FOLDER / folder.parent.name / folder.name, folder):
            found = sidecar.opened(where, version.digest)
            if found is not None:
                return found
        blobs = self._twin.blobs
        if blobs.root is not None:
            return sidecar.ensure(folder, blobs.path(version.key), version.digest)
        with tempfile.TemporaryDirectory(prefix="twintown-") as passing:
            copy = Path(passing) / "data.parquet"
            _fetch(blobs, version.key, copy)
            return sidecar.ensure(folder, copy, version.digest)

    def forget(self, path: str) -> None:
        """Remove the sidecar of the version at `path`."""
        if path.startswith(f"{_LAYERS}/"):
            shutil.rmtree(self.folder(path), ignore_errors=True)

    def sweep(self, recorded: Collection[str]) -> None:
        """Remove the sidecars of versions that are not recorded, and what killed builds left."""
        top = self.folder(_LAYERS)
        sidecar.sweep(top, time.time())
        for folder in top.glob("*/[!.]*"):
            if f"{_LAYERS}/{folder.parent.name}/{folder.name}" not in recorded:
                shutil.rmtree(folder, ignore_errors=True)

    def folder(self, path: str) -> Path:
        """The folder of the sidecar of the version at `path` (`layers/<layer>/<version>`)."""
        if self._folder is None:
            self._folder = self._place()
        return self._folder.joinpath(*path.split("/")[1:])

    def _place(self) -> Path:
        """index/ in the twin's directory, or a folder of this user's among the temporary ones where that is not to be had."""
        own = self._twin.directory / FOLDER
        if os.access(own if own.exists() else self._twin.directory, os.W_OK):
            return own
        user = os.getuid() if hasattr(os, "getuid") else 0
        top = Path(tempfile.gettempdir()) / f"twintown-{user}"
        top.mkdir(mode=0o700, exist_ok=True)
        said = top.lstat()
        if top.is_symlink() or (hasattr(os, "getuid") and (said.st_uid != user or said.st_mode & 0o077)):
            raise StorageFailed("is not this user's alone", str(top), "remove it")
        name = hashlib.sha256(
            f"{self._twin.directory.resolve()}\0{self._twin.blobs.where}".encode()
        ).hexdigest()[:16]
        return top / name


def _fetch(blobs: Blobs, key: str, target: Path) -> None:
    """A blob into a file, in pieces."""
    size = blobs.size(key)
    with target.open("wb") as out:
        for start in range(0, size, _PART):
            out.write(blobs.get_range(key, start, min(_PART, size - start)))


def _time(kind: str, columns: Sequence[Column], meta: Any) -> tuple[str, ...]:
    """The columns that say when a row is: what the description says, a series' time, or the one column of times."""
    said = meta.get("time")
    if said:
        return tuple(said) if isinstance(said, list) else (str(said),)
    times = [column.name for column in columns if column.type == "datetime"]
    if kind == "series":
        return ("time",)
    for one in ("time", "datetime", "date"):
        if one in times:
            return (one,)
    for begin, end in (("start", "end"), ("begin", "end"), ("valid_from", "valid_to"), ("from", "to")):
        if begin in times and end in times:
            return begin, end
    return (times[0],) if len(times) == 1 else ()
