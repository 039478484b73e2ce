import { shallowReactive } from "vue";
import type { GroundGrid } from "./plan";
import type { Solid } from "./scenario-shape";

/** A place in the column of what is shared: its first page, or one thing on a page of its own. */
export interface Spot { page: string; id: string }
export interface InBoth { ko: string; en: string }
export type Degrees = [west: number, south: number, east: number, north: number];

/** One layer of a partner's that stands on the map, as the scene draws it and its legend tells it. */
export interface Theirs {
  /** Address of the partner's door and the layer. */
  key: string;
  door: string;
  layer: string;
  agreement: string;
  /** Whose it is, in both languages: a badge in the picture says it. */
  whose: InBoth;
  title: InBoth;
  attribution: string;
  /** Metres of the plane `crs`. */
  crs: string;
  solids: Solid[];
  lines: [number, number][][];
  /** Degrees, metres above the ground, and the colour of its value where it has one. */
  points: { lon: number; lat: number; z: number; colour: [number, number, number] | null }[];
  grid: GroundGrid | null;
  /** Features or cells that came, and how many there are. */
  count: number;
  of: number;
  unit: string;
}

/** Where a partner's things stand. */
export interface Away {
  whose: InBoth;
  /** What the agreement covers or, where it names no area, what is shown. */
  box: Degrees;
  /** Whether the picture leaves this city for it: it does not lie here. */
  gone: boolean;
}

/** What is shared with other cities; small, because everything may read it. The work is in `exchange-room.ts`, brought with the column. */
export interface ExchangeNow {
  open: boolean;
  at: Spot;
  /** What of partners is on the map. */
  theirs: Theirs[];
  away: Away | null;
  /** A box on the map that terms are being written about; drawn while it is set. */
  box: Degrees | null;
  /** A hand draws it on the ground now; what it has drawn is in `drawn`, for who asked. */
  drawing: boolean;
  drawn: Degrees | null;
}

export function readSpot(text: string | null | undefined): Spot {
  const [page = "", ...id] = (text ?? "").split("/");
  return { page: page || "home", id: id.join("/") };
}
export const writeSpot = (spot: Spot): string => (spot.page === "home" ? "" : spot.id ? `${spot.page}/${spot.id}` : spot.page);

export function createExchangeNow(wanted: string | null | undefined): ExchangeNow {
  return shallowReactive({ open: wanted != null, at: readSpot(wanted), theirs: [], away: null, box: null, drawing: false, drawn: null });
}
