"""The command line: `twintown init | build | add | compact | info | people | serve | keep`.

One line on standard error for whatever goes wrong, and a status: 2 for what was given (a file, an option, a description),
1 for everything else, 130 for Ctrl-C. `--debug` shows the traceback. Imports wait until a command needs them.
"""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from twintown.settings import Settings
    from twintown.twin.add import Added
    from twintown.twin.layers import Twin

DIRECTORY = click.Path(path_type=Path, file_okay=False)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("twintown"), prog_name="twintown")
@click.option("--debug", is_flag=True, help="Show where in the code an error happened.")
def cli(debug: bool) -> None:
    """A city's digital twin: a directory of open formats, built from open data, served to a browser."""


@cli.command()
@click.argument("directory", type=DIRECTORY)
@click.option(
    "--city", help="Start from one of the cities of the repository (jamsil, icheon), or from any folder."
)
@click.option("--bounds", help="Start from a rectangle: west,south,east,north in degrees.")
@click.option("--id", "twin", help="Identifier of the twin; the directory's name by default.")
@click.option("--name", help="Name of the city; the identifier by default.")
@click.option("--time-zone", default="Asia/Seoul", show_default=True, help="IANA name.")
@click.option(
    "--osm", type=click.Path(path_type=Path, dir_okay=False), help="An OpenStreetMap extract to read."
)
@click.option("--undulation", type=float, help="Height of the geoid above the ellipsoid here, metres.")
def init(directory: Path, city: str | None, bounds: str | None, **about: Any) -> None:
    """Write the description of a new twin into DIRECTORY."""
    from twintown.build import start

    if (city is None) == (bounds is None):
        raise click.UsageError("give either --city or --bounds")
    made = (
        start.from_city(directory, city)
        if city is not None
        else start.from_bounds(directory, str(bounds), **about)
    )
    click.echo(f"{made} is written; look at it, then run: twintown build {directory}")


@cli.command()
@click.argument("directories", type=DIRECTORY, nargs=-1, required=True)
@click.option("--quiet", is_flag=True, help="No progress, no summary.")
def build(directories: Sequence[Path], quiet: bool) -> None:
    """Bring the twins in DIRECTORIES up to date: only what changed is done again."""
    from twintown.build import mark
    from twintown.settings import read_settings

    settings = read_settings()
    elsewhere = bool(settings.database_url or settings.blob_url)
    for directory in directories:
        if not elsewhere and mark.unchanged(directory):
            if not quiet:
                click.echo(f"{directory}: up to date")
            continue
        from twintown.build.run import build as build_twin

        done = build_twin(
            directory,
            database=settings.database_url,
            blobs=_blobs(directory),
            show=not quiet and sys.stderr.isatty(),
        )
        if not quiet:
            what = f"{len(done.ran)} of {len(done.ran) + len(done.kept)} steps" if done.ran else "up to date"
            click.echo(
                f"{directory}: {what}, {done.layers} layers, {done.products} products, {done.seconds:.1f} s"
            )


@cli.command()
@click.argument("directory", type=DIRECTORY)
@click.argument("files", type=click.Path(path_type=Path, dir_okay=False), nargs=-1)
@click.option("--layer", help="Id of the layer; the file's name by default.")
@click.option("--title-ko", default="", help="Its name in Korean.")
@click.option("--title-en", default="", help="Its name in English.")
@click.option("--licence", required=True, help="SPDX identifier, such as CC-BY-4.0, ODbL-1.0 or KOGL-1.")
@click.option("--publisher", required=True, help="Whose data it is.")
@click.option(
    "--grade",
    required=True,
    type=click.Choice(["O", "S", "C"], case_sensitive=False),
    help="O open to anyone, S sensitive, C classified.",
)
@click.option(
    "--attribution", default="", help="The words that must stand beside it; the licence's by default."
)
@click.option("--licence-url", default="", help="Where the licence can be read.")
@click.option("--source", default="", help="Title of the data at its source; the layer's by default.")
@click.option("--url", default="", help="Where the data is from.")
@click.option("--date", default="", help="The data's own date, ISO 8601.")
@click.option("--note", default="", help="What else one should know of the data.")
@click.option(
    "--editable/--no-editable",
    default=False,
    show_default=True,
    help="Whether single features can be written later, over the network.",
)
@click.option(
    "--locking/--no-locking",
    default=True,
    show_default=True,
    help="Whether a writer must say by If-Match which state of a feature is meant.",
)
@click.option("--format", "kind", help="Format of the files; by their names otherwise.")
@click.option(
    "--crs", default="", help="CRS of the coordinates where a file does not say, such as EPSG:5186."
)
@click.option("--id-column", default="", help="The column that makes the ids.")
@click.option("--replace", is_flag=True, help="Take the place of a layer of this id that was added before.")
@click.option("--geometry", help="Without a file: Point, LineString, Polygon or GeometryCollection.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="NAME:TYPE[:UNIT]",
    help="Without a file: a column; string, integer, number, boolean or datetime, and its UCUM unit.",
)
@click.option("--quiet", is_flag=True, help="No summary.")
def add(directory: Path, files: Sequence[Path], layer: str | None, quiet: bool, **said: Any) -> None:  # fmt: skip
    """Add layers of your own to the twin in DIRECTORY: from FILES, or empty ones to draw into.

    GeoJSON, JSON-FG, CityJSON, CityJSONSeq, FlatGeobuf, GeoParquet and CSV are read. A build leaves added layers alone.

    \b
    twintown add icheon benches.geojson --licence KOGL-1 --publisher "Icheon City" --grade O
    twintown add icheon --layer trees --geometry Point --column kind:string --column height_m:number:m \\
        --licence CC0-1.0 --publisher "Icheon City" --grade O
    """
    if not files and not (layer and said["geometry"]):
        raise click.UsageError("name a file, or say --layer and --geometry for an empty layer")
    if files and (said["geometry"] or said["columns"]):
        raise click.UsageError("--geometry and --column are for an empty layer; a file brings its own")
    if layer and len(files) > 1:
        raise click.UsageError("--layer names one layer, and there are several files")
    from twintown.build.run import settle

    twin = _open(directory)
    for file in files or (None,):
        done = _add(twin, file, layer or _layer_id(file), **said)
        settle(twin.writing())
        if quiet:
            continue
        version = done.version
        what = "editable" if version.meta.get("editable") else version.kind
        click.echo(f"{version.layer}: {version.count:,} rows, {what}, version {version.version}")
        for finding in done.findings[:20]:
            click.echo(f"  {finding.where}: {finding.what}")
        if len(done.findings) > 20:
            click.echo(f"  and {len(done.findings) - 20} more")
        if done.beside:
            click.echo(f"  beside it: {', '.join(done.beside)}")


def _layer_id(file: Path | None) -> str:
    """A file's name as an id, as far as it can be one."""
    import re

    name = file.name.partition(".")[0] if file else ""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _add(twin: Twin, file: Path | None, layer: str, **said: Any) -> Added:
    from twintown.formats.format import FORMATS, by_name
    from twintown.ground.columns import Column
    from twintown.ground.errors import BadSettings, NotFound
    from twintown.ground.names import Name
    from twintown.ground.provenance import Source
    from twintown.trust.grades import Grade
    from twintown.trust.identity import LOCAL_OWNER
    from twintown.trust.policy import Resource, decide
    from twintown.twin import add as adding

    title = Name.of(
        {key: said[f"title_{key}"] for key in ("ko", "en") if said[f"title_{key}"]} or layer or "layer"
    )
    licence = adding.licence_of(twin, said["licence"], "", said["licence_url"], said["attribution"])
    name = said["source"] or (file.name if file else title.en)
    source = Source(layer, name, said["publisher"], licence, said["url"], said["date"], said["note"])
    about = adding.About(
        layer, title, source, Grade.of(said["grade"]), said["editable"], said["locking"], said["replace"]
    )
    grant = decide(LOCAL_OWNER, "write", Resource(twin.description.id))
    if file is None:
        columns = []
        for one in said["columns"]:
            name, _, rest = one.partition(":")
            sort, _, unit = rest.partition(":")
            columns.append(Column(name, sort or "string", unit, Name(name, name)))
        return adding.add_empty(twin, about, said["geometry"], columns, grant)
    if not file.is_file():
        raise NotFound("there is no such file", str(file), "check the path")
    kind = by_name(file.name) if not said["kind"] else FORMATS.get(said["kind"])
    if kind is None:
        raise BadSettings(
            "the format cannot be told", str(file), f"say --format, one of {', '.join(FORMATS)}"
        )
    return adding.add_file(twin, about, kind, file, grant, crs=said["crs"], id_column=said["id_column"])


@cli.command()
@click.argument("directory", type=DIRECTORY)
@click.option("--quiet", is_flag=True, help="No summary.")
def compact(directory: Path, quiet: bool) -> None:
    """Fold what was edited in the twin in DIRECTORY into new versions of its layers; a build does it too."""
    from twintown.build.run import fold, settle
    from twintown.store.lock import locked

    twin = _open(directory).writing()
    with locked(directory):
        counts = fold(twin)
    settle(twin)
    if not quiet:
        for layer, count in counts.items():
            click.echo(f"{layer}: {count:,} edits folded in")
        if not counts:
            click.echo(f"{directory}: nothing was edited")


@cli.command()
@click.argument("directory", type=DIRECTORY)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def info(directory: Path, as_json: bool) -> None:
    """Show what the twin in DIRECTORY holds."""
    import json

    twin = _open(directory)
    said = _info(twin)
    if as_json:
        click.echo(json.dumps(said, ensure_ascii=False, indent=2))
        return
    about = twin.description
    click.echo(f"{about.id}  {about.names.ko} · {about.names.en}   {about.frame.crs}, {about.time_zone}")
    rows = [("layer", "kind", "count", "grade", "built (UTC)", "title")]
    for layer in said["layers"]:
        title = f"{layer['title']['ko']} · {layer['title']['en']}"
        built = layer["built_at"][:16].replace("T", " ")
        rows.append((layer["layer"], layer["kind"], f"{layer['count']:,}", layer["grade"], built, title))
    _table(rows)
    rows = [("product", "files", "bytes", "grade", "built (UTC)", "title")]
    for product in said["products"]:
        built = product["built_at"][:16].replace("T", " ")
        title = f"{product['title']['ko']} · {product['title']['en']}"
        rows.append(
            (
                product["product"],
                f"{product['files']:,}",
                f"{product['bytes']:,}",
                product["grade"],
                built,
                title,
            )
        )
    _table(rows)
    for line in said["attributions"]:
        click.echo(line)


@cli.command()
@click.argument("directories", type=DIRECTORY, nargs=-1)
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on, 0 for any free one.  [default: 8000]")
@click.option("--workers", type=int, help="Server processes.  [default: 1]")
@click.option(
    "--next-port", is_flag=True, help="Take the next free port where the port is taken, and say so."
)
def serve(directories: Sequence[Path], next_port: bool, **given: Any) -> None:
    """Serve the twins in DIRECTORIES to browsers and programs."""
    from twintown.settings import read_settings

    settings = read_settings(twins=directories or None, **given)
    if not settings.twins:
        raise click.UsageError("name at least one twin's directory")
    _listen(settings, next_port)


def _listen(settings: Settings, next_port: bool) -> None:
    """Bind first, so that a taken port is one line and not the end of a slow start."""
    import os
    from dataclasses import replace

    import uvicorn
    from uvicorn.supervisors import Multiprocess

    from twintown.api import wire
    from twintown.api.events import LISTENING
    from twintown.keeper import Beside

    bound = _bind(settings.host, settings.port, next_port)
    port = int(bound.getsockname()[1])
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"http://{'127.0.0.1' if host in ('0.0.0.0', '[::]') else host}:{port}/"
    taken = f"  (port {settings.port} is taken)" if settings.port not in (0, port) else ""
    line = f"Twintown is at {address}{taken}   Ctrl-C ends it"
    if not os.environ.get("TWINTOWN_PUBLIC_URL"):  # the port that was got, not the one that was asked for
        settings = replace(settings, public_url=address.rstrip("/"))
    os.environ["TWINTOWN_PUBLIC_URL"] = settings.public_url  # for the keeper and further workers

    beside = Beside(settings)

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            if self.started:
                click.echo(line)
                beside.start()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            LISTENING.ending.set()  # who listens to events does not hold the end up
            await super().shutdown(sockets=sockets)

    options: dict[str, Any] = {
        "http": wire.PROTOCOL, "log_level": "warning", "server_header": False, "timeout_graceful_shutdown": 5,
    }  # fmt: skip
    if settings.workers == 1:
        from twintown.app import create_app

        # Ctrl-C is how a server ends: uvicorn finishes the requests, then hands the signal on.
        with contextlib.suppress(KeyboardInterrupt), beside:
            Server(uvicorn.Config(create_app(settings=settings), **options)).run(sockets=[bound])
        return
    os.environ["TWINTOWN_TWINS"] = os.pathsep.join(str(twin) for twin in settings.twins)
    config = uvicorn.Config("twintown.app:serve_app", factory=True, workers=settings.workers, **options)
    click.echo(line)
    with beside:
        beside.start()
        Multiprocess(config, sockets=[bound]).run()


@cli.command()
@click.argument("directories", type=DIRECTORY, nargs=-1)
@click.option("--workers", type=int, help="Processes that work on jobs, at most.  [default: 2]")
def keep(directories: Sequence[Path], workers: int | None) -> None:
    """Work on the jobs of the twins in DIRECTORIES, apart from a server (TWINTOWN_KEEPER=off there)."""
    import signal
    from dataclasses import replace
    from threading import Event

    from twintown import keeper
    from twintown.settings import read_settings

    settings = read_settings(twins=directories or None)
    if not settings.twins:
        raise click.UsageError("name at least one twin's directory")
    if workers is not None:
        settings = replace(settings, keeper_workers=max(1, workers))
    stop = Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: stop.set())
    click.echo("The keeper works on jobs   Ctrl-C ends it")
    keeper.keep(settings, stop)


@cli.command()
@click.argument("directory", type=DIRECTORY)
@click.argument("process")
@click.option(
    "--input", "inputs", multiple=True, metavar="NAME=VALUE", help="An input; JSON, or a plain text."
)
@click.option("--scenario", default="", metavar="ID[@REVISION]", help="Ask of a plan instead of the city.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the evidence package here."
)
@click.option("--fresh", is_flag=True, help="Compute anew what was answered before.")
@click.option("--quiet", is_flag=True, help="No progress, no summary.")
def run(directory: Path, process: str, quiet: bool, **asked: Any) -> None:
    """Ask PROCESS of the twin in DIRECTORY; the answer becomes layers of the twin.

    \b
    twintown run jamsil sunlight --input date=2026-12-22 --out evidence.zip
    """
    from twintown.jobs.asking import ask_here, progress_line
    from twintown.scenario.plans import Plans
    from twintown.settings import read_settings

    twin, named = _open(directory), asked.pop("scenario")
    plan = Plans(twin.tables).resolve(named) if named else None
    made = ask_here(twin, process, read_settings(), progress_line(quiet), plan=plan, **asked)
    if not quiet:
        click.echo("\n".join(made))


@cli.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="The whole verdict, for programs.")
@click.option(
    "--did", type=click.Path(path_type=Path, dir_okay=False), help="The city's did.json, as you got it."
)
@click.option("--twin", type=DIRECTORY, help="A twin whose keys, peers and layers are known.")
@click.option("--quiet", is_flag=True, help="No progress.")
def verify(file: Path, as_json: bool, did: Path | None, twin: Path | None, quiet: bool) -> None:
    """Repeat the result in FILE, an evidence package or a manifest, without trusting who sent it.

    Ends with 0 where it is the same or within its error, 1 where it is different, 2 where it cannot be repeated.
    """
    from twintown.jobs.asking import progress_line, verify_here
    from twintown.jobs.words import STATUS, lines
    from twintown.settings import read_settings

    tell = progress_line(quiet or as_json)
    told = verify_here(file, did, _open(twin) if twin else None, read_settings(), tell)
    for text, colour in lines(told.to_dict(), file.name, as_json):
        click.secho(text, fg=colour, bold=colour is not None)
    click.get_current_context().exit(STATUS[told.verdict])


@cli.group()
def people() -> None:
    """Name who may plan and approve in a twin; they show it by a token."""


@people.command("add")
@click.argument("directory", type=DIRECTORY)
@click.option("--name", required=True, help="Of the person; one who is there gets a new token.")
@click.option("--role", required=True, help="planner (edits scenarios) or approver (decides on them too).")
def people_add(directory: Path, name: str, role: str) -> None:
    """Name a person in the twin in DIRECTORY and print their token, once."""
    from twintown.trust.people import add_person

    _described(directory)
    token = add_person(directory, name, role)
    click.echo(token)
    click.echo(f"{name} is {role} now; the token above is kept nowhere, hand it over safely", err=True)


@people.command("list")
@click.argument("directory", type=DIRECTORY)
def people_list(directory: Path) -> None:
    """Show who may plan and approve in the twin in DIRECTORY."""
    from twintown.trust.people import read_people

    _described(directory)
    _table([("name", "role", "since"), *((one.name, one.role, one.since) for one in read_people(directory))])


@people.command("remove")
@click.argument("directory", type=DIRECTORY)
@click.option("--name", required=True, help="Of the person.")
def people_remove(directory: Path, name: str) -> None:
    """Take a person out of the twin in DIRECTORY; their token opens nothing from now on."""
    from twintown.trust.people import remove_person

    _described(directory)
    remove_person(directory, name)
    click.echo(f"{name} is out")


def _described(directory: Path) -> None:
    """Refuse a directory that is no twin."""
    from twintown.twin.description import Description

    Description.load(directory)


def _bind(host: str, port: int, next_port: bool) -> socket.socket:
    from twintown.ground.errors import BadSettings

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port, port + 50 if next_port and port else port + 1):
        bound = socket.socket(family, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host, candidate))
            bound.listen(128)  # two may bind with SO_REUSEADDR, only one can listen
        except (OSError, OverflowError) as error:
            bound.close()
            reason = error
            continue
        bound.set_inheritable(True)
        return bound
    raise BadSettings(
        f"port {port} cannot be had ({getattr(reason, 'strerror', None) or reason})", host,
        "give another one: --port, or --next-port for the next free one",
    ) from reason  # fmt: skip


def _blobs(directory: Path) -> str:
    from twintown.settings import read_settings

    settings = read_settings()
    if not settings.blob_url:
        return ""
    from twintown.twin.description import Description

    return settings.blobs_of(Description.load(directory).id)


def _open(directory: Path) -> Twin:
    from twintown.settings import read_settings
    from twintown.twin.layers import Twin

    return Twin.open(directory, database=read_settings().database_url, blobs=_blobs(directory))


def _info(twin: Twin) -> dict[str, Any]:
    from twintown.trust.identity import LOCAL_OWNER
    from twintown.trust.policy import Resource, decide

    about = twin.description
    grant = decide(LOCAL_OWNER, "read", Resource(about.id))
    layers, products = twin.layers(grant), twin.products(grant)
    licences = {licence.id: licence for layer in layers for licence in layer.provenance.licences}
    return {
        "id": about.id,
        "names": about.names.to_dict(),
        "frame": about.frame.to_dict(),
        "bounds": list(about.bounds.as_tuple()),
        "layers": [
            {
                "layer": one.layer, "kind": one.kind, "title": one.title.to_dict(), "count": one.count,
                "grade": one.grade.value, "version": one.version, "digest": one.digest, "path": one.key,
                "built_at": one.built_at.isoformat(), "bbox_lonlat": one.bbox_lonlat,
            }
            for one in layers
        ],
        "products": [
            {
                "product": one.product, "title": one.meta["title"], "files": one.meta["files"],
                "bytes": one.meta["bytes"], "grade": one.grade.value, "version": one.version,
                "built_at": one.built_at.isoformat(), "path": one.path,
            }
            for one in products
        ],
        "attributions": sorted({licence.attribution or licence.title for licence in licences.values()}),
    }  # fmt: skip


def _table(rows: Sequence[tuple[str, ...]]) -> None:
    import unicodedata

    def width(text: str) -> int:
        return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)

    if len(rows) < 2:
        return
    widths = [max(width(row[column]) for row in rows) for column in range(len(rows[0]))]
    numbers = [all(row[c].replace(",", "").isdigit() for row in rows[1:]) for c in range(len(rows[0]))]
    click.echo()
    for row in rows:
        cells = []
        for cell, size, number in zip(row, widths, numbers, strict=True):
            space = " " * (size - width(cell))
            cells.append(space + cell if number else cell + space)
        click.echo("  ".join(cells).rstrip())


def main(arguments: Sequence[str] | None = None) -> None:
    """The `twintown` command; see the module."""
    from twintown.ground.errors import BadInput, NotFound, TwintownError

    given = list(sys.argv[1:] if arguments is None else arguments)
    if "--debug" in given:
        sys.exit(cli.main(given, prog_name="twintown", standalone_mode=False))
    try:
        status = cli.main(given, prog_name="twintown", standalone_mode=False)
    except click.exceptions.Exit as end:
        status = end.exit_code
    except (KeyboardInterrupt, click.Abort):
        status = 130
        click.echo("twintown: stopped; what was finished is kept", err=True)
    except click.ClickException as error:
        status = 2
        click.echo(f"twintown: {' '.join(error.format_message().split())}", err=True)
    except TwintownError as error:
        status = 2 if isinstance(error, BadInput | NotFound) else 1
        click.echo(f"twintown: {' '.join(str(error).split())}", err=True)
    except BrokenPipeError:
        status = 1
    except Exception as error:  # the last net: a person gets one line, whoever mends it gets --debug
        status = 1
        reason = (str(error).strip().splitlines() or [""])[0]
        click.echo(
            f"twintown: unexpected {type(error).__name__}: {reason}; run `twintown --debug …` to see where",
            err=True,
        )
    sys.exit(status)


if __name__ == "__main__":
    main()
