"""The links of a page of rows: itself, its other forms, the page after it and the page before it. Bytes, joined, not objects.

What does not change from page to page is made once for each layer, language and address of the server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote_plus

import orjson

#: What may stand in a link and in a JSON text as it is (RFC 3986, 3.4); the rest is percent-encoded first.
_SAFE = re.compile(r"[A-Za-z0-9._~%&=,:+/@!$'()*;?-]*", re.ASCII)
_KEEP = "%&=,:+/@!$'()*;?-._~"
#: A second name of GeoJSON; it is understood, not offered.
ALIAS = "json"
_WORDS = {
    "en": ("this page", "the next page", "the page before", "the layer", "this page as"),
    "ko": ("이 쪽", "다음 쪽", "이전 쪽", "자료층", "이 쪽 내려받기:"),
}


def cleaned(query: bytes) -> str:
    """A query string that can stand in a link."""
    text = query.decode("latin-1")
    return text if _SAFE.fullmatch(text) else quote(text, safe=_KEEP, encoding="latin-1")


def without(query: str, *names: str) -> str:
    """A query string without some of its parameters."""
    if not any(name in query for name in names) and "%" not in query:
        return query
    return "&".join(part for part in query.split("&") if unquote_plus(part.partition("=")[0]) not in names)


@dataclass(frozen=True, slots=True)
class Link:
    """A link whose query follows: `before` + query + `after`, as JSON and as a header (RFC 8288)."""

    address: str
    query: str
    rel: str
    type: str
    title: str

    def json(self) -> bytes:
        """As it stands in a body."""
        return orjson.dumps(self.told())

    def told(self) -> dict[str, str]:
        """As a value."""
        return {"href": self.href, "rel": self.rel, "type": self.type, "title": self.title}

    @property
    def href(self) -> str:
        """The whole address."""
        return f"{self.address}?{self.query}" if self.query else self.address

    def header(self) -> str:
        """As one value of the header `Link`."""
        return f'<{self.href}>; rel="{self.rel}"; type="{self.type.replace(chr(34), "")}"'


def _joined(query: str, more: str) -> str:
    return f"{query}&{more}" if query else more


class Links:
    """The links of one layer's items.

    Args:
        here: whole address of the items, without a query.
        offers: media types of all forms by id, as `f` takes them.
        titles: of the forms, for people.
        lang: of the titles.
    """

    def __init__(
        self, here: str, offers: Mapping[str, str], titles: Mapping[str, str], lang: str = "en"
    ) -> None:
        self.here = here
        self.offers = dict(offers)
        self.titles = dict(titles)
        self._this, self._next, self._prev, self._layer, self._as = _WORDS.get(lang, _WORDS["en"])
        self._templates: dict[str, list[tuple[bytes, bytes]]] = {
            form: self._template(form) for form in self.offers
        }

    def _template(self, form: str) -> list[tuple[bytes, bytes]]:
        """What stands before and after the query in each link that all pages have."""
        mark = "\x00"
        links = [Link(self.here, mark, "self", self.offers[form], self._this)]
        links += [
            Link(self.here, f"{mark}f={name}", "alternate", kind, f"{self._as} {self.titles[name]}")
            for name, kind in self.offers.items()
            if kind != self.offers[form] and name != ALIAS
        ]
        told = [link.json().split(b"\\u0000") for link in links]
        return [(before, after) for before, after in told]

    def page(self, form: str, query: str, after: str = "", before: str = "") -> bytes:
        """The links of a page as JSON.

        Args:
            form: id of the page's own form.
            query: of the request (see `cleaned`).
            after: cursor of the next page, empty where there is none.
            before: cursor of the page before.
        """
        own = query.encode()
        bare = without(query, "f", "cursor")
        asked = f"{bare}&".encode() if bare else b""
        template = self._templates[form]
        first = template[0]
        parts = [
            first[0] + own + first[1] if own else first[0][:-1] + first[1],
            *[head + asked + tail for head, tail in template[1:]],
            *[link.json() for link in self._steps(form, query, after, before)],
        ]
        return b",".join(parts)

    def told(self, form: str, query: str, after: str = "", before: str = "") -> list[Link]:
        """The same as links."""
        bare = without(query, "f", "cursor")
        return [
            Link(self.here, query, "self", self.offers[form], self._this),
            *(
                Link(
                    self.here,
                    _joined(bare, f"f={name}"),
                    "alternate",
                    kind,
                    f"{self._as} {self.titles[name]}",
                )
                for name, kind in self.offers.items()
                if kind != self.offers[form] and name != ALIAS
            ),
            *self._steps(form, query, after, before),
        ]

    def _steps(self, form: str, query: str, after: str, before: str) -> list[Link]:
        kept, kind = without(query, "cursor") if after or before else "", self.offers[form]
        links = []
        if after:
            links.append(Link(self.here, _joined(kept, f"cursor={after}"), "next", kind, self._next))
        if before:
            links.append(Link(self.here, _joined(kept, f"cursor={before}"), "prev", kind, self._prev))
        links.append(
            Link(self.here.rpartition("/items")[0], "", "collection", "application/json", self._layer)
        )
        return links
