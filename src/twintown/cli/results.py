"""`twintown run | verify`: a question answered, and an answer repeated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .opened import DIRECTORY, open_twin


@click.command()
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

    twin, named = open_twin(directory), asked.pop("scenario")
    plan = Plans(twin.tables).resolve(named) if named else None
    made = ask_here(twin, process, read_settings(), progress_line(quiet), plan=plan, **asked)
    if not quiet:
        click.echo("\n".join(made))


@click.command()
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
    told = verify_here(file, did, open_twin(twin) if twin else None, read_settings(), tell)
    for text, colour in lines(told.to_dict(), file.name, as_json):
        click.secho(text, fg=colour, bold=colour is not None)
    click.get_current_context().exit(STATUS[told.verdict])
