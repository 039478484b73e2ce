"""`twintown policy`: what of a twin lies where, and why it may."""

from __future__ import annotations

from pathlib import Path

import click

from .opened import DIRECTORY, open_twin, table


@click.group()
def policy() -> None:
    """See whether a twin keeps to its city's cloud policy."""


@policy.command("audit")
@click.argument("directory", type=DIRECTORY)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def policy_audit(context: click.Context, directory: Path, as_json: bool) -> None:
    """Show what of the twin in DIRECTORY lies where, how it is graded, and why it may lie there; status 1 if anything may not."""
    import json

    from twintown.settings import read_settings
    from twintown.trust.scheme import scheme_of
    from twintown.twin.audit import audit

    twin = open_twin(directory)
    found = audit(twin, read_settings().dask_url)
    wrong = [one for one in found if not one.verdict.allowed]
    scheme = scheme_of(twin.description.cloud.scheme) if twin.description.cloud.scheme else None
    if as_json:
        said = {
            "twin": twin.description.id, "scheme": scheme.id if scheme else "", "status": scheme.status if scheme else "",
            "allowed": not wrong, "entries": [one.to_dict() for one in found],
        }  # fmt: skip
        click.echo(json.dumps(said, ensure_ascii=False, indent=2))
    else:
        rows = [
            (one.kind, one.name, one.grade.value, one.store, one.verdict.place.id if one.verdict.place else "",
             "yes" if one.verdict.allowed else "NO", one.verdict.why)
            for one in found
        ]  # fmt: skip
        table([("what", "name", "grade", "store", "place", "may", "why"), *rows])
        click.echo(f"\n{len(found)} entries, {len(wrong)} of which may not lie where they do")
        click.echo(
            f"{scheme.title.en}: {scheme.status}"
            if scheme
            else "no scheme is declared ([cloud] of twintown.toml)"
        )
    if wrong:
        context.exit(1)
