"""Tiles of a large question on a cluster (Dask), with the same result as here: each tile is one call of one pure function.

Tiles are handed out a few ahead of what was taken in, so that neither side holds many. What a worker was at when it died is done again
by another one, the context of the question too; a tile that kills one worker after the other is named. The workers must run the same
version of the code, which is asked of them before anything is computed.
"""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

from numpy.typing import NDArray

from twintown.ground.errors import BadSettings, PluginFailed, StorageFailed
from twintown.ground.provenance import digest
from twintown.jobs.process import Context, Spread, Window

#: Tiles that are handed out beyond what each worker is at.
AHEAD = 1
CONNECT_S = 10.0


def on_cluster(url: str, connect_s: float = CONNECT_S) -> Spread:
    """A spread over the workers of the Dask cluster whose scheduler is at `url` (tcp://…); it is looked for at the first question.

    Raises (when it is used):
        BadSettings: Dask is not installed, or the workers run another version.
        StorageFailed: the cluster does not answer, or has no workers.
        PluginFailed: a tile ended several workers.
    """

    def spread(
        work: Callable[[Context, Window], Mapping[str, NDArray[Any]]], context: Context, windows: Sequence[Window]
    ) -> Iterator[tuple[Window, Mapping[str, NDArray[Any]]]]:  # fmt: skip
        if not windows:
            return
        client = _client(url, connect_s)
        try:
            _alike(client, work, url)
            yield from _tiles(client, work, context, windows, url)
        finally:
            client.close()

    return spread


def _client(url: str, connect_s: float) -> Any:
    try:
        distributed: Any = import_module("distributed")
    except ModuleNotFoundError as error:
        raise BadSettings(
            "a cluster is named and Dask is not installed",
            "TWINTOWN_DASK_URL",
            "pip install 'twintown[dask]'",
        ) from error
    try:
        client = distributed.Client(url, timeout=connect_s, set_as_default=False)
        client.wait_for_workers(1, timeout=connect_s)
    except (OSError, TimeoutError, ValueError) as error:
        raise StorageFailed(
            f"the cluster does not answer ({type(error).__name__})", url, "start its scheduler and workers, or unset TWINTOWN_DASK_URL"
        ) from error  # fmt: skip
    return client


def _tiles(
    client: Any, work: Callable[..., Any], context: Any, windows: Sequence[Window], url: str
) -> Iterator[tuple[Window, Mapping[str, NDArray[Any]]]]:  # fmt: skip
    distributed: Any = import_module("distributed")
    packed = pickle.dumps(context, protocol=5)
    todo = iter(windows)
    with warnings.catch_warnings():
        # the context travels with the graph on purpose: what is only scattered is lost with the worker that holds it
        warnings.filterwarnings("ignore", message="Sending large graph")
        # named by its content: each worker unpacks it once, and who takes over from a dead one fetches or makes it again
        shared = client.submit(_unpacked, packed, key=f"context-{digest(packed)[7:39]}", pure=True)
        threads = sum(client.nthreads().values()) or 1
        ahead = max(threads * (1 + AHEAD), 2)
        running = distributed.as_completed([], loop=client.loop)
        where: dict[Any, Window] = {}

        def hand_out() -> None:
            window = next(todo, None)
            if window is not None:
                future = client.submit(_tile, work, shared, window, pure=False, retries=0)
                where[future.key] = window
                running.add(future)

        for _ in range(ahead):
            hand_out()
        for future in running:
            window = where.pop(future.key)
            yield window, _taken(future, window, url)
            future.release()
            hand_out()


def _taken(future: Any, window: Window, url: str) -> Mapping[str, NDArray[Any]]:
    distributed: Any = import_module("distributed")

    try:
        taken: Mapping[str, NDArray[Any]] = future.result()
    except distributed.KilledWorker as error:
        raise PluginFailed(
            f"the tile at row {window.row0}, column {window.col0} ended one worker after the other", url,
            "give the workers more memory, or ask for smaller tiles",
        ) from error  # fmt: skip
    except (distributed.CancelledError, TimeoutError, OSError) as error:
        raise StorageFailed(
            f"the cluster went away ({type(error).__name__})", url, "start it, then ask again"
        ) from error
    return taken


def _alike(client: Any, work: Callable[..., Any], url: str) -> None:
    """Raises BadSettings: a worker runs other code than we do."""
    ours = _code(work.__module__)
    try:
        theirs = client.run(_code, work.__module__)
    except Exception as error:  # what a worker without our package raises is its own
        raise BadSettings(
            f"a worker cannot load {work.__module__} ({type(error).__name__})", url, "install twintown on every worker"
        ) from error  # fmt: skip
    odd = sorted(address for address, code in theirs.items() if code != ours)
    if odd:
        raise BadSettings(
            f"{len(odd)} of {len(theirs)} workers run another version of the code", url, "install the same version on every worker"
        )  # fmt: skip


def _code(module: str) -> str:
    """The digest of the sources behind a module, as they are where this runs."""
    from twintown.ground.provenance import digest_of
    from twintown.jobs.code import environment, sources

    libraries = {name: environment()["libraries"].get(name) for name in ("numpy", "numba")}
    return digest_of([dict(sources(module)), libraries])


def _unpacked(packed: bytes) -> Any:
    return pickle.loads(packed)


def _tile(work: Callable[..., Any], context: Any, window: Window) -> Any:
    return dict(work(context, window))
