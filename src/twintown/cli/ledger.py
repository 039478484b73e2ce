"""`twintown ledger verify | show | open`: a ledger looked at without believing who shows it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .opened import DIRECTORY, open_twin, table

if TYPE_CHECKING:
    from twintown.trust.ledger_check import Report
FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def ledger() -> None:
    """Look at a twin's ledger, and prove what stands in it."""


@ledger.command("verify")
@click.argument("source", metavar="DIR|URL", required=False, default="")
@click.option(
    "--against",
    multiple=True,
    metavar="DIR|URL|FILE",
    help="What somebody else has kept of it: a peer, a copy, a checkpoint.",
)
@click.option(
    "--record", type=FILE, help="An opened entry: is it in there? Without DIR|URL only the file is looked at."
)
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="z6Mk…",
    help="The key that is believed; later ones are followed from it.",
)
@click.option(
    "--as", "twin", type=DIRECTORY, help="Believe the keys that the twin in this directory has pinned."
)
@click.option(
    "--remember", type=FILE, help="Hold it against the checkpoint in this file, and keep the new one there."
)
@click.option(
    "--cosigned",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="At least so many known peers must have cosigned.",
)
@click.option("--json", "as_json", is_flag=True, help="The whole report, for programs.")
def ledger_verify(
    source: str, against: tuple[str, ...], record: Path | None, keys: tuple[str, ...], twin: Path | None,
    remember: Path | None, cosigned: int, as_json: bool,
) -> None:  # fmt: skip
    """Make the tree again from the entries, and hold it against what was signed.

    \b
    twintown ledger verify jamsil
    twintown ledger verify https://icheon.example/twins/icheon --as jamsil --against https://jamsil.example/twins/jamsil

    Ends with 0 where all of it holds, 1 for a fork or anything that was changed, 2 where it cannot be looked at.
    """
    from .ledger_verifying import Asked, verify

    report = verify(Asked(source, against, record, keys, twin, remember, cosigned))
    _tell(report, as_json)
    click.get_current_context().exit(0 if report.holds else 1)


def _tell(report: Report, as_json: bool) -> None:
    seen = report.checkpoint
    if as_json:
        said = {
            "ledger": report.where, "holds": report.holds, "origin": seen.origin if seen else "",
            "size": seen.size if seen else 0, "root": seen.root.hex() if seen else "", "good": report.good,
            "findings": [one.to_dict() for one in report.findings],
        }  # fmt: skip
        click.echo(json.dumps(said, ensure_ascii=False, indent=2))
        return
    if seen is not None:
        click.echo(f"{seen.origin}   {seen.size} entries   root {seen.root.hex()}")
    for line in report.good:
        click.echo(f"  holds   {line}")
    for one in report.findings:
        click.secho(f"  WRONG   {one.what}", fg="red", bold=True)
    click.secho("the ledger holds" if report.holds else "the ledger does not hold", bold=True)


@ledger.command("show")
@click.argument("directory", type=DIRECTORY)
@click.option("--kind", default="", help="Only entries of this kind.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
def ledger_show(directory: Path, kind: str, limit: int) -> None:
    """Show the newest entries of the twin in DIRECTORY, with what they say."""
    from twintown.trust.identity import LOCAL_OWNER
    from twintown.trust.ledger import moment
    from twintown.trust.ledger_reading import Wanted, entries
    from twintown.trust.policy import Resource, decide

    twin = open_twin(directory)
    grant = decide(LOCAL_OWNER, "govern", Resource(twin.description.id))
    found = entries(twin.tables, grant, Wanted(kind=kind, limit=limit))
    if not found:
        click.echo("nothing was entered yet")
    rows = [
        (str(one.seq), moment(one.at), one.kind, _short(json.dumps(one.record, ensure_ascii=False)))
        for one in found
    ]
    table([("entry", "at", "kind", "record"), *rows])


def _short(text: str) -> str:
    return text if len(text) <= 240 else f"{text[:239]}…"


@ledger.command("open")
@click.argument("directory", type=DIRECTORY)
@click.argument("entry", type=click.IntRange(0))
@click.option("--out", type=FILE, help="Write it here instead of to the terminal.")
def ledger_open(directory: Path, entry: int, out: Path | None) -> None:
    """Open ENTRY of the twin in DIRECTORY: record, salt and proof, for a stranger who checks it with `verify --record`."""
    from .ledger_verifying import opened

    text = json.dumps(opened(open_twin(directory), entry).to_dict(), ensure_ascii=False, indent=2) + "\n"
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")
        click.echo(f"entry {entry} is in {out}; give it to whom it concerns, nobody else needs its salt")


@ledger.command("mend")
@click.argument("directory", type=DIRECTORY)
def ledger_mend(directory: Path) -> None:
    """Make the tiles of the twin in DIRECTORY again from its database, where that is still what was signed."""
    from twintown.trust.ledger_tree import mend

    from .ledger_verifying import reading_ledger

    kept = mend(reading_ledger(open_twin(directory).writing()))
    click.echo(f"the tiles of {kept.size} entries stand again" if kept else "nothing was signed yet")
