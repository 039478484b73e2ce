"""The command line: `twintown init | build | add | info | run | verify | people | peer | playbook | ledger | release | serve | keep | …`.

One line on standard error for whatever goes wrong, and a status: 2 for what was given (a file, an option, a description),
1 for everything else, 130 for Ctrl-C. `--debug` shows the traceback. Imports wait until a command needs them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version

import click

from . import (
    account,
    adding,
    info,
    keys,
    ledger,
    peer,
    people,
    playbook,
    policy,
    produce,
    release,
    results,
    serving,
    token,
    twins,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("twintown"), prog_name="twintown")
@click.option("--debug", is_flag=True, help="Show where in the code an error happened.")
def cli(debug: bool) -> None:
    """A city's digital twin: a directory of open formats, built from open data, served to a browser."""


for _command in (
    twins.init, twins.build, adding.add, twins.compact, info.info, serving.serve, serving.keep, results.run, results.verify, people.people,
    account.account, token.token, policy.policy, keys.key, peer.peer, playbook.playbook, ledger.ledger, release.release, produce.produce,
):  # fmt: skip
    cli.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """The `twintown` command; see the module."""
    from twintown.ground.errors import BadInput, NotFound, TwintownError

    given = list(sys.argv[1:] if arguments is None else arguments)
    if "--debug" in given:
        sys.exit(cli.main(given, prog_name="twintown", standalone_mode=False))
    try:
        status = cli.main(given, prog_name="twintown", standalone_mode=False)
    except click.exceptions.Exit as end:
        status = end.exit_code
    except (KeyboardInterrupt, click.Abort):
        status = 130
        click.echo("twintown: stopped; what was finished is kept", err=True)
    except click.ClickException as error:
        status = 2
        click.echo(f"twintown: {' '.join(error.format_message().split())}", err=True)
    except TwintownError as error:
        status = 2 if isinstance(error, BadInput | NotFound) else 1
        click.echo(f"twintown: {' '.join(str(error).split())}", err=True)
    except BrokenPipeError:
        status = 1
    except Exception as error:  # the last net: a person gets one line, whoever mends it gets --debug
        status = 1
        reason = (str(error).strip().splitlines() or [""])[0]
        click.echo(
            f"twintown: unexpected {type(error).__name__}: {reason}; run `twintown --debug …` to see where",
            err=True,
        )
    sys.exit(status)
