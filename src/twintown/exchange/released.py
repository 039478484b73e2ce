"""What an audience has already, or can have: the layers that are open to anyone, and what was let go to it before."""

from __future__ import annotations

from twintown.ground.errors import NotFound
from twintown.trust.grades import Grade
from twintown.twin.layers import LayerVersion
from twintown.twin.versions import layer_version

from .content import Content, OfLayer
from .matter import Matter
from .release import ANYONE, PEERS
from .release_rows import Releases


def known_to(matter: Matter) -> tuple[Content, ...]:
    """The contents that the audience of a question can put beside the asset; not the asset itself.

    Layers graded O, the earlier versions of the asset that were open and are still kept, and what earlier releases let go to this
    audience, to every peer or to anyone, in the version that went.
    """
    if matter.known is not None:
        return matter.known
    twin, own = matter.twin, matter.content.layer if matter.content else ""
    found: dict[tuple[str, str], LayerVersion] = {
        (one.layer, one.version): one
        for one in twin.layers(matter.reader)
        if one.grade is Grade.O and one.layer != own
    }
    audiences = {ANYONE} if matter.audience == ANYONE else {ANYONE, PEERS, matter.audience}
    wanted = []
    for release in Releases(twin.tables).listed():
        if (
            release.state not in ("granted", "allowed")
            or release.audience not in audiences
            or release.goes.kind != "layer"
        ):
            continue
        wanted.append((release.goes.id, "" if release.result else release.version))
    if own:
        rows = twin.tables.layer_history(own)
        wanted += [(own, row.version) for row in rows if row.grade == "O" and row.retired_at is not None]
    for layer, version in wanted:
        try:
            row = twin.tables.layer(layer, version or None)
        except NotFound:  # swept since; what it held cannot be looked at any more
            continue
        if (layer, row.version) != (own, matter.version):
            found.setdefault((layer, row.version), layer_version(row))
    return tuple(
        OfLayer(twin, one, matter.reader)
        for one in found.values()
        if matter.reader.covers(one.grade, one.layer)
    )


def origin(layer: str) -> str:
    """The layer that a layer was made from for a release; otherwise itself."""
    return layer.partition("-release-")[0]
