/** Wholesale prices of produce by day. Pure. */

import type { Names } from "../../api/types";

export interface Quote {
  /** Calendar day, "2020-04-09". */
  day: string;
  price: number | null;
  normal: number | null;
}

/** One product of one variety and unit of sale. */
export interface Produce {
  /** Name of its column; ends in the unit: "rice_20kg", "cucumber_dadagi_100". */
  id: string;
  names: Names;
  quotes: Quote[];
}

const DAY_S = 86_400;

/** Seconds since 1970 of a calendar day, as if it were UTC: a day has no zone. */
export function dayNumber(day: string): number {
  return Date.UTC(Number(day.slice(0, 4)), Number(day.slice(5, 7)) - 1, Number(day.slice(8, 10))) / 1000;
}

export interface Line {
  time: number[];
  price: (number | null)[];
  normal: (number | null)[];
}

/**
 * Every calendar day from the first quote to the last. A day without an answer is null in both columns, and so is the price of a
 * market holiday: the line breaks there and nothing is drawn across.
 */
export function daily(quotes: readonly Quote[]): Line {
  const line: Line = { time: [], price: [], normal: [] };
  if (quotes.length === 0) return line;
  const byDay = new Map(quotes.map((q) => [dayNumber(q.day), q]));
  const days = [...byDay.keys()].sort((a, b) => a - b);
  for (let t = days[0]!; t <= days[days.length - 1]!; t += DAY_S) {
    const quote = byDay.get(t);
    line.time.push(t);
    line.price.push(quote?.price ?? null);
    line.normal.push(quote?.normal ?? null);
  }
  return line;
}

export interface PriceMonth {
  month: string;
  mean: number | null;
  least: number | null;
  most: number | null;
  quoted: number;
  empty: number;
}

/** Month by month: mean, least and most of the days with a price, and how many days had none. */
export function months(quotes: readonly Quote[]): PriceMonth[] {
  const found = new Map<string, Quote[]>();
  for (const q of quotes) {
    const month = q.day.slice(0, 7);
    const list = found.get(month) ?? [];
    list.push(q);
    found.set(month, list);
  }
  return [...found].sort(([a], [b]) => a.localeCompare(b)).map(([month, list]) => {
    const prices = list.map((q) => q.price).filter((p): p is number => p !== null);
    return {
      month,
      mean: prices.length ? prices.reduce((a, b) => a + b, 0) / prices.length : null,
      least: prices.length ? Math.min(...prices) : null,
      most: prices.length ? Math.max(...prices) : null,
      quoted: prices.length,
      empty: list.length - prices.length,
    };
  });
}

/** The last day with a price. */
export function latest(quotes: readonly Quote[]): Quote | null {
  for (let i = quotes.length - 1; i >= 0; i--) if (quotes[i]!.price !== null) return quotes[i]!;
  return null;
}

export interface SaleUnit {
  amount: number;
  by: "kg" | "piece";
}

/** What one price is for, from the end of the column's name; null where it does not say. */
export function saleUnit(id: string): SaleUnit | null {
  const match = /_(\d+)(kg)?$/.exec(id);
  return match ? { amount: Number(match[1]), by: match[2] ? "kg" : "piece" } : null;
}
