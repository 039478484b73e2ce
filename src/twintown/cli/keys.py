"""`twintown key`: the keys that a twin signs with."""

from __future__ import annotations

from pathlib import Path

import click

from .opened import DIRECTORY, table


@click.group()
def key() -> None:
    """Show, rotate and revoke the keys that a twin signs with."""


@key.command("list")
@click.argument("directory", type=DIRECTORY)
def key_list(directory: Path) -> None:
    """Show the keys of the twin in DIRECTORY, oldest first."""
    from twintown.trust.keyring import own_keys

    from .opened import open_twin

    def day(moment: object) -> str:
        return f"{moment:%Y-%m-%d %H:%M}Z" if moment else ""

    rows = [(one.public, one.state, day(one.since), day(one.retired), day(one.revoked), one.why)
            for one in own_keys(open_twin(directory))]  # fmt: skip
    table([("key", "state", "since", "retired", "revoked", "why"), *rows])


@key.command("rotate")
@click.argument("directory", type=DIRECTORY)
@click.option("--why", default="", help="The reason, for the ledger.")
def key_rotate(directory: Path, why: str) -> None:
    """Make a new key for the twin in DIRECTORY, which the present one signs for."""
    from datetime import UTC, datetime

    from twintown.trust.keyring import rotate

    from .opened import open_twin

    made = rotate(open_twin(directory).writing(), datetime.now(UTC), why, "command line")
    click.echo(made.public)
    click.echo("signs from now on; peers follow by themselves, and what was signed before stands", err=True)


@key.command("revoke")
@click.argument("directory", type=DIRECTORY)
@click.argument("public")
@click.option("--why", required=True, help="The reason, for the ledger.")
@click.confirmation_option(prompt="Nothing that this key signed will be believed any more. Go on?")
def key_revoke(directory: Path, public: str, why: str) -> None:
    """Revoke the key PUBLIC of the twin in DIRECTORY: it verifies nothing any more."""
    from datetime import UTC, datetime

    from twintown.trust.keyring import own_keys, revoke

    from .opened import open_twin

    twin = open_twin(directory).writing()
    before = next(one.public for one in own_keys(twin) if one.state == "present")
    now = revoke(twin, public, datetime.now(UTC), why, "command line")
    click.echo(now.public)
    if now.public != before:
        click.echo("signs from now on; nobody signs for it: every peer has to pin it by hand", err=True)
