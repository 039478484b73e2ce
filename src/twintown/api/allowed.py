"""What can be done with one layer: the methods at its addresses, for `OPTIONS`. QGIS asks before it lets anyone edit."""

from __future__ import annotations

import re
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import Scope

from twintown.ground.errors import TwintownError
from twintown.store.tables import ADDED
from twintown.trust.identity import ANYONE, identify
from twintown.trust.policy import Resource
from twintown.twin.edits import READABLE, editable

_LAYER = re.compile(r"/twins/([^/]+)/collections/([^/]+)(/items(?:/.+)?)?/?")


def of_layer(scope: Scope, methods: Sequence[str]) -> list[str]:
    """Those of the methods of an address that its layer is made for, where the caller says who it is.

    Whoever does not is told the methods of the address: writing to any of them asks for a token first (401). A layer that
    the caller may not see is told like one that is not there.
    """
    found = _LAYER.fullmatch(scope["path"])
    shown = Headers(scope=scope).get("authorization", "")
    if found is None or not shown or set(methods) <= set(READABLE):
        return list(methods)
    twin, layer, items = found.groups()
    opened = scope["app"].state.open
    served = opened.shelf.twins.get(twin)
    if served is None:
        return [method for method in methods if method in READABLE]
    try:
        subject = identify(shown, twin, served.secret, served.people)
    except TwintownError:
        subject = ANYONE
    try:
        version = served.twin.version(layer, opened.decide(subject, "read", Resource(twin)))
    except TwintownError:  # a layer that is not there can be put there; nothing can be done with its items
        taken = {"PUT"} if not items else set()
    else:
        added = version.meta.get("origin") == ADDED
        taken = set(methods) if (editable(version) if items else added) else set()
    return [method for method in methods if method in READABLE or method in taken]
