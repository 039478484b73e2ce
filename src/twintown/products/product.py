"""A product: a pure function of layer versions that writes files.

    layers (by id) + place  --make-->  files under tiles/<product id>/<version>/

It reads nothing but what it is given and writes nothing but through the sink, so the digest of what goes in
names what
comes out: `digest` equal, nothing to do. Products are a plain list (`built_ins.py`), no plug-ins: a city
brings data and questions, and what a browser can draw is ours to keep working.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from twintown.ground.errors import BadInput, NotFound
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.names import Name, check_id
from twintown.ground.provenance import digest_of

#: Takes a path relative to the product's folder and the bytes of one file.
Write = Callable[[str, bytes], None]
#: Takes the fraction done, 0 to 1.
Progress = Callable[[float], None]


@dataclass(frozen=True)
class Place:
    """What a product must know of the twin besides its layers.

    Args:
        frame: the frame of all layers.
        ground_m: height of the (flat, declared) ground above the vertical datum, metres.
    """

    frame: Frame
    ground_m: float = 0.0


@dataclass(frozen=True)
class Built:
    """What came out: the entry file, how many files and bytes, and facts worth showing."""

    entry: str
    files: int
    size: int
    facts: Mapping[str, Any] = field(default_factory=dict)


#: layers by id, place, sink, progress.
Make = Callable[[Mapping[str, Features], Place, Write, Progress], Built]


@dataclass(frozen=True)
class Product:
    """One kind of files made from layers.

    Args:
        id: names the folder under `tiles/`.
        title: for people.
        needs: ids of the layers without which there is nothing to make.
        takes: ids of layers that are used where the twin has them.
        edition: raise it whenever the same layers would give other bytes.
        make: the pure function.
    """

    id: str
    title: Name
    needs: tuple[str, ...]
    takes: tuple[str, ...]
    edition: int
    make: Make = field(compare=False)

    def __post_init__(self) -> None:
        check_id(self.id, "product")

    def applies(self, layers: frozenset[str] | set[str]) -> bool:
        """Whether a twin with these layer ids can have this product."""
        return set(self.needs) <= layers and bool(layers & {*self.needs, *self.takes})

    def reads(self, layers: frozenset[str] | set[str]) -> tuple[str, ...]:
        """The ids, of those given, that it reads; in its own order."""
        return tuple(layer for layer in (*self.needs, *self.takes) if layer in layers)

    def digest(self, digests: Mapping[str, str], place: Place) -> str:
        """Names the output before it is made: product, edition, place and the digests of the layers it reads.

        Args:
            digests: digest of the current version of each layer of the twin, by layer id.

        Raises:
            NotFound: a needed layer has no version.
        """
        for layer in self.needs:
            if layer not in digests:
                raise NotFound(
                    f"the layer {layer!r} has no version yet", f"product {self.id}", "build the layer first"
                )
        return digest_of(
            {
                "product": self.id,
                "edition": self.edition,
                "frame": place.frame.to_dict(),
                "ground_m": place.ground_m,
                "layers": {layer: digests[layer] for layer in self.reads(set(digests))},
            }
        )

    def build(
        self, layers: Mapping[str, Features], place: Place, write: Write, progress: Progress = lambda _: None
    ) -> Built:
        """Make it; counts what goes through the sink.

        Raises:
            NotFound: a needed layer is missing.
            BadInput: a layer is in another frame than the twin.
        """
        for layer in self.needs:
            if layer not in layers:
                raise NotFound(
                    f"the layer {layer!r} is missing", f"product {self.id}", "build the layer first"
                )
        taken = {layer: layers[layer] for layer in self.reads(set(layers))}
        for layer, features in taken.items():
            if features.frame.crs != place.frame.crs:
                raise BadInput(
                    f"is in {features.frame.crs}, the twin in {place.frame.crs}",
                    f"layer {layer}",
                    "reproject it",
                )
        files = size = 0

        def counted(path: str, data: bytes) -> None:
            nonlocal files, size
            files, size = files + 1, size + len(data)
            write(path, data)

        progress(0.0)
        made = self.make(taken, place, counted, progress)
        progress(1.0)
        return Built(made.entry, files, size, made.facts)
