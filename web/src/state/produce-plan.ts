// A delivery plan as the page reads it: its layers as rows, and what the rows say by day, by vehicle and beside the plan before. Pure.
import type { Feature } from "../api/types";

export type Way = [lon: number, lat: number][];
export type Change = "" | "new" | "kept" | "more" | "less" | "gone";
/** What a lot sends to a place on a day, by a vehicle. */
export interface Delivery {
  id: string;
  lot: string;
  producer: string;
  origin: string;
  product: string;
  need: string;
  place: string;
  /** The product that was asked for, where another comes. */
  instead: string;
  kg: number;
  day: string;
  leaves: number | null;
  arrives: number | null;
  vehicle: string;
  priceKg: number | null;
  cost: number;
  km: number | null;
  co2: number | null;
  change: Change;
  way: Way;
}
export interface Load { vehicle: string; day: string; kg: number; capacity: number | null; km: number; leaves: number | null; back: number | null; hours: number; cost: number; co2: number; way: Way }
export interface Unmet { need: string; place: string; product: string; day: string; kg: number; code: string; why: { ko: string; en: string }; remedy: { ko: string; en: string } }
export interface Balance { day: string; product: string; needed: number; delivered: number; substituted: number; unmet: number; wasted: number }
/** What the solver proved: how far at most the best plan lies below this one. */
export interface Proven { gap: number | null; bound: number | null; objective: number | null; seconds: number | null; status: string }
export interface DeliveryPlan { deliveries: Delivery[]; loads: Load[]; unmet: Unmet[]; balance: Balance[]; proven: Proven | null; /** Needs on days that were not planned: nothing is said of them. */ elsewhere: number }

const text = (v: unknown): string => (v === null || v === undefined ? "" : String(v));
const number = (v: unknown): number | null => (v === null || v === undefined || v === "" || !Number.isFinite(Number(v)) ? null : Number(v));
const amount = (v: unknown): number => number(v) ?? 0;
/** A day of the calendar, whatever moment of it is written. */
const day = (v: unknown): string => text(v).slice(0, 10);

/** Points of a line; of several lines one after another. */
export function wayOf(geometry: Feature["geometry"]): Way {
  const raw = (geometry?.coordinates ?? []) as unknown[];
  const flat = geometry?.type === "MultiLineString" ? (raw as unknown[][]).flat() : geometry?.type === "Point" ? [raw] : raw;
  return (flat as number[][]).map(([lon, lat]) => [Number(lon), Number(lat)] as [number, number]).filter(([lon, lat]) => Number.isFinite(lon) && Number.isFinite(lat));
}

const CHANGES: readonly string[] = ["new", "kept", "more", "less", "gone"];
export function readDelivery(f: Feature, i = 0): Delivery {
  const p = f.properties;
  return {
    id: text(f.id ?? i), lot: text(p["lot"]), producer: text(p["producer"]), origin: text(p["origin"]), product: text(p["product"]), need: text(p["need"]), place: text(p["place"]),
    instead: text(p["substitute_for"]), kg: amount(p["quantity_kg"]), day: day(p["date"]), leaves: number(p["leaves_h"]), arrives: number(p["arrives_h"]), vehicle: text(p["vehicle"]),
    priceKg: number(p["price_krw_kg"]), cost: amount(p["cost_krw"]), km: number(p["km"]), co2: number(p["kg_co2"]),
    change: CHANGES.includes(text(p["changed"])) ? (text(p["changed"]) as Change) : "", way: wayOf(f.geometry),
  }; // prettier-ignore
}
export const readLoad = ({ properties: p, geometry }: Feature): Load => ({
  vehicle: text(p["vehicle"]), day: day(p["date"]), kg: amount(p["kg"]), capacity: number(p["capacity_kg"]), km: amount(p["km"]), leaves: number(p["leaves_h"]), back: number(p["back_h"]), hours: amount(p["hours"]),
  cost: amount(p["cost_krw"]), co2: amount(p["kg_co2"]), way: wayOf(geometry),
}); // prettier-ignore
export const readUnmet = ({ properties: p }: Feature): Unmet => ({
  need: text(p["need"]), place: text(p["place"]), product: text(p["product"]), day: day(p["date"]), kg: amount(p["quantity_kg"]), code: text(p["reason"]),
  why: { ko: text(p["reason_ko"]), en: text(p["reason_en"]) }, remedy: { ko: text(p["remedy_ko"]), en: text(p["remedy_en"]) },
}); // prettier-ignore
/** What stays unmet of what was asked for, and how many needs lie on other days. */
export function withinDays(all: readonly Unmet[]): { unmet: Unmet[]; elsewhere: number } {
  const unmet = all.filter((u) => u.code !== "outside-days");
  return { unmet, elsewhere: all.length - unmet.length };
}
export const readBalance = ({ properties: p }: Feature): Balance => ({
  day: day(p["date"]), product: text(p["product"]), needed: amount(p["needed_kg"]), delivered: amount(p["delivered_kg"]), substituted: amount(p["substituted_kg"]), unmet: amount(p["unmet_kg"]), wasted: amount(p["wasted_kg"]),
});

export interface Totals { kg: number; cost: number; goods: number; transport: number; co2: number; km: number; needed: number; unmet: number; wasted: number; substituted: number; places: number; vehicles: number }
const sum = <T>(all: readonly T[], of: (one: T) => number): number => all.reduce((a, one) => a + of(one), 0);

/** What the whole plan comes to: goods at their lots' prices, and what the vehicles cost. */
export function totalsOf(plan: DeliveryPlan): Totals {
  const goods = sum(plan.deliveries, (d) => d.kg * (d.priceKg ?? 0));
  const transport = sum(plan.loads, (l) => l.cost);
  return {
    kg: sum(plan.deliveries, (d) => d.kg), goods, transport, cost: goods + transport, co2: sum(plan.loads, (l) => l.co2), km: sum(plan.loads, (l) => l.km),
    needed: sum(plan.balance, (b) => b.needed), unmet: sum(plan.unmet, (u) => u.kg), wasted: sum(plan.balance, (b) => b.wasted), substituted: sum(plan.deliveries.filter((d) => d.instead), (d) => d.kg),
    places: new Set(plan.deliveries.map((d) => d.place)).size, vehicles: new Set(plan.loads.map((l) => l.vehicle)).size,
  }; // prettier-ignore
}

export interface DayOf { day: string; kg: number; unmet: number; rows: Delivery[] }
/** Day by day in the calendar's order, each day's deliveries in the order in which they arrive. */
export function byDay(plan: Pick<DeliveryPlan, "deliveries" | "unmet">): DayOf[] {
  const days = [...new Set([...plan.deliveries.map((d) => d.day), ...plan.unmet.map((u) => u.day)])].sort();
  return days.map((day) => {
    const rows = plan.deliveries.filter((d) => d.day === day).sort((a, b) => (a.arrives ?? 0) - (b.arrives ?? 0) || a.place.localeCompare(b.place));
    return { day, kg: sum(rows, (r) => r.kg), unmet: sum(plan.unmet.filter((u) => u.day === day), (u) => u.kg), rows };
  });
}
/** A stop: where a vehicle takes or brings, when, and how many kilograms. */
export interface Stop { kind: "take" | "bring"; place: string; lot: string; at: number | null; kg: number }
export interface Tour extends Load { stops: Stop[] }
function stopsOf(rows: readonly Delivery[]): Stop[] {
  const found = new Map<string, Stop>();
  const put = (kind: Stop["kind"], place: string, lot: string, at: number | null, kg: number) => {
    const key = `${kind}/${at?.toFixed(2)}/${place}`;
    const one = found.get(key) ?? { kind, place, lot, at, kg: 0 };
    one.kg += kg;
    found.set(key, one);
  };
  for (const r of rows) {
    put("take", r.origin, r.lot, r.leaves, r.kg);
    put("bring", r.place, "", r.arrives, r.kg);
  }
  return [...found.values()].sort((a, b) => (a.at ?? 0) - (b.at ?? 0) || (a.kind === "take" ? -1 : 1));
}
/** Each vehicle's day with its stops in the order of the clock. */
export const byVehicle = (plan: Pick<DeliveryPlan, "deliveries" | "loads">): Tour[] =>
  [...plan.loads]
    .sort((a, b) => a.day.localeCompare(b.day) || a.vehicle.localeCompare(b.vehicle))
    .map((load) => ({ ...load, stops: stopsOf(plan.deliveries.filter((d) => d.vehicle === load.vehicle && d.day === load.day)) }));

export interface Changed { key: string; change: Exclude<Change, "" | "kept">; before: number; now: number; row: Delivery }
const way = (d: Delivery): string => [d.lot, d.need || d.place, d.day].join("\u0000");
function collect(all: readonly Delivery[]): Map<string, { kg: number; row: Delivery }> {
  const found = new Map<string, { kg: number; row: Delivery }>();
  for (const row of all) {
    const one = found.get(way(row));
    found.set(way(row), { kg: (one?.kg ?? 0) + row.kg, row: one?.row ?? row });
  }
  return found;
}
/** Kilograms below which two plans say the same. */
const SAME_KG = 0.05;
/** What a plan changes of the one before it: a lot that no longer goes somewhere, one that goes anew, more or less of one; the largest first. */
export function changesOf(before: readonly Delivery[], now: readonly Delivery[]): Changed[] {
  const [was, is] = [collect(before), collect(now)];
  const found: Changed[] = [];
  for (const [key, { kg, row }] of is) {
    const old = was.get(key)?.kg ?? 0;
    if (Math.abs(kg - old) > SAME_KG) found.push({ key, change: old <= SAME_KG ? "new" : kg > old ? "more" : "less", before: old, now: kg, row });
  }
  for (const [key, { kg, row }] of was) if (!is.has(key) && kg > SAME_KG) found.push({ key, change: "gone", before: kg, now: 0, row });
  return found.sort((a, b) => Math.abs(b.now - b.before) - Math.abs(a.now - a.before) || a.key.localeCompare(b.key));
}

/** Steps of a weight that a hand chooses, each with its word; the middle one is what the process takes by itself. */
export const STEPS = [0, 0.25, 1, 4, 16] as const;
export const STEP_WORDS = ["none", "little", "normal", "much", "most"] as const;
/** The step that a weight stands nearest to, times what the process takes by itself. */
export function stepOf(weight: number, usual: number): number {
  if (!(weight > 0) || !(usual > 0)) return 0;
  const ratio = Math.log(weight / usual);
  return STEPS.reduce<number>((best, s, i) => (i > 0 && Math.abs(Math.log(s) - ratio) < Math.abs(Math.log(STEPS[best]!) - ratio) ? i : best), 1);
}
export const weightOf = (step: number, usual: number): number => (STEPS[step] ?? 1) * usual;

/** A clock's hour of decimal hours: 6.5 is "06:30". */
export function clockOf(hours: number | null): string {
  if (hours === null) return "";
  const minutes = Math.round(hours * 60);
  return `${String(Math.floor(minutes / 60) % 24).padStart(2, "0")}:${String(((minutes % 60) + 60) % 60).padStart(2, "0")}`;
}
