"""`twintown playbook`: a city's know-how as a file: exported, shown, installed, run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .opened import DIRECTORY, open_twin, table

if TYPE_CHECKING:
    from twintown.exchange.playbook_package import Package
    from twintown.twin.layers import Twin

SOURCE = click.Path(path_type=Path, exists=True)
LANG = click.option(
    "--lang", default="en", show_default=True, help="ko, en, or another that its guide speaks."
)


@click.group()
def playbook() -> None:
    """Know-how that travels between cities: a chain of processes, what it needs, its thresholds, its guide."""


@playbook.command("export")
@click.argument("directory", type=DIRECTORY)
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The package that is written.",
)
def export(directory: Path, name: str, out: Path) -> None:
    """Write a package, signed by the twin in DIRECTORY; NAME is the folder of a playbook, or one that is installed."""
    from twintown.jobs.package import keep

    size = keep(iter((_signed(open_twin(directory), name),)), out)
    click.echo(f"{out}: {size:,} bytes, signed by {_of(out).issuer}")


@playbook.command("show")
@click.argument("file", type=SOURCE)
@LANG
@click.option("--guide", is_flag=True, help="The guide too.")
def show(file: Path, lang: str, guide: bool) -> None:
    """Say what is in FILE, a package, and by whom it is signed. Nothing of it is installed."""
    package = _of(file)
    book, wrong = package.playbook, package.findings()
    click.echo(f"{book.id} {book.version}  {book.names[lang]}")
    click.echo(book.about[lang])
    click.echo(f"signed by {package.issuer}" if not wrong else f"SIGNATURE: {wrong[0].what}")
    click.echo(f"key       {package.key}")
    table(
        [
            ("step", "process", "versions"),
            *((one.title[lang], one.process, ", ".join(one.versions)) for one in book.steps),
        ]
    )
    table(
        [
            ("needs", "shape", "columns"),
            *((one.layer, one.shape, ", ".join(one.columns)) for one in book.needs),
        ]
    )
    rows = [
        (one.names[lang], f"{one.value:g} {one.unit}", "convention" if one.convention else "sourced")
        for one in book.thresholds
    ]
    table([("threshold", "value", "kind"), *rows])
    if guide:
        click.echo("\n" + package.guide(lang)[0])
    if wrong:
        click.get_current_context().exit(1)


@playbook.command("install")
@click.argument("directory", type=DIRECTORY)
@click.argument("source", type=SOURCE)
@click.option(
    "--accept",
    default="",
    metavar="KEY",
    help="The key of a stranger (z6Mk…), once you compared it with the city.",
)
def install(directory: Path, source: Path, accept: str) -> None:
    """Install SOURCE in the twin in DIRECTORY: a package whose signer is known, or a folder, which the twin signs itself."""
    from twintown.exchange import playbooks

    twin = open_twin(directory)
    raw = _signed(twin, str(source)) if source.is_dir() else source.read_bytes()
    row = playbooks.install(twin, raw, playbooks.known_keys(twin, _here(twin)), accept=accept)
    click.echo(f"{row.id} {row.version} is installed, signed by {row.origin}")


@playbook.command("list")
@click.argument("directory", type=DIRECTORY)
@LANG
def listed(directory: Path, lang: str) -> None:
    """Show the playbooks of the twin in DIRECTORY."""
    from twintown.exchange import playbooks
    from twintown.ground.names import Name

    rows = playbooks.listed(open_twin(directory))
    table(
        [
            ("id", "version", "name", "from"),
            *((one.id, one.version, Name.of(one.about["names"])[lang], one.origin) for one in rows),
        ]
    )


@playbook.command("missing")
@click.argument("directory", type=DIRECTORY)
@click.argument("name")
@LANG
def lacking(directory: Path, name: str, lang: str) -> None:
    """Say what the twin in DIRECTORY lacks for the playbook NAME; ends with 1 where something is missing.

    NAME is one that is installed, or a folder or a package of one that is not.
    """
    from twintown.exchange.playbook import FILE, Playbook
    from twintown.exchange.playbook_missing import missing
    from twintown.exchange.playbook_package import folder_files
    from twintown.exchange.playbooks import package_of
    from twintown.jobs.asking import owner

    twin, place = open_twin(directory), Path(name)
    if place.is_dir():
        wanted = Playbook.parse(folder_files(place)[FILE], str(place))
    else:
        wanted = (_of(place) if place.is_file() else package_of(twin, name)).playbook
    found = missing(twin, owner(twin), wanted)
    for one in found:
        click.echo(f"{one.says[lang]}{f' ({one.why[lang]})' if one.why else ''}")
    if found:
        click.get_current_context().exit(1)
    click.echo("nothing is missing")


@playbook.command("run")
@click.argument("directory", type=DIRECTORY)
@click.argument("name")
@click.option(
    "--threshold", "thresholds", multiple=True, metavar="ID=VALUE", help="Another value than the playbook's."
)
@LANG
@click.option("--json", "as_json", is_flag=True, help="All of it, for programs.")
@click.option("--quiet", is_flag=True, help="No progress.")
def run(
    directory: Path, name: str, thresholds: tuple[str, ...], lang: str, as_json: bool, quiet: bool
) -> None:
    """Run the playbook NAME on the twin in DIRECTORY; the answers become layers of the twin."""
    from twintown.exchange.playbook_run import run_here
    from twintown.jobs.asking import owner, progress_line

    twin = open_twin(directory)
    said = run_here(twin, owner(twin), name, _numbers(thresholds), progress_line(quiet or as_json))
    if as_json:
        click.echo(json.dumps(said, ensure_ascii=False, indent=1))
        return
    click.echo(f"{said['answer']['layer']}  {said['summary']['count']:,} features")
    for one in said["summary"]["numbers"]:
        value = "-" if one["value"] is None else f"{one['value']:,.10g}"
        click.echo(f"  {one['title'].get(lang, one['title']['en'])}: {value} {one['unit']}")
    for one in said["thresholds"]:
        kind = " (a convention)" if one["convention"] else ""
        click.echo(f"  {one['names'].get(lang, one['names']['en'])}: {one['value']:g} {one['unit']}{kind}")
    for one in said["checked"]:
        click.echo(
            f"  {one['number']}: {one['found']} here, {one['expected']} ± {one['tolerance']} when it was validated"
        )


def _numbers(given: tuple[str, ...]) -> dict[str, float]:
    found = {}
    for one in given:
        id, _, value = one.partition("=")
        try:
            found[id] = float(value)
        except ValueError as error:
            raise click.UsageError(f"{one!r} is not ID=NUMBER") from error
    return found


def _of(file: Path) -> Package:
    from twintown.exchange.playbook_package import read

    return read(file.read_bytes())


def _here(twin: Twin) -> dict[str, Any]:
    from twintown.jobs.manifest import identity
    from twintown.settings import read_settings

    document = identity(twin, read_settings().public_url)
    return {document["id"]: document}


def _signed(twin: Twin, name: str) -> bytes:
    """The package of a folder or of an installed playbook, under the twin's key."""
    from twintown.exchange.playbook_package import folder_files, pack
    from twintown.exchange.playbooks import package_of
    from twintown.trust.keys import signing_key

    (did,) = _here(twin)
    folder = Path(name)
    files = folder_files(folder) if folder.is_dir() else package_of(twin, name).files
    return pack(files, signing_key(twin.directory), did, twin.description.names.to_dict())
