// Remedies of the release gate: which there are for a release, what may be said to each, what a preview tells before and after, how it is
// drawn, and what an offer holds once a remedy's layer takes the place of what it was made of. Nothing here asks the server.
import { ServerProblem } from "../api/client";
import type { Box, Preview, Release, Remedy, RemedyKind } from "../api/exchange";

export interface Choice {
  kind: RemedyKind;
  parameters: Record<string, unknown> | null;
  /** As the gate has tried it; none where only a finding names the kind. */
  offered: Remedy | null;
}

const KINDS: readonly RemedyKind[] = ["mask", "coarsen", "aggregate", "withhold"];
/** What can be done with cells; rows know all four. */
const OF_CELLS: ReadonlySet<string> = new Set(["mask", "coarsen"]);

/** The remedies of a release: those that the gate has tried first, then kinds that a finding names and of which none was tried. */
export function choicesOf(release: Pick<Release, "asset" | "state" | "findings" | "remedies">, layerKind = ""): Choice[] {
  if (!release.asset.startsWith("layer:") || release.state === "granted" || release.state === "allowed") return [];
  const tried: Choice[] = release.remedies.map((r) => ({ kind: r.kind, parameters: r.parameters as Record<string, unknown>, offered: r }));
  const named = new Set(release.findings.filter((f) => f.severity !== "notes").flatMap((f) => f.remedies));
  const rest = KINDS.filter((k) => named.has(k) && !tried.some((c) => c.kind === k) && (layerKind !== "grid" || OF_CELLS.has(k)));
  return [...tried, ...rest.map((kind) => ({ kind, parameters: null, offered: null }))];
}

export type Field =
  | { name: string; kind: "number"; unit: "m" | "persons" | "values"; least: number; most: number; whole: boolean }
  | { name: string; kind: "one"; options: string[] }
  | { name: string; kind: "some"; group: "sites" | "columns"; options: string[] };

const metres = (name: string, least: number, most = 100_000): Field => ({ name, kind: "number", unit: "m", least, most, whole: false });
const PERSONS: Field = { name: "k", kind: "number", unit: "persons", least: 2, most: 100_000, whole: true };

/** What may be said to a remedy of this kind; `seen` knows what the layer is, once something was looked at. */
export function fieldsOf(kind: RemedyKind, said: Record<string, unknown>, seen: Preview | null): Field[] {
  const cells = seen ? seen.before.known !== null : "cell_m" in said;
  const some = (name: string, group: "sites" | "columns", among: string[] = []): Field => ({ name, kind: "some", group, options: [...new Set([...among, ...listOf(said[name])])] });
  if (kind === "mask")
    return [some("sites", "sites", Object.keys(seen?.names.sites ?? {})), metres("margin_m", 0, 10_000), ...(cells ? [{ name: "how", kind: "one", options: ["remove", "blur"] } as Field] : [])];
  if (kind === "coarsen") return cells ? [metres("cell_m", seen?.before.resolution_m ?? 0)] : [metres("mesh_m", 0)];
  const columns = seen ? seen.before.columns : [];
  if (kind === "aggregate") return "by" in said ? [PERSONS, some("by", "columns", columns)] : [PERSONS, ...(seen && seen.before.resolution_m === null ? [] : [metres("finest_m", 1)])];
  if ("counts" in said) return [some("counts", "columns"), PERSONS];
  if ("columns" in said || !("k" in said)) return [some("columns", "columns", columns)];
  return [PERSONS, { name: "l", kind: "number", unit: "values", least: 1, most: 1000, whole: true }];
}

const listOf = (said: unknown): string[] => (Array.isArray(said) ? said.map(String) : []);

/** Why what stands in a field cannot be asked, before anybody is asked; "" where it can. */
export function slipIn(field: Field, said: unknown): "" | "number" | "none" {
  if (field.kind === "some") return listOf(said).length ? "" : "none";
  if (field.kind === "one" || said === undefined) return "";
  const n = typeof said === "number" ? said : NaN;
  const least = field.name === "cell_m" || field.name === "mesh_m" ? n > field.least : n >= field.least;
  return Number.isFinite(n) && least && n <= field.most && (!field.whole || Number.isInteger(n)) ? "" : "number";
}

/** One line of what there is before and after; a number that only one side has stands alone. */
export interface Told {
  id: "rows" | "cells" | "known" | "cell" | "mesh" | "columns" | "k" | "values" | "moved" | "points" | "persons" | "square";
  before: number | null;
  after: number | null;
  /** The larger end of what is told as a range. */
  upTo?: number;
  metres?: boolean;
}

/** What a preview tells in numbers; the smallest group is known beforehand where a finding has counted it. */
export function toldOf(preview: Preview, release: Pick<Release, "findings">): Told[] {
  const { before, after } = preview;
  const said = preview.remedy.numbers;
  const num = (name: string): number | null => (typeof said[name] === "number" ? (said[name] as number) : null);
  const cells = before.known !== null;
  const lines: Told[] = [{ id: cells ? "cells" : "rows", before: before.count, after: after.count }];
  if (cells && (before.known !== before.count || after.known !== after.count)) lines.push({ id: "known", before: before.known, after: after.known });
  if (before.resolution_m !== null && after.resolution_m !== null && (cells || before.resolution_m !== after.resolution_m))
    lines.push({ id: cells ? "cell" : "mesh", before: before.resolution_m, after: after.resolution_m, metres: true });
  if (before.columns.length || after.columns.length) lines.push({ id: "columns", before: before.columns.length, after: after.columns.length });
  if (num("k_after") !== null) {
    const counted = release.findings.map((f) => f.numbers["k"]).filter((k): k is number => typeof k === "number");
    lines.push({ id: "k", before: counted.length ? Math.min(...counted) : null, after: num("k_after") });
  }
  if (num("withheld_values") !== null) lines.push({ id: "values", before: null, after: num("withheld_values") });
  if (num("persons") !== null) lines.push({ id: "persons", before: null, after: num("persons") });
  if (num("smallest_m") !== null) lines.push({ id: "square", before: null, after: num("smallest_m"), metres: true, ...(num("largest_m") !== num("smallest_m") ? { upTo: num("largest_m")! } : {}) });
  if (num("moved_most_m") !== null) lines.push({ id: "moved", before: null, after: num("moved_most_m"), metres: true });
  if (num("points")) lines.push({ id: "points", before: null, after: num("points") });
  return lines;
}

/** Columns that do not go, and those that come instead. */
export function columnsOf(preview: Preview): { gone: string[]; come: string[] } {
  const [had, has] = [new Set(preview.before.columns), new Set(preview.after.columns)];
  return { gone: [...had].filter((c) => !has.has(c)), come: [...has].filter((c) => !had.has(c)) };
}

/** What went wrong, as a word of the page, and the parameter that is to blame. */
export function troubleOf(error: unknown): { key: string; parameter: string } {
  if (!(error instanceof ServerProblem)) return { key: "failed", parameter: "" };
  const { status, problem } = error;
  const detail = problem.detail ?? "";
  const parameter = problem.parameter ?? "";
  const by: Record<number, string> = { 0: "unreachable", 401: "signed-out", 403: "denied", 404: "gone", 405: "not-possible", 413: "too-large", 503: "busy", 507: "full" };
  if (status === 409) return { key: /has changed/.test(detail) ? "changed" : /release gate refuses/.test(detail) ? "refused" : /may not be|peers\./.test(detail) ? "not-there" : "decided", parameter };
  if (status === 400) {
    const key = /would be left|no whole cell/.test(detail) ? "nothing-left" : /fewer than/.test(detail) ? "too-few" : /no cell lies|no restricted sites/.test(detail) ? "no-sites" : /no column describes/.test(detail) ? "no-persons" : parameter === "remedy" ? "not-for-this" : "bad-value";
    return { key, parameter };
  }
  return { key: by[status] ?? "failed", parameter };
}

/** Assets with what a remedy made in the place of one; a plan leaves with the layer that it went as. */
export function replaced(assets: readonly string[], old: string, made: string): string[] {
  const plan = old.startsWith("layer:plan-") ? `scenario:${old.slice("layer:plan-".length)}` : "";
  const kept = assets.filter((a) => a !== made && !(plan && a.startsWith(plan)));
  return kept.includes(old) ? kept.map((a) => (a === old ? made : a)) : [...kept, made];
}

/** The layer that a layer was made from for a release, and its number there. */
export function madeOf(asset: string): { layer: string; number: string } | null {
  const found = /^layer:(.+?)-release-(\d+)$/.exec(asset);
  return found ? { layer: found[1]!, number: found[2]! } : null;
}

/** A box of degrees drawn 100 wide: where a place lies in it, and how high it is. */
export function sheetOf(box: Box): { high: number; at: (lon: number, lat: number) => [number, number]; rect: (b: Box) => { x: number; y: number; width: number; height: number } } {
  const [w, s, e, n] = box;
  const squeeze = Math.cos((((s + n) / 2) * Math.PI) / 180);
  const scale = 100 / ((e - w) * squeeze || 1e-9);
  const at = (lon: number, lat: number): [number, number] => [(lon - w) * squeeze * scale, (n - lat) * scale];
  const rect = (b: Box) => {
    const [x, y] = at(b[0], b[3]);
    const [right, bottom] = at(b[2], b[1]);
    return { x, y, width: right - x, height: bottom - y };
  };
  return { high: Math.min(160, Math.max(40, (n - s) * scale)), at, rect };
}

interface Shape { type: string; coordinates?: unknown; geometries?: Shape[] }
type Place = [number, number];

/** A GeoJSON geometry as the path of an SVG; points are told apart, as they have no outline. */
export function pathOf(shape: Shape | null, at: (lon: number, lat: number) => [number, number]): { d: string; points: Place[] } {
  const points: Place[] = [];
  const put = (p: Place) => at(p[0], p[1]).map((v) => v.toFixed(2)).join(" ");
  const line = (all: Place[]) => (all.length ? `M${all.map(put).join("L")}` : "");
  const rings = (all: Place[][]) => all.map((r) => `${line(r.slice(0, -1))}Z`).join("");
  const of = (one: Shape | null): string => {
    if (!one) return "";
    const c = one.coordinates as never;
    if (one.type === "Point") return points.push(at(...(c as Place))), "";
    if (one.type === "MultiPoint") return (c as Place[]).forEach((p) => points.push(at(...p))), "";
    if (one.type === "LineString") return line(c);
    if (one.type === "MultiLineString") return (c as Place[][]).map(line).join("");
    if (one.type === "Polygon") return rings(c);
    if (one.type === "MultiPolygon") return (c as Place[][][]).map(rings).join("");
    return (one.geometries ?? []).map(of).join("");
  };
  return { d: of(shape), points };
}
