"""`twintown release check | list`: what the release gate says before anything goes out."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .opened import DIRECTORY, open_twin, table

if TYPE_CHECKING:
    from twintown.exchange.release import Release
    from twintown.trust.terms import Asset, Terms

_SIGNS = {"forbids": "✗", "decides": "?", "notes": "·"}


@click.group()
def release() -> None:
    """Ask the release gate what stands against letting something go."""


@release.command("check")
@click.argument("directory", type=DIRECTORY)
@click.argument("asset", metavar="LAYER")
@click.option("--to", "audience", required=True, help="anyone, peers, or a peer's id or DID.")
@click.option(
    "--terms",
    "said",
    default="",
    metavar="JSON|@FILE",
    help="Under which terms, such as '{\"no_resharing\": true}'.",
)
@click.option(
    "--lang", type=click.Choice(["en", "ko"]), default="en", show_default=True, help="Of the findings."
)
@click.option("--json", "as_json", is_flag=True, help="The whole answer, for programs.")
def release_check(directory: Path, asset: str, audience: str, said: str, lang: str, as_json: bool) -> None:
    """Look at a layer (or process:…, scenario:…) of the twin in DIRECTORY as the gate does. Nothing is kept.

    The status is 0 where nothing stands against it, 3 where a person has to decide, 4 where it is refused.
    """
    from datetime import UTC, datetime

    from twintown.exchange import gate
    from twintown.trust.identity import LOCAL_OWNER
    from twintown.trust.peers import peer_of
    from twintown.trust.policy import Resource, decide
    from twintown.trust.terms import Asset

    twin = open_twin(directory)
    grant = decide(LOCAL_OWNER, "read", Resource(twin.description.id))
    what = Asset.of(asset if ":" in asset else f"layer:{asset}")
    known = {"anyone", "peers"}
    whom = audience if audience in known or audience.startswith("did:") else peer_of(twin, audience).did
    found = gate.look(twin, grant, what, whom, _terms(what, said), datetime.now(UTC))
    click.echo(json.dumps(found.to_dict(), ensure_ascii=False, indent=2) if as_json else _told(found, lang))
    sys.exit({"allowed": 0, "needs-decision": 3}.get(found.verdict, 4))


@release.command("list")
@click.argument("directory", type=DIRECTORY)
@click.option("--json", "as_json", is_flag=True, help="Everything, for programs.")
def release_list(directory: Path, as_json: bool) -> None:
    """Show what the gate of the twin in DIRECTORY was asked, and what was decided by whom."""
    from twintown.exchange.release_rows import Releases

    found = Releases(open_twin(directory).tables).listed()
    if as_json:
        click.echo(json.dumps([one.to_dict() for one in found], ensure_ascii=False, indent=2))
        return
    if not found:
        click.echo("the gate was asked nothing yet")
    table([("release", "asset", "to", "state", "by", "asked"), *(_row(one) for one in found)])


def _row(one: Release) -> tuple[str, ...]:
    by = str(one.decision["by"]["name"] or one.decision["by"]["kind"]) if one.decision else ""
    return one.id, str(one.goes), one.audience, one.state, by, f"{one.created:%Y-%m-%d %H:%M}"


def _told(found: Release, lang: str) -> str:
    lines = [f"{found.asset} to {found.audience}: {found.verdict}"]
    for one in found.findings:
        lines.append(f"  {_SIGNS[one.severity]} {one.rule}: {one.message[lang]}")
        lines.append(f"      {one.citation} ({one.confirmed})" if one.confirmed else f"      {one.citation}")
    for remedy in found.remedies:
        said = json.dumps(dict(remedy.parameters), ensure_ascii=False)
        lines.append(
            f"  → {remedy.kind} {said}: {remedy.title[lang]}; clears {', '.join(remedy.clears)}; then {remedy.leaves}"
        )
    return "\n".join(lines)


def _terms(asset: Asset, said: str) -> Terms | None:
    """The terms of the option: JSON, or a file of it; the asset is theirs where they name none."""
    from twintown.ground.errors import BadSettings
    from twintown.trust.terms import terms_from_json

    if not said:
        return None
    try:
        text = Path(said[1:]).read_text("utf-8") if said.startswith("@") else said
        read: Any = json.loads(text)
    except (OSError, ValueError) as error:
        raise BadSettings(
            f"no terms: {str(error).splitlines()[0]}", "--terms", 'write {"no_resharing": true}'
        ) from error
    return terms_from_json({"assets": [str(asset)], **read} if isinstance(read, dict) else read)
