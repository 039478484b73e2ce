"""`twintown info`: what a twin holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .opened import DIRECTORY, open_twin, table

if TYPE_CHECKING:
    from twintown.twin.layers import Twin


@click.command()
@click.argument("directory", type=DIRECTORY)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def info(directory: Path, as_json: bool) -> None:
    """Show what the twin in DIRECTORY holds."""
    import json

    twin = open_twin(directory)
    said = _info(twin)
    if as_json:
        click.echo(json.dumps(said, ensure_ascii=False, indent=2))
        return
    about = twin.description
    click.echo(f"{about.id}  {about.names.ko} · {about.names.en}   {about.frame.crs}, {about.time_zone}")
    rows = [("layer", "kind", "count", "grade", "built (UTC)", "title")]
    for layer in said["layers"]:
        title = f"{layer['title']['ko']} · {layer['title']['en']}"
        built = layer["built_at"][:16].replace("T", " ")
        rows.append((layer["layer"], layer["kind"], f"{layer['count']:,}", layer["grade"], built, title))
    table(rows)
    rows = [("product", "files", "bytes", "grade", "built (UTC)", "title")]
    for product in said["products"]:
        built = product["built_at"][:16].replace("T", " ")
        title = f"{product['title']['ko']} · {product['title']['en']}"
        rows.append(
            (
                product["product"],
                f"{product['files']:,}",
                f"{product['bytes']:,}",
                product["grade"],
                built,
                title,
            )
        )
    table(rows)
    for line in said["attributions"]:
        click.echo(line)


def _info(twin: Twin) -> dict[str, Any]:
    from twintown.trust.identity import LOCAL_OWNER
    from twintown.trust.policy import Resource, decide

    about = twin.description
    grant = decide(LOCAL_OWNER, "read", Resource(about.id))
    layers, products = twin.layers(grant), twin.products(grant)
    licences = {licence.id: licence for layer in layers for licence in layer.provenance.licences}
    return {
        "id": about.id,
        "names": about.names.to_dict(),
        "frame": about.frame.to_dict(),
        "bounds": list(about.bounds.as_tuple()),
        "layers": [
            {
                "layer": one.layer, "kind": one.kind, "title": one.title.to_dict(), "count": one.count,
                "grade": one.grade.value, "version": one.version, "digest": one.digest, "path": one.key,
                "built_at": one.built_at.isoformat(), "bbox_lonlat": one.bbox_lonlat,
            }
            for one in layers
        ],
        "products": [
            {
                "product": one.product, "title": one.meta["title"], "files": one.meta["files"],
                "bytes": one.meta["bytes"], "grade": one.grade.value, "version": one.version,
                "built_at": one.built_at.isoformat(), "path": one.path,
            }
            for one in products
        ],
        "attributions": sorted({licence.attribution or licence.title for licence in licences.values()}),
    }  # fmt: skip
