"""`twintown add`: layers of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .opened import DIRECTORY, open_twin

if TYPE_CHECKING:
    from twintown.twin.add import Added
    from twintown.twin.layers import Twin


@click.command()
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

    twin = open_twin(directory)
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
