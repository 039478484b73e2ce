"""The same resources for people: the JSON body of an address, drawn by a template of the same name.

A template gets exactly the JSON that a program gets at the address, so that the two never say different things; a
resource without a template of its own is drawn by `generic.html`, any JSON as nested tables.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from fastapi import Request

from twintown.api import readable
from twintown.api.guard import ASKED
from twintown.ground.errors import NotFound

if TYPE_CHECKING:
    import jinja2

    from twintown.api.represent import Language

HERE = Path(__file__).parent
MEDIA_TYPE = "text/html; charset=utf-8"
#: Nothing from outside, no inline script and no inline style; the map draws in a worker made of a blob.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "worker-src 'self' blob:",
        "connect-src 'self'",
        "img-src 'self' blob: data:",
        "font-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
#: What an answer of this kind carries besides what every answer carries.
HEADERS: Mapping[str, str] = {"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin"}
LANGUAGES = ("ko", "en")
_CURSORS = ("cursor", "token", "after", "offset")  # what leads to another page of a list


def render(
    request: Request,
    template: str,
    value: Mapping[str, Any],
    lang: Language,
) -> str:
    """The page of a resource.

    Args:
        request: what was asked; its address makes the path at the top, and its `lang` stays in the links.
        template: the name of the resource, such as `collection`; `generic` draws what has no template.
        value: the JSON body of the resource.
        lang: `ko` or `en`.

    A page below a layer (rows, a row, a series) also gets `about`, the JSON body of that layer, for titles and units.
    """
    here = _Address(request)
    found = _engine().select_template([f"{template}.html", "generic.html"])
    words = _Words(lang)
    return found.render(
        value=value,
        about=_about(request, here.layer, lang) if here.layer and template != "collection" else {},
        lang=lang,
        t=words,
        name=lambda names, fallback="": readable.name(names, lang, fallback),
        number=readable.number,
        date=readable.date,
        unit=lambda code: readable.unit(code, lang),
        here=here,
        asset=_asset(request),
        path=request.url.path,
    )


def _about(request: Request, layer: str, lang: Language) -> Mapping[str, Any]:
    """The layer above a page, under the Grant that the request has already; nothing for what is no layer."""
    from twintown.api import collections
    from twintown.api.represent import Form

    asked = request.scope.get(ASKED)
    if asked is None:
        return {}
    try:
        version = asked.served.twin.version(layer, asked.grant)
    except NotFound:
        return {}
    said = collections.describe(request, version, asked, Form("html", lang))
    return said.model_dump(mode="json", by_alias=True)


class _Words:
    """The words of the pages in one language; an unknown one is the key itself, so that a slip shows."""

    def __init__(self, lang: str) -> None:
        self._words = words(lang)

    def __call__(self, key: str, **filled: object) -> str:
        text = self._words.get(key, key)
        return text.format(**filled) if filled else text

    def has(self, key: str) -> bool:
        """Whether there is such a word."""
        return key in self._words


@lru_cache(maxsize=len(LANGUAGES))
def words(lang: str) -> dict[str, str]:
    """All words in a language, by key; `words.toml` has them, a table a key with `ko` and `en`."""
    with (HERE / "templates" / "words.toml").open("rb") as file:
        table = tomllib.load(file)
    return {key: one[lang if lang in LANGUAGES else "en"] for key, one in table.items()}


class _Address:
    """Where the page stands, and addresses seen from there."""

    def __init__(self, request: Request) -> None:
        self.path = request.url.path
        self.query = [(k, v) for k, v in parse_qsl(request.url.query) if k != "f"]
        self.url = str(request.url.replace(query=urlencode([(k, v) for k, v in self.query if k != "lang"])))
        self.root = f"{request.base_url}".rstrip("/")
        self._kept = [(k, v) for k, v in self.query if k == "lang"]
        parts = [part for part in self.path.split("/") if part]
        self.twin = parts[1] if len(parts) > 1 and parts[0] == "twins" else ""
        self.layer = parts[3] if len(parts) > 3 and parts[2] == "collections" else ""
        self.last = parts[-1] if parts else ""
        self.asked = dict(self.query)

    @property
    def base(self) -> str:
        """The absolute address of the twin."""
        return f"{self.root}/twins/{quote(self.twin, safe='')}"

    def to(self, href: str, **query: object) -> str:
        """A link to an address of ours: relative to this host, with the language that was asked for."""
        split = urlsplit(href)
        if href.startswith(self.root + "/") or href == self.root:
            path = split.path or "/"
        elif split.scheme or split.netloc:
            return href
        else:
            path = split.path
        given = {k: str(v) for k, v in query.items() if v is not None}
        kept = [
            (k, v) for k, v in parse_qsl(split.query) if k not in given and not (k == "f" and v == "html")
        ]
        asked = [*kept, *given.items()]
        if "lang" not in dict(asked):
            asked += self._kept
        return path + (f"?{urlencode(asked)}" if asked else "")

    def as_(self, **query: object) -> str:
        """This very address in another language or format."""
        given = {k: str(v) for k, v in query.items()}
        asked = [(k, v) for k, v in self.query if k not in given] + list(given.items())
        return f"{self.path}?{urlencode(asked)}"

    def full(self, **query: object) -> str:
        """The absolute form of `as_`, without the language: what goes into a command line."""
        return self.root + _Address.as_(self, **query).replace("lang=ko&", "").replace("lang=en&", "")

    def start(self) -> str:
        """This very list from its first page."""
        asked = [(k, v) for k, v in self.query if k not in _CURSORS]
        return f"{self.path}?{urlencode(asked)}" if asked else self.path

    def crumbs(self) -> list[tuple[str, str]]:
        """The addresses above this one, with their last segment; the slashes in the id of an item lead nowhere."""
        parts = [part for part in self.path.split("/") if part]
        if "items" in parts:
            last = parts.index("items") + 1
            parts[last:] = ["/".join(parts[last:])] if parts[last:] else []
        return [(part, "/" + "/".join(quote(p) for p in parts[: i + 1])) for i, part in enumerate(parts)]


def _asset(request: Request) -> Callable[[str], str]:
    """The address of a file of ours, or nothing where the page was not built."""
    files = request.app.router.default
    address = getattr(files, "address", None)
    return address if callable(address) else lambda name: ""


@lru_cache(maxsize=1)
def _engine() -> jinja2.Environment:
    import jinja2

    engine = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    from twintown.api import chart, offered, outline

    engine.filters |= {
        "links": _links,
        "json": _json,
        "kindof": readable.kind_of,
        "flat": readable.flat,
        "crs": readable.crs,
        "columns": readable.columns,
        "property_names": readable.property_names,
        "without_value": readable.without_value,
        "besides": readable.besides,
        "form_label": offered.form_label,
        "files": offered.files,
        "snippets": offered.snippets,
        "example_filter": offered.example_filter,
        "standards": outline.standards,
        "operations": outline.operations,
        "chart": chart.chart,
    }
    engine.tests |= {"names": readable.is_names, "url": _is_url}
    return engine


def _links(value: Any, *rels: str) -> list[Mapping[str, Any]]:
    """The links of a body that have one of the relations, in order; all where none is named."""
    found = value.get("links", []) if isinstance(value, Mapping) else []
    return [link for link in found if not rels or link.get("rel", "").rpartition("/")[2] in rels]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _is_url(value: Any) -> bool:
    return isinstance(value, str) and re.match(r"https?://[^\s]+$", value) is not None
