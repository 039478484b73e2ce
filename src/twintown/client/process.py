"""Processes and their results as a notebook sees them: what can be asked, and what came out, over HTTP and from the folder alike."""

from __future__ import annotations

import difflib
import html
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from twintown.ground.errors import BadInput, NotFound
from twintown.ground.names import Name

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from twintown.client.twin import Layer

#: Told what is being done and how far it is, 0 to 1.
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Asked:
    """A process as its description has it.

    Args:
        id, version: what answers.
        names: what people call it.
        about: what it answers, in English.
        inputs: JSON Schema of each by name; `default`, `x-ogc-unit` (UCUM) in it.
        outputs: unit of each by name.
    """

    id: str
    version: str
    names: Name
    about: str
    inputs: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[str, str]

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Asked:
        """From a description (OGC API - Processes)."""
        return cls(
            said["id"], said["version"], Name.of(said.get("names") or said["title"]), said.get("description", ""),
            {name: one["schema"] for name, one in said.get("inputs", {}).items()},
            {name: one.get("unit", "") for name, one in said.get("outputs", {}).items()},
        )  # fmt: skip

    def __repr__(self) -> str:
        lines = [f"{self.id} {self.version}  {self.names.ko} · {self.names.en}"]
        for name, schema in self.inputs.items():
            unit = schema.get("x-ogc-unit", "1")
            said = [str(schema.get("type", ""))] + ([unit] if unit not in ("", "1") else [])
            default = f" = {schema['default']!r}" if "default" in schema else ""
            lines.append(f"  {name}: {' '.join(filter(None, said))}{default}")
        return "\n".join([*lines, f"  -> {', '.join(self.outputs)}"])


class Processes(Mapping[str, Asked]):
    """What a twin can be asked, by id; a notebook shows it as a table."""

    def __init__(self, known: Mapping[str, Asked]) -> None:
        self._known = known

    def __getitem__(self, process: str) -> Asked:
        if process not in self._known:
            near = difflib.get_close_matches(process, self._known, 1)
            known = ", ".join(self._known) or "none"
            raise NotFound(
                f"there is no process {process!r}",
                remedy=f"did you mean {near[0]!r}?" if near else f"there are {known}",
            )
        return self._known[process]

    def __contains__(self, process: object) -> bool:
        return process in self._known

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def __repr__(self) -> str:
        return "\n".join(repr(one) for one in self._known.values())

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td><code>{html.escape(one.id)}</code></td><td>{html.escape(one.names.ko)}</td>"
            f"<td>{html.escape(one.names.en)}</td><td>{html.escape(', '.join(one.inputs))}</td>"
            f"<td>{html.escape(', '.join(one.outputs))}</td></tr>"
            for one in self._known.values()
        )
        heads = "".join(f"<th>{one}</th>" for one in ("id", "이름", "name", "inputs", "outputs"))
        return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


class Answering(Protocol):
    """Who answers: a server, or this process (`remote`, `folder`)."""

    def status(self, job: str) -> Mapping[str, Any]:
        """The status of a job (statusInfo.yaml)."""

    def outputs(self, job: str) -> Mapping[str, str]:
        """The layer of each output of a job that is done."""

    def manifest(self, job: str) -> dict[str, Any]:
        """The signed manifest of a job that is done."""

    def evidence(self, job: str, path: Path) -> Path:
        """The evidence package of a job that is done, written to a file."""

    def dismiss(self, job: str) -> None:
        """End a job, or take its results away."""


class Result:
    """What a question came to: a job, and a layer for each output.

    Args:
        origin: who answers.
        job: id of the job.
        layer: gives a layer of the twin by id.
    """

    def __init__(self, origin: Answering, job: str, layer: Callable[[str], Layer]) -> None:
        self._origin, self._layer = origin, layer
        self.job = job

    @property
    def about(self) -> Mapping[str, Any]:
        """The whole status of the job."""
        return self._origin.status(self.job)

    @property
    def status(self) -> str:
        """accepted, running, successful, failed or dismissed; asked anew each time."""
        return str(self.about["status"])

    @property
    def reused(self) -> bool:
        """Whether the same question had been answered before."""
        return bool(self.about.get("reused"))

    @property
    def layers(self) -> Mapping[str, str]:
        """The id of the layer of each output."""
        return self._origin.outputs(self.job)

    def layer(self, output: str = "") -> Layer:
        """The layer of an output; of the only one, or the first, by default.

        Raises:
            NotFound: there is no such output, or the job is not done.
        """
        known = self.layers
        name = output or next(iter(known), "")
        if name not in known:
            raise NotFound(f"there is no output {name!r}", f"job {self.job}", f"there are {', '.join(known)}")
        return self._layer(known[name])

    def frame(self, output: str = "") -> gpd.GeoDataFrame | pd.DataFrame:
        """The rows of an output that has rows: as a GeoDataFrame where they lie somewhere.

        Args:
            output: the first that has rows, by default.

        Raises:
            BadInput: it is a grid.
            NotFound: see `layer`.
        """
        names = [output] if output else list(self.layers)
        for name in names:
            found = self.layer(name)
            if found.kind != "grid":
                return found.geodataframe() if found.kind == "features" else found.dataframe()
        raise BadInput(f"{', '.join(names)} has no rows", f"job {self.job}", "use layer(…).xarray()")

    def manifest(self) -> dict[str, Any]:
        """What it was made from and how, signed by the city (W3C Verifiable Credential 2.0)."""
        return self._origin.manifest(self.job)

    def evidence(self, path: str | Path) -> Path:
        """Write all that a stranger needs to repeat it (`twintown verify`) to a file; its path."""
        return self._origin.evidence(self.job, Path(path))

    def dismiss(self) -> None:
        """Take it away: a job that runs ends, layers that nobody else needs go."""
        self._origin.dismiss(self.job)

    def __repr__(self) -> str:
        about = self.about
        head = f"Result({self.job})  {about['processID']}: {about['status']}"
        if about["status"] != "successful":
            return f"{head}  {about.get('message', '')}"
        more = " (as answered before)" if about.get("reused") else ""
        return "\n".join([head + more, *(f"  {name}: layer {layer}" for name, layer in self.layers.items())])
