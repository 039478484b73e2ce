import { shallowReactive } from "vue";
import type { GroundGrid } from "./plan";

/** A place in the column of what is shared: its first page, or one thing on a page of its own. */
export interface Spot { page: string; id: string }

/** One thing of a partner's that stands on the map, as the scene draws it. */
export interface Theirs {
  key: string;
  /** Whose it is, in both languages: a badge in the picture says it. */
  whose: { ko: string; en: string };
  /** Outlines with heights above the ground, metres: degrees, the outer ring first. Points and lines have one "ring" as well. */
  shapes: { id: string; kind: "point" | "line" | "area"; rings: [number, number][][]; base_m: number; top_m: number }[];
  grid: GroundGrid | null;
}

/** Where a partner's things stand, when they stand beyond this city. */
export interface Away {
  /** West, south, east, north, degrees: what the agreement covers or, without one, what is shown. */
  box: [number, number, number, number];
  /** Ellipsoidal height of the ground there, metres. */
  ground_m: number;
  /** Whether the picture leaves this city for it. */
  gone: boolean;
  name: { ko: string; en: string };
}

/** What is shared with other cities; small, because everything may read it. The work is in `exchange-room.ts`, brought with the column. */
export interface ExchangeNow {
  open: boolean;
  at: Spot;
  /** What of partners is on the map. */
  theirs: Theirs[];
  away: Away | null;
  /** A box on the map (west, south, east, north, degrees) that terms are being written about; drawn while it is set. */
  box: [number, number, number, number] | null;
}

export function readSpot(text: string | null | undefined): Spot {
  const [page = "", ...id] = (text ?? "").split("/");
  return { page: page || "home", id: id.join("/") };
}
export const writeSpot = (spot: Spot): string => (spot.page === "home" ? "" : spot.id ? `${spot.page}/${spot.id}` : spot.page);

export function createExchangeNow(wanted: string | null | undefined): ExchangeNow {
  return shallowReactive({ open: wanted != null, at: readSpot(wanted), theirs: [], away: null, box: null });
}
