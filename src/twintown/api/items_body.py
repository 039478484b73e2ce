"""Bodies with features: which kinds are taken, and what a document comes to that a layer is asked to keep."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import Request

from twintown.api.problems import Place
from twintown.formats.geojson_check import Flaw, Path, check, parse, place, pointer, walk
from twintown.ground.crs import CRS84, Crs, parse_crs, supported
from twintown.ground.errors import BadContent, BadParameter, TooLarge, UnknownFormat
from twintown.trust.policy import Grant
from twintown.twin.edits import Draft, Present
from twintown.twin.fitting import Fit
from twintown.twin.layers import Twin

#: Media types that a feature may be sent as; the first is the right one.
SENT = ("application/geo+json", "application/json", "application/vnd.geo+json")
PATCH = "application/merge-patch+json"
#: Bytes of features in one body; larger data comes as a file (`PUT` of the collection).
MAX_BYTES = 16_000_000
_ID = re.compile(r"[^\x00-\x1f\x7f]{1,200}")


@dataclass(frozen=True)
class Body:
    """A body that may be read: its kind is one that is taken here."""

    kind: str

    @classmethod
    def of(cls, request: Request, kinds: Sequence[str]) -> Body:
        """Raises UnknownFormat: another kind, another encoding of text, or packed."""
        sent = request.headers.get("content-type", "")
        kind, _, rest = sent.partition(";")
        if kind.strip().lower() not in kinds:
            what = (
                f"{kind.strip()[:80]!r} is not taken here"
                if kind.strip()
                else "the kind of the body is not said"
            )
            raise UnknownFormat(what, "Content-Type", f"send {' or '.join(kinds[:2])}")
        charset = re.search(r"charset\s*=\s*\"?([^\s;\"]+)", rest, re.IGNORECASE)
        if charset and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
            raise UnknownFormat(f"{charset[1][:40]!r} is not taken here", "Content-Type", "send UTF-8")
        packed = request.headers.get("content-encoding", "identity").strip().lower()
        if packed not in ("", "identity"):
            raise UnknownFormat(
                f"bodies packed with {packed[:40]!r} are not taken", "Content-Encoding", "send it as it is"
            )
        return cls(kind.strip().lower())

    async def read(self, request: Request) -> bytes:
        """All of it. Raises TooLarge."""
        parts, size = [], 0
        async for part in request.stream():
            size += len(part)
            if size > MAX_BYTES:
                raise TooLarge(
                    f"features come in bodies of at most {MAX_BYTES:,} bytes",
                    remedy="send a file to the collection itself (PUT), or fewer features at a time",
                )
            parts.append(part)
        return b"".join(parts)


@dataclass(frozen=True)
class Sent:
    """Features that a layer can keep.

    Args:
        features: as they were sent.
        drafts: as the layer keeps them.
        paths: where each stands in the body.
        warnings: what was odd.
        single: one Feature was sent, not a collection.
    """

    features: list[dict[str, Any]]
    drafts: list[Draft]
    paths: list[Path]
    warnings: list[Place]
    single: bool


def document(
    raw: bytes, twin: Twin, layer: str, grant: Grant, content_crs: str | None, *, single: bool = False
) -> Sent:
    """The features of a body.

    Raises:
        BadContent: with each place that is wrong.
        BadParameter: the CRS is none that is known here.
    """
    crs = _crs(twin, content_crs)
    checked = check(raw, lonlat=crs.code == CRS84.code)
    if checked.errors:
        raise refused(checked.flaws)
    one = checked.document["type"] == "Feature"
    if single and not one:
        raise refused((Flaw("/type", 1, "one Feature is expected here, not a FeatureCollection"),))
    features: list[dict[str, Any]] = [checked.document] if one else checked.document["features"]
    paths: list[Path] = [()] if one else [("features", number) for number in range(len(features))]
    if not features:
        raise refused((Flaw("/features", 1, "there is no feature in the collection"),))
    drafts, found = fit(twin, layer, grant).drafts(features, crs, paths)
    flaws = (*checked.flaws, *place(raw, found[:100]))
    if any(flaw.severity == "error" for flaw in flaws):
        raise refused(flaws)
    warnings = [Place(pointer=flaw.pointer, line=flaw.line, detail=flaw.what) for flaw in flaws[:100]]
    return Sent(features, drafts, paths, warnings, one)


def merged(
    raw: bytes, present: Present, twin: Twin, layer: str, grant: Grant, content_crs: str | None, item: str
) -> Draft:
    """What a feature comes to with a merge patch (RFC 7396); its geometry stays to the last digit unless it is sent.

    Raises:
        BadContent, BadParameter: as `document`.
    """
    patch, flaws = parse(raw)
    if flaws:
        raise refused(tuple(flaws))
    if not isinstance(patch, dict):
        raise refused((Flaw("", 1, "a merge patch of a feature is an object"),))
    if patch.get("id", item) != item:
        raise refused((Flaw("/id", 1, "the id of a feature cannot be changed"),))
    crs = _crs(twin, content_crs)
    whole = {"type": "Feature", "geometry": None, "properties": dict(present.properties)}
    drawn = "geometry" in patch
    if drawn:
        whole["geometry"] = orjson.loads(present.encoded)["geometry"]
    feature = patched(whole, {name: value for name, value in patch.items() if name != "id"})
    found = walk(feature, lonlat=crs.code == CRS84.code)
    if not found:
        drafts, found = fit(twin, layer, grant).drafts([feature], crs, [()])
    if any(severity == "error" for _, _, severity in found):
        raise refused(tuple(place(raw, found)))
    return drafts[0] if drawn else Draft(drafts[0].properties, present.geometry)


def patched(target: Any, patch: Any) -> Any:
    """A JSON value with a merge patch applied (RFC 7396, 2)."""
    if not isinstance(patch, dict):
        return patch
    made = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None and name not in ("geometry", "properties"):
            made.pop(name, None)
        else:
            made[name] = patched(made.get(name), value)
    return made


def fit(twin: Twin, layer: str, grant: Grant) -> Fit:
    """What features of a layer must fit."""
    version = twin.version(layer, grant)
    view = twin.view(version, grant, version.version)
    about = twin.description
    geometry = str(version.meta.get("geometry", ""))
    return Fit(layer, view.columns, geometry, about.frame, about.bounds)


def refused(flaws: Sequence[Flaw]) -> BadContent:
    """The error that tells all of them; its sentence has the first three."""
    wrong = [flaw for flaw in flaws if flaw.severity == "error"]
    said = "; ".join(
        f"{flaw.pointer or 'the document'} (line {flaw.line}): {flaw.what}" for flaw in wrong[:3]
    )
    more = len(wrong) - 3
    tail = f"; and {more} more" if more > 0 else ""
    places = tuple((flaw.pointer, flaw.line, flaw.what) for flaw in flaws)
    return BadContent(
        said + tail, remedy="mend what `errors` lists and send it again; nothing was written", findings=places
    )


def feature_id(text: str, path: Sequence[str | int] = ()) -> str:
    """The text itself, where it can be the id of a feature. Raises BadParameter."""
    parts = text.split("/")
    if not _ID.fullmatch(text) or text != text.strip() or "" in parts or "." in parts or ".." in parts:
        raise BadParameter(
            pointer((*path, "id")).lstrip("/") or "id", f"{text[:80]!r} cannot be an id",
            remedy="use up to 200 characters without control characters, and no empty, . or .. between slashes",
        )  # fmt: skip
    return text


def _crs(twin: Twin, header: str | None) -> Crs:
    if header is None:
        return CRS84
    text = header.strip().removeprefix("<").removesuffix(">")
    return parse_crs(text, supported(twin.description.frame.crs), "Content-Crs")
