/** From the server's answers to what the atlas is drawn from. Only this file knows the layers' columns. */

import type { Api } from "../../api/client";
import type { Collection, Column, Feature, SeriesAnswer } from "../../api/types";
import type { Herd } from "./livestock";
import { aged, ageFrom, people, pyramid, type AgeCount } from "./people";
import { townAt, type Place, type PlaceKind } from "./places";
import type { Produce } from "./prices";
import type { Atlas } from "./store";
import type { Ring, Town } from "./towns";
import type { Hours } from "./weather";

type Row = Record<string, unknown>;

/** The first of the columns that a row has, as text; "" where it has none. */
function text(row: Row, ...names: string[]): string {
  for (const name of names) {
    const value = row[name];
    if (value !== undefined && value !== null && value !== "") return String(value);
  }
  return "";
}

function number(row: Row, ...names: string[]): number | null {
  const value = text(row, ...names);
  return value === "" || !Number.isFinite(Number(value)) ? null : Number(value);
}

function polygons(feature: Feature): Ring[][] {
  const g = feature.geometry;
  if (g?.type === "Polygon") return [g.coordinates as Ring[]];
  if (g?.type === "MultiPolygon") return g.coordinates as Ring[][];
  return [];
}

export function readTowns(features: readonly Feature[]): Town[] {
  return features.map((f) => {
    const p = f.properties;
    return {
      id: text(p, "id") || String(f.id),
      ko: text(p, "name_ko", "name"),
      en: text(p, "name_en"),
      polygons: polygons(f),
      facts: {
        people: number(p, "population"),
        households: number(p, "households"),
        area_km2: number(p, "area_km2"),
        male: number(p, "men"),
        female: number(p, "women"),
        age_mean: number(p, "mean_age"),
        medical: number(p, "medical_facilities"),
        doctors: number(p, "doctors"),
      },
    };
  });
}

/** A town by its code (8 or 10 digits of the same code) or its Korean name. */
export function townFinder(towns: readonly Town[]): (key: string) => string | null {
  return (key) => (key === "" ? null : (towns.find((t) => t.id === key || t.ko === key || (key.length === 8 && t.id.startsWith(key)))?.id ?? null));
}

export function readAges(features: readonly Feature[], find: (key: string) => string | null): AgeCount[] {
  return features.flatMap(({ properties: p }) => {
    const town = find(text(p, "town_id", "town"));
    const count = number(p, "population");
    if (town === null || count === null) return [];
    const sex = text(p, "sex");
    const from = ageFrom(text(p, "age"));
    return [{ town, from, sex: sex === "male" ? "male" : "female", people: count }] satisfies AgeCount[];
  });
}

export function readPlaces(kind: PlaceKind, features: readonly Feature[], towns: readonly Town[]): Place[] {
  const find = townFinder(towns);
  return features.map((f) => {
    const p = f.properties;
    const at = f.geometry?.type === "Point" ? (f.geometry.coordinates as number[]) : null;
    return {
      id: `${kind}/${text(p, "id") || String(f.id)}`,
      kind,
      type: text(p, "kind"),
      ko: text(p, "name_ko", "name"),
      en: text(p, "name_en"),
      town: find(text(p, "town")) ?? (at ? townAt(at[0]!, at[1]!, towns) : null),
      at: at ? [at[0]!, at[1]!] : null,
      since: text(p, "founded", "opened"),
    };
  });
}

export function readHerds(features: readonly Feature[], find: (key: string) => string | null): Herd[] {
  return features.map(({ id, properties: p }) => ({
    // A row's id starts with the code of its legal village: "4150010300.0-…".
    code: /^\d+/.exec(String(id))?.[0] ?? "",
    // A dong has no villages under it; then the town is the place.
    village: text(p, "village", "town"),
    town: find(text(p, "town_id", "town")),
    kind: text(p, "animal"),
    heads: number(p, "head") ?? 0,
    farms: number(p, "farms") ?? 0,
  }));
}

type Columns = SeriesAnswer["columns"];

/** The values of a column; none where the series has no such column. */
const column = (columns: Columns, name: string): readonly unknown[] => columns[name]?.values ?? [];

const known = (value: unknown): number | null => (typeof value === "number" ? value : null);

/** Prices by column and day, each with its normal-year price where a second series has the same column. */
export function readProduce(answer: SeriesAnswer, normals: SeriesAnswer | null, columns: readonly Column[]): Produce[] {
  const usual = new Map<string, Map<string, number | null>>();
  for (const [id, column] of Object.entries(normals?.columns ?? {}))
    usual.set(id, new Map(normals!.time.map((time, i) => [time.slice(0, 10), known(column.values[i])])));
  return Object.entries(answer.columns).flatMap(([id, { values }]) => {
    const title = columns.find((c) => c.name === id)?.title;
    const quotes = answer.time.map((time, i) => {
      const day = time.slice(0, 10);
      return { day, price: known(values[i]), normal: usual.get(id)?.get(day) ?? null };
    });
    // A variety that is sold in one season only starts and ends with its own quotes.
    const stated = quotes.map((q) => q.price !== null || q.normal !== null);
    const [first, last] = [stated.indexOf(true), stated.lastIndexOf(true)];
    return first < 0 ? [] : [{ id, names: title ?? { ko: id, en: id }, quotes: quotes.slice(first, last + 1) }];
  });
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** The year of each month from the words of a weather file ("Jan=2009; Feb=2016; …"); empty where one is missing. */
export function monthYears(comment: string): number[] {
  const years = MONTHS.map((m) => Number(new RegExp(`${m}\\s*=\\s*(\\d{4})`).exec(comment)?.[1] ?? Number.NaN));
  return years.some(Number.isNaN) ? [] : years;
}

/** The hours of a typical year. */
export function readHours(answer: SeriesAnswer): Hours {
  const c = answer.columns;
  const numbers = (name: string): (number | null)[] => column(c, name).map(known);
  const month = answer.time.map((t) => Number(t.slice(5, 7)));
  return {
    month,
    day: answer.time.map((t) => Number(t.slice(8, 10))),
    temperature: numbers("temperature_c"),
    sun: numbers("global_horizontal"),
    rain: numbers("precipitation_mm"),
    direction: numbers("wind_direction_deg"),
    speed: numbers("wind_speed"),
    years: monthYears(String(answer.attributes?.comment ?? "")),
  };
}

async function all(api: Api, twin: string, layer: string): Promise<Feature[]> {
  return (await api.items(twin, layer, { limit: 10_000 })).features;
}

/** What the towns' own table does not say and other layers do, counted town by town. */
function counted(atlas: Atlas): Town[] {
  return atlas.towns.map((plain) => {
    const town = { ...plain, facts: { ...plain.facts } };
    const bands = pyramid(atlas.ages, new Set([town.id]));
    if (people(bands) > 0) {
      town.facts.under15 = aged(bands, 0, 15);
      town.facts.over65 = aged(bands, 65);
    }
    const standing = (kind: PlaceKind) => atlas.places.filter((p) => p.kind === kind && p.town === town.id).length;
    for (const kind of ["schools", "pharmacies"] as const)
      if (atlas.places.some((p) => p.kind === kind)) town.facts[kind] = standing(kind);
    if (atlas.herds.length > 0) {
      const heads = (...kinds: string[]) =>
        atlas.herds.filter((h) => h.town === town.id && kinds.includes(h.kind)).reduce((n, h) => n + h.heads, 0);
      town.facts.cattle = heads("cattle", "dairy-cow");
      town.facts.pigs = heads("pig");
      town.facts.chickens = heads("chicken");
    }
    return town;
  });
}

/** Everything the atlas shows, the towns first. A layer that cannot be had is named in `failed`; the others still come. */
export async function loadAtlas(api: Api, twin: string, atlas: Atlas): Promise<void> {
  const tried = async (layer: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      atlas.failed = { ...atlas.failed, [layer]: error instanceof Error ? error.message : String(error) };
    }
  };
  await Promise.all([
    tried("collections", async () => {
      const collections: Collection[] = await api.collections(twin);
      atlas.layers = Object.fromEntries(collections.map((c) => [c.id, c]));
    }),
    tried("towns", async () => {
      atlas.towns = readTowns(await all(api, twin, "towns")).sort((a, b) => a.id.localeCompare(b.id));
    }),
  ]);
  const find = townFinder(atlas.towns);
  const places = (kind: PlaceKind, layer: string) =>
    tried(layer, async () => {
      const found = readPlaces(kind, await all(api, twin, layer), atlas.towns);
      atlas.places = [...atlas.places, ...found];
    });
  await Promise.all([
    tried("population-age", async () => {
      atlas.ages = readAges(await all(api, twin, "population-age"), find);
    }),
    places("schools", "schools"),
    places("pharmacies", "pharmacies"),
    places("hospitals", "hospitals"),
    places("stations", "rail"),
    tried("livestock", async () => {
      atlas.herds = readHerds(await all(api, twin, "livestock"), find);
    }),
  ]);
  atlas.towns = counted(atlas);
  atlas.ready = true;
  await Promise.all([
    tried("prices", async () => {
      const [answer, normals] = await Promise.all([
        api.series(twin, "prices"),
        "prices-normal" in atlas.layers ? api.series(twin, "prices-normal") : null,
      ]);
      atlas.produce = readProduce(answer, normals, atlas.layers.prices?.columns ?? []);
    }),
    tried("weather", async () => {
      atlas.hours = readHours(await api.series(twin, "weather"));
    }),
  ]);
}
