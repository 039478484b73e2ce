// A venue that a partner may use: what an agreement about it names, and which agreements and offers are about one. Pure.
import type { Agreement, Box, Dataset, Terms } from "../api/exchange";
import { stepped } from "./events-shape";
import { noTerms } from "./exchange-terms";

/** What an agreement about an event is for. */
export const PURPOSE = "joint-event";
/** What a guest needs of the ground to plan there, and what it may have computed where the data lies. */
export const LAYERS = ["buildings", "roads", "landmarks", "stations", "metro-congestion", "weather"] as const;
export const PROCESSES = ["footfall", "stands", "stage", "sunlight"] as const;

/** A box of so many metres to each side about a place, within another; `null` where that leaves nothing. */
export function around(lon: number, lat: number, metres: number, within: Box): Box | null {
  const [w, s] = stepped(lon, lat, -metres, -metres);
  const [e, n] = stepped(lon, lat, metres, metres);
  const box = [Math.max(w, within[0]), Math.max(s, within[1]), Math.min(e, within[2]), Math.min(n, within[3])].map((v) => Math.round(v * 1e5) / 1e5) as Box;
  return box[2] - box[0] > 1e-4 && box[3] - box[1] > 1e-4 ? box : null;
}

/** The terms with which a venue is offered: only what this city has. */
export function venueTerms(has: { layers: readonly string[]; processes: readonly string[] }, area: Box, until: string, attribution: string): Terms {
  const assets = [...LAYERS.filter((l) => has.layers.includes(l)).map((l) => `layer:${l}`), ...PROCESSES.filter((p) => has.processes.includes(p)).map((p) => `process:${p}`)];
  return { ...noTerms(), assets, purposes: [PURPOSE], area, until, attribution };
}

export const aboutEvents = (of: { terms: Terms }): boolean => of.terms.purposes.includes(PURPOSE);
/** Agreements by which we may be on another city's ground, those in force first. */
export const grounds = (all: readonly Agreement[]): Agreement[] =>
  all.filter((a) => a.role === "consumer" && aboutEvents(a)).sort((a, b) => Number(b.state === "active") - Number(a.state === "active"));
/** Offers of a catalogue that are about events. */
export const venueOffers = (all: readonly Dataset[]): { dataset: Dataset; offer: string; terms: Terms }[] =>
  all.flatMap((dataset) => dataset.offers.filter(aboutEvents).map((o) => ({ dataset, offer: o.id, terms: o.terms })));
