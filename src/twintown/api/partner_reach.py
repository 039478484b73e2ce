"""How far a partner's token reaches: the addresses that read through every condition of a Grant, and no others.

What is not listed here refuses another city whatever its agreement says: pages, catalogues and ready-made tiles are made for
the public or for the twin's own people and are not narrowed for anybody. A new address is out of reach until somebody has read
how it applies area, resolution, columns and layers, and adds it here.
"""

from __future__ import annotations

import re
from contextlib import suppress

from starlette.requests import Request

from twintown.ground.errors import NotFound
from twintown.jobs import deputy
from twintown.jobs.queue import Queue
from twintown.trust.policy import Grant
from twintown.twin.layers import Twin

_T = "/twins/{twin}"
_L = f"{_T}/collections/{{layer}}"
_TILE = "/tiles/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}"
_J = f"{_T}/jobs/{{job}}"
_LAYER, _JOB = (re.compile(rf"/twins/[^/]+/{kind}/([^/]+)") for kind in ("collections", "jobs"))
#: Where a process answers at once; whoever asks needs that process in the agreement, as for its execution.
QUICK = (f"{_T}/stands/score", f"{_T}/stages/score")
#: The templates of routes.
REACHED = frozenset(
    {
        f"{_T}/me", f"{_T}/conformance", f"{_T}/did.json", f"{_T}/tileMatrixSets", f"{_T}/tileMatrixSets/{{tileMatrixSetId}}",
        f"{_T}/collections", _L, f"{_L}/schema", f"{_L}/queryables", f"{_L}/items", f"{_L}/items/{{item:path}}",
        f"{_L}/series", f"{_L}/coverage", f"{_L}/coverage.zarr/{{path:path}}",
        f"{_L}/tiles", f"{_L}/tiles/{{tileMatrixSetId}}", f"{_L}{_TILE}",
        f"{_L}/map", f"{_L}/map/tiles", f"{_L}/map/tiles/{{tileMatrixSetId}}", f"{_L}/map{_TILE}",
        f"{_L}/styles", f"{_L}/styles/{{styleId}}", f"{_L}/styles/{{styleId}}/legend", f"{_L}/styles/{{styleId}}/map",
        f"{_L}/styles/{{styleId}}/map/tiles", f"{_L}/styles/{{styleId}}/map/tiles/{{tileMatrixSetId}}",
        f"{_L}/styles/{{styleId}}/map{_TILE}",
        f"{_T}/processes", f"{_T}/processes/{{process}}", f"{_T}/processes/{{process}}/execution",
        f"{_T}/jobs", _J, f"{_J}/events", f"{_J}/results", f"{_J}/results/{{output}}", f"{_J}/manifest",
        f"{_T}/playbooks/{{playbook}}", *QUICK,
    }
)  # fmt: skip


def reached(request: Request, twin: Twin, grant: Grant) -> Grant:
    """The Grant at this address: with the layers of the partner's own results where it asks for them.

    Raises Denied: a partner asks at an address that no agreement reaches, or to change what is not its own.
    """
    _check(request, grant)
    path = request.scope["path"]
    found = _LAYER.match(path) or _JOB.match(path)
    if found is None:
        return grant
    if found.re is _LAYER:
        return deputy.with_results(twin, grant, found[1])
    with suppress(NotFound):
        job = Queue(twin.tables).get(found[1][:64])
        if job.subject.get("kind") == "peer" and job.subject.get("agreement") == grant.agreement:
            return deputy.of_job(grant, job)
    return grant


def _check(request: Request, grant: Grant) -> None:
    route = request.scope.get("route")
    path = getattr(route, "path", None)
    if path is None:  # the short way answers items only, by the same functions as their routes
        return
    ends = request.method == "DELETE" and path == _J
    asks = request.method == "POST" and (path.endswith("/execution") or path in QUICK)
    if path not in REACHED or not (request.method in ("GET", "HEAD") or ends or asks):
        grant.refuse("no agreement reaches this address", "not-in-agreement", grant.resource.twin)
