"""`twintown token`: what programs show instead of a person."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from .opened import DIRECTORY, table


@click.group()
def token() -> None:
    """Give services tokens, and take them back."""


@token.command("add")
@click.argument("directory", type=DIRECTORY)
@click.option("--name", required=True, help="Of the service.")
@click.option(
    "--scope", "scopes", multiple=True, required=True,
    help="read, run, plan, write, share, sensitive, read:layer:ID, write:layer:ID or run:process:ID; may be repeated.",
)  # fmt: skip
@click.option("--days", type=int, default=90, show_default=True, help="How long it is good.")
def token_add(directory: Path, name: str, scopes: Sequence[str], days: int) -> None:
    """Give a service a token for the twin in DIRECTORY and print it, once."""
    from datetime import UTC, datetime, timedelta

    from twintown.trust.identity import LOCAL_OWNER
    from twintown.trust.tokens import add_token

    from .opened import open_twin

    tables = open_twin(directory).writing().tables
    life = timedelta(days=days)
    made, secret = add_token(tables, name, scopes, life, datetime.now(UTC), LOCAL_OWNER.author())
    click.echo(secret)
    click.echo(f"{made.id} is good until {made.expires:%Y-%m-%d}; the token above is kept nowhere", err=True)


@token.command("list")
@click.argument("directory", type=DIRECTORY)
def token_list(directory: Path) -> None:
    """Show the tokens of services of the twin in DIRECTORY."""
    from twintown.trust.tokens import list_tokens

    from .opened import open_twin

    rows = [
        (one.id, one.name, " ".join(one.scopes), f"{one.expires:%Y-%m-%d}", f"{one.revoked:%Y-%m-%d}" if one.revoked else "")
        for one in list_tokens(open_twin(directory).tables)
    ]  # fmt: skip
    table([("id", "service", "scopes", "until", "taken back"), *rows])


@token.command("revoke")
@click.argument("directory", type=DIRECTORY)
@click.argument("id_", metavar="ID")
def token_revoke(directory: Path, id_: str) -> None:
    """Take the token ID of the twin in DIRECTORY back."""
    from datetime import UTC, datetime

    from twintown.trust.tokens import revoke_token

    from .opened import open_twin

    gone = revoke_token(open_twin(directory).writing().tables, id_, datetime.now(UTC))
    click.echo(f"the token of {gone.name} opens nothing any more")
