"""`twintown people`: who may plan and approve."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from .opened import DIRECTORY, described, table


@click.group()
def people() -> None:
    """Name who may plan and approve in a twin; they show it by a token."""


@people.command("add")
@click.argument("directory", type=DIRECTORY)
@click.option("--name", required=True, help="Of the person; one who is there gets a new token.")
@click.option(
    "--role", "roles", multiple=True, required=True,
    help="planner (edits scenarios), approver (decides on them too), engineer (writes layers), partner (offers and agrees), "
    "security (release gate) or viewer; may be repeated.",
)  # fmt: skip
def people_add(directory: Path, name: str, roles: Sequence[str]) -> None:
    """Name a person in the twin in DIRECTORY and print their token, once."""
    from twintown.trust.people import add_person

    described(directory)
    token = add_person(directory, name, roles)
    click.echo(token)
    click.echo(
        f"{name} is {' and '.join(roles)} now; the token above is kept nowhere, hand it over safely", err=True
    )


@people.command("list")
@click.argument("directory", type=DIRECTORY)
def people_list(directory: Path) -> None:
    """Show who may plan and approve in the twin in DIRECTORY."""
    from twintown.trust.people import read_people

    described(directory)
    table([("name", "role", "since"), *((one.name, one.role, one.since) for one in read_people(directory))])


@people.command("remove")
@click.argument("directory", type=DIRECTORY)
@click.option("--name", required=True, help="Of the person.")
def people_remove(directory: Path, name: str) -> None:
    """Take a person out of the twin in DIRECTORY; their token opens nothing from now on."""
    from twintown.trust.people import remove_person

    described(directory)
    remove_person(directory, name)
    click.echo(f"{name} is out")
