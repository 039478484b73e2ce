"""`twintown serve | keep`: the server, and the keeper that works on its jobs."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .opened import DIRECTORY

if TYPE_CHECKING:
    from twintown.settings import Settings


@click.command()
@click.argument("directories", type=DIRECTORY, nargs=-1)
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on, 0 for any free one.  [default: 8000]")
@click.option("--workers", type=int, help="Server processes.  [default: 1]")
@click.option(
    "--next-port", is_flag=True, help="Take the next free port where the port is taken, and say so."
)
@click.option("--partners", is_flag=True, help="The twins that are served pin each other's keys first.")
def serve(directories: Sequence[Path], next_port: bool, partners: bool, **given: Any) -> None:
    """Serve the twins in DIRECTORIES to browsers and programs."""
    from twintown.settings import read_settings

    settings = read_settings(twins=directories or None, **given)
    if not settings.twins:
        raise click.UsageError("name at least one twin's directory")
    _listen(settings, next_port, partners)


def _listen(settings: Settings, next_port: bool, partners: bool = False) -> None:
    """Bind first, so that a taken port is one line and not the end of a slow start."""
    import os
    from dataclasses import replace

    import uvicorn
    from uvicorn.supervisors import Multiprocess

    from twintown.api import wire
    from twintown.api.events import LISTENING
    from twintown.keeper import Beside

    bound = _bind(settings.host, settings.port, next_port)
    port = int(bound.getsockname()[1])
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"{settings.scheme}://{'127.0.0.1' if host in ('0.0.0.0', '[::]') else host}:{port}/"
    taken = f"  (port {settings.port} is taken)" if settings.port not in (0, port) else ""
    line = f"Twintown is at {address}{taken}   Ctrl-C ends it"
    if not os.environ.get("TWINTOWN_PUBLIC_URL"):  # the port that was got, not the one that was asked for
        settings = replace(settings, public_url=address.rstrip("/"))
    os.environ["TWINTOWN_PUBLIC_URL"] = settings.public_url  # for the keeper and further workers
    if partners:
        from twintown.exchange.acquaint import acquaint

        acquaint(settings.twins, settings.public_url)

    beside = Beside(settings)

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            if self.started:
                click.echo(line)
                beside.start()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            LISTENING.ending.set()  # who listens to events does not hold the end up
            await super().shutdown(sockets=sockets)

    options: dict[str, Any] = {
        "http": wire.PROTOCOL, "log_level": "warning", "server_header": False, "timeout_graceful_shutdown": 5,
        # longer than a peer or a proxy keeps a connection that rests, or it asks just as we hang up
        "timeout_keep_alive": 30,
        "ssl_certfile": settings.tls_cert, "ssl_keyfile": settings.tls_key,
    }  # fmt: skip
    if settings.workers == 1:
        from twintown.app import create_app

        # Ctrl-C is how a server ends: uvicorn finishes the requests, then hands the signal on.
        with contextlib.suppress(KeyboardInterrupt), beside:
            Server(uvicorn.Config(create_app(settings=settings), **options)).run(sockets=[bound])
        return
    os.environ["TWINTOWN_TWINS"] = os.pathsep.join(str(twin) for twin in settings.twins)
    config = uvicorn.Config("twintown.app:serve_app", factory=True, workers=settings.workers, **options)
    click.echo(line)
    with beside:
        beside.start()
        Multiprocess(config, sockets=[bound]).run()


@click.command()
@click.argument("directories", type=DIRECTORY, nargs=-1)
@click.option("--workers", type=int, help="Processes that work on jobs, at most.  [default: 2]")
def keep(directories: Sequence[Path], workers: int | None) -> None:
    """Work on the jobs of the twins in DIRECTORIES, apart from a server (TWINTOWN_KEEPER=off there)."""
    import signal
    from dataclasses import replace
    from threading import Event

    from twintown import keeper
    from twintown.settings import read_settings

    settings = read_settings(twins=directories or None)
    if not settings.twins:
        raise click.UsageError("name at least one twin's directory")
    if workers is not None:
        settings = replace(settings, keeper_workers=max(1, workers))
    stop = Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: stop.set())
    click.echo("The keeper works on jobs   Ctrl-C ends it")
    keeper.keep(settings, stop)


def _bind(host: str, port: int, next_port: bool) -> socket.socket:
    from twintown.ground.errors import BadSettings

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port, port + 50 if next_port and port else port + 1):
        bound = socket.socket(family, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host, candidate))
            bound.listen(128)  # two may bind with SO_REUSEADDR, only one can listen
        except (OSError, OverflowError) as error:
            bound.close()
            reason = error
            continue
        bound.set_inheritable(True)
        return bound
    raise BadSettings(
        f"port {port} cannot be had ({getattr(reason, 'strerror', None) or reason})", host,
        "give another one: --port, or --next-port for the next free one",
    ) from reason  # fmt: skip
