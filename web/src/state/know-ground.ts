// The answer of a playbook on the ground: its lines in the colours of its own style, laid where results lie, with the classes of a legend.
import { shallowReactive } from "vue";
import { root } from "../api/client";
import type { Said } from "../api/know";
import { resultApi } from "../api/result";
import { featuresAt } from "./exchange-view";
import { hide } from "./shown";
import type { State } from "./store";

/** One colour of a style, and the value from which it holds; `null`: from the least. */
export interface Class { from: number | null; colour: string }
/** How lines are drawn: by which column, in which classes, and how wide (pixels at a zoom). */
export interface LineStyle { column: string; classes: Class[]; widths: [zoom: number, px: number][] }

const PLAIN: LineStyle = { column: "", classes: [{ from: null, colour: "#1d3f72" }], widths: [[12, 2], [17, 6]] };
type Expression = unknown[];

/** What of a style (MapLibre's) this picture understands: `step` of a column for the colour, `interpolate` by the zoom for the width. */
export function lineStyleOf(style: Record<string, unknown> | null | undefined): LineStyle {
  const layers = (Array.isArray(style?.["layers"]) ? style["layers"] : []) as { type?: string; paint?: Record<string, unknown> }[];
  const paint = layers.find((l) => l.type === "line")?.paint ?? {};
  const colour = paint["line-color"];
  const width = paint["line-width"];
  const made: LineStyle = { ...PLAIN };
  if (typeof colour === "string") made.classes = [{ from: null, colour }];
  else if (Array.isArray(colour) && colour[0] === "step" && Array.isArray(colour[1]) && colour[1][0] === "get") {
    const [, get, first, ...rest] = colour as Expression;
    made.column = String((get as Expression)[1]);
    made.classes = [{ from: null, colour: String(first) }];
    for (let i = 0; i + 1 < rest.length; i += 2) made.classes.push({ from: Number(rest[i]), colour: String(rest[i + 1]) });
  }
  if (typeof width === "number") made.widths = [[0, width]];
  else if (Array.isArray(width) && width[0] === "interpolate") {
    const stops = (width as Expression).slice(3).map(Number);
    made.widths = [];
    for (let i = 0; i + 1 < stops.length; i += 2) made.widths.push([stops[i]!, stops[i + 1]!]);
  }
  return made;
}

export function widthAt(widths: LineStyle["widths"], zoom: number): number {
  const after = widths.findIndex(([z]) => z >= zoom);
  if (after === 0) return widths[0]![1];
  if (after < 0) return widths[widths.length - 1]?.[1] ?? 2;
  const [[z0, w0], [z1, w1]] = [widths[after - 1]!, widths[after]!];
  return w0 + ((w1 - w0) * (zoom - z0)) / (z1 - z0);
}

/** The class of a value, or -1 where it is not known and the style asks for one. */
export function classOf(style: LineStyle, value: unknown): number {
  if (!style.column) return 0;
  if (typeof value !== "number" || !Number.isFinite(value)) return -1;
  let found = 0;
  style.classes.forEach((c, i) => {
    if (c.from !== null && value >= c.from) found = i;
  });
  return found;
}

/** A line in the plane of web mercator, 0…1 from the north-west. */
interface Way { xy: Float64Array; box: [number, number, number, number]; kind: number }
type Position = [number, number];

export const mercator = (lon: number, lat: number): Position => {
  const s = Math.sin((lat * Math.PI) / 180);
  return [lon / 360 + 0.5, 0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI)];
};

function wayOf(line: Position[], kind: number): Way {
  const xy = new Float64Array(line.length * 2);
  const box: Way["box"] = [1, 1, 0, 0];
  line.forEach(([lon, lat], i) => {
    const [x, y] = mercator(lon, lat);
    xy.set([x, y], i * 2);
    box[0] = Math.min(box[0], x);
    box[1] = Math.min(box[1], y);
    box[2] = Math.max(box[2], x);
    box[3] = Math.max(box[3], y);
  });
  return { xy, box, kind };
}

const SIDE = 256;
/** On the ground a line is never thinner than this, metres: near by it would be a hair. */
const LEAST_M = 5;
const EARTH_M = 40_075_016.7;

function painterOf(ways: Way[], style: LineStyle, lat: number): (z: number, x: number, y: number) => HTMLCanvasElement | null {
  return (z, x, y) => {
    const n = 2 ** z;
    const px = Math.max(widthAt(style.widths, z), (LEAST_M * n * SIDE) / (EARTH_M * Math.cos((lat * Math.PI) / 180)));
    const rim = px / SIDE / n;
    const [w, s, e, t] = [x / n - rim, (y + 1) / n + rim, (x + 1) / n + rim, y / n - rim];
    const here = ways.filter(({ box }) => box[0] < e && box[2] > w && box[1] < s && box[3] > t);
    if (!here.length) return null;
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = SIDE;
    const pen = canvas.getContext("2d")!;
    pen.lineJoin = "round";
    pen.lineWidth = px;
    // What stands higher in the legend lies above: it must not be hidden where streets meet.
    style.classes.forEach((c, kind) => {
      pen.strokeStyle = c.colour;
      pen.beginPath();
      for (const one of here) {
        if (one.kind !== kind) continue;
        for (let i = 0; i < one.xy.length; i += 2) {
          const [u, v] = [(one.xy[i]! * n - x) * SIDE, (one.xy[i + 1]! * n - y) * SIDE];
          if (i) pen.lineTo(u, v);
          else pen.moveTo(u, v);
        }
      }
      pen.stroke();
    });
    return canvas;
  };
}

export interface OnGround { url: string; layer: string; style: LineStyle; /** Of the column that gives the colours. */ title: Said | null; unit: string; count: number; more: boolean }
/** Which answer lies on the ground; one for the page. */
export const answerOn: { what: OnGround | null; busy: string; trouble: string } = shallowReactive({ what: null, busy: "", trouble: "" });

/** Whether the lines of a layer are what lies on the ground now. */
export const lies = (state: State, layer: string): boolean => answerOn.what?.layer === layer && state.ground.grid?.url === answerOn.what.url;

/** Lays the lines of an answer on the ground, in the place of any other result. */
export async function layAnswer(state: State, layer: string, said: Record<string, unknown> | null): Promise<void> {
  const twin = state.twins.current;
  if (!twin) return;
  answerOn.busy = layer;
  answerOn.trouble = "";
  try {
    const [{ rows, more }, about] = await Promise.all([featuresAt(root(twin.id), layer), resultApi.collection(twin.id, layer)]);
    if (answerOn.busy !== layer || state.twins.current !== twin) return;
    const style = lineStyleOf(said);
    const ways = rows.flatMap((row): Way[] => {
      const kind = classOf(style, row.properties[style.column]);
      if (!row.geometry || kind < 0) return [];
      const { type, coordinates } = row.geometry;
      const lines = type === "LineString" ? [coordinates as Position[]] : type === "MultiLineString" ? (coordinates as Position[][]) : [];
      return lines.filter((l) => l.length > 1).map((l) => wayOf(l, kind));
    });
    const column = ((about["columns"] ?? []) as unknown as { name: string; unit?: string; title?: Said }[]).find((c) => c.name === style.column);
    hide(state);
    const url = `answer:${layer}`;
    answerOn.what = { url, layer, style, title: column?.title ?? null, unit: column?.unit ?? "", count: ways.length, more };
    state.looks.mode = "shadow";
    const [west, south, east, north] = twin.bounds_lonlat as [number, number, number, number];
    state.ground.grid = { url, draw: painterOf(ways, style, (south + north) / 2), rectangle: [west, south, east, north], opacity: 1 };
  } catch (error) {
    answerOn.trouble = String((error as Error).message);
  } finally {
    if (answerOn.busy === layer) answerOn.busy = "";
  }
}

/** Takes an answer of a playbook off the ground, and nothing else that lies there. */
export function liftAnswer(state: State): void {
  answerOn.busy = "";
  if (answerOn.what && state.ground.grid?.url === answerOn.what.url) state.ground.grid = null;
  answerOn.what = null;
}
