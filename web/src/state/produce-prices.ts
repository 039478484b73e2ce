// Prices of one product: what the market paid, what is expected with its error, and how such forecasts did in the year held back. Pure.
import type { Feature, SeriesAnswer } from "../api/types";
import { dayNumber } from "./atlas/prices";

export interface PriceLine { time: number[]; past: (number | null)[]; low: (number | null)[]; middle: (number | null)[]; high: (number | null)[]; /** First day that is forecast. */ from: number | null }
const DAY_S = 86_400;
const known = (v: number | null | undefined, kg: number): number | null => (v === null || v === undefined || !Number.isFinite(v) ? null : v / kg);

/** The columns of a product in a forecast: its lowest, middle and highest quantile. */
export function quantiles(columns: readonly string[], column: string): [low: string, middle: string, high: string] | null {
  const found = columns.flatMap((name) => {
    const [, of, p] = /^(.*)_p(\d+)$/.exec(name) ?? [];
    return of === column ? [{ name, p: Number(p) }] : [];
  }).sort((a, b) => a.p - b.p);
  const middle = found.find((f) => f.p === 50);
  return middle && found.length >= 3 ? [found[0]!.name, middle.name, found.at(-1)!.name] : null;
}

/** Past and forecast on one axis of calendar days, won a kilogram; a market holiday is a gap. The last price joins the forecast to the past. */
export function priceLine(past: SeriesAnswer | null, ahead: SeriesAnswer | null, column: string, kg: number, days = 400): PriceLine {
  const line: PriceLine = { time: [], past: [], low: [], middle: [], high: [], from: null };
  const was = new Map<number, number | null>();
  const values = past?.columns[column]?.values ?? [];
  (past?.time ?? []).forEach((t, i) => was.set(dayNumber(t), known(values[i], kg)));
  const names = quantiles(Object.keys(ahead?.columns ?? {}), column);
  const will = new Map<number, (number | null)[]>();
  if (names) (ahead?.time ?? []).forEach((t, i) => will.set(dayNumber(t), names.map((n) => known(ahead!.columns[n]!.values[i], kg))));
  const all = [...was.keys(), ...will.keys()];
  if (!all.length) return line;
  const last = [...all].reduce((a, b) => Math.max(a, b));
  line.from = will.size ? [...will.keys()].reduce((a, b) => Math.min(a, b)) : null;
  for (let t = Math.max([...all].reduce((a, b) => Math.min(a, b)), (line.from ?? last) - days * DAY_S); t <= last; t += DAY_S) {
    const [low, middle, high] = will.get(t) ?? [null, null, null];
    line.time.push(t);
    line.past.push(was.get(t) ?? null);
    line.low.push(low ?? null);
    line.middle.push(middle ?? null);
    line.high.push(high ?? null);
  }
  const at = line.from === null ? -1 : line.time.indexOf(line.from);
  for (let i = at - 1; i >= Math.max(0, at - 10); i--) {
    const price = line.past[i];
    if (price === null || price === undefined) continue;
    // Days between the last price and the first forecast are drawn straight to it.
    line.low[i] = line.middle[i] = line.high[i] = price;
    break;
  }
  return bridge(line);
}
/** Market holidays are no gaps of a forecast's band at its joint alone. */
function bridge(line: PriceLine): PriceLine {
  const start = line.middle.findIndex((v) => v !== null);
  const next = line.middle.findIndex((v, i) => i > start && v !== null);
  if (start < 0 || next < 0) return line;
  for (const name of ["low", "middle", "high"] as const)
    for (let i = start + 1; i < next; i++) line[name][i] = line[name][start]! + ((line[name][next]! - line[name][start]!) * (i - start)) / (next - start);
  return line;
}

/** What the year held back says of one product: mean absolute errors in won a kilogram of ours, of last year's price, of the last price. */
export interface Tried { column: string; span: string; ours: number | null; naive: number | null; last: number | null; mape: number | null; coverage: number | null; n: number; missed: number; better: boolean; from: string; until: string }
export function triedOf(rows: readonly Feature[], kgOf: (column: string) => number | null): Tried[] {
  const number = (v: unknown): number | null => (v === null || v === undefined || !Number.isFinite(Number(v)) ? null : Number(v));
  return rows.map(({ properties: p }) => {
    const column = String(p["product"] ?? "");
    const kg = kgOf(column) ?? 1;
    const each = (v: unknown) => { const n = number(v); return n === null ? null : n / kg; };
    return {
      column, span: String(p["days_ahead"] ?? "all"), ours: each(p["mae"]), naive: each(p["naive_mae"]), last: each(p["persistence_mae"]), mape: number(p["mape"]), coverage: number(p["coverage"]),
      n: number(p["n"]) ?? 0, missed: number(p["missed"]) ?? 0, better: p["better"] === true || p["better"] === "true", from: String(p["from"] ?? ""), until: String(p["until"] ?? ""),
    };
  }); // prettier-ignore
}
