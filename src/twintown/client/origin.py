"""Where a twin is read from, and what is said there of its layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from twintown.client.process import Asked, Progress
from twintown.ground.columns import Column
from twintown.ground.names import Name
from twintown.ground.provenance import Provenance

if TYPE_CHECKING:
    import pyarrow as pa

    from twintown.ground.grid import Grid


@dataclass(frozen=True)
class About:
    """What the catalogue says of a layer.

    Args:
        id: of the layer.
        names: what people call it.
        kind: `features`, `table`, `series` or `grid`.
        geometry: `Point`, `LineString`, `Polygon`, `GeometryCollection`, or empty.
        count: rows, instants or cells.
        columns: with types and UCUM units.
        provenance: sources with their licences, and steps.
        grade: `O`, `S` or `C`.
        version: of the layer.
        bbox: west, south, east, north, degrees; none where it lies nowhere.
        assumed: what is assumed in it.
        url: where it is.
        attributes: what else a reader must know, such as the time zone of a series.
    """

    id: str
    names: Name
    kind: str
    geometry: str
    count: int
    columns: tuple[Column, ...]
    provenance: Provenance
    grade: str
    version: str
    bbox: tuple[float, float, float, float] | None
    assumed: tuple[Name, ...]
    url: str
    attributes: Mapping[str, Any]


class Origin(Protocol):
    """Where a twin is read from: over HTTP (`remote`), or from its folder (`folder`)."""

    url: str

    def names(self) -> Name:
        """What people call the twin."""

    def catalogue(self) -> tuple[About, ...]:
        """What there is, as far as this reader may see it."""

    def rows(self, layer: str, asked: Mapping[str, str], limit: int | None) -> pa.Table:
        """Rows as GeoParquet holds them: metadata `geo` where they have geometry."""

    def grid(self, layer: str) -> Grid:
        """A whole grid."""

    def processes(self) -> tuple[Asked, ...]:
        """What can be asked."""

    def run(
        self, process: str, inputs: Mapping[str, Any], scenario: str, fresh: bool, progress: Progress | None
    ) -> str:
        """Ask a process and wait for the answer; the id of the job."""

    def jobs(self, limit: int) -> tuple[str, ...]:
        """The newest jobs that this reader may see."""

    def status(self, job: str) -> Mapping[str, Any]:
        """See `Answering`."""

    def outputs(self, job: str) -> Mapping[str, str]:
        """See `Answering`."""

    def manifest(self, job: str) -> dict[str, Any]:
        """See `Answering`."""

    def evidence(self, job: str, path: Path) -> Path:
        """See `Answering`."""

    def dismiss(self, job: str) -> None:
        """See `Answering`."""


def address_of(root: str, layer: str) -> str:
    """The address of a layer below that of its twin."""
    return f"{root}/collections/{quote(layer, safe='')}"
