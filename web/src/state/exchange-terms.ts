// Terms of an agreement as people compare them. Pure.
import type { Box, Terms } from "../api/exchange";

export const TERM_KEYS = ["assets", "purposes", "area", "since", "until", "finest_m", "no_resharing", "delete_by", "attribution"] as const;
export type TermKey = (typeof TERM_KEYS)[number];

const RADIUS = 6_371_008.8;
const rad = Math.PI / 180;

/** West to east along the middle and south to north of a box, metres on the mean sphere (to some thousandths). */
export function sidesOf([west, south, east, north]: Box): [number, number] {
  return [(east - west) * rad * Math.cos(((south + north) / 2) * rad) * RADIUS, (north - south) * rad * RADIUS];
}

export const areaOf = (box: Box): number => {
  const [a, b] = sidesOf(box);
  return a * b;
};

export const within = (inner: Box, outer: Box): boolean => inner[0] >= outer[0] && inner[1] >= outer[1] && inner[2] <= outer[2] && inner[3] <= outer[3];

/** Moments are compared as moments, boxes to a hundred-thousandth of a degree (a metre), lists without their order. */
function same(key: TermKey, a: Terms, b: Terms): boolean {
  if (key === "assets" || key === "purposes") return [...a[key]].sort().join("\n") === [...b[key]].sort().join("\n");
  if (key === "area") return a.area === b.area || (!!a.area && !!b.area && a.area.every((v, i) => Math.abs(v - b.area![i]!) < 1e-5));
  if (key === "since" || key === "until" || key === "delete_by") return moment(a[key]) === moment(b[key]);
  return a[key] === b[key];
}

/** Of a moment as it is written, milliseconds; `null` where nothing limits. */
export const moment = (text: string | null): number | null => {
  const at = text ? Date.parse(text) : NaN;
  return Number.isNaN(at) ? null : at;
};

/** What differs between two readings of the terms, in the order in which a contract tells them. */
export const changed = (before: Terms | null | undefined, now: Terms): TermKey[] => (before ? TERM_KEYS.filter((key) => !same(key, before, now)) : []);

/** Whether a change asks for less than was offered ("narrower"), for more, or neither. */
export function bearing(key: TermKey, before: Terms, now: Terms): "narrower" | "wider" | "other" {
  const order = (a: number, b: number) => (b < a ? "narrower" : b > a ? "wider" : "other");
  const open = Infinity;
  switch (key) {
    case "area":
      return order(before.area ? areaOf(before.area) : open, now.area ? areaOf(now.area) : open);
    case "until": case "delete_by":
      return order(moment(before[key]) ?? open, moment(now[key]) ?? open);
    case "since":
      return order(-(moment(before.since) ?? -open), -(moment(now.since) ?? -open));
    case "finest_m":
      return order(-before.finest_m, -now.finest_m);
    case "assets": case "purposes":
      return order(before[key].length, now[key].length);
    case "no_resharing":
      return now.no_resharing ? "narrower" : "wider";
    default:
      return "other";
  }
}

/** Minutes that a zone is ahead of UTC at a moment. */
function ahead(zone: string, at: number): number {
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" }).formatToParts(at);
  const of = (type: string) => Number(parts.find((p) => p.type === type)!.value);
  return Math.round((Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute")) - Math.floor(at / 60_000) * 60_000) / 60_000);
}

/** The first ("start") or the last second ("end") of a day of a city's calendar, UTC. */
export function momentOf(day: string, edge: "start" | "end", zone: string): string {
  const wall = Date.parse(`${day}T${edge === "start" ? "00:00:00" : "23:59:59"}Z`);
  const at = wall - ahead(zone, wall - ahead(zone, wall) * 60_000) * 60_000;
  return new Date(at).toISOString().replace(".000Z", "Z");
}

/** The day of a city's calendar in which a moment lies, "2027-06-30"; "" where nothing limits. */
export function dayOf(text: string | null, zone: string): string {
  const at = moment(text);
  return at === null ? "" : new Date(at + ahead(zone, at) * 60_000).toISOString().slice(0, 10);
}

export const kindOf = (asset: string): string => asset.slice(0, asset.indexOf(":"));
export const idOf = (asset: string): string => asset.slice(asset.indexOf(":") + 1);

/** Assets as people name them: a plan goes as the layer of what it builds, and is told once. */
export const told = (assets: readonly string[]): string[] => assets.filter((a) => !(a.startsWith("layer:plan-") && assets.some((b) => kindOf(b) === "scenario" && idOf(b).startsWith(a.slice(11)))));

export const noTerms = (): Terms => ({
  assets: [], purposes: [], area: null, since: null, until: null, finest_m: 0, no_resharing: false, delete_by: null, attribution: "",
});
