"""`twintown produce`: the layers of offers and needs."""

from __future__ import annotations

from pathlib import Path

import click

from .opened import DIRECTORY, open_twin


@click.command()
@click.argument("directory", type=DIRECTORY)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--licence", default="CC0-1.0", show_default=True, help="SPDX identifier of the files' licence."
)
@click.option("--publisher", required=True, help="Whose the files are.")
@click.option("--quiet", is_flag=True, help="No summary.")
def produce(directory: Path, folder: Path, licence: str, publisher: str, quiet: bool) -> None:
    """Add the layers of offers and needs to the twin in DIRECTORY, from the CSV files of FOLDER.

    producers, lots, kitchens, recipes, needs, vehicles: a layer that is there already stays as it is, whatever its file says; a layer
    without a file is made empty.
    """
    from twintown.build.run import settle
    from twintown.programme.produce_seed import seed
    from twintown.trust.identity import LOCAL_OWNER
    from twintown.trust.policy import Resource, decide
    from twintown.twin import add

    twin = open_twin(directory)
    grant = decide(LOCAL_OWNER, "write", Resource(twin.description.id))
    made = seed(twin, folder, grant, add.licence_of(twin, licence), publisher)
    if made:
        settle(twin.writing())
    if quiet:
        return
    for one in made:
        click.echo(f"{one.layer}: {one.count:,} rows")
    if not made:
        click.echo("all layers of offers and needs are there")
