"""A twin in its folder: the questions of the client answered by the code that the server answers with, for the owner of the files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from twintown.client.twin import About
from twintown.ground.columns import Column
from twintown.ground.errors import NotFound
from twintown.ground.names import Name

if TYPE_CHECKING:
    import pyarrow as pa

    from twintown.ground.grid import Grid
    from twintown.twin.layers import LayerVersion


class Folder:
    """The twin in a folder.

    Raises:
        NotFound: there is no such folder, or no twin in it.
    """

    def __init__(self, directory: Path) -> None:
        from twintown.api.shelf import Served
        from twintown.settings import read_settings
        from twintown.trust.identity import LOCAL_OWNER
        from twintown.trust.policy import Resource, decide
        from twintown.twin.description import Description
        from twintown.twin.layers import Twin

        if not (directory / "twintown.toml").is_file():
            raise NotFound(
                "there is no twin here", str(directory), "give the folder that holds twintown.toml"
            )
        settings = read_settings()
        name = Description.load(directory).id
        blobs = settings.blobs_of(name) if settings.blob_url else ""
        self._twin = Twin.open(directory, database=settings.database_url, blobs=blobs)
        self._served = Served(self._twin, None)
        self._grant = decide(LOCAL_OWNER, "read", Resource(name))
        self.url = str(directory)

    def names(self) -> Name:
        """What its description says."""
        return self._twin.description.names

    def catalogue(self) -> tuple[About, ...]:
        """The current version of every layer."""
        return tuple(self._described(version) for version in self._twin.layers(self._grant))

    def rows(self, layer: str, asked: Mapping[str, str], limit: int | None) -> pa.Table:
        """The rows that the server would send as GeoParquet."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        from twintown.api import items_files, items_query
        from twintown.formats.format import FORMATS

        version = self._twin.version(layer, self._grant)
        view = self._twin.view(version, self._grant)
        question = items_query.question(asked, view)
        about = items_files.told(self._served, self._grant, version, view, question)
        parquet = FORMATS["parquet"]
        if limit is None:
            made = b"".join(items_files.pieces(parquet, about, view, question))
        else:
            found = view.page(question.query, limit, count=False)
            made = items_files.page(parquet, about, view, question, found.positions)
        return pq.read_table(pa.BufferReader(made))

    def grid(self, layer: str) -> Grid:
        """The grid, as the twin reads it."""
        version = self._twin.version(layer, self._grant)
        return self._served.grid(version, self._grant)

    def _described(self, version: LayerVersion) -> About:
        meta = version.meta
        where = self._twin.local(version)
        return About(
            id=version.layer, names=version.title, kind=version.kind, geometry=meta.get("geometry") or "", count=version.count,
            columns=tuple(
                Column(c["name"], c["type"], c["unit"], Name.of(c["title"])) for c in meta.get("columns", [])
            ),
            provenance=version.provenance, grade=version.grade.value, version=version.version, bbox=version.bbox_lonlat,
            assumed=tuple(Name.of(note) for note in meta.get("assumed", [])), url=str(where or version.key),
            attributes=dict(meta.get("attributes", {})),
        )  # fmt: skip
