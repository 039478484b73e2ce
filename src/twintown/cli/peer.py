"""`twintown peer`: the other cities that a twin knows, and the keys by which it believes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from .opened import DIRECTORY, described, table


@click.group()
def peer() -> None:
    """Pin the keys of other cities, and show what is known of them."""


@peer.command("pin")
@click.argument("directory", type=DIRECTORY)
@click.argument("address")
@click.option(
    "--key", "keys", multiple=True, help="Public key (z6Mk…) that the city told you; may be repeated."
)
@click.option("--id", "id_", help="What the peer is called here.  [default: as in its address]")
@click.option("--country", default="", help="Where what is sent there comes to lie, as KR.")
@click.option("--grade", default="O", help="The highest grade that may be sent there: O, S or C.")
def peer_pin(
    directory: Path, address: str, keys: Sequence[str], id_: str | None, country: str, grade: str
) -> None:
    """Pin the keys of the twin at ADDRESS (https://…/twins/ID) for the twin in DIRECTORY.

    Without --key the keys are taken that stand at the address now: compare them with what the city tells you by another way.
    """
    from twintown.trust.peer_file import pin
    from twintown.trust.peers import Peer

    described(directory)
    id = id_ or address.rstrip("/").rpartition("/")[2]
    said = {"address": address, "keys": list(keys), "country": country, "grade": grade}
    made = Peer.of(id, said, "peer")
    if not keys:
        from twintown.exchange.peer_watch import present_keys
        from twintown.settings import read_settings

        made = Peer.of(id, {**said, "keys": present_keys(made, read_settings().ca)}, "peer")
    pin(directory, made)
    for one in made.keys:
        click.echo(one)
    click.echo(f"{made.id} is pinned as {made.did}", err=True)
    if not keys:
        click.echo(
            "the keys above are those that its address shows: compare them with what the city says", err=True
        )


@peer.command("list")
@click.argument("directory", type=DIRECTORY)
def peer_list(directory: Path) -> None:
    """Show the peers of the twin in DIRECTORY."""
    from twintown.trust.peers import merged, read_peers
    from twintown.twin.description import Description

    peers = merged(Description.load(directory).peers, read_peers(directory))
    rows = [(one.id, one.address, one.country, one.grade.value, " ".join(one.keys)) for one in peers.values()]
    table([("peer", "address", "country", "grade", "keys"), *rows])


@peer.command("remove")
@click.argument("directory", type=DIRECTORY)
@click.argument("id_", metavar="ID")
def peer_remove(directory: Path, id_: str) -> None:
    """Forget the peer ID that was pinned for the twin in DIRECTORY; what twintown.toml says of it stays."""
    from twintown.trust.peer_file import unpin

    described(directory)
    unpin(directory, id_)
    click.echo(f"{id_} is not pinned any more")
