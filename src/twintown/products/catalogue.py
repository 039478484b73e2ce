"""The catalogue as STAC 1.1: an item beside each version of a layer, and a catalog that names the current
ones.

The licence of an item is its SPDX identifier where there is exactly one and it has one; else `other`, with a
link to each. `datetime` is the data's own date (of its newest source); when it was built stands in `created`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from twintown.ground.bounds import Bounds
from twintown.ground.frames import Frame
from twintown.ground.names import Name
from twintown.ground.provenance import Licence
from twintown.twin.layers import LayerVersion

if TYPE_CHECKING:
    import pystac

#: Licences of open data that have an SPDX identifier; a licence that is not here is `other`.
_SPDX = frozenset(
    {
        "CC0-1.0",
        "CC-BY-4.0",
        "CC-BY-SA-4.0",
        "CC-BY-3.0",
        "ODbL-1.0",
        "ODC-By-1.0",
        "PDDL-1.0",
        "OGL-UK-3.0",
        "etalab-2.0",
        "DL-DE-BY-2.0",
        "Apache-2.0",
        "MIT",
    }
)
_MEDIA = {
    "features": "application/vnd.apache.parquet",
    "table": "application/vnd.apache.parquet",
    "series": "application/vnd.apache.parquet",
    "grid": "image/tiff; application=geotiff; profile=cloud-optimized",
}
#: Multihash of SHA-256: its code, and 32 bytes.
_SHA256 = "1220"


def item(version: LayerVersion, frame: Frame, twin: str) -> pystac.Item:
    """The STAC item of one version of a layer, with hrefs relative to the folder of the version.

    Args:
        version: what the twin's catalogue says of it.
        frame: the frame of its coordinates.
        twin: id of the twin.
    """
    import pystac

    provenance = version.provenance
    geometry, bbox = _where(version)
    made = pystac.Item(
        id=f"{twin}.{version.layer}.{version.version}",
        geometry=geometry,
        bbox=bbox,
        datetime=_when(version),
        properties={
            "title": f"{version.title.en} ({version.title.ko})",
            "created": _stamp(version.built_at),
            "license": licence_id(provenance.licences),
            "twintown:layer": version.layer,
            "twintown:version": version.version,
            "twintown:kind": version.kind,
            "twintown:grade": version.grade.value,
            "twintown:count": version.count,
            "twintown:frame": frame.to_dict(),
            "twintown:steps": [step.what for step in provenance.steps],
        },
    )
    publishers: dict[str, str | None] = {}
    for source in provenance.sources:
        publishers.setdefault(source.publisher, source.url or None)
    roles = [pystac.ProviderRole.PRODUCER, pystac.ProviderRole.LICENSOR]
    made.common_metadata.providers = [
        pystac.Provider(name, roles=roles, url=url) for name, url in publishers.items()
    ]
    for licence in provenance.licences:
        if licence.url:
            made.add_link(pystac.Link("license", licence.url, title=licence.title))
    for source in provenance.sources:
        if source.url:
            made.add_link(pystac.Link("via", source.url, title=source.title))
    made.add_asset("data", _data(version))
    _extend(made, version, frame)
    return made


def item_bytes(version: LayerVersion, frame: Frame, twin: str) -> bytes:
    """The item as JSON, to lie as `item.json` beside the data. The same version gives the same bytes."""
    return _bytes(item(version, frame, twin))


def catalog(twin: str, title: Name, versions: Iterable[LayerVersion]) -> bytes:
    """A static STAC catalog (JSON) of the current versions, to lie in the root of the twin."""
    import pystac

    made = pystac.Catalog(
        id=twin, title=f"{title.en} ({title.ko})", description=f"Current layers of {title.en} ({title.ko})."
    )
    for version in sorted(versions, key=lambda version: version.layer):
        link = pystac.Link(
            "item", f"./{version.path}/item.json", media_type=pystac.MediaType.GEOJSON, title=version.title.en
        )
        made.add_link(link)
    return _bytes(made)


def _bytes(made: pystac.Item | pystac.Catalog) -> bytes:
    value: dict[str, Any] = made.to_dict(include_self_link=False, transform_hrefs=False)
    return orjson.dumps(value, option=orjson.OPT_INDENT_2)


def _where(version: LayerVersion) -> tuple[dict[str, Any] | None, list[float] | None]:
    """Geometry and bbox (degrees); none where the layer lies nowhere (a table, a series)."""
    if version.bbox_lonlat is None:
        return None, None
    bounds = Bounds(*version.bbox_lonlat)
    west, south, east, north = bounds.as_tuple()
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}, list(bounds.as_tuple())


def _when(version: LayerVersion) -> datetime:
    """The newest date among the sources; when it was built if none has one."""
    dates = []
    for source in version.provenance.sources:
        try:
            date = datetime.fromisoformat(source.date)
        except ValueError:
            continue  # "", "2022/2023": true, but not an instant
        dates.append(date if date.tzinfo else date.replace(tzinfo=UTC))
    return max(dates, default=version.built_at)


def _stamp(when: datetime) -> str:
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return when.astimezone(UTC).isoformat().replace("+00:00", "Z")


def licence_id(licences: tuple[Licence, ...]) -> str:
    """The SPDX identifier where one licence with one says it all, else `other`."""
    return licences[0].id if len(licences) == 1 and licences[0].id in _SPDX else "other"


def _data(version: LayerVersion) -> pystac.Asset:
    import pystac

    name = version.key.rsplit("/", 1)[-1]
    return pystac.Asset(f"./{name}", title=version.title.en, media_type=_MEDIA[version.kind], roles=["data"])


def _extend(made: pystac.Item, version: LayerVersion, frame: Frame) -> None:
    """What the extensions projection (2.0) and file (2.1) have to say."""
    from pystac.extensions.file import FileExtension
    from pystac.extensions.projection import ProjectionExtension

    data = made.assets["data"]
    file = FileExtension.ext(data, add_if_missing=True)
    file.checksum = _SHA256 + version.digest.removeprefix("sha256:")
    if "bytes" in version.meta:
        file.size = int(version.meta["bytes"])
    if version.bbox_lonlat is None:
        return
    projection = ProjectionExtension.ext(made, add_if_missing=True)
    projection.code = frame.crs
    if version.kind == "grid":
        shape, cell, origin = version.meta["shape"], float(version.meta["cell_m"]), version.meta["origin"]
        projection.shape = [int(n) for n in shape[-2:]]
        projection.transform = [cell, 0.0, float(origin[0]), 0.0, -cell, float(origin[1])]
    else:
        x, y = frame.from_lonlat(*Bounds(*version.bbox_lonlat).ring().T)
        projection.bbox = np.round([x.min(), y.min(), x.max(), y.max()], 3).tolist()
