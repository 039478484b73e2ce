// A partner's layers on our map: read through our own server's door to the partner, drawn as theirs, taken away when it is shut.
import { shallowReactive } from "vue";
import { ask, json, ServerProblem } from "../api/client";
import type { Agreement, Box } from "../api/exchange";
import { part } from "../api/client";
import { line } from "./exchange-room";
import type { Degrees, InBoth, Theirs } from "./exchange";
import { planeFrame } from "./frame";
import type { Rgb } from "./ramp";
import { colourOf, painter, readCells, rectangleOf, roundUp, scaleOf, type Cells, type Scale } from "./results";
import { signedArea, STOREY_M, type Part, type Ring, type Solid } from "./scenario-shape";
import { statisticsOf } from "./shown";
import type { State } from "./store";

/** A layer as the partner's server tells of it. */
export interface Told {
  id: string;
  title?: string;
  names?: InBoth;
  kind?: "features" | "grid" | "series";
  geometry?: string;
  storageCrs?: string;
  attribution?: string;
  count?: number | null;
  unit?: string;
  columns?: { name: string; unit: string; title?: InBoth }[];
  [other: string]: unknown;
}

/** Why a partner refused, as a code that the page has words for, and in its own words. */
export interface Refusal { code: string; text: string; status: number }

export function refusalOf(error: unknown): Refusal {
  if (!(error instanceof ServerProblem)) return { code: "", text: line(error), status: 0 };
  const said = error.problem as { code?: string; reason?: string; detail?: string };
  return { code: String(said.code ?? ""), text: error.status === 0 ? "unreachable" : error.message, status: error.status };
}

export const layersAt = (door: string): Promise<Told[]> => json<{ collections: Told[] }>(`${door}/collections`).then((a) => a.collections.filter((c) => c.kind));

const PAGE = 1000;
const MOST = 12_000;
type Position = [number, number, ...number[]];
interface Row { id?: string | number; geometry: { type: string; coordinates: unknown } | null; properties: Record<string, unknown> }

/** The features of a layer, page by page, up to 12,000. */
export async function featuresAt(door: string, layer: string, box?: Box | null): Promise<{ rows: Row[]; of: number; more: boolean }> {
  const rows: Row[] = [];
  let cursor = "";
  for (;;) {
    const query = new URLSearchParams({ limit: String(PAGE), ...(box ? { bbox: box.join(",") } : {}), ...(cursor ? { cursor } : {}) });
    const answer = await json<{ features: Row[]; numberMatched?: number; links?: { rel: string; href: string }[] }>(`${door}/collections/${part(layer)}/items?${query}`);
    rows.push(...answer.features);
    const next = answer.links?.find((l) => l.rel === "next");
    cursor = next ? (new URL(next.href, location.href).searchParams.get("cursor") ?? "") : "";
    if (!cursor || rows.length >= MOST) return { rows, of: Math.max(answer.numberMatched ?? 0, rows.length), more: !!cursor };
  }
}

/** A plane in metres about a place, where the partner's own is not known: its UTM zone. */
export const planeOf = (lon: number, lat: number): string => `EPSG:${(lat < 0 ? 32700 : 32600) + Math.floor((lon + 180) / 6) + 1}`;

const number = (value: unknown): number | null => (typeof value === "number" && Number.isFinite(value) ? value : null);

/** Outlines with their heights as the scene draws them, and what has no area. Pure. */
export function shapesOf(rows: readonly Row[], crs: string, colour: (row: Row) => Rgb | null = () => null): Pick<Theirs, "solids" | "lines" | "points"> {
  const { fromLonLat } = planeFrame(crs);
  const ring = (all: Position[]): Ring => {
    const out = all.map((p) => fromLonLat(p[0], p[1]));
    const [a, b] = [out[0], out[out.length - 1]];
    if (a && b && out.length > 1 && Math.hypot(a[0] - b[0], a[1] - b[1]) < 1e-3) out.pop();
    return out;
  };
  const wound = (one: Ring, way: 1 | -1): Ring => (signedArea(one) * way < 0 ? [...one].reverse() : one);
  const solids: Solid[] = [];
  const lines: [number, number][][] = [];
  const points: Theirs["points"] = [];
  const point = (at: Position, row: Row) => points.push({ lon: at[0], lat: at[1], z: number(row.properties["z_m"]) ?? 0, colour: colour(row) });
  rows.forEach((row, i) => {
    if (!row.geometry) return;
    const { type, coordinates } = row.geometry;
    const p = row.properties;
    const id = String(row.id ?? i);
    if (type === "Point") point(coordinates as Position, row);
    else if (type === "MultiPoint") for (const one of coordinates as Position[]) point(one, row);
    else if (type === "LineString") lines.push((coordinates as Position[]).map((one) => [one[0], one[1]]));
    else if (type === "MultiLineString") for (const all of coordinates as Position[][]) lines.push(all.map((one) => [one[0], one[1]]));
    else if (type === "Polygon" || type === "MultiPolygon") {
      const polygons = (type === "Polygon" ? [coordinates] : coordinates) as Position[][][];
      const top = number(p["top_m"]) ?? number(p["height_m"]) ?? 0;
      const base = number(p["base_m"]) ?? number(p["min_height_m"]) ?? 0;
      const parts = polygons.flatMap((rings): Part[] => {
        const outline = wound(ring(rings[0] ?? []), 1);
        if (outline.length < 3) return [];
        const height = Math.max(top, base + 0.6);
        return [{ outline, holes: rings.slice(1).map((r) => wound(ring(r), 1)).filter((r) => r.length > 2), base_m: base, eave_m: height, top_m: height, roof_shape: "flat", roof_direction_deg: null }];
      });
      if (parts.length) solids.push({ id, parts, height_m: top, storey_m: number(p["storey_m"]) ?? STOREY_M, name: String(p["name"] ?? ""), function: "" });
    }
  });
  return { solids, lines, points };
}

/** What a layer of a partner's shows, with the scale of its colours where it is a grid. */
export interface Laid { theirs: Theirs; told: Told; cells: Cells | null; scale: Scale | null }

export interface Looking { laid: Laid[]; busy: string; refusal: (Refusal & { layer: string }) | null }
/** What of partners is on the map now, as the column tells it; one for the page. */
export const looking: Looking = shallowReactive({ laid: [], busy: "", refusal: null });

function tell(state: State): void {
  state.exchange.theirs = looking.laid.map((l) => l.theirs);
  if (!looking.laid.length) state.exchange.away = null;
}

const boxAround = (rows: readonly Row[]): Degrees | null => {
  let box: Degrees | null = null;
  const see = (value: unknown): void => {
    if (!Array.isArray(value)) return;
    if (typeof value[0] === "number") {
      const [x, y] = value as [number, number];
      box = box ? [Math.min(box[0], x), Math.min(box[1], y), Math.max(box[2], x), Math.max(box[3], y)] : [x, y, x, y];
    } else value.forEach(see);
  };
  rows.forEach((row) => see(row.geometry?.coordinates));
  return box;
};

/** Whether a box lies in this city at least in part; then the partner's things stand in our own picture. */
export const meets = (a: Degrees, b: Degrees): boolean => a[0] < b[2] && a[2] > b[0] && a[1] < b[3] && a[3] > b[1];

/** What the points of a result are coloured by: its first column of amounts (not of places, heights or directions). */
export const valueColumn = (told: Told): { name: string; unit: string } | null =>
  told.columns?.find((c) => !!c.unit && !["m", "deg", "1"].includes(c.unit) && !c.unit.startsWith("{")) ?? null;

export interface Wanted { agreement: Agreement; door: string; told: Told; whose: InBoth; box?: Box | null }

/** Puts a partner's layer on the map. A refusal stays on the page until the next try; nothing of the layer is shown then. */
export async function lay(state: State, { agreement, door, told, whose, box }: Wanted): Promise<boolean> {
  const twin = state.twins.current;
  if (!twin) return false;
  const key = `${door}/${told.id}`;
  looking.busy = key;
  looking.refusal = null;
  try {
    const title: InBoth = told.names ?? { ko: told.title ?? told.id, en: told.title ?? told.id };
    const attribution = [...new Set([agreement.terms.attribution, told.attribution ?? ""].flatMap((x) => x.split(" · ")).filter(Boolean))].join(" · ");
    const own = /EPSG\/[^/]*\/(\d+)$/.exec(told.storageCrs ?? "")?.[1];
    const common = { key, door, layer: told.id, agreement: agreement.id, whose, title, attribution };
    let laid: Laid;
    if (told.kind === "grid") {
      if (box) await ask(`${door}/collections/${part(told.id)}/coverage?bbox=${box.join(",")}`);
      const crs = `EPSG:${own ?? ""}`;
      const cells = await hours(await readCells(door, told.id, crs), told);
      const scale = scaleOf([statisticsOf(cells)]);
      const grid = { url: `theirs:${key}:${scale.low}:${scale.high}`, draw: painter(cells, scale), rectangle: rectangleOf(cells), opacity: 0.86 };
      laid = { theirs: { ...common, crs, solids: [], lines: [], points: [], grid, count: statisticsOf(cells).known, of: statisticsOf(cells).known, unit: cells.unit }, told, cells, scale };
    } else {
      const { rows, of } = await featuresAt(door, told.id, box);
      const column = valueColumn(told);
      const most = column ? rows.reduce((m, row) => Math.max(m, number(row.properties[column.name]) ?? 0), 0) : 0;
      const scale: Scale | null = column && most > 0 ? { kind: "amount", low: 0, high: roundUp(most) } : null;
      const colour = (row: Row): Rgb | null => {
        const value = scale && column ? number(row.properties[column.name]) : null;
        return value === null || !scale ? null : colourOf(scale, value);
      };
      const around = agreement.terms.area ?? boxAround(rows);
      const crs = around ? planeOf((around[0] + around[2]) / 2, (around[1] + around[3]) / 2) : "EPSG:32652";
      laid = { theirs: { ...common, crs, ...shapesOf(rows, crs, colour), grid: null, count: rows.length, of, unit: column?.unit ?? "" }, told, cells: null, scale: rows.some((r) => r.geometry?.type.includes("Point")) ? scale : null };
      if (!agreement.terms.area && around) state.exchange.away = { whose, box: around, gone: !meets(around, twin.bounds_lonlat as Degrees) };
    }
    if (looking.busy !== key || state.twins.current !== twin) return false;
    const at = (agreement.terms.area as Degrees | null) ?? laid.theirs.grid?.rectangle ?? state.exchange.away?.box ?? null;
    if (at) state.exchange.away = { whose, box: at, gone: !meets(at, twin.bounds_lonlat as Degrees) };
    // One grid at a time: two pictures on one ground cannot be read.
    looking.laid = [...looking.laid.filter((l) => l.theirs.key !== key && l.theirs.agreement === agreement.id && !(laid.theirs.grid && l.theirs.grid)), laid];
    tell(state);
    return true;
  } catch (error) {
    looking.refusal = { ...refusalOf(error), layer: told.id };
    return false;
  } finally {
    if (looking.busy === key) looking.busy = "";
  }
}

/** Steps of sun are told in hours. */
async function hours(cells: Cells, told: Told): Promise<Cells> {
  const minutes = number((told["attributes"] as Record<string, unknown> | undefined)?.["step_minutes"]);
  if (cells.unit !== "{step}" || minutes === null) return cells;
  return { ...cells, unit: "h", step: minutes / 60, values: cells.values.map((v) => (v * minutes) / 60) };
}

export function takeAway(state: State, key?: string): void {
  looking.laid = key ? looking.laid.filter((l) => l.theirs.key !== key) : [];
  tell(state);
}

/** Nothing of an agreement that is not in force any more stays on the map. */
export function keepOnly(state: State, inForce: ReadonlySet<string>): void {
  const kept = looking.laid.filter((l) => inForce.has(l.theirs.agreement));
  if (kept.length === looking.laid.length) return;
  looking.laid = kept;
  tell(state);
}
