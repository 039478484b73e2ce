"""Versions of layers and products: what the catalogue says of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from twintown.ground.names import Name
from twintown.ground.provenance import Provenance
from twintown.store.tables import LayerRow, ProductRow
from twintown.trust.grades import Grade

#: The file that holds the shape, by kind.
FILES = {"features": "data.parquet", "table": "data.parquet", "series": "data.parquet", "grid": "data.tif"}


@dataclass(frozen=True)
class LayerVersion:
    """One version of one layer. `meta` holds columns, geometry type, attributes, provenance: what the catalogue says of it."""

    layer: str
    version: str
    kind: str
    title: Name
    grade: Grade
    count: int
    digest: str
    built_at: datetime
    bbox_lonlat: tuple[float, float, float, float] | None
    path: str
    meta: Mapping[str, Any]

    @property
    def provenance(self) -> Provenance:
        return Provenance.from_dict(self.meta["provenance"])

    @property
    def key(self) -> str:
        """The blob that holds the shape."""
        return f"{self.path}/{FILES[self.kind]}"


@dataclass(frozen=True)
class ProductVersion:
    """One version of a product (a tileset, vector tiles): the folder it lies in, and the grade of what it was made from."""

    product: str
    version: str
    grade: Grade
    digest: str
    built_at: datetime
    path: str
    meta: Mapping[str, Any]


def layer_version(row: LayerRow) -> LayerVersion:
    """As the database has it."""
    return LayerVersion(
        row.layer, row.version, row.kind, Name(row.title_ko, row.title_en), Grade.of(row.grade), row.count, row.digest,
        row.built_at, row.bbox, row.path, row.meta,
    )  # fmt: skip


def product_version(row: ProductRow) -> ProductVersion:
    """As the database has it."""
    # A product that does not say what it was made from is nobody's to see.
    grade = Grade.of(row.meta.get("grade", Grade.C.value))
    return ProductVersion(row.product, row.version, grade, row.digest, row.built_at, row.path, row.meta)
