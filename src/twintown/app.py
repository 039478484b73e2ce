"""The roof: twins, routes, policy and page become one ASGI application.

python -m twintown.app openapi     prints the OpenAPI document; needs no twin
"""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import lru_cache
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import orjson
from fastapi import Depends, FastAPI

from twintown import __version__
from twintown.api import (
    accounts,
    agreements,
    allowed,
    certificates,
    collections,
    conformance,
    coverage,
    digital_link,
    dsp_catalog,
    dsp_metadata,
    dsp_negotiations,
    dsp_test,
    dsp_transfers,
    event_account,
    event_calendar,
    event_duties,
    event_joint,
    event_list,
    event_meetings,
    event_visitors,
    evidence,
    execution,
    features,
    guard,
    health,
    imports,
    items_files,
    job_outputs,
    jobs,
    kitchens,
    labels,
    landing,
    ledger,
    ledger_entries,
    ledger_witness,
    lots,
    map_tiles,
    maps,
    me,
    needs,
    needs_events,
    negotiations,
    notices,
    objects,
    offers,
    openapi,
    partner_copies,
    partner_token,
    partners,
    peer_catalogue,
    peers,
    playbooks,
    problems,
    processes,
    produce,
    recalls,
    records,
    releases,
    reports,
    scenario_edits,
    scenario_imports,
    scenario_results,
    scenario_talk,
    scenarios,
    schema,
    search,
    second_factor,
    series,
    session,
    session_oidc,
    stac,
    stages,
    stands,
    status_lists,
    styles,
    sunlight,
    tile_basemap,
    tile_matrices,
    tile_solids,
    tile_vectors,
    tiles,
    tokens,
    transactions,
    transfers,
    verifications,
    workplan,
    workplan_joint,
    zarr,
)
from twintown.api.envelope import Envelope
from twintown.api.event_matter import EventMatters
from twintown.api.lane import Lane
from twintown.api.page import Page
from twintown.api.shelf import Served, Shelf
from twintown.ground.errors import StorageFailed
from twintown.jobs.outgoing import hosts_of
from twintown.query import cql2
from twintown.settings import Settings, read_settings
from twintown.trust.identity import TOKEN_FILE, make_token, read_secret
from twintown.trust.people import People
from twintown.trust.policy import decide
from twintown.twin.description import Description
from twintown.twin.layers import Twin

if TYPE_CHECKING:
    from twintown.exchange.handshake import Handshake

LOG = logging.getLogger("twintown.app")
#: In the order in which addresses are tried. What a module conforms to it says itself (`CONFORMANCE`).
ROUTERS = (
    landing,
    conformance,
    me,
    session,
    session_oidc,
    second_factor,
    accounts,
    tokens,
    peers,
    records,
    collections,
    schema,
    features,
    transactions,
    imports,
    series,
    coverage,
    zarr,
    objects,
    search,
    tile_basemap,
    tile_matrices,
    tiles,
    tile_solids,
    maps,
    map_tiles,
    styles,
    stages,
    stands,
    sunlight,
    processes,
    execution,
    jobs,
    job_outputs,
    evidence,
    verifications,
    scenarios,
    scenario_edits,
    scenario_results,
    scenario_imports,
    scenario_talk,
    reports,
    playbooks,
    ledger,
    ledger_entries,
    ledger_witness,
    offers,
    releases,
    negotiations,
    agreements,
    transfers,
    peer_catalogue,
    partner_copies,
    partners,
    partner_token,
    workplan,
    workplan_joint,
    certificates,
    status_lists,
    labels,
    digital_link,
    recalls,
    notices,
    event_calendar,
    event_joint,
    event_account,
    event_list,
    produce,
    lots,
    needs,
    needs_events,
    kitchens,
    event_duties,
    event_meetings,
    event_visitors,
    dsp_metadata,
    dsp_catalog,
    dsp_negotiations,
    dsp_transfers,
    dsp_test,
    health,
    openapi,
    stac,
)
TAGS = [
    {"name": "twins", "description": "What is here: landing pages, conformance, this document"},
    {
        "name": "layers",
        "description": "The layers of a twin: what they are, what they hold, what can be asked for",
    },
    {"name": "catalogue", "description": "The layers as records (OGC API - Records)"},
    {"name": "stac", "description": "The layers as a STAC API: items, collections, search"},
    {"name": "features", "description": "Items of layers: pages by place, time and condition; one by id"},
    {
        "name": "transactions",
        "description": "Items of layers that can be edited: create, replace, update, delete",
    },
    {"name": "series", "description": "Values over time"},
    {"name": "grids", "description": "Values over an area"},
    {"name": "objects", "description": "The answer to a click"},
    {"name": "search", "description": "Names"},
    {"name": "tiles", "description": "What browsers stream"},
    {"name": "processes", "description": "What can be computed, and asking for it (OGC API - Processes)"},
    {"name": "jobs", "description": "What was asked: status, results, changes as they come, dismissal"},
    {"name": "sunlight", "description": "The sun, and what an edit does to it"},
    {"name": "scenarios", "description": "Plans: edits of buildings, who made them, what they come to"},
    {"name": "produce", "description": "Offers and needs: products, lots, what stands and kitchens want"},
    {"name": "playbooks", "description": "Know-how that travels between cities: installed, checked, run"},
    {"name": "reports", "description": "What a committee reads: HTML, PDF, signed"},
    {
        "name": "ledger",
        "description": "What was offered, agreed, released, refused and recalled: digests and their proofs",
    },
    {
        "name": "dataspace",
        "description": "What other cities say to this one (Dataspace Protocol 2025-1), signed by them",
    },
    {
        "name": "exchange",
        "description": "What this city and its partners share: offers, negotiations, agreements with the red button, the partners' doors",
    },
    {
        "name": "events",
        "description": "What takes place, who comes, what it needs: stands, stages, meetings, duties, calendars",
    },
    {
        "name": "certificates",
        "description": "What a bag of produce says of itself: certificates of lots, whether they hold, labels, recalls",
    },
    {"name": "people", "description": "Signing in and out, accounts, tokens of services"},
    {"name": "server", "description": "Health"},
]
#: A server prepares the first answers in the first pause of this length, or after this long without one, seconds.
PAUSE_S, MOST_S = 2.5, 15.0
#: How long a thread that works beside the event loop may keep the interpreter while a request waits for it, seconds.
SWITCH_S = 0.0005


def open_twin(directory: Path, settings: Settings) -> Served:
    """One twin with its owner's secret, which is made where there is none. Raises like `Twin.open` and `read_secret`."""
    blobs = settings.blobs_of(Description.load(directory).id) if settings.blob_url else ""
    twin = Twin.open(directory, database=settings.database_url, blobs=blobs)
    if settings.owner_token_file is None:
        with suppress(
            StorageFailed
        ):  # a directory that only lets itself be read has no owner over the network
            make_token(directory)
    return Served(
        twin,
        read_secret(settings.owner_token_file or directory / TOKEN_FILE),
        People(directory, twin.description.id),
    )


def create_app(
    twin_dirs: Sequence[Path | str] = (), settings: Settings | None = None, *, warm: bool = True
) -> FastAPI:
    """The application.

    Args:
        twin_dirs: directories of built twins; those of the settings when empty.
        settings: what the installation chose; the environment's by default.
        warm: load what the first click needs in the background when the server starts.
    """
    chosen = settings or Settings()
    directories = [Path(one) for one in twin_dirs] or list(chosen.twins)
    shelf = Shelf.open(directories, lambda directory: open_twin(directory, chosen))
    opened = guard.Open(shelf, decide)
    app = FastAPI(
        title="Twintown",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        openapi_tags=TAGS,
        dependencies=[Depends(guard.known_parameters)],
        lifespan=_lifespan(opened) if warm else None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # looked for anew with every request
    )
    app.state.open = opened
    app.state.hosts = hosts_of(chosen.callbacks, chosen.ca)
    app.state.public_url = chosen.public_url
    app.state.handshake = lru_cache(1)(lambda: _handshake(chosen))
    app.openapi = lambda: openapi.document(app)  # type: ignore[method-assign]
    problems.install(app)
    for part in ROUTERS:
        app.include_router(part.router)
    claimed = conformance.classes([*ROUTERS, cql2])
    sends = bool(app.state.hosts)  # a server that sends nothing to anybody does not say that it calls back
    app.state.conformance = tuple(uri for uri in claimed if sends or uri != processes.CALLBACK)
    app.router.default = Page(chosen.web)
    app.add_middleware(landing.Root)
    app.add_middleware(Lane, shorts=features.SHORTS)
    app.add_middleware(Envelope, narrow=allowed.of_layer)
    return app


def _handshake(chosen: Settings) -> Handshake:
    """Made with the first message: a server that talks to nobody need not know how."""
    from twintown.exchange.handshake import Handshake

    if chosen.dsp_test:
        LOG.warning(
            "TWINTOWN_DSP_TEST: any caller is taken at the protocol's end points, and nothing there is real"
        )
    return Handshake(chosen.public_url, chosen.ca, test=chosen.dsp_test, matters=EventMatters())


def serve_app() -> FastAPI:
    """What a server process makes for itself: everything is in the environment."""
    return create_app(settings=read_settings())


def _lifespan(opened: guard.Open) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    def prepare() -> None:
        sunlight.load()
        opened.quiet.wait(PAUSE_S, MOST_S)  # who opens the page now has the processors for the first picture
        sunlight.warm(opened.shelf, opened.decide)
        processes.load()
        tile_vectors.load()
        items_files.load(opened.shelf, opened.decide)

    @asynccontextmanager
    async def span(_: FastAPI) -> AsyncIterator[None]:
        sys.setswitchinterval(SWITCH_S)
        # a daemon: a server that is told to stop does not wait for a scene
        Thread(target=prepare, name="warm", daemon=True).start()
        yield

    return span


def main(arguments: Sequence[str]) -> int:
    """`openapi` prints the document, keys in a fixed order."""
    if list(arguments) != ["openapi"]:
        print("usage: python -m twintown.app openapi > openapi.json", file=sys.stderr)
        return 2
    body = orjson.dumps(create_app(settings=Settings(), warm=False).openapi(), option=orjson.OPT_INDENT_2)
    sys.stdout.buffer.write(body + b"\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
