"""A twin over HTTP: its open API asked politely, with nothing but the standard library."""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import quote, unquote, urlencode, urljoin, urlsplit
from urllib.request import Request, urlopen

from twintown import __version__
from twintown.client.origin import About, address_of
from twintown.client.process import Asked, Progress
from twintown.ground import errors
from twintown.ground.columns import Column
from twintown.ground.names import Name
from twintown.ground.provenance import Licence, Provenance, Source, Step

if TYPE_CHECKING:
    import pyarrow as pa

    from twintown.ground.grid import Grid

#: Tries of one question, and the longest wait between two, seconds.
TRIES, LONGEST_S = 4, 30.0
#: Rows that the API gives on a page at most.
PAGE = 10_000
PARQUET = "application/vnd.apache.parquet"
_AGAIN = frozenset((429, 502, 503, 504))
_KINDS: Mapping[int, type[errors.TwintownError]] = {
    400: errors.BadInput, 401: errors.Unauthenticated, 403: errors.Denied, 404: errors.NotFound, 406: errors.BadInput,
    409: errors.Conflict, 410: errors.Gone, 413: errors.TooLarge, 422: errors.BadInput, 429: errors.TooMany,
}  # fmt: skip


class Remote:
    """The twin at an address."""

    def __init__(self, url: str, token: str = "", timeout_s: float = 60.0) -> None:
        split = urlsplit(url)
        self.url = split._replace(query="", fragment="").geturl().rstrip("/")
        self._token, self._timeout_s = token, timeout_s
        self._about = self._json(self.url)
        if "twins" in self._about:
            listed = ", ".join(str(one["links"][0]["href"]) for one in self._about["twins"])
            raise errors.BadInput("this is the list of twins and no twin", self.url, f"use {listed}")
        if "links" not in self._about:
            raise errors.BadInput(
                "what is there is no OGC API", self.url, "give the address of a twin: …/twins/<id>"
            )

    def names(self) -> Name:
        """What the landing page says."""
        return _name(self._about.get("names") or self._about.get("title") or self.url)

    def catalogue(self) -> tuple[About, ...]:
        """The collections of the API."""
        return tuple(
            self._described(one)
            for one in self._json(f"{self.url}/collections")["collections"]
            if "kind" in one
        )

    def rows(self, layer: str, asked: Mapping[str, str], limit: int | None) -> pa.Table:
        """All rows in one stream, or pages until there are as many as wanted."""
        import pyarrow as pa

        address = f"{address_of(self.url, layer)}/items"
        if limit is None:
            return self._table(f"{address}?{urlencode({**asked, 'f': 'parquet'})}")[0]
        parts: list[pa.Table] = []
        following = f"{address}?{urlencode({**asked, 'f': 'parquet', 'limit': min(limit, PAGE)})}"
        while following and limit > 0:
            table, following = self._table(following)
            parts.append(table.slice(0, limit))
            limit -= len(table)
        return (
            parts[0]
            if len(parts) == 1
            else pa.concat_tables(parts).replace_schema_metadata(parts[0].schema.metadata)
        )

    def grid(self, layer: str) -> Grid:
        """The cloud-optimised GeoTIFF, whole."""
        from twintown.ground.grid import Grid

        with self._fetched(f"{address_of(self.url, layer)}/coverage?f=cog", "image/tiff") as (file, _):
            return Grid.from_cog(file)

    def processes(self) -> tuple[Asked, ...]:
        """What the server offers, each with its description."""
        listed = self._json(f"{self.url}/processes?limit=1000")["processes"]
        return tuple(
            Asked.of(self._json(f"{self.url}/processes/{quote(one['id'], safe='')}")) for one in listed
        )

    def run(
        self, process: str, inputs: Mapping[str, Any], scenario: str, fresh: bool, progress: Progress | None
    ) -> str:
        """Ask, then look at the job until it is over. Ctrl-C dismisses it."""
        address = f"{self.url}/processes/{quote(process, safe='')}"
        outputs = {name: {"transmissionMode": "reference"} for name in self._json(address)["outputs"]}
        asked: dict[str, Any] = {"inputs": dict(inputs), "outputs": outputs, "response": "document"}
        if scenario:
            asked["inputs"]["scenario"] = scenario
        if fresh:
            asked["fresh"] = True
        with self._opened(f"{address}/execution", "application/json", "POST", asked) as answer:
            status: dict[str, Any] = json.load(answer)
        job, wait = str(status["jobID"]), 0.05
        try:
            while True:
                if progress is not None:
                    progress(str(status.get("stage") or status["status"]), status.get("progress", 0) / 100)
                if status["status"] not in ("accepted", "running"):
                    break
                time.sleep(wait)
                wait = min(wait * 1.5, 1.0)
                status = dict(self.status(job))
        except KeyboardInterrupt:
            self.dismiss(job)
            raise
        if status["status"] != "successful":
            raise _problem(
                status.get("problem") or {"detail": f"the job was {status['status']}"}, f"job {job}"
            )
        return job

    def jobs(self, limit: int) -> tuple[str, ...]:
        """The ids of the newest jobs."""
        return tuple(one["jobID"] for one in self._json(f"{self.url}/jobs?limit={limit}")["jobs"])

    def status(self, job: str) -> Mapping[str, Any]:
        """The status that the server tells."""
        return self._json(self._job(job))

    def outputs(self, job: str) -> Mapping[str, str]:
        """The layers that the job's results link to."""
        said = self._json(f"{self._job(job)}/results")
        return {name: unquote(one["href"].rpartition("/")[2]) for name, one in said.items() if "href" in one}

    def manifest(self, job: str) -> dict[str, Any]:
        """The manifest that the server signed."""
        return self._json(f"{self._job(job)}/manifest")

    def evidence(self, job: str, path: Path) -> Path:
        """The package, fetched."""
        with self._fetched(f"{self._job(job)}/evidence", "application/zip") as (file, _):
            path.write_bytes(file.read_bytes())
        return path

    def dismiss(self, job: str) -> None:
        """DELETE of the job."""
        with self._opened(self._job(job), "application/json", "DELETE"):
            pass

    def _job(self, job: str) -> str:
        return f"{self.url}/jobs/{quote(job, safe='')}"

    def _table(self, address: str) -> tuple[pa.Table, str]:
        """The rows at an address, and the address of the next page."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        with self._fetched(address, PARQUET) as (file, headers):
            try:
                table = pq.read_table(file)
            except (pa.ArrowInvalid, OSError) as error:
                raise errors.StorageFailed(
                    "what came is no whole GeoParquet", address, "try again"
                ) from error
        found = re.search(r"<([^>]*)>\s*;[^,]*rel=\"?next\"?", headers.get("Link", "") or "")
        return table, urljoin(address, found[1]) if found else ""

    def _json(self, address: str) -> dict[str, Any]:
        with self._opened(address, "application/json") as answer:
            try:
                found = json.load(answer)
            except ValueError as error:
                raise errors.BadInput(
                    "what is there is no JSON", address, "give the address of a twin: …/twins/<id>"
                ) from error
        if not isinstance(found, dict):
            raise errors.BadInput(
                "what is there is no OGC API", address, "give the address of a twin: …/twins/<id>"
            )
        return found

    @contextmanager
    def _fetched(self, address: str, media_type: str) -> Iterator[tuple[Path, Mapping[str, str]]]:
        """A body as a file that goes away afterwards."""
        with tempfile.TemporaryDirectory(prefix="twintown-") as folder:
            file = Path(folder) / "body"
            for left in reversed(range(TRIES)):
                try:
                    with self._opened(address, media_type) as answer, file.open("wb") as kept:
                        while block := answer.read(1 << 20):
                            kept.write(block)
                        headers: Mapping[str, str] = answer.headers  # type: ignore[assignment]
                    break
                except (HTTPException, OSError) as error:  # it broke off on the way
                    if not left:
                        raise errors.StorageFailed(
                            f"the answer broke off ({error})", address, "try again later"
                        ) from error
            yield file, headers

    def _opened(
        self, address: str, media_type: str, method: str = "GET", body: Mapping[str, Any] | None = None
    ) -> HTTPResponse:
        """The answer, whose body is still to be read; asked again after a pause where the server is busy or silent.

        What is asked by POST is a question, which is the same when it is asked twice.
        """
        headers = {"Accept": media_type, "User-Agent": f"twintown/{__version__}"}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers |= {"Content-Type": "application/json", "Prefer": "respond-async"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        for tried in range(1, TRIES + 1):
            wait = 0.25 * 2**tried
            try:
                request = Request(address, data, headers, method=method)
                answer: HTTPResponse = urlopen(request, timeout=self._timeout_s)
                return answer
            except HTTPError as error:
                with error:
                    if error.code not in _AGAIN or tried == TRIES:
                        raise _of(error, address) from None
                    said = error.headers.get("Retry-After", "")
                    wait = float(said) if said.isdecimal() else wait
            except (OSError, HTTPException) as error:  # no connection, or one that was cut
                if tried == TRIES:
                    reason = getattr(error, "reason", error)
                    remedy = "is the address right, and is the server up?"
                    raise errors.StorageFailed(f"cannot be reached ({reason})", address, remedy) from error
            except ValueError as error:
                raise errors.BadInput(
                    f"is no address ({error})", address, "give https://host/twins/<id>"
                ) from error
            time.sleep(min(wait, LONGEST_S))
        raise AssertionError("the last try returns or raises")

    def _described(self, one: Mapping[str, Any]) -> About:
        box = ((one.get("extent") or {}).get("spatial") or {}).get("bbox") or [None]
        return About(
            id=one["id"], names=_name(one.get("names") or one.get("title")), kind=one["kind"], geometry=one.get("geometry") or "",
            count=int(one["count"]), grade=one["grade"], version=one["version"],
            columns=tuple(Column(c["name"], c["type"], c["unit"], _name(c["title"])) for c in one["columns"]),
            provenance=Provenance(
                tuple(_source(source) for source in one["sources"]), tuple(Step(s["what"], s["by"]) for s in one["steps"])
            ),
            bbox=tuple(box[0]) if box[0] else None,
            assumed=tuple(_name(note) for note in one["assumed"]), attributes=dict(one.get("attributes") or {}),
            url=address_of(self.url, one["id"]),
        )  # fmt: skip


def _name(value: Any) -> Name:
    return Name.of(value or "?")


def _source(one: Mapping[str, Any]) -> Source:
    licence = Licence(
        **{key: one["licence"][key] for key in ("id", "title", "url", "attribution", "share_alike")}
    )
    return Source(one["id"], one["title"], one["publisher"], licence, one["url"], one["date"], one["note"])


def _of(error: HTTPError, address: str) -> errors.TwintownError:
    """A problem (RFC 9457) as an error of the house."""
    try:
        body = json.loads(error.read(65_536))
    except ValueError:
        body = {}
    body = body if isinstance(body, dict) else {}
    if "status" not in body:
        body["status"] = error.code
    return _problem(body, address)


def _problem(body: Mapping[str, Any], address: str) -> errors.TwintownError:
    """Problem details as an error of the house."""
    code = int(body.get("status") or 500)
    what = str(body.get("detail") or body.get("title") or f"the server answered {code}").rstrip(".")
    name = str(body.get("parameter") or "")
    if code in (400, 422) and name:
        return errors.BadParameter(name, what, address)
    if str(body.get("type", "")).endswith(":plugin-failed"):
        return errors.PluginFailed(what, address)
    return _KINDS.get(code, errors.StorageFailed)(what, address)
