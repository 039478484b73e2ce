"""MapLibre on a page of another origin draws our style and our vector tiles: what a city's own web map does."""

from __future__ import annotations

import http.server
import os
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest

playwright = pytest.importorskip("playwright.sync_api")

LIBRARY = Path(__file__).parents[2] / "web" / "node_modules" / "maplibre-gl" / "dist"
FLAGS = ["--headless", "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-quic",
         "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip
PAGE = """<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><link rel="stylesheet" href="/maplibre-gl.css">
<body style="margin:0"><div id="map" style="width:600px;height:400px"></div>
<script type="module">
import * as maplibregl from "/maplibre-gl.mjs";
const twin = "TWIN", box = BOX, wrong = [];
const map = new maplibregl.Map({ container: "map", style: twin + "/styles/base", bounds: box, fadeDuration: 0,
  attributionControl: false, canvasContextAttributes: { preserveDrawingBuffer: true } });
map.on("error", (event) => wrong.push(String(event.error?.message ?? event)));
map.on("load", () => {
  map.addSource("ours", { type: "vector", tiles: [twin + "/collections/buildings/tiles/WebMercatorQuad/{z}/{y}/{x}"], maxzoom: 16 });
  map.addLayer({ id: "ours", type: "fill", source: "ours", "source-layer": "buildings",
    paint: { "fill-color": "#ff0000", "fill-antialias": false } });
  map.once("idle", () => { window.done = { wrong, drawn: map.queryRenderedFeatures({ layers: ["ours"] }).map((f) => f.properties.id) }; });
});
</script>"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Files, without a word."""

    extensions_map: ClassVar[dict[str, str]] = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
    }

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def elsewhere(twin: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Another origin, with MapLibre and a page that shows the twin."""
    if not LIBRARY.exists():
        pytest.skip("the page's packages are not there: make setup")
    from twintown import Twin

    folder = tmp_path_factory.mktemp("elsewhere")
    for file in LIBRARY.glob("maplibre-gl*"):
        if not file.name.endswith((".map", ".d.ts")) and "dev" not in file.name:
            (folder / file.name).write_bytes(file.read_bytes())
    west, south, east, north = Twin(twin)["buildings"].about.bbox or (0, 0, 0, 0)
    (folder / "index.html").write_text(
        PAGE.replace("TWIN", twin).replace("BOX", f"[{west}, {south}, {east}, {north}]"), encoding="utf-8"
    )
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.browser
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_map_on_another_origin_draws_our_style_and_tiles(elsewhere: str, tmp_path: Path) -> None:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        pytest.skip("no Chromium: sh scripts/browser.sh names the line that brings it")
    complaints: list[str] = []
    picture = tmp_path / "map.png"

    def visit() -> Any:
        with playwright.sync_playwright() as engine:
            browser = engine.chromium.launch(executable_path=path, args=FLAGS)
            page = browser.new_page(viewport={"width": 600, "height": 400})
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
            page.goto(elsewhere)
            page.wait_for_function("() => window.done", timeout=120_000)
            found = page.evaluate("() => window.done")
            page.screenshot(path=str(picture))
            browser.close()
        return found

    with ThreadPoolExecutor(
        1
    ) as alone:  # the browser of the page's own tests may still be open in this thread
        done = alone.submit(visit).result()
    assert complaints == []
    assert done["wrong"] == []
    assert {"relation/1", "way/2"} <= set(done["drawn"])
    import rasterio

    with rasterio.open(picture) as image:
        red, green, blue = image.read([1, 2, 3]).astype(int)
    assert ((red > 200) & (green < 60) & (blue < 60)).sum() > 2000, (
        "the building is drawn where the page asks for it"
    )
