"""A twin in its folder: the questions of the client answered by the code that the server answers with, for the owner of the files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twintown.client.origin import About
from twintown.client.process import Asked, Progress
from twintown.ground.columns import Column
from twintown.ground.errors import NotFound
from twintown.ground.names import Name

if TYPE_CHECKING:
    import pyarrow as pa

    from twintown.ground.grid import Grid
    from twintown.jobs.job import Job
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
        self._public_url = settings.public_url
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

    def processes(self) -> tuple[Asked, ...]:
        """The installed processes whose layers are here."""
        from twintown.api import processes
        from twintown.api.guard import Asked as Entered

        offered = processes.offered(Entered(self._served, self._grant))
        return tuple(
            Asked.of(processes.describe("", one, "en").model_dump(mode="json", by_alias=True))
            for one in offered
        )

    def run(
        self, process: str, inputs: Mapping[str, Any], scenario: str, fresh: bool, progress: Progress | None
    ) -> str:
        """Answer here and now, in this process; a job keeps what came out."""
        from twintown.jobs import question, results
        from twintown.jobs.process import processes, silent
        from twintown.scenario.plans import Plans
        from twintown.trust.identity import LOCAL_OWNER
        from twintown.trust.policy import Resource, decide

        grant = decide(LOCAL_OWNER, "run", Resource(self._twin.description.id))
        plan = Plans(self._twin.tables).resolve(scenario) if scenario else None
        edits, base = (plan.edits, plan.base) if plan else ((), None)
        if plan:
            inputs = {**plan.inputs({one.name for one in processes().find(process).inputs}), **inputs}
        what = question.ask(
            self._twin, grant, process, inputs, edits, plan.scenario if plan else None, fresh, base=base
        )
        return results.answer(self._twin, grant, what, progress or silent).job.id

    def jobs(self, limit: int) -> tuple[str, ...]:
        """The ids of the newest jobs."""
        from twintown.jobs.queue import Queue

        return tuple(job.id for job in Queue(self._twin.tables).list(limit=limit))

    def status(self, job: str) -> Mapping[str, Any]:
        """The status that a server would tell."""
        from twintown.api.jobs import body_of, told

        found = self._found(job)
        return body_of(told(found, f"{self.url}/jobs/{found.id}"))

    def outputs(self, job: str) -> Mapping[str, str]:
        """The layers of the job."""
        from twintown.jobs import results

        made = results.versions(self._twin, self._grant, self._found(job))
        return {name: version.layer for name, version in made.items()}

    def manifest(self, job: str) -> dict[str, Any]:
        """The manifest that the job keeps."""
        found = (self._found(job).results or {}).get("manifest")
        if not found:
            raise NotFound("the job has no manifest", f"job {job}", "it is not done, or has no results")
        return dict(found)

    def evidence(self, job: str, path: Path) -> Path:
        """The package, made here."""
        from twintown.jobs.package import pack

        path.write_bytes(b"".join(pack(self._twin, self._grant, self._found(job), self._public_url)))
        return path

    def dismiss(self, job: str) -> None:
        """Take the results of the job away."""
        from twintown.jobs import results

        results.dismiss(self._twin, job)

    def _found(self, job: str) -> Job:
        from twintown.jobs.queue import Queue

        return Queue(self._twin.tables).get(job)

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
