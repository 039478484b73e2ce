/** The towns of a city (읍·면·동) and the measures by which the atlas compares them. Pure. */

export type Ring = [number, number][];

export interface Town {
  id: string;
  ko: string;
  en: string;
  /** Polygons in longitude and latitude, outer ring first, then holes. */
  polygons: Ring[][];
  /** What the layer states of the town; null where it states nothing. */
  facts: Record<string, number | null>;
}

export type Group = "people" | "services" | "livestock";

/** One quantity the map can show. `digits` are decimals; `unit` and the title are words of the page. */
export interface Measure {
  id: string;
  group: Group;
  digits: number;
  value: (town: Town) => number | null;
}

const fact =
  (name: string) =>
  (town: Town): number | null =>
    town.facts[name] ?? null;

const ratio =
  (above: string, below: string) =>
  (town: Town): number | null => {
    const a = town.facts[above] ?? null;
    const b = town.facts[below] ?? null;
    return a === null || b === null || b === 0 ? null : a / b;
  };

const share =
  (part: string, whole: string) =>
  (town: Town): number | null => {
    const value = ratio(part, whole)(town);
    return value === null ? null : value * 100;
  };

/** In the order of the menu. The names on the right are those `load.ts` fills `facts` with. */
export const MEASURES: readonly Measure[] = [
  { id: "people", group: "people", digits: 0, value: fact("people") },
  { id: "density", group: "people", digits: 0, value: ratio("people", "area_km2") },
  { id: "households", group: "people", digits: 0, value: fact("households") },
  { id: "household-size", group: "people", digits: 2, value: ratio("people", "households") },
  { id: "age", group: "people", digits: 1, value: fact("age_mean") },
  { id: "under15", group: "people", digits: 1, value: share("under15", "people") },
  { id: "over65", group: "people", digits: 1, value: share("over65", "people") },
  { id: "schools", group: "services", digits: 0, value: fact("schools") },
  { id: "pharmacies", group: "services", digits: 0, value: fact("pharmacies") },
  { id: "medical", group: "services", digits: 0, value: fact("medical") },
  { id: "doctors", group: "services", digits: 0, value: fact("doctors") },
  { id: "cattle", group: "livestock", digits: 0, value: fact("cattle") },
  { id: "pigs", group: "livestock", digits: 0, value: fact("pigs") },
  { id: "chickens", group: "livestock", digits: 0, value: fact("chickens") },
];

export function measure(id: string): Measure {
  return MEASURES.find((m) => m.id === id) ?? MEASURES[0]!;
}

export interface Ranked {
  town: Town;
  value: number | null;
  /** 1 is the largest; towns that share a value share a rank; null where there is no value. */
  rank: number | null;
}

/** Largest first, those without a value last, ties in the order of the towns' codes. */
export function ranking(towns: readonly Town[], m: Measure): Ranked[] {
  const rows = towns.map((town) => ({ town, value: m.value(town) }));
  rows.sort((a, b) => (b.value ?? -Infinity) - (a.value ?? -Infinity) || a.town.id.localeCompare(b.town.id));
  return rows.map(({ town, value }) => ({
    town,
    value,
    rank: value === null ? null : 1 + rows.filter((r) => r.value !== null && r.value > value).length,
  }));
}

/** The value rounded to `figures` significant figures: 14038 → 14000 for 2. */
export function rounded(value: number, figures = 2): number {
  if (value === 0) return 0;
  const step = 10 ** (Math.floor(Math.log10(Math.abs(value))) + 1 - figures);
  return Number((Math.round(value / step) * step).toPrecision(12));
}

/**
 * Lower limits of the classes of a choropleth after the first: quantiles of the values, rounded so that a legend reads well.
 * Equal values never part; so few different values give fewer classes.
 */
export function breaks(values: readonly number[], classes = 5, figures = 2): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  if (sorted.length === 0) return [];
  const low = sorted[0]!;
  const high = sorted[sorted.length - 1]!;
  const limits: number[] = [];
  for (let k = 1; k < classes; k++) {
    const at = Math.min(sorted.length - 1, Math.round((k * sorted.length) / classes));
    const limit = rounded(sorted[at]!, figures);
    if (limit > low && limit <= high && limit > (limits[limits.length - 1] ?? -Infinity)) limits.push(limit);
  }
  // Rounding may leave a class that no town is in; its limit says nothing.
  return limits.filter((limit, i) => {
    const next = limits[i + 1] ?? Infinity;
    return sorted.some((v) => v >= limit && v < next);
  });
}

/** Which class a value falls in, from 0. */
export function classOf(value: number, limits: readonly number[]): number {
  let k = 0;
  while (k < limits.length && value >= limits[k]!) k++;
  return k;
}

export interface LegendClass {
  from: number;
  to: number;
  towns: number;
}

/** The classes with the least and greatest value that stand in each. */
export function legend(values: readonly number[], limits: readonly number[]): LegendClass[] {
  const found: number[][] = Array.from({ length: limits.length + 1 }, () => []);
  for (const v of values) found[classOf(v, limits)]!.push(v);
  return found
    .filter((members) => members.length > 0)
    .map((members) => ({ from: Math.min(...members), to: Math.max(...members), towns: members.length }));
}

/** The sum of a fact over the towns; null when no town states it. */
export function total(towns: readonly Town[], name: string): number | null {
  const values = towns.map((t) => t.facts[name] ?? null).filter((v): v is number => v !== null);
  return values.length === 0 ? null : values.reduce((a, b) => a + b, 0);
}
