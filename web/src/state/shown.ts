// The result that lies on the ground: a grid of one variant, or what two differ by, with the scale that its legend tells.
import { shallowReactive } from "vue";
import { resultApi } from "../api/result";
import type { State } from "./store";
import { bag, number, type Words } from "./verify";
import { difference, painter, readCells, rectangleOf, scaleOf, scaleOfChange, statistics, valueAt, type Cells, type Difference, type Scale, type Statistics } from "./results";

export interface Shown {
  key: string;
  layer: string;
  /** The layer that is taken away from it, where a difference is shown. */
  less: string;
  title: string;
  of: string;
  unit: string;
  /** Differences no greater are the same within the method's error; and what the method says of its error. */
  error: number;
  statement: Words;
  scale: Scale;
  cells: Cells;
  statistics: Statistics;
  difference: Difference | null;
}

export interface Showing { what: Shown | null; busy: string; trouble: string }

const held = new Map<string, Promise<Cells>>();
const HELD = 8;

/** The values of a result; the last eight stay in the page. A result never changes, so what is held is true. */
export function cellsOf(twin: string, layer: string, crs: string): Promise<Cells> {
  const key = `${twin}/${layer}`;
  let found = held.get(key);
  if (found) held.delete(key);
  else {
    found = readCells(twin, layer, crs).then((cells) => inHours(twin, layer, cells));
    found.catch(() => held.delete(key));
  }
  held.set(key, found);
  if (held.size > HELD) held.delete(held.keys().next().value!);
  return found;
}

/** Steps of sun become hours, as people count them; everything else keeps its unit. */
async function inHours(twin: string, layer: string, cells: Cells): Promise<Cells> {
  if (cells.unit !== "{step}") return cells;
  const minutes = number(bag((await resultApi.collection(twin, layer))["attributes"])["step_minutes"]);
  if (minutes === null) return cells;
  const { values } = cells;
  for (let i = 0; i < values.length; i++) values[i] = (values[i]! * minutes) / 60;
  return { ...cells, unit: "h", step: minutes / 60 };
}

const counted = new WeakMap<Cells, Statistics>();
export function statisticsOf(cells: Cells): Statistics {
  let found = counted.get(cells);
  if (!found) counted.set(cells, (found = statistics(cells)));
  return found;
}

/** `error` is in the unit that the process states. */
export interface Wanted { layer: string; title: string; of: string; error: number; statement: Words }

/** What lies on the ground; one for the page. */
export const showing: Showing = shallowReactive({ what: null, busy: "", trouble: "" });

/** Lays a result on the ground. `beside`: layers of the same output of other variants, so that all have one scale. */
export async function show(state: State, wanted: Wanted, beside: string[]): Promise<void> {
  await lay(state, wanted.layer, async (twin, crs) => {
    const cells = await cellsOf(twin, wanted.layer, crs);
    const others = await Promise.all(beside.filter((l) => l !== wanted.layer).map((l) => cellsOf(twin, l, crs).catch(() => null)));
    const scale = scaleOf([cells, ...others.filter((c): c is Cells => !!c)].map(statisticsOf));
    return {
      key: wanted.layer, layer: wanted.layer, less: "", title: wanted.title, of: wanted.of, unit: cells.unit, error: wanted.error * cells.step, statement: wanted.statement, scale, cells,
      statistics: statisticsOf(cells), difference: null,
    };
  });
}

/** Lays on the ground by what `b` differs from `a`. */
export async function showChange(state: State, a: Wanted, b: Wanted): Promise<void> {
  await lay(state, `${b.layer}-${a.layer}`, async (twin, crs) => {
    const [before, after] = await Promise.all([cellsOf(twin, a.layer, crs), cellsOf(twin, b.layer, crs)]);
    const error = b.error * after.step;
    const change = difference(before, after, error);
    const stats = statisticsOf(change.cells);
    return {
      key: `${b.layer}-${a.layer}`, layer: b.layer, less: a.layer, title: b.title, of: `${b.of} − ${a.of}`, unit: after.unit, error, statement: b.statement,
      scale: scaleOfChange(change), cells: change.cells, statistics: stats, difference: change,
    };
  });
}

async function lay(state: State, key: string, make: (twin: string, crs: string) => Promise<Shown>): Promise<void> {
  const twin = state.twins.current;
  if (!twin) return;
  showing.busy = key;
  showing.trouble = "";
  try {
    const made = await make(twin.id, twin.frame.crs);
    if (showing.busy !== key || state.twins.current !== twin) return;
    showing.what = made;
    state.looks.mode = "shadow";
    state.ground.grid = {
      url: `result:${made.key}:${made.scale.low}:${made.scale.high}`,
      draw: painter(made.cells, made.scale, made.difference ? Math.max(made.error, made.scale.high / 500) : 0),
      rectangle: rectangleOf(made.cells),
      opacity: 0.88,
    };
  } catch (error) {
    showing.trouble = String((error as Error).message);
  } finally {
    if (showing.busy === key) showing.busy = "";
  }
}

/** Takes the result off the ground. */
export function hide(state: State): void {
  showing.what = null;
  showing.busy = "";
  state.ground.grid = null;
}

/** What the result says of the place that is chosen. */
export function valueHere(state: State): number | null {
  const chosen = state.pick.selection;
  return chosen && showing.what ? valueAt(showing.what.cells, chosen.lon, chosen.lat) : null;
}
