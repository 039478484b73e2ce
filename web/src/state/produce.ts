// The room of produce: what is offered and what is needed, as the server says it, with what it found wrong. One a twin, for as long as
// the page is open.
import { reactive } from "vue";
import type { Both } from "../api/exchange";
import { produceApi, type Finding, type Lot, type Need, type NeedSum, type Product } from "../api/produce";
import { conditionOf, line, type Condition } from "./exchange-room";

export interface ProduceRoom {
  readonly twin: string;
  products: Product[];
  grades: Record<string, Both>;
  allergens: Record<string, Both>;
  lots: Lot[];
  needs: Need[];
  /** Needs that are not among those read: kitchens can have many thousands. */
  more: number;
  /** All needs by day and product. */
  sums: NeedSum[];
  findings: Finding[];
  condition: Condition;
  /** Why it could not be read, in the server's words. */
  why: string;
}

const kept = new Map<string, ProduceRoom>();
export function produceOf(twin: string): ProduceRoom {
  let room = kept.get(twin);
  if (!room) {
    room = reactive<ProduceRoom>({ twin, products: [], grades: {}, allergens: {}, lots: [], needs: [], more: 0, sums: [], findings: [], condition: "wait", why: "" }) as ProduceRoom;
    kept.set(twin, room);
  }
  return room;
}

/** Reads all of it anew. */
export async function readProduce(room: ProduceRoom): Promise<void> {
  try {
    const [products, lots, needs] = await Promise.all([produceApi.produce(room.twin), produceApi.lots(room.twin), produceApi.needs(room.twin)]);
    room.products = products.products;
    room.grades = products.grades;
    room.allergens = products.allergens;
    room.lots = lots.lots;
    room.needs = needs.needs;
    room.more = needs.count - needs.needs.length;
    room.sums = needs.sums;
    room.findings = together([...(lots.findings ?? []), ...(needs.findings ?? [])]);
    room.condition = products.desk ? "here" : "missing";
    room.why = "";
  } catch (error) {
    room.condition = conditionOf(error);
    room.why = line(error);
  }
}

/** The same finding is told by both answers once. */
export function together(all: readonly Finding[]): Finding[] {
  const seen = new Set<string>();
  return all.filter((f) => {
    const key = `${f.code}\u0000${f.row}\u0000${f.text.en}`;
    return !seen.has(key) && !!seen.add(key);
  });
}
const LEVELS: Record<Finding["level"], number> = { bad: 0, warn: 1, info: 2 };
/** What was found of one row, the worst first. */
export const foundOf = (all: readonly Finding[], row: string): Finding[] => all.filter((f) => f.row === row).sort((a, b) => LEVELS[a.level] - LEVELS[b.level]);

export interface Shelf { product: string; lots: Lot[]; kg: number; error: number }
/** Lots by product, those that can be had first; of failed and recalled ones no kilograms are counted. */
export function shelves(lots: readonly Lot[], order: readonly string[] = []): Shelf[] {
  const found = new Map<string, Lot[]>();
  for (const lot of lots) found.set(lot.product, [...(found.get(lot.product) ?? []), lot]);
  const rank = (code: string) => (order.indexOf(code) + order.length + 1) % (order.length + 1);
  return [...found].sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b)).map(([product, all]) => {
    const good = all.filter(canBeHad);
    return {
      product, kg: good.reduce((a, l) => a + l.quantity_kg, 0), error: Math.hypot(...good.map((l) => l.error_kg)),
      lots: [...all].sort((a, b) => Number(canBeHad(b)) - Number(canBeHad(a)) || Number(a.substitute) - Number(b.substitute) || a.from.localeCompare(b.from) || a.id.localeCompare(b.id)),
    }; // prettier-ignore
  });
}
export const canBeHad = (lot: Pick<Lot, "state">): boolean => lot.state !== "failed" && lot.state !== "recalled";
/** What of a lot is still free, kg. */
export const freeKg = (lot: Pick<Lot, "quantity_kg" | "promised_kg" | "state">): number => (canBeHad(lot) ? Math.max(0, lot.quantity_kg - (lot.promised_kg || 0)) : 0);
/** A lot's price against the last one of the market: 0.08 is eight per cent above. */
export function againstMarket(lot: Pick<Lot, "price_krw_kg" | "product">, products: readonly Product[]): number | null {
  const market = products.find((p) => p.code === lot.product)?.price?.krw_kg;
  return market && lot.price_krw_kg ? lot.price_krw_kg / market - 1 : null;
}

export interface PlaceNeeds { place: string; kind: Need["place_kind"]; name: { ko: string; en: string }; kg: number; days: { day: string; rows: Need[] }[] }
/** Needs by place and day, stands before kitchens. */
export function needsByPlace(needs: readonly Need[]): PlaceNeeds[] {
  const found = new Map<string, Need[]>();
  for (const need of needs) found.set(need.place, [...(found.get(need.place) ?? []), need]);
  return [...found].map(([place, all]) => {
    const days = [...new Set(all.map((n) => n.date.slice(0, 10)))].sort();
    return {
      place, kind: all[0]!.place_kind, name: { ko: all[0]!.name_ko, en: all[0]!.name_en }, kg: all.reduce((a, n) => a + n.quantity_kg, 0),
      days: days.map((day) => ({ day, rows: all.filter((n) => n.date.slice(0, 10) === day).sort((a, b) => b.quantity_kg - a.quantity_kg) })),
    };
  }).sort((a, b) => Number(a.kind === "kitchen") - Number(b.kind === "kitchen") || a.place.localeCompare(b.place)); // prettier-ignore
}

/** Allergens as a list, however they are joined. */
export const listOf = (text: string | readonly string[] | null | undefined): string[] => (typeof text === "string" ? text.split(/\s*[,;]\s*/) : [...(text ?? [])]).filter(Boolean);
