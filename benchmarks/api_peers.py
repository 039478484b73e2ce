"""pygeoapi and tipg over PostGIS, each in its own environment and started as its own users start it: two workers, one table.

PostgreSQL runs in a temporary folder on a local socket and a free port; root hands it to the system's user `postgres`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from table import ROOT, free_port

PEERS = ROOT / ".peers-api"
PACKAGES = (
    "pygeoapi==0.21.0",
    "tipg==1.6.1",
    "psycopg2-binary",
    "geoalchemy2",
    "uvicorn",
    "uvloop",
    "httptools",
    "gunicorn",
)
_TABLE = """
CREATE EXTENSION IF NOT EXISTS postgis;
DROP TABLE IF EXISTS houses;
CREATE TABLE houses (id text PRIMARY KEY, name text, kind text, height_m double precision, levels bigint, year bigint,
                     geometry geometry(Polygon, 4326));
COPY houses FROM '{file}';
CREATE INDEX ON houses USING gist (geometry);
VACUUM ANALYZE houses;
"""
_CONFIG = """
server:
  bind: {{host: 127.0.0.1, port: {port}}}
  url: http://127.0.0.1:{port}
  mimetype: application/json; charset=UTF-8
  encoding: utf-8
  language: en-US
  limits: {{default_items: 100, max_items: 10000}}
  map: {{url: "", attribution: ""}}
logging: {{level: ERROR}}
metadata:
  identification: {{title: bench, description: bench, keywords: [bench], keywords_type: theme, terms_of_service: none, url: "http://127.0.0.1"}}
  license: {{name: CC0, url: "http://127.0.0.1"}}
  provider: {{name: bench, url: "http://127.0.0.1"}}
  contact: {{name: bench}}
resources:
  houses:
    type: collection
    title: houses
    description: synthetic houses
    keywords: [bench]
    links: []
    extents: {{spatial: {{bbox: [126, 37, 128, 38], crs: "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}}}}
    providers:
      - type: feature
        name: PostgreSQL
        data: {{host: 127.0.0.1, port: {pg}, dbname: postgres, user: bench, password: bench, search_path: [public]}}
        id_field: id
        table: houses
        geom_field: geometry
"""


def python() -> Path:
    """The peers' interpreter; the environment is made once."""
    found = PEERS / "bin" / "python"
    if not found.exists():
        subprocess.run([sys.executable, "-m", "venv", str(PEERS)], check=True)
        (PEERS / ".gitignore").write_text("*\n")
    probe = [str(found), "-c", "import pygeoapi, tipg, psycopg2, geoalchemy2, uvicorn, gunicorn"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        subprocess.run([str(found), "-m", "pip", "install", "-q", *PACKAGES], check=True)
    return found


def _programs() -> Path:
    """The folder of PostgreSQL's server programs. Raises FileNotFoundError."""
    for candidate in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (candidate / "initdb").exists():
            return candidate
    if found := shutil.which("initdb"):
        return Path(found).parent
    raise FileNotFoundError("PostgreSQL with PostGIS (Debian: postgresql postgresql-15-postgis-3)")


@contextmanager
def postgis(folder: Path, rows: Path) -> Iterator[int]:
    """A PostgreSQL with the table `houses` from a COPY file; its port."""
    programs, port = _programs(), free_port()
    data = folder / "pg"
    data.mkdir()
    user: str | None = None
    if os.getuid() == 0:
        user = "postgres"
        there = pwd.getpwnam(user)
        os.chown(data, there.pw_uid, there.pw_gid)
        folder.chmod(0o755)
    rows.chmod(0o644)

    def run(*command: str, feed: str | None = None) -> None:
        done = subprocess.run(
            list(command),
            user=user,
            input=feed,
            text=True,
            capture_output=True,
            check=False,
            cwd="/",
            env={**os.environ, "HOME": "/"},
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]}: {done.stderr.strip()[-300:]}")

    run(
        str(programs / "initdb"),
        "-D",
        str(data),
        "-A",
        "trust",
        "-U",
        "bench",
        "--no-sync",
        "-E",
        "UTF8",
        "--locale=C",
    )
    options = f"-p {port} -k {data} -h 127.0.0.1 -c shared_buffers=1GB -c max_connections=200"
    run(str(programs / "pg_ctl"), "-D", str(data), "-w", "-l", str(data / "log"), "-o", options, "start")
    try:
        feed = _TABLE.format(file=rows)
        run(
            str(programs / "psql"),
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            "127.0.0.1",
            "-p",
            str(port),
            "-U",
            "bench",
            "postgres",
            feed=feed,
        )
        yield port
    finally:
        with suppress(RuntimeError):
            run(str(programs / "pg_ctl"), "-D", str(data), "-w", "-m", "immediate", "stop")


def _await(address: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(240):
        with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(address, timeout=5) as answer:
            answer.read()
            return
        if server.poll() is not None:
            break
        time.sleep(0.25)
    raise RuntimeError(f"no answer from {address}")


@contextmanager
def tipg(folder: Path, pg: int) -> Iterator[str]:
    """tipg with two workers; the address of the items of `houses`."""
    port = free_port()
    environment = {
        **os.environ, "DATABASE_URL": f"postgresql://bench:bench@127.0.0.1:{pg}/postgres",
        "TIPG_DB_SCHEMAS": '["public"]', "TIPG_MAX_FEATURES_PER_QUERY": "10000",
    }  # fmt: skip
    command = [str(python()), "-m", "uvicorn", "tipg.main:app", "--workers", "2", "--port", str(port)]
    command += ["--log-level", "error", "--no-access-log"]
    with _running(command, environment, folder / "tipg.log") as server:
        items = f"http://127.0.0.1:{port}/collections/public.houses/items"
        _await(f"{items}?limit=1&f=geojson", server)
        yield items


@contextmanager
def pygeoapi(folder: Path, pg: int) -> Iterator[str]:
    """pygeoapi with two workers; the address of the items of `houses`."""
    port = free_port()
    config, openapi = folder / "pygeoapi.yml", folder / "pygeoapi-openapi.yml"
    config.write_text(_CONFIG.format(port=port, pg=pg))
    environment = {**os.environ, "PYGEOAPI_CONFIG": str(config), "PYGEOAPI_OPENAPI": str(openapi)}
    made = subprocess.run(
        [str(python().with_name("pygeoapi")), "openapi", "generate", str(config), "--output-file", str(openapi)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode:
        raise RuntimeError(f"pygeoapi openapi: {made.stderr.strip()[-300:]}")
    command = [
        str(python()),
        "-m",
        "gunicorn",
        "-w",
        "2",
        "-b",
        f"127.0.0.1:{port}",
        "pygeoapi.flask_app:APP",
        "--log-level",
        "error",
    ]
    with _running(command, environment, folder / "pygeoapi.log") as server:
        items = f"http://127.0.0.1:{port}/collections/houses/items"
        _await(f"{items}?limit=1&f=json", server)
        yield items


@contextmanager
def _running(command: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out:
        server = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
        try:
            yield server
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
