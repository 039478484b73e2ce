"""The pages of the resources in a browser: nothing wrong in the console, nothing that axe finds, legible on a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

PAGES = (
    "twins", "twins/jamsil", "twins/jamsil/collections", "twins/jamsil/collections/buildings", "twins/jamsil/collections/buildings/items",
    "twins/icheon/collections/weather/series", "twins/jamsil/collections/sunlight-solar/coverage", "twins/icheon/conformance",
    "twins/icheon/api", "twins/icheon/collections/towns/queryables", "twins/jamsil/collections/catalogue/items", "twins/jamsil/stac",
)  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(("lang", "width", "scheme"), [("ko", 1440, "light"), ("en", 390, "dark")])
def test_a_page_is_sound_for_everyone(
    visit: Callable[..., Any], page: str, lang: str, width: int, scheme: str
) -> None:
    one = visit(f"{page}?f=html&lang={lang}", width=width, height=844, color_scheme=scheme)
    one.page.wait_for_timeout(500)
    assert one.complaints == []
    assert one.value("document.documentElement.scrollWidth <= innerWidth + 1"), "it scrolls sideways"
    assert one.faults() == []
    assert all(address.startswith((one.address, "data:", "blob:")) for address, _ in one.requests)
    one.shot(f"door-{page.replace('/', '-')}-{lang}-{width}")


def test_the_map_of_a_layer_draws_it_and_a_click_leads_to_the_item(visit: Callable[..., Any]) -> None:
    one = visit("twins/jamsil/collections/buildings?f=html&lang=ko", width=1280, height=800)
    one.page.wait_for_function(
        "() => globalThis.twintownMaps?.length && twintownMaps[0].areTilesLoaded()", timeout=120_000
    )
    one.page.wait_for_function(
        "() => twintownMaps[0].queryRenderedFeatures({ layers: ['layer-areas'] }).length > 100",
        timeout=120_000,
    )
    assert one.complaints == []
    one.page.evaluate("() => twintownMaps[0].jumpTo({ center: [127.1025, 37.5126], zoom: 17 })")
    one.page.wait_for_function(
        "() => twintownMaps[0].areTilesLoaded() && twintownMaps[0].isStyleLoaded()", timeout=120_000
    )
    one.page.wait_for_timeout(1500)
    box = one.page.locator(".map").bounding_box()
    one.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    link = one.page.locator(".maplibregl-popup a")
    link.wait_for(timeout=30_000)
    link.click()
    one.page.wait_for_url("**/collections/buildings/items/**")
    assert "롯데월드타워" in one.page.inner_text("h1")


def test_a_condition_can_be_built_without_knowing_cql2(visit: Callable[..., Any]) -> None:
    one = visit("twins/icheon/collections/towns/items?f=html&lang=en", width=1280, height=800)
    one.page.select_option("#column", "population")
    one.page.select_option("#operator", ">")
    one.page.fill("#value", "20000")
    one.page.click("form.ask button[type=submit]")
    one.page.wait_for_url("**filter=**")
    assert one.page.input_value("#filter") == "population > 20000"
    assert 1 <= one.page.locator("tr[data-feature]").count() < 14


def test_an_address_is_copied_by_its_button(visit: Callable[..., Any]) -> None:
    one = visit("twins/icheon?f=html&lang=en", width=1280, height=800)
    button = one.page.locator("#connect .copy")
    button.click()
    one.page.wait_for_function("() => document.querySelector('#connect .copy').textContent === 'Copied'")
