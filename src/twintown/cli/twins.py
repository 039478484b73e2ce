"""`twintown init | build | compact `: a twin from its description to its layers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .opened import DIRECTORY, blobs, open_twin

if TYPE_CHECKING:
    pass


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
