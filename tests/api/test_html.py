"""The pages for people: both languages, nothing from outside, the JSON's own words, links that lead somewhere."""

from __future__ import annotations

import re
import tomllib
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from twintown.api import html

TEMPLATES = html.HERE / "templates"
PAGES = (
    "/twins", "/twins/small", "/twins/small/conformance", "/twins/small/api", "/twins/small/collections",
    "/twins/small/collections/buildings", "/twins/small/collections/shade", "/twins/small/collections/weather",
    "/twins/small/collections/clinics", "/twins/small/collections/buildings/schema", "/twins/small/collections/buildings/queryables",
    "/twins/small/collections/buildings/items", "/twins/small/collections/buildings/items/way/2",
    "/twins/small/collections/clinics/items", "/twins/small/collections/shade/coverage", "/twins/small/collections/weather/series",
    "/twins/small/collections/catalogue", "/twins/small/collections/catalogue/items", "/twins/small/stac",
    "/twins/small/stac/search", "/twins/small/tiles", "/twins/small/3dtiles", "/twins/small/tileMatrixSets",
    "/twins/small/collections/shade/styles", "/twins/small/collections/buildings/styles",
    "/twins/small/processes", "/twins/small/processes/sunlight", "/twins/small/jobs",
)  # fmt: skip


class Outline(HTMLParser):
    """What a page refers to, and whether its tags close."""

    VOID = frozenset(("meta", "link", "input", "img", "br", "rect", "path", "line", "circle"))

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.labels: set[str] = set()
        self.fields: set[str] = set()
        self.inline: list[str] = []
        self.headings: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag not in self.VOID:
            self.open.append(tag)
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        self.links += [given[name] for name in ("href", "src", "action") if name in given]
        if tag == "label":
            self.labels.add(given.get("for", ""))
        if tag in ("input", "select") and given.get("type") != "hidden":
            self.fields.add(given.get("id", ""))
        if tag in ("h1", "h2", "h3"):
            self.headings.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_every_resource_has_a_page_in_both_languages(client: TestClient, path: str, lang: str) -> None:
    answer = client.get(path, headers={"Accept": "text/html", "Accept-Language": lang})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-language"] == lang
    outline = Outline(answer.text)
    assert outline.open == []
    assert f'<html lang="{lang}">' in answer.text
    assert outline.headings[:1] == ["h1"] and outline.headings.count("h1") == 1
    assert outline.inline == [], "styles and scripts stand in files, or the policy stops them"
    assert outline.fields <= outline.labels, "every field has its label"
    assert "{{" not in answer.text and "Undefined" not in answer.text


@pytest.mark.parametrize("path", PAGES)
def test_nothing_of_a_page_comes_from_outside(client: TestClient, path: str) -> None:
    answer = client.get(path, params={"f": "html"})
    text = answer.text
    for loaded in re.findall(r'<(?:script|img|link)[^>]*?(?:src|href)="([^"]*)"', text):
        assert loaded == "" or loaded.startswith("/"), loaded
    policy = answer.headers["content-security-policy"]
    assert "http" not in policy
    assert "'unsafe-inline'" not in policy


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES)
def test_no_link_of_a_page_leads_to_nothing(client: TestClient, path: str) -> None:
    text = client.get(path, params={"f": "html", "lang": "ko"}).text
    ours = {unescape(one) for one in Outline(text).links if one.startswith("/") and not one.startswith("//")}
    ours -= {one for one in ours if one.startswith("/?")}  # the viewer
    for one in sorted(ours)[:60]:
        assert client.get(one).status_code == 200, one


def test_a_language_that_was_chosen_stays_in_the_links(client: TestClient) -> None:
    text = client.get("/twins/small", params={"f": "html", "lang": "ko"}).text
    assert '/twins/small/collections/buildings?lang=ko"' in text
    plain = client.get("/twins/small", headers={"Accept": "text/html", "Accept-Language": "ko"}).text
    assert '/twins/small/collections/buildings"' in plain


def test_a_page_of_rows_shows_titles_units_and_the_filter(client: TestClient) -> None:
    text = client.get(
        "/twins/small/collections/buildings/items",
        params={"f": "html", "lang": "ko", "filter": "height_m > 50"},
    ).text
    assert "높이" in text
    assert "height_m · m" in text
    assert 'value="height_m &gt; 50"' in text
    assert "롯데월드타워" in text
    assert "way/2" not in text


def test_what_a_layer_holds_cannot_become_markup(client: TestClient) -> None:
    text = client.get(
        "/twins/small/collections/buildings/items",
        params={"f": "html", "filter": "name = '<script>alert(1)</script>'"},
    ).text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


def test_what_is_closed_is_on_no_page_for_anyone(client: TestClient, owner: dict[str, str]) -> None:
    assert "vaults" not in client.get("/twins/small/collections?f=html").text
    assert "vaults" in client.get("/twins/small/collections?f=html", headers=owner).text


def test_the_words_are_complete_in_both_languages_and_none_is_idle() -> None:
    table = tomllib.loads((TEMPLATES / "words.toml").read_text(encoding="utf-8"))
    for key, one in table.items():
        assert set(one) == {"ko", "en"}, key
        assert one["ko"].strip() and one["en"].strip(), key
        assert re.findall(r"{\w+}", one["ko"]) == re.findall(r"{\w+}", one["en"]), key
    source = "".join(file.read_text(encoding="utf-8") for file in TEMPLATES.glob("*.html"))
    source += (Path(html.__file__).parent / "offered.py").read_text(encoding="utf-8")
    asked = set(re.findall(r"""\bt\(\s*["']([\w.]+)["']\s*[,)]""", source))
    assert asked <= set(table), f"not in the table: {sorted(asked - set(table))}"
    families = set(re.findall(r"""["']([a-z]+\.)["'] ~""", source))
    idle = {
        key
        for key in table
        if f'"{key}"' not in source and f"'{key}'" not in source and not key.startswith(tuple(families))
    }
    assert not idle


def test_the_colours_of_the_pages_are_those_of_the_viewer(repository: Path) -> None:
    viewer = (repository / "web/src/theme/tokens.css").read_text(encoding="utf-8")
    pages = (html.HERE / "static/open.css").read_text(encoding="utf-8")
    light = pages[: pages.index("@media")]
    tokens = dict(re.findall(r"(--[\w-]+):\s*([^;]+);", viewer))
    ours = dict(re.findall(r"(--[\w-]+):\s*([^;]+);", light))
    assert {name: value for name, value in ours.items() if name in tokens and tokens[name] != value} == {}
    assert len(set(ours) & set(tokens)) > 15


def test_the_files_of_the_pages_are_kept_and_nothing_beside_them_can_be_had(client: TestClient) -> None:
    text = client.get("/twins?f=html").text
    (address,) = re.findall(r'href="(/static/open\.css\?v=\w+)"', text)
    assert "immutable" in client.get(address).headers["cache-control"]
    assert client.get("/static/open.css").headers["cache-control"] == "no-cache"
    for path in ("/static/../html.py", "/static/%2e%2e/html.py", "/static/", "/static"):
        assert client.get(path).status_code == 404


def test_any_json_has_a_page_before_it_has_a_template() -> None:
    from starlette.requests import Request

    from twintown.app import create_app
    from twintown.settings import Settings

    scope = {"type": "http", "method": "GET", "path": "/twins/x/strange", "query_string": b"", "headers": [(b"host", b"h")],
             "scheme": "http", "server": ("h", 80), "root_path": "", "app": create_app([], Settings(), warm=False)}  # fmt: skip
    value = {
        "title": "Strange",
        "list": [1, 2],
        "rows": [{"a": 1, "b": {"ko": "가", "en": "A"}}],
        "deep": {"x": {"y": [[1, {"z": None}]]}},
    }
    text = html.render(Request(scope), "no-such-template", value, "ko")
    assert Outline(text).open == []
    assert "Strange" in text and "가" in text
