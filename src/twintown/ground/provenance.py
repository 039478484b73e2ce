"""Provenance: where a shape comes from, under which licence, through which steps."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson


def digest(data: bytes | memoryview) -> str:
    """`sha256:` and 64 hexadecimal digits of the bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def digest_file(path: Path) -> str:
    """The digest of a file's bytes, read in blocks."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def digest_of(value: object) -> str:
    """The digest of a JSON value in one canonical form (sorted keys, UTF-8)."""
    return digest(orjson.dumps(value, option=orjson.OPT_SORT_KEYS))


@dataclass(frozen=True)
class Licence:
    """What may be done with data, and the words that must stand beside it.

    `id` is an SPDX identifier where there is one (`ODbL-1.0`, `CC0-1.0`, `KOGL-1`).
    """

    id: str
    title: str
    url: str = ""
    attribution: str = ""
    share_alike: bool = False


@dataclass(frozen=True)
class Source:
    """One origin of data: who published what, when, under which licence. `date` is the data's own, ISO 8601."""

    id: str
    title: str
    publisher: str
    licence: Licence
    url: str = ""
    date: str = ""
    note: str = ""


@dataclass(frozen=True)
class Step:
    """One thing that was done on the way: by which code and version, with which parameters."""

    what: str
    by: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Provenance:
    """Sources and steps of a shape, in order."""

    sources: tuple[Source, ...]
    steps: tuple[Step, ...] = ()

    def then(self, step: Step) -> Provenance:
        """The same provenance with one more step."""
        return replace(self, steps=(*self.steps, step))

    @classmethod
    def of(cls, several: Iterable[Provenance], step: Step | None = None) -> Provenance:
        """What is made from several shapes: all their sources once, all their steps once, and then the step."""
        sources: dict[str, Source] = {}
        steps: list[Step] = []
        for provenance in several:
            sources.update({source.id: source for source in provenance.sources})
            steps.extend(known for known in provenance.steps if known not in steps)
        return cls(tuple(sources.values()), (*steps, step) if step else tuple(steps))

    @property
    def licences(self) -> tuple[Licence, ...]:
        """The licences of all sources, each once."""
        return tuple({source.licence.id: source.licence for source in self.sources}.values())

    @property
    def digest(self) -> str:
        """The digest of the canonical JSON form."""
        return digest_of(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Provenance:
        """The inverse of `to_dict`."""
        return cls(
            tuple(
                Source(**{**source, "licence": Licence(**source["licence"])}) for source in value["sources"]
            ),
            tuple(Step(**step) for step in value["steps"]),
        )
