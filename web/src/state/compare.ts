// Two variants set beside the city as it is: number by number, building by building.
import { api } from "../api/client";
import { resultApi, type Json } from "../api/result";
import { difference } from "./results";
import type { Run, RunOutput } from "./runs";
import { cellsOf, statisticsOf } from "./shown";
import { meansBy, numbers, readCsv, sums, withBit, type Table } from "./tables";
import { bag, list, number, text, words, type Words } from "./verify";

/** One line of the table: what is told, in which unit, and a value for each variant; `null` is not known. */
export interface Row {
  key: string;
  title: Words;
  /** Of a kind of number that has words: "mean", "least", "area-less"… */
  measure: string;
  unit: string;
  values: (number | null)[];
  /** Differences no greater than this are within the method's error. */
  error: number;
  /** Digits after the point; as many as say something by default. */
  digits?: number;
}
export interface Group { process: string; parameters: string[]; rows: Row[]; buildings: BuildingRows[] }
export interface BuildingRows { title: Words; unit: string; error: number; rows: { id: string; n: number; values: (number | null)[] }[]; more: number }

/** Columns that say where a point is, not what was found there. */
const WHERE = new Set(["z_m", "normal_deg", "x", "y", "lon", "lat", "storey"]);
const MOST_ROWS = 400_000;
const LISTED = 10;
/** Quantities of one output that are told building by building. */
const LISTS = 2;
const HECTARE = 10_000;

async function gridRows(twin: string, crs: string, name: string, outputs: (RunOutput | null)[]): Promise<Row[]> {
  const all = await Promise.all(outputs.map((o) => (o ? cellsOf(twin, o.layer, crs) : Promise.resolve(null))));
  const first = all.find((c) => c);
  const about = outputs.find((o) => o)!;
  if (!first) return [];
  const error = (about.error ?? 0) * first.step;
  const stats = all.map((c) => (c ? statisticsOf(c) : null));
  const of = (measure: string, values: (number | null)[], unit = first.unit, rowError = error): Row => ({ key: `${name}-${measure}`, title: about.title, measure, unit, values, error: rowError });
  const rows = [of("mean", stats.map((s) => (s ? s.mean : null)))];
  const most = stats.map((s) => (s ? s.most : null));
  if (new Set(most.filter((v) => v !== null)).size > 1) rows.push(of("most", most));
  const base = all[0];
  if (base && all.some((c, k) => k && c)) {
    const changes = all.map((c, k) => {
      if (!c || !k) return null;
      try {
        return difference(base, c, error);
      } catch {
        return null;
      }
    });
    rows.push(
      of("area-less", changes.map((d) => (d ? d.less_m2 / HECTARE : null)), "har", 0),
      of("area-more", changes.map((d) => (d ? d.more_m2 / HECTARE : null)), "har", 0),
    );
  }
  return rows;
}

interface ColumnSaid { name: string; unit: string; title: Words }

async function columnsOf(twin: string, layer: string): Promise<ColumnSaid[]> {
  const said = list((await resultApi.collection(twin, layer))["columns"] ?? null).map(bag);
  return said.map((c) => ({ name: text(c["name"] ?? c["id"]), unit: text(c["unit"]), title: words((c["title"] ?? c["names"] ?? c["name"]) as Json) }));
}

async function tableRows(twin: string, name: string, outputs: (RunOutput | null)[]): Promise<{ rows: Row[]; buildings: BuildingRows[] }> {
  const about = outputs.find((o) => o)!;
  const error = about.error ?? 0;
  if (outputs.some((o) => (o?.count ?? 0) > MOST_ROWS)) return { rows: [], buildings: [] };
  const said = await columnsOf(twin, about.layer);
  const told = said.filter((c) => c.unit && !WHERE.has(c.name));
  const verdicts = said.filter((c) => /^verdict/.test(c.name));
  const by = said.some((c) => c.name === "building") ? "building" : "id";
  // The id comes with every row, asked for or not.
  const wanted = [...new Set([by, ...told.map((c) => c.name), ...verdicts.map((c) => c.name)])].filter((c) => said.some((one) => one.name === c));
  const tables = await Promise.all(outputs.map((o) => (o ? resultApi.rows(twin, o.layer, wanted).then(readCsv) : Promise.resolve<Table | null>(null))));
  const rows: Row[] = [{ key: `${name}-count`, title: about.title, measure: "count", unit: "1", values: tables.map((t) => (t ? t.rows : null)), error: 0 }];
  for (const c of verdicts) {
    const counts = tables.map((t) => (t ? numbers(t, c.name) : null));
    rows.push({ key: `${name}-${c.name}-pass`, title: columnTitle(c), measure: "pass", unit: "1", values: counts.map((v) => (v ? withBit(v, 1) : null)), error: 0 });
    rows.push({ key: `${name}-${c.name}-fail`, title: columnTitle(c), measure: "fail", unit: "1", values: counts.map((v) => (v ? v.length - withBit(v, 1) : null)), error: 0 });
  }
  const buildings: BuildingRows[] = [];
  for (const c of told) {
    const total = /kW\.h|MW\.h|m2|W/.test(c.unit) && !/\/m2|m-2/.test(c.unit);
    const all = tables.map((t) => (t ? sums(numbers(t, c.name)) : null));
    rows.push({ key: `${name}-${c.name}`, title: columnTitle(c), measure: total ? "sum" : "mean", unit: c.unit, values: all.map((s) => (s && s.known ? (total ? s.sum : s.mean) : null)), error: total ? 0 : error });
    if (buildings.length >= LISTS) continue;
    const each = tables.map((t) => (t ? meansBy(t, by, c.name) : null));
    const ids = new Set(each.flatMap((m) => (m ? [...m.keys()] : [])));
    const lines = [...ids].map((id) => {
      const values = each.map((m) => m?.get(id)?.mean ?? null);
      const known = values.filter((v): v is number => v !== null);
      // What is only in one of them is new or gone, and stands first.
      const apart = known.length < each.filter((m) => m).length ? Infinity : Math.max(...known) - Math.min(...known);
      return { id, n: Math.max(...each.map((m) => m?.get(id)?.n ?? 0)), values, apart };
    });
    const moved = lines.filter((l) => l.apart > error).sort((a, b) => b.apart - a.apart || b.n - a.n || (a.id < b.id ? -1 : 1));
    if (moved.length)
      buildings.push({ title: columnTitle(c), unit: c.unit, error, rows: moved.slice(0, LISTED).map(({ id, n, values }) => ({ id, n, values })), more: Math.max(0, moved.length - LISTED) });
  }
  return { rows, buildings };
}

/** What a column is called: a key of the page's own words where the server has nothing but its name. */
const columnTitle = (c: ColumnSaid): Words => {
  const said = typeof c.title === "string" ? c.title : c.title.en;
  return !said || said === c.name ? `column:${c.name}` : c.title;
};

/**
 * One process over the variants, in their order; `null` where a variant has no answer. Grids are told first, features after them:
 * `told` hears of what is known by then.
 */
export async function compareRuns(twin: string, crs: string, process: string, answers: (Run | null)[], told: (group: Group) => void): Promise<void> {
  const names = [...new Set(answers.flatMap((r) => r?.outputs?.map((o) => o.output) ?? []))];
  const rows: Row[] = [];
  const buildings: BuildingRows[] = [];
  const parameters = differing(answers);
  const tell = () => told({ process, parameters, rows: [...rows], buildings: [...buildings] });
  const shaped = names.map((name) => ({ name, outputs: answers.map((r) => r?.outputs?.find((o) => o.output === name) ?? null) }));
  const shape = (one: (typeof shaped)[number]) => one.outputs.find((o) => o)!.shape;
  tell();
  for (const { name, outputs } of shaped.filter((one) => shape(one) === "grid")) {
    rows.push(...(await gridRows(twin, crs, name, outputs)));
    tell();
  }
  for (const { name, outputs } of shaped.filter((one) => shape(one) === "features")) {
    const found = await tableRows(twin, name, outputs);
    rows.push(...found.rows);
    buildings.push(...found.buildings);
    tell();
  }
}

/** Names of the parameters that were not asked the same: then the answers do not compare. */
function differing(answers: (Run | null)[]): string[] {
  const all = answers.filter((r): r is Run => !!r?.parameters).map((r) => r.parameters!);
  if (all.length < 2) return [];
  return Object.keys(all[0]!).filter((name) => all.some((p) => JSON.stringify(p[name]) !== JSON.stringify(all[0]![name])));
}

/** Whether two values differ by more than the error; `null` stands for not known. */
export const differs = (a: number | null, b: number | null, error: number): boolean =>
  a === null || b === null ? a !== b : Math.abs(a - b) > Math.max(error, 1e-9 * Math.max(Math.abs(a), Math.abs(b)));


// -- objects ------------------------------------------------------------------------------------------------------------

/** One number of one building that a plan touches. */
export interface ObjectRow {
  key: string;
  name: Words;
  /** The first line of its building. */
  first: boolean;
  measure: "height" | "area";
  unit: string;
  values: (number | null)[];
  /** Whether a variant has it taken away. */
  gone: boolean[];
  error: number;
  at: { lon: number; lat: number } | null;
}

interface Shape { geometry: { type: string; coordinates: unknown } | null; id?: string | number; properties: Record<string, Json> }

const RADIUS = 6_371_008.8;
const rad = Math.PI / 180;
/** Area of a ring in degrees, m²: on a plane that touches the earth there; good to a thousandth over a building. */
function ringArea(ring: [number, number][]): number {
  const [lon0, lat0] = ring[0] ?? [0, 0];
  const kx = RADIUS * rad * Math.cos(lat0 * rad);
  const ky = RADIUS * rad;
  let sum = 0;
  for (let i = 0; i + 1 < ring.length; i++) {
    const [ax, ay] = [(ring[i]![0] - lon0) * kx, (ring[i]![1] - lat0) * ky];
    const [bx, by] = [(ring[i + 1]![0] - lon0) * kx, (ring[i + 1]![1] - lat0) * ky];
    sum += ax * by - bx * ay;
  }
  return Math.abs(sum) / 2;
}

function rings(shape: Shape): [number, number][][] {
  const { type, coordinates } = shape.geometry ?? { type: "", coordinates: [] };
  if (type === "Polygon") return coordinates as [number, number][][];
  if (type === "MultiPolygon") return (coordinates as [number, number][][][]).flat();
  return [];
}

/** Footprint in m²; holes are taken off (the first ring of each polygon is its outside). */
export function footprint(shape: Shape): number | null {
  const { type, coordinates } = shape.geometry ?? { type: "", coordinates: [] };
  const of = (polygon: [number, number][][]) => polygon.reduce((sum, ring, i) => sum + (i ? -1 : 1) * ringArea(ring), 0);
  if (type === "Polygon") return of(coordinates as [number, number][][]);
  if (type === "MultiPolygon") return (coordinates as [number, number][][][]).reduce((sum, p) => sum + of(p), 0);
  return null;
}

interface OfPlan { id: string }

/** Every building that one of the plans touches, as the city has it and as each plan would. */
export async function compareObjects(twin: string, plans: (OfPlan | null)[]): Promise<ObjectRow[]> {
  const states = await Promise.all(plans.map((p) => (p ? resultApi.objects(twin, p.id) : Promise.resolve(null))));
  const built = states.map((s) => new Map((s?.features ?? []).map((f) => [String(f.id ?? f.properties["id"] ?? ""), f as Shape])));
  const gone = states.map((s) => new Set(s ? removed(s) : []));
  const ids = [...new Set([...built.flatMap((m) => [...m.keys()]), ...gone.flatMap((g) => [...g])])].filter(Boolean);
  const rows: ObjectRow[] = [];
  for (const id of ids) {
    // A building that was drawn is in no city yet; all others have been there.
    const base = id.startsWith("new/") ? null : await api.object(twin, id).catch(() => null);
    const was = base?.geometry ? footprint({ geometry: base.geometry as Shape["geometry"], properties: {} }) : null;
    const any = built.map((m) => m.get(id)).find((f) => f);
    const ring = any ? rings(any)[0] : undefined;
    const at = ring?.length ? { lon: ring.reduce((s, p) => s + p[0], 0) / ring.length, lat: ring.reduce((s, p) => s + p[1], 0) / ring.length } : base?.lon != null && base.lat != null ? { lon: base.lon, lat: base.lat } : null;
    const name = { ko: text(any?.properties["name"] ?? null) || base?.names.ko || id, en: text(any?.properties["name"] ?? null) || base?.names.en || id };
    const removedIn = gone.map((g) => g.has(id));
    const value = (k: number, of: (shape: Shape) => number | null, before: number | null): number | null => {
      if (!plans[k] || (!built[k]!.has(id) && !removedIn[k])) return before;
      return removedIn[k] ? null : of(built[k]!.get(id)!);
    };
    const height = plans.map((_, k) => value(k, (s) => number(s.properties["height_m"] ?? null), base?.building?.height.value_m ?? null));
    const area = plans.map((_, k) => value(k, (s) => number(s.properties["area_m2"] ?? null) ?? footprint(s), was));
    const line = (measure: "height" | "area", unit: string, values: (number | null)[], first: boolean): ObjectRow => ({ key: `${id}-${measure}`, name, first, measure, unit, values, gone: removedIn, error: 0, at });
    rows.push(line("height", "m", height, true));
    if (area.some((v) => v !== null)) rows.push(line("area", "m2", area.map((v) => (v === null ? null : Math.round(v))), false));
  }
  return rows;
}

function removed(state: Record<string, unknown>): string[] {
  const told = state["removed"] ?? bag(state["properties"] as Json)["removed"];
  return list(told as Json).map((one) => text(one) || text(bag(one)["id"])).filter(Boolean);
}
