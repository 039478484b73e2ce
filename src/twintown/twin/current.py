"""What is current in a twin: read from the database again only after something was committed to it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twintown.ground.errors import Gone, NotFound

from .versions import LayerVersion, ProductVersion, layer_version, product_version

if TYPE_CHECKING:
    from .layers import Twin


@dataclass(frozen=True)
class Known:
    """What the database said at one moment: what is current; older versions and edits are filled in as they are asked for."""

    layers: Mapping[str, LayerVersion]
    products: Mapping[str, ProductVersion]
    older: dict[tuple[str, str], LayerVersion] = field(default_factory=dict)
    edited: dict[tuple[str, str], int] = field(default_factory=dict)


class Current:
    """The catalogue of one twin in memory; any thread may ask."""

    def __init__(self, twin: Twin) -> None:
        self._twin = twin
        self._kept: tuple[Hashable, Known] | None = None

    def known(self) -> Known:
        """What is current now. Raises StorageFailed."""
        look = self._twin.watch.look()  # before reading: what is committed meanwhile is read again
        kept = self._kept
        if kept is not None and kept[0] == look:
            return kept[1]
        tables = self._twin.tables
        known = Known(
            {row.layer: layer_version(row) for _, row in sorted(tables.layers().items())},
            {row.product: product_version(row) for _, row in sorted(tables.products().items())},
        )
        self._kept = (look, known)
        return known

    def revision(self, version: LayerVersion) -> int:
        """The last edit of a version, 0 where it was never edited."""
        edits = self._twin.edits
        if edits is None or not version.meta.get("editable"):
            return 0
        edited, key = self.known().edited, (version.layer, version.version)
        if key not in edited:
            edited[key] = edits.revision(*key)
        return edited[key]

    def remembered(self, layer: str, token: str) -> tuple[LayerVersion, int]:
        """The version that a token names, and the edit. Raises Gone: it is not kept, or never was."""
        name, _, edit = token.partition(".")
        if edit and not edit.isdecimal():
            raise Gone("this page is not known", layer, "begin again at the first page")
        known = self.known()
        version = known.layers.get(layer)
        if version is None or version.version != name:
            version = known.older.get((layer, name))
        if version is None:
            try:
                row = self._twin.tables.layer(layer, name)
            except NotFound as error:
                raise Gone(
                    "this version is not kept any more", f"{layer} {name[:80]}", "begin again"
                ) from error
            if row.state == "ready":
                raise NotFound(f"there is no version {name} of {layer}", self._twin.description.id)
            version = known.older[layer, name] = layer_version(row)
        if edit and int(edit) > self.revision(version):
            raise Gone("this page is not known", layer, "begin again at the first page")
        return version, int(edit or 0)
