"""`twintown account`: who may sign in to a twin by name and password."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from .opened import DIRECTORY, table


@click.group()
def account() -> None:
    """Say who may sign in to a twin, and with which roles."""


@account.command("add")
@click.argument("directory", type=DIRECTORY)
@click.option("--name", required=True, help="Of the person.")
@click.option(
    "--role", "roles", multiple=True, required=True,
    help="viewer, planner, approver, engineer, partner or security; may be repeated.",
)  # fmt: skip
@click.option("--change", is_flag=True, help="Give roles and a password to one who has an account already.")
def account_add(directory: Path, name: str, roles: Sequence[str], change: bool) -> None:
    """Let a person sign in to the twin in DIRECTORY. The password is asked for, or read from standard input."""
    from datetime import UTC, datetime

    from twintown.trust.accounts import add_account, change_account

    from .opened import open_twin

    tables = open_twin(directory).writing().tables
    password = _password()
    if change:
        made = change_account(tables, name, datetime.now(UTC), roles=roles, password=password)
    else:
        made = add_account(tables, name, roles, password, datetime.now(UTC))
    click.echo(f"{made.name} may sign in as {', '.join(made.roles)}")


@account.command("list")
@click.argument("directory", type=DIRECTORY)
def account_list(directory: Path) -> None:
    """Show who may sign in to the twin in DIRECTORY."""
    from twintown.trust.accounts import list_accounts

    from .opened import open_twin

    rows = [
        (one.name, " ".join(one.roles), one.kind, "yes" if one.totp else "", f"{one.created:%Y-%m-%d}",
         f"{one.disabled:%Y-%m-%d}" if one.disabled else "")
        for one in list_accounts(open_twin(directory).tables)
    ]  # fmt: skip
    table([("name", "roles", "kind", "code", "since", "closed"), *rows])


@account.command("disable")
@click.argument("directory", type=DIRECTORY)
@click.option("--name", required=True, help="Of the person.")
@click.option("--again", is_flag=True, help="Open the account again instead.")
def account_disable(directory: Path, name: str, again: bool) -> None:
    """Close an account of the twin in DIRECTORY; whoever is signed in under it is signed out."""
    from datetime import UTC, datetime

    from twintown.trust.accounts import change_account

    from .opened import open_twin

    change_account(open_twin(directory).writing().tables, name, datetime.now(UTC), disabled=not again)
    click.echo(f"{name} may sign in again" if again else f"{name} may not sign in any more")


@account.command("totp")
@click.argument("directory", type=DIRECTORY)
@click.option("--name", required=True, help="Of the person.")
@click.option("--off", is_flag=True, help="Ask for no one-time code any more.")
@click.option("--qr", is_flag=True, help="Draw the address as a code to photograph.")
def account_totp(directory: Path, name: str, off: bool, qr: bool) -> None:
    """Ask one person of the twin in DIRECTORY for one-time codes; prints the address for their authenticator, once."""
    from datetime import UTC, datetime

    from twintown.trust.accounts import change_account
    from twintown.trust.passwords import address_of, new_secret
    from twintown.trust.second_factor import Factor, sealed
    from twintown.trust.totp_seal import Seal

    from .opened import open_twin

    twin = open_twin(directory)
    tables = twin.writing().tables
    secret = "" if off else new_secret()
    factor = Factor("off" if off else "on", secret)
    kept = sealed(factor, tables.twin, name, Seal(twin.directory))
    change_account(tables, name, datetime.now(UTC), totp=kept)
    if off:
        click.echo(f"{name} is asked for no code any more")
        return
    address = address_of(secret, name, twin.description.id)
    if qr:
        import segno

        segno.make(address).terminal(out=sys.stdout, compact=True)
    click.echo(address)
    click.echo(
        f"{name} is asked for a code from now on; hand the address over safely, it is shown this once",
        err=True,
    )


def _password() -> str:
    """Asked for twice at a terminal; otherwise the first line of standard input."""
    if sys.stdin.isatty():
        asked: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return asked
    return sys.stdin.readline().rstrip("\r\n")
