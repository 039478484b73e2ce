// The maps on the server's HTML pages: each element with data-map becomes one. Nothing comes from another host; labels are drawn
// from the fonts of the machine, so no glyphs are asked for.
import "maplibre-gl/dist/maplibre-gl.css";
import "./map.css";
import { AttributionControl, Map, NavigationControl, Popup, ScaleControl, setWorkerUrl, type MapGeoJSONFeature, type StyleSpecification } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import { boxOf, itemAddress, nameOf, readOptions, type MapOptions } from "./options";
import { EMPTY, below, dataLayers, roomy } from "./style";

setWorkerUrl(new URL(workerUrl, location.href).href);

const SAID = { ko: { none: "지도를 그릴 수 없습니다.", open: "자세히" }, en: { none: "The map cannot be drawn.", open: "More" } };

async function json(address: string): Promise<unknown> {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${answer.status} ${address}`);
  return answer.json();
}

async function draw(element: HTMLElement): Promise<Map> {
  const options = readOptions(element);
  const lang = element.dataset.lang === "ko" ? "ko" : "en";
  const [style, data] = await Promise.all([
    json(options.style).then((one) => one as StyleSpecification, () => EMPTY),
    options.geojson ? json(options.geojson) : null,
  ]);
  const bounds = (data ? boxOf(data) : null) ?? options.bounds ?? [126, 34, 130, 39];
  element.textContent = "";
  const map = new Map({
    container: element,
    style,
    bounds: roomy(bounds),
    fitBoundsOptions: { padding: 28, maxZoom: 17 },
    attributionControl: false,
    cooperativeGestures: matchMedia("(pointer: coarse)").matches,
    dragRotate: false,
    pitchWithRotate: false,
    maxZoom: 20,
    fadeDuration: 0,
    locale: lang === "ko" ? { "NavigationControl.ZoomIn": "확대", "NavigationControl.ZoomOut": "축소", "Map.Title": "지도", "Popup.Close": "닫기", "AttributionControl.ToggleAttribution": "출처" } : {},
  });
  map.addControl(new AttributionControl({ compact: true }));
  map.addControl(new NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new ScaleControl({ maxWidth: 90 }), "bottom-left");
  await new Promise<void>((done) => map.once("load", () => done()));
  addData(map, options, data, style);
  hands(map, options, lang);
  offerBox(map);
  return map;
}

function addData(map: Map, options: MapOptions, data: unknown, style: StyleSpecification): void {
  const under = below(style);
  if (options.raster) {
    map.addSource("raster", { type: "raster", tiles: [options.raster], tileSize: 256, ...(options.bounds ? { bounds: options.bounds } : {}) });
    map.addLayer({ id: "raster", type: "raster", source: "raster", paint: { "raster-opacity": 0.85, "raster-fade-duration": 0, "raster-resampling": "nearest" } }, under);
  }
  if (options.layer) {
    map.addSource("layer", { type: "vector", tiles: [options.layer.tiles], minzoom: 0, maxzoom: 16, ...(options.bounds ? { bounds: options.bounds } : {}), promoteId: "id" });
    for (const one of dataLayers("layer", options.layer.id)) map.addLayer(one, under);
  }
  if (data) {
    map.addSource("rows", { type: "geojson", data: withIds(data) as never, promoteId: "twintown:id" });
    for (const one of dataLayers("rows")) map.addLayer(one, under);
  }
  if (options.edge) {
    map.addSource("edge", { type: "geojson", data: options.edge as never });
    map.addLayer({ id: "edge", type: "line", source: "edge", paint: { "line-color": "#c77d0a", "line-width": 1.6, "line-dasharray": [3, 2] } });
  }
}

/** Ids as a property: MapLibre keeps only numbers as ids of its own. */
function withIds(data: unknown): unknown {
  const whole = data as { features?: unknown[]; type: string };
  const features = whole.type === "Feature" ? [whole] : (whole.features ?? []);
  return {
    type: "FeatureCollection",
    features: (features as { id?: unknown; geometry: unknown; properties: object }[])
      .filter((one) => one.geometry)
      .map((one) => ({ type: "Feature", geometry: one.geometry, properties: { ...one.properties, "twintown:id": String(one.id ?? "") } })),
  };
}

function hands(map: Map, options: MapOptions, lang: "ko" | "en"): void {
  const source = options.layer ? "layer" : options.geojson ? "rows" : null;
  const items = options.layer?.items ?? options.items;
  if (!source || !items) return;
  const idOf = (feature: MapGeoJSONFeature) => String(feature.properties["twintown:id"] ?? feature.properties.id ?? feature.id ?? "");
  const layers = dataLayers(source).map((one) => one.id);
  const rows = options.rows ? new globalThis.Map([...document.querySelectorAll<HTMLElement>("tr[data-feature]")].map((row) => [row.dataset.feature, row])) : null;
  const chosen = new URLSearchParams(location.search).get("lang");
  const kept = chosen ? `?f=html&lang=${encodeURIComponent(chosen)}` : "";
  const popup = new Popup({ closeButton: false, maxWidth: "280px", offset: 8 });
  let hot: string | number | undefined;
  const target = (id: string | number) => ({ source, id, ...(options.layer ? { sourceLayer: options.layer.id } : {}) });
  const heat = (id: string | number | undefined) => {
    if (id === hot) return;
    if (hot !== undefined) map.setFeatureState(target(hot), { hot: false });
    hot = id;
    if (hot !== undefined) map.setFeatureState(target(hot), { hot: true });
  };
  map.on("mousemove", (event) => {
    const [found] = map.queryRenderedFeatures(event.point, { layers });
    map.getCanvas().style.cursor = found ? "pointer" : "";
    heat(found?.id);
  });
  map.on("click", (event) => {
    const [found] = map.queryRenderedFeatures(event.point, { layers });
    if (!found) return;
    const id = idOf(found);
    const said = document.createElement("div");
    const name = document.createElement("b");
    name.textContent = nameOf(found.properties, lang, id);
    said.append(name);
    if (id) {
      const link = document.createElement("a");
      link.href = itemAddress(new URL(items).pathname, id) + kept;
      link.textContent = SAID[lang].open;
      said.append(document.createElement("br"), link);
    }
    popup.setLngLat(event.lngLat).setDOMContent(said).addTo(map);
  });
  for (const [id, row] of rows ?? []) {
    row.addEventListener("mouseenter", () => heat(id));
    row.addEventListener("mouseleave", () => heat(undefined));
  }
}

/** The form beside the map can take the map's box. */
function offerBox(map: Map): void {
  const field = document.querySelector<HTMLInputElement>("input[name=bbox]");
  const button = document.querySelector<HTMLButtonElement>("[data-from-map]");
  if (!field || !button) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    const box = map.getBounds();
    field.value = [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()].map((n) => n.toFixed(5)).join(",");
    field.focus();
  });
}

const maps: Map[] = [];
for (const element of document.querySelectorAll<HTMLElement>("[data-map]"))
  draw(element).then(
    (map) => maps.push(map),
    () => {
      element.textContent = SAID[element.dataset.lang === "ko" ? "ko" : "en"].none;
    },
  );
// For the browser's console and the tests.
Object.assign(globalThis, { twintownMaps: maps });
