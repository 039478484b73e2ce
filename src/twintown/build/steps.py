"""The three kinds of build step, each able to say what it is asked and to do it: a source, a process, a product."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from twintown.build import decided, mark
from twintown.build.plan import Planned
from twintown.ground.errors import BadInput, NotFound, PluginFailed
from twintown.ground.features import Features
from twintown.ground.names import Name
from twintown.ground.provenance import digest_of
from twintown.jobs import process as processes
from twintown.products.built_ins import BUILT_INS
from twintown.products.product import Place, Product
from twintown.sources import source as sources
from twintown.store.tables import ProductRow, new_version
from twintown.trust.grades import Grade, mix
from twintown.trust.identity import LOCAL_OWNER
from twintown.trust.policy import Grant, Resource, decide
from twintown.twin.description import SourceEntry, StepEntry
from twintown.twin.layers import LayerVersion, Shape, Twin

#: Takes the fraction done, 0 to 1.
Report = Callable[[float], None]


class Step(Protocol):
    """What `run` needs of a step."""

    @property
    def planned(self) -> Planned:
        """Its place in the plan."""
        ...

    def asked(self, twin: Twin) -> str:
        """Digest of files, options and declared version. Raises BadInput for a file that is not there."""
        ...

    def code(self) -> str:
        """Digest of the code it runs."""
        ...

    def make(self, twin: Twin, layers: Mapping[str, LayerVersion], report: Report) -> dict[str, str]:
        """Do it; the version of each layer or product that it staged. Any TwintownError."""
        ...


def owner(twin: Twin) -> Grant:
    """The Grant of whoever runs a build: the owner of the files."""
    return decide(LOCAL_OWNER, "write", Resource(twin.description.id))


def stage(
    twin: Twin, layer: str, shape: Shape, grade: Grade, where: str, meta: Mapping[str, Any] | None = None
) -> str:
    """Stage a layer that lies in the twin's frame; its version. Raises PluginFailed, StorageFailed."""
    if not twin.frame_matches(shape):
        raise PluginFailed(
            f"the layer {layer!r} is in another frame than the twin", where, "report it to its author"
        )
    return twin.stage(layer, shape, grade, meta).version


@dataclass(frozen=True)
class SourceStep:
    """One `[[sources]]` entry: files to layers."""

    entry: SourceEntry
    source: sources.Source

    @property
    def planned(self) -> Planned:
        options = sources.check_options(self.source, self.entry.options, f"sources.{self.entry.id}")
        return Planned(f"source/{self.entry.id}", "source", self.entry.id, tuple(self.source.layers(options)))

    def ask(self, twin: Twin, report: Report | None = None) -> sources.Ask:
        """The question to the source."""
        about = twin.description

        def progress(_what: str, fraction: float) -> None:
            if report is not None:
                report(fraction)

        return sources.Ask(
            self.entry.paths, about.frame, about.bounds, self.entry.origin, self.entry.options, about.time_zone,
            progress, twin.directory,
        )  # fmt: skip

    def asked(self, twin: Twin) -> str:
        """See `Step`."""
        said = [sources.digest_ask(self.source, self.ask(twin)), self.entry.grade.value]
        return digest_of([*said, *decided.mark(decided.approved(twin, self.planned.gives))])

    def code(self) -> str:
        """See `Step`."""
        return mark.code("ground", "kernels", "city", "sources")

    def make(self, twin: Twin, layers: Mapping[str, LayerVersion], report: Report) -> dict[str, str]:
        """See `Step`. The edits of approved scenarios are made to what the source gives."""
        made, held = {}, {}
        plans = decided.approved(twin, self.planned.gives)
        for layer, shape in sources.read(self.source, self.ask(twin, report)):
            if plans and layer in decided.TOUCHED:
                held[layer] = shape
            else:
                made[layer] = stage(twin, layer, shape, self.entry.grade, self.planned.id)
        if held:
            done, said = decided.edited(held, plans)
            for layer, shape in done.items():
                meta = {"plans": said} if layer == decided.TOUCHED[0] else {}
                made[layer] = stage(twin, layer, shape, self.entry.grade, self.planned.id, meta)
        return made


@dataclass(frozen=True)
class ProcessStep:
    """One `[[processes]]` entry: layers to result layers, graded like the highest of what they are made from."""

    entry: StepEntry
    process: processes.Process

    @property
    def planned(self) -> Planned:
        gives = tuple(output.layer for output in self.process.outputs)
        return Planned(
            f"process/{self.entry.id}",
            "process",
            self.entry.id,
            gives,
            self.process.reads(self.entry.options),
        )

    def ask(self, twin: Twin, layers: Mapping[str, Shape], report: Report | None = None) -> processes.Ask:
        """The question to the process."""
        about = twin.description

        def progress(_what: str, fraction: float) -> None:
            if report is not None:
                report(fraction)

        return processes.Ask(
            layers, about.frame, about.bounds, about.time_zone, about.day, self.entry.options, progress
        )

    def asked(self, twin: Twin) -> str:
        """See `Step`."""
        return self.process.digest(dict.fromkeys(self.planned.takes, ""), self.ask(twin, {}))

    def code(self) -> str:
        """See `Step`."""
        return mark.code("ground", "kernels", "city", "jobs", "processes")

    def make(self, twin: Twin, layers: Mapping[str, LayerVersion], report: Report) -> dict[str, str]:
        """See `Step`."""
        for layer in self.planned.takes:
            if layer not in layers:
                raise BadInput(
                    f"the process {self.process.id!r} needs the layer {layer!r}",
                    self.planned.id,
                    "add a source",
                )
        taken = {layer: twin.read(layers[layer], owner(twin)) for layer in self.planned.takes}
        grade = mix(layers[layer].grade for layer in taken)
        made = {}
        for layer, shape in processes.run(self.process, self.ask(twin, taken, report)):
            made[layer] = stage(twin, layer, shape, grade, self.planned.id)
        return made


@dataclass(frozen=True)
class ProductStep:
    """One product: layers to files that a browser streams."""

    product: Product
    layers: tuple[str, ...]

    @property
    def planned(self) -> Planned:
        takes = self.product.reads(set(self.layers))
        return Planned(f"product/{self.product.id}", "product", self.product.id, (), takes)

    def place(self, twin: Twin) -> Place:
        """What the product is told of the twin."""
        return Place(twin.description.frame, twin.description.ground.height_m)

    def asked(self, twin: Twin) -> str:
        """See `Step`."""
        place = self.place(twin)
        return digest_of([self.product.id, self.product.edition, place.frame.to_dict(), place.ground_m])

    def code(self) -> str:
        """See `Step`."""
        return mark.code("ground", "city", "products")

    def make(self, twin: Twin, layers: Mapping[str, LayerVersion], report: Report) -> dict[str, str]:
        """See `Step`."""
        product, version = self.product, new_version()
        path = f"tiles/{product.id}/{version}"
        taken: dict[str, Features] = {}
        for layer in self.planned.takes:
            shape = twin.read(layers[layer], owner(twin))
            if not isinstance(shape, Features):
                raise BadInput(f"the product {product.id} takes features, not {layers[layer].kind}", layer)
            taken[layer] = shape
        built = product.build(
            taken, self.place(twin), lambda name, data: twin.blobs.put(f"{path}/{name}", data), report
        )
        meta = {
            "grade": mix(layers[layer].grade for layer in taken).value,
            "title": product.title.to_dict(), "entry": built.entry, "files": built.files, "bytes": built.size,
            "facts": dict(built.facts), "layers": {layer: layers[layer].version for layer in taken},
        }  # fmt: skip
        mark_of = product.digest({name: one.digest for name, one in layers.items()}, self.place(twin))
        twin.tables.add_product(ProductRow(product.id, version, mark_of, datetime.now(UTC), path, meta))
        return {product.id: version}


def all_steps(twin: Twin) -> list[Step]:
    """A step for everything that the description asks for. Raises NotFound, PluginFailed, BadInput."""
    registry = sources.registry()
    steps: list[Step] = [
        SourceStep(e, registry.find(e.source, f"sources.{e.id}")) for e in twin.description.sources
    ]
    known = processes.processes()
    steps += [ProcessStep(e, known.find(e.kind, f"processes.{e.id}")) for e in twin.description.processes]
    layers = {layer for step in steps for layer in step.planned.gives}
    return [*steps, *_product_steps(twin, layers)]


def layer_version(twin: Twin, layer: str, version: str) -> LayerVersion:
    """A recorded version, served or not. Raises NotFound."""
    row = twin.tables.layer(layer, version)
    return LayerVersion(
        row.layer, row.version, row.kind, Name(row.title_ko, row.title_en), Grade.of(row.grade), row.count,
        row.digest, row.built_at, row.bbox, row.path, row.meta,
    )  # fmt: skip


def _product_steps(twin: Twin, layers: set[str]) -> list[ProductStep]:
    """A step for each product that the description names, or for all that apply where it names none."""
    by_id = {product.id: product for product in BUILT_INS}
    named = [entry.kind for entry in twin.description.products]
    for name in named:
        if name not in by_id:
            raise NotFound(f"there is no product {name!r}", "products", f"there are {', '.join(by_id)}")
        if not by_id[name].applies(layers):
            needs = ", ".join(by_id[name].needs) or " or ".join(by_id[name].takes)
            raise BadInput(
                f"the product {name!r} needs the layers {needs}", "products", "add a source that gives them"
            )
    chosen = [by_id[name] for name in named] or [p for p in BUILT_INS if p.applies(layers)]
    return [ProductStep(product, tuple(sorted(layers))) for product in chosen]
