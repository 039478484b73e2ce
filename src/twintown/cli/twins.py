"""`twintown init | build | compact | info`: a twin from its description to what it holds."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .opened import DIRECTORY, blobs, open_twin, table

if TYPE_CHECKING:
    from twintown.twin.layers import Twin


@click.command()
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


@click.command()
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
            blobs=blobs(directory),
            show=not quiet and sys.stderr.isatty(),
        )
        if not quiet:
            what = f"{len(done.ran)} of {len(done.ran) + len(done.kept)} steps" if done.ran else "up to date"
            click.echo(
                f"{directory}: {what}, {done.layers} layers, {done.products} products, {done.seconds:.1f} s"
            )


@click.command()
@click.argument("directory", type=DIRECTORY)
@click.option("--quiet", is_flag=True, help="No summary.")
def compact(directory: Path, quiet: bool) -> None:
    """Fold what was edited in the twin in DIRECTORY into new versions of its layers; a build does it too."""
    from twintown.build.run import fold, settle
    from twintown.store.lock import locked

    twin = open_twin(directory).writing()
    with locked(directory):
        counts = fold(twin)
    settle(twin)
    if not quiet:
        for layer, count in counts.items():
            click.echo(f"{layer}: {count:,} edits folded in")
        if not counts:
            click.echo(f"{directory}: nothing was edited")


@click.command()
@click.argument("directory", type=DIRECTORY)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def info(directory: Path, as_json: bool) -> None:
    """Show what the twin in DIRECTORY holds."""
    import json

    twin = open_twin(directory)
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
    table(rows)
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
    table(rows)
    for line in said["attributions"]:
        click.echo(line)


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
