// Two variants set beside the city as it is. Every number is the server's: each pair of variants is one question to it, and here the
// pairs are only put into one table.
import { resultApi, type Json } from "../api/result";
import { bag, list, number, text, type Bag, type Words } from "./verify";

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
/** One question to one process, and its answers for the variants. */
export interface Group {
  key: string;
  process: string;
  inputs: Bag;
  /** Variants that have an answer, and those whose answer is of an earlier revision. */
  known: boolean[];
  stale: boolean[];
  /** Why the answers cannot be compared, in the server's words. */
  missing: string;
  rows: Row[];
  buildings: BuildingRows[];
}
export interface BuildingRow { id: string; n: number; values: (number | null)[] }
export interface BuildingRows { title: Words; unit: string; error: number; rows: BuildingRow[]; more: number }

/** One number of one building that a plan touches. */
export interface ObjectRow {
  key: string;
  id: string;
  name: string;
  /** The first line of its building. */
  first: boolean;
  measure: "height" | "area" | "floor";
  unit: string;
  values: (number | null)[];
  /** Whether a variant has it taken away. */
  gone: boolean[];
  at: { lon: number; lat: number } | null;
}

/** What the server says of two variants: the columns in which they stand, and its answer. */
export interface Pair { before: number; after: number; said: Bag }

const LISTED = 10;
/** Quantities of one output that are told building by building. */
const LISTS = 2;
const HECTARE = 10_000;

/** Asks the server about every two of the variants; the first is the city as it is. */
export function pairsOf(twin: string, plans: (string | null)[]): Promise<Pair[]> {
  const found: Promise<Pair>[] = [];
  for (let after = 1; after < plans.length; after++)
    for (let before = 0; before < after; before++)
      found.push(resultApi.comparison(twin, plans[after]!, plans[before] ?? "base").then((said) => ({ before, after, said })));
  return Promise.all(found);
}

/** Puts a number where a variant stands, where it is not known yet. */
function put(values: (number | null)[], at: number, value: number | null): void {
  if (values[at] === null || values[at] === undefined) values[at] = value;
}

// -- results ------------------------------------------------------------------------------------------------------------

/** All questions that were answered for two of the variants at least. */
export function groupsOf(pairs: Pair[], count: number): Group[] {
  const found = new Map<string, { group: Group; outputs: Map<string, { pair: Pair; said: Bag }[]> }>();
  for (const pair of pairs)
    for (const result of list(pair.said["results"] ?? null).map(bag)) {
      const inputs = bag(result["inputs"]);
      const process = text(result["process"]);
      const key = `${process} ${JSON.stringify(Object.entries(inputs).sort(([a], [b]) => (a < b ? -1 : 1)))}`;
      let one = found.get(key);
      if (!one) {
        const none = (): boolean[] => Array.from({ length: count }, () => false);
        one = { group: { key, process, inputs, known: none(), stale: none(), missing: "", rows: [], buildings: [] }, outputs: new Map() };
        found.set(key, one);
      }
      const { group, outputs } = one;
      for (const side of ["before", "after"] as const) {
        group.known[pair[side]] = true;
        if (bag(result[side])["present"] === false) group.stale[pair[side]] = true;
      }
      group.missing ||= text(result["missing"]);
      for (const said of list(result["outputs"] ?? null).map(bag)) {
        const name = text(said["output"]);
        outputs.set(name, [...(outputs.get(name) ?? []), { pair, said }]);
      }
    }
  for (const { group, outputs } of found.values()) {
    const all = [...outputs].sort(([, a], [, b]) => Number(kindOf(a) !== "grid") - Number(kindOf(b) !== "grid"));
    for (const [name, said] of all) {
      const told = said.filter((one) => one.said["comparable"] === true);
      if (!told.length) continue;
      if (kindOf(told) === "grid") group.rows.push(...gridRows(name, told, count));
      else {
        const { rows, buildings } = tableRows(name, told, count);
        group.rows.push(...rows);
        group.buildings.push(...buildings);
      }
    }
  }
  return [...found.values()].map((one) => one.group);
}

type Told = { pair: Pair; said: Bag }[];
const kindOf = (told: Told): string => text(told[0]!.said["kind"]);
const blank = (count: number): (number | null)[] => Array.from({ length: count }, () => null);
/** Of every pair, what it says of its two sides under `name_before` and `name_after`. */
function sides(told: { pair: Pair; said: Bag }[], name: string, count: number): (number | null)[] {
  const values = blank(count);
  for (const { pair, said } of told) {
    put(values, pair.before, number(said[`${name}_before`] ?? null));
    put(values, pair.after, number(said[`${name}_after`] ?? null));
  }
  return values;
}

/** An output is called by its name until the page knows its words. */
const outputTitle = (name: string): Words => `output:${name}`;

function gridRows(name: string, told: Told, count: number): Row[] {
  const unit = text(told[0]!.said["unit"]);
  const error = number(told[0]!.said["error"]) ?? 0;
  const row = (measure: string, values: (number | null)[], of = unit, within = error): Row => ({ key: `${name}-${measure}`, title: outputTitle(name), measure, unit: of, values, error: within });
  const rows = [row("mean", sides(told, "mean", count))];
  const most = sides(told, "most", count);
  if (new Set(most.filter((v) => v !== null)).size > 1) rows.push(row("most", most));
  const based = told.filter(({ pair }) => pair.before === 0);
  for (const measure of ["less", "more"] as const) {
    const values = blank(count);
    for (const { pair, said } of based) values[pair.after] = hectares(number(said[`${measure}_m2`] ?? null));
    if (based.length) rows.push(row(`area-${measure}`, values, "har", 0));
  }
  return rows;
}
const hectares = (m2: number | null): number | null => (m2 === null ? null : m2 / HECTARE);

function tableRows(name: string, told: Told, count: number): { rows: Row[]; buildings: BuildingRows[] } {
  const error = number(told[0]!.said["error"]) ?? 0;
  const counts = blank(count);
  for (const { pair, said } of told) {
    put(counts, pair.before, number(said["before"] ?? null));
    put(counts, pair.after, number(said["after"] ?? null));
  }
  const rows: Row[] = [{ key: `${name}-count`, title: outputTitle(name), measure: "count", unit: "1", values: counts, error: 0 }];
  const column = (said: Bag, of: string) => list(said["columns"] ?? null).map(bag).find((c) => text(c["name"]) === of);
  const names = [...new Set(told.flatMap(({ said }) => list(said["columns"] ?? null).map((c) => text(bag(c)["name"]))))];
  for (const of of names) {
    const each = told.map(({ pair, said }) => ({ pair, said: column(said, of) ?? {} }));
    const unit = text(each.find((one) => one.said["unit"])?.said["unit"]);
    const title: Words = `column:${of}`;
    if (of.startsWith("verdict")) {
      const known = sides(each, "known", count);
      const met = sides(each, "met", count);
      rows.push(
        { key: `${name}-${of}-pass`, title, measure: "pass", unit: "1", values: met, error: 0 },
        { key: `${name}-${of}-fail`, title, measure: "fail", unit: "1", values: met.map((v, k) => (v === null || known[k] === null ? null : known[k]! - v)), error: 0 },
      );
    } else if (unit) {
      const total = /kW\.h|MW\.h|m2|W/.test(unit) && !/\/m2|m-2/.test(unit);
      rows.push({ key: `${name}-${of}`, title, measure: total ? "sum" : "mean", unit, values: sides(each, total ? "sum" : "mean", count), error: total ? 0 : error });
    }
  }
  const buildings: BuildingRows[] = [];
  for (const of of names) {
    if (buildings.length >= LISTS) break;
    const lists = told.map(({ pair, said }) => ({ pair, said: list(said["buildings"] ?? null).map(bag).find((b) => text(b["name"]) === of) ?? null }));
    const found = buildingRows(lists, count, error);
    if (found.length)
      buildings.push({ title: `column:${of}`, unit: text(lists.find((one) => one.said)!.said!["unit"]), error, rows: found.slice(0, LISTED), more: Math.max(0, found.length - LISTED) });
  }
  return { rows, buildings };
}

/** Buildings that change by more than the error between two of the variants, the most changed first. */
function buildingRows(lists: { pair: Pair; said: Bag | null }[], count: number, error: number): BuildingRow[] {
  const found = new Map<string, { row: BuildingRow; there: (boolean | null)[] }>();
  for (const { pair, said } of lists)
    for (const one of list(said?.["rows"] ?? null).map(bag)) {
      const id = text(one["id"]);
      const held = found.get(id) ?? { row: { id, n: 0, values: blank(count) }, there: Array.from({ length: count }, () => null) };
      found.set(id, held);
      for (const side of ["before", "after"] as const) {
        const n = number(one[`n_${side}`]) ?? 0;
        held.row.n = Math.max(held.row.n, n);
        held.there[pair[side]] = n > 0;
        put(held.row.values, pair[side], number(one[`mean_${side}`] ?? null));
      }
    }
  // What a whole list does not name is the same on both of its sides.
  for (const { pair, said } of lists) {
    if (!said || number(said["more"])) continue;
    for (const { row, there } of found.values()) {
      const [a, b] = [pair.before, pair.after];
      if (there[a] !== null && there[b] === null) [there[b], row.values[b]] = [there[a]!, row.values[a]!];
      else if (there[b] !== null && there[a] === null) [there[a], row.values[a]] = [there[b]!, row.values[b]!];
    }
  }
  const apart = ({ row, there }: { row: BuildingRow; there: (boolean | null)[] }): number => {
    if (there.includes(true) && there.includes(false)) return Infinity;
    const known = row.values.filter((v): v is number => v !== null);
    return Math.max(...known) - Math.min(...known);
  };
  return [...found.values()]
    .map((one) => ({ ...one, apart: apart(one) }))
    .filter((one) => one.apart > error)
    .sort((a, b) => (a.apart === b.apart ? b.row.n - a.row.n || (a.row.id < b.row.id ? -1 : 1) : b.apart - a.apart))
    .map((one) => one.row);
}

/** Whether two values differ by more than the error; `null` stands for not known. */
export const differs = (a: number | null, b: number | null, error: number): boolean =>
  a === null || b === null ? a !== b : Math.abs(a - b) > Math.max(error, 1e-9 * Math.max(Math.abs(a), Math.abs(b)));

/** Names of the inputs in which questions of one process differ: what tells them apart. */
export function apartBy(groups: Group[], group: Group): string[] {
  const beside = groups.filter((one) => one.process === group.process);
  return Object.keys(group.inputs).filter((name) => beside.some((one) => JSON.stringify(one.inputs[name]) !== JSON.stringify(group.inputs[name])));
}

// -- objects ------------------------------------------------------------------------------------------------------------

const MEASURES = [["height", "height_m", "m"], ["area", "area_m2", "m2"], ["floor", "floor_area_m2", "m2"]] as const;

/** Every building that one of the plans touches, as the city has it and as each plan would. */
export function objectsOf(pairs: Pair[], count: number): ObjectRow[] {
  const found = new Map<string, (Bag | null | undefined)[]>();
  for (const { before, after, said } of pairs)
    for (const one of list(said["objects"] ?? null).map(bag)) {
      const id = text(one["object"]);
      const states = found.get(id) ?? Array.from({ length: count }, () => undefined);
      found.set(id, states);
      for (const [at, side] of [[before, "before"], [after, "after"]] as const) states[at] ??= one[side] ? bag(one[side]) : null;
    }
  const rows: ObjectRow[] = [];
  for (const [id, said] of found) {
    // A plan that does not touch a building has it as the city has.
    const states = said.map((state) => (state === undefined ? (said[0] ?? null) : state));
    const any = [...states].reverse().find((state) => state) ?? {};
    const [lon, lat] = [number(any["lon"] ?? null), number(any["lat"] ?? null)];
    const gone = states.map((state, k) => k > 0 && !state && !!states[0]);
    for (const [measure, key, unit] of MEASURES) {
      const values = states.map((state) => (state ? number(state[key] ?? null) : null));
      if (measure !== "height" && values.every((v) => v === null)) continue;
      rows.push({ key: `${id}-${measure}`, id, name: text(any["name"] as Json) || id, first: measure === "height", measure, unit, values, gone, at: lon === null || lat === null ? null : { lon, lat } });
    }
  }
  return rows;
}
