import { Cartographic, Event, ImageryLayer, Math as M, Rectangle, WebMercatorTilingScheme, type ImageryProvider } from "@cesium/engine";
import { VectorTile } from "@mapbox/vector-tile";
import { PbfReader } from "pbf";
import type { Api } from "../api/client";
import type { Feature, Twin } from "../api/types";
import { evaluate, passes, type Properties, type Style } from "./style";

// Every picture tile is drawn from a few vector tiles of fixed zooms, so that a street is sharp at any distance and the page asks
// for the city's map once, not once a zoom.

const SIDE = 512;
const DETAIL = 14;
const NOTHING = 9;
const FULL = 17;

interface Shape {
  properties: Properties;
  type: "Point" | "LineString" | "Polygon";
  /** Rings or lines in web-mercator 0…1. */
  rings: Float64Array[];
  box: [number, number, number, number];
}
type Shapes = Map<string, Shape[]>;

const TYPES = ["Point", "Point", "LineString", "Polygon"] as const;

function readShapes(bytes: ArrayBuffer, z: number, x: number, y: number): Shapes {
  const shapes: Shapes = new Map();
  const n = 2 ** z;
  const tile = new VectorTile(new PbfReader(new Uint8Array(bytes)));
  for (const [name, layer] of Object.entries(tile.layers)) {
    const list: Shape[] = [];
    for (let i = 0; i < layer.length; i++) {
      const feature = layer.feature(i);
      const box: Shape["box"] = [2, 2, -1, -1];
      const rings = feature.loadGeometry().map((ring) => {
        const out = new Float64Array(ring.length * 2);
        ring.forEach((point, k) => {
          const px = (x + point.x / layer.extent) / n;
          const py = (y + point.y / layer.extent) / n;
          out[2 * k] = px;
          out[2 * k + 1] = py;
          box[0] = Math.min(box[0], px);
          box[1] = Math.min(box[1], py);
          box[2] = Math.max(box[2], px);
          box[3] = Math.max(box[3], py);
        });
        return out;
      });
      list.push({ properties: feature.properties, type: TYPES[feature.type] ?? "Point", rings, box });
    }
    shapes.set(name, list);
  }
  return shapes;
}

export interface BaseMap {
  layer: ImageryLayer;
  /** Named places of the map with their point, for labels. */
  places(layer: string): Promise<{ properties: Properties; lon: number; lat: number }[]>;
  /** What lies at a place: a road or a place within some metres, nearest first. */
  at(lon: number, lat: number, metres: number): Promise<{ layer: string; feature: Feature } | null>;
}

const mercator = (lon: number, lat: number): [number, number] => {
  const s = Math.sin(M.toRadians(lat));
  return [lon / 360 + 0.5, 0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI)];
};

function segment(px: number, py: number, ax: number, ay: number, bx: number, by: number): number {
  const dx = bx - ax;
  const dy = by - ay;
  const t = Math.min(1, Math.max(0, ((px - ax) * dx + (py - ay) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(px - ax - t * dx, py - ay - t * dy);
}

export async function createBaseMap(api: Api, twin: Twin, lite: boolean): Promise<BaseMap> {
  const [style, about] = await Promise.all([
    api.style(twin.id) as unknown as Promise<Style>,
    api.tilejson(twin.id) as unknown as Promise<{ minzoom?: number; maxzoom?: number }>,
  ]);
  const [west, south, east, north] = twin.bounds_lonlat;
  const [x0, y0] = mercator(west, north);
  const [x1, y1] = mercator(east, south);
  const most = about.maxzoom ?? DETAIL;
  const least = about.minzoom ?? 0;
  const tiles = new Map<string, Promise<Shapes>>();

  const tileAt = (z: number, x: number, y: number) => {
    const key = `${z}/${x}/${y}`;
    let tile = tiles.get(key);
    if (!tile) {
      tile = api.tile(twin.id, z, x, y).then((bytes) => (bytes ? readShapes(bytes, z, x, y) : new Map()), () => new Map());
      tiles.set(key, tile);
    }
    return tile;
  };
  /** The zoom whose vector tiles are drawn at a level. */
  const sourceZoom = (level: number) => Math.max(least, Math.min(most, level >= 13 || x1 - x0 < 1.5 / 2 ** 13 ? DETAIL : level >= 11 ? 12 : 10));

  const within = (z: number, box: [number, number, number, number]) => {
    const n = 2 ** z;
    const list: Promise<Shapes>[] = [];
    const [a, b, c, d] = [Math.max(box[0], x0), Math.max(box[1], y0), Math.min(box[2], x1), Math.min(box[3], y1)];
    if (a >= c || b >= d) return list;
    for (let x = Math.floor(a * n); x <= Math.floor(c * n - 1e-9); x++)
      for (let y = Math.floor(b * n); y <= Math.floor(d * n - 1e-9); y++) list.push(tileAt(z, x, y));
    return list;
  };

  async function draw(x: number, y: number, level: number): Promise<HTMLCanvasElement> {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = level < NOTHING ? 1 : SIDE;
    if (level < NOTHING) return canvas;
    const n = 2 ** level;
    const box: [number, number, number, number] = [x / n, y / n, (x + 1) / n, (y + 1) / n];
    const parts = await Promise.all(within(sourceZoom(level), box));
    const pen = canvas.getContext("2d")!;
    // MapLibre counts zooms by tiles of 512 pixels, as these are.
    const zoom = Math.min(level, FULL);
    // Past the style's last zoom its widths grow with the ground.
    const grow = 2 ** (level - zoom);
    const margin = 24 / SIDE / n;
    const toX = (v: number) => (v * n - x) * SIDE;
    const toY = (v: number) => (v * n - y) * SIDE;
    pen.lineJoin = "round";
    // Only the data's own area is drawn: beyond it there is nothing to show.
    pen.beginPath();
    pen.rect(toX(x0), toY(y0), toX(x1) - toX(x0), toY(y1) - toY(y0));
    pen.clip();
    for (const layer of style.layers) {
      if ((layer.minzoom ?? 0) > zoom || (layer.maxzoom ?? 99) <= zoom) continue;
      const paint = layer.paint ?? {};
      if (layer.type === "background") {
        pen.fillStyle = String(evaluate(paint["background-color"], zoom, {}) ?? "#f1efea");
        pen.fillRect(0, 0, SIDE, SIDE);
        continue;
      }
      if (layer.type !== "fill" && layer.type !== "line" && layer.type !== "circle") continue;
      for (const shapes of parts)
        for (const shape of shapes.get(layer["source-layer"] ?? "") ?? []) {
          const b = shape.box;
          if (b[2] < box[0] - margin || b[0] > box[2] + margin || b[3] < box[1] - margin || b[1] > box[3] + margin) continue;
          const p = shape.properties;
          if (!passes(layer.filter, zoom, p, shape.type)) continue;
          const get = (name: string, otherwise: unknown) => evaluate(paint[name], zoom, p) ?? otherwise;
          pen.globalAlpha = Number(get(`${layer.type}-opacity`, 1));
          pen.beginPath();
          if (layer.type === "circle") {
            if (shape.type !== "Point") continue;
            for (const ring of shape.rings) pen.arc(toX(ring[0]!), toY(ring[1]!), Number(get("circle-radius", 4)), 0, 7);
            pen.fillStyle = String(get("circle-color", "#888"));
            pen.fill();
            continue;
          }
          if (shape.type === "Point") continue;
          for (const ring of shape.rings) {
            for (let i = 0; i < ring.length; i += 2) pen[i ? "lineTo" : "moveTo"](toX(ring[i]!), toY(ring[i + 1]!));
            if (layer.type === "fill") pen.closePath();
          }
          if (layer.type === "fill") {
            if (shape.type !== "Polygon") continue;
            pen.fillStyle = String(get("fill-color", "#ddd"));
            pen.fill("evenodd");
          } else {
            const width = Number(get("line-width", 1)) * grow;
            if (!(width > 0)) continue;
            pen.lineCap = (layer.layout?.["line-cap"] as CanvasLineCap | undefined) ?? "butt";
            pen.setLineDash(((get("line-dasharray", []) as number[]) ?? []).map((d) => d * width));
            pen.lineWidth = width;
            pen.strokeStyle = String(get("line-color", "#ccc"));
            pen.stroke();
          }
        }
    }
    return canvas;
  }

  const error = new Event();
  const provider = {
    tileWidth: SIDE,
    tileHeight: SIDE,
    minimumLevel: 0,
    maximumLevel: 19,
    tilingScheme: new WebMercatorTilingScheme(),
    rectangle: Rectangle.fromDegrees(west, south, east, north),
    tileDiscardPolicy: undefined,
    errorEvent: error,
    credit: undefined,
    proxy: undefined,
    hasAlphaChannel: true,
    getTileCredits: () => [],
    requestImage: (x: number, y: number, level: number) =>
      draw(x, y, level),
    pickFeatures: () => undefined,
  } as unknown as ImageryProvider;
  const layer = new ImageryLayer(provider, { rectangle: Rectangle.fromDegrees(west, south, east, north), maximumAnisotropy: lite ? 1 : 8 });

  const all = () => Promise.all(within(sourceZoom(13), [x0, y0, x1, y1]));
  const degrees = (px: number, py: number) => {
    const lat = Math.atan(Math.sinh(Math.PI * (1 - 2 * py)));
    const c = new Cartographic((px * 2 - 1) * Math.PI, lat);
    return { lon: M.toDegrees(c.longitude), lat: M.toDegrees(c.latitude) };
  };

  return {
    layer,
    async places(name) {
      const seen = new Map<string, { properties: Properties; lon: number; lat: number }>();
      for (const shapes of await all())
        for (const shape of shapes.get(name) ?? []) {
          if (shape.type !== "Point") continue;
          const [px, py] = [shape.rings[0]![0]!, shape.rings[0]![1]!];
          if (px < x0 || px > x1 || py < y0 || py > y1) continue;
          seen.set(String(shape.properties["id"] ?? `${px},${py}`), { properties: shape.properties, ...degrees(px, py) });
        }
      return [...seen.values()];
    },
    async at(lon, lat, metres) {
      const [px, py] = mercator(lon, lat);
      const metre = 1 / (40_075_016.69 * Math.cos(M.toRadians(lat)));
      let best: { distance: number; layer: string; shape: Shape } | null = null;
      for (const shapes of await all())
        for (const name of ["places", "roads"])
          for (const shape of shapes.get(name) ?? []) {
            const reach = metres + (name === "roads" ? Number(shape.properties["width_m"] ?? 6) / 2 : metres);
            const r = reach * metre;
            if (px < shape.box[0] - r || px > shape.box[2] + r || py < shape.box[1] - r || py > shape.box[3] + r) continue;
            let d = Number.POSITIVE_INFINITY;
            for (const ring of shape.rings)
              if (ring.length === 2) d = Math.min(d, Math.hypot(px - ring[0]!, py - ring[1]!));
              else
                for (let i = 0; i + 3 < ring.length; i += 2)
                  d = Math.min(d, segment(px, py, ring[i]!, ring[i + 1]!, ring[i + 2]!, ring[i + 3]!));
            d /= metre;
            if (d <= reach && (!best || d < best.distance)) best = { distance: d, layer: name, shape };
          }
      if (!best) return null;
      const id = best.shape.properties["id"];
      return {
        layer: String(best.shape.properties["of"] ?? best.layer),
        feature: { type: "Feature", ...(id === undefined ? {} : { id: String(id) }), geometry: null, properties: best.shape.properties },
      };
    },
  };
}
