import { shallowReactive } from "vue";
import { readSpot, type Spot } from "./exchange";

/** What cities do at a place and a time; small, because everything may read it. The work is in `events-desk.ts`, brought with the column. */
export interface EventsNow {
  open: boolean;
  /** A room of the column ("home": the events; "produce", …), or one thing on a page of its own ("event", id). */
  at: Spot;
  /** The event whose place stands in the picture; empty where none does. */
  shown: string;
  /** Where the sun stands over a partner's place at the hour that is looked at, degrees; in our own city its clock says it. */
  sun: { azimuth: number; altitude: number } | null;
}

export function createEventsNow(wanted: string | null | undefined): EventsNow {
  return shallowReactive({ open: wanted != null, at: readSpot(wanted), shown: "", sun: null });
}
