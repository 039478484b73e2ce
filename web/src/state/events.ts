import { shallowReactive } from "vue";
import { readSpot, type Spot } from "./exchange";

/** What cities do at a place and a time; small, because everything may read it. The work is in `events-desk.ts`, brought with the column. */
export interface EventsNow {
  open: boolean;
  /** A room of the column ("home": the events; "produce", …), or one thing on a page of its own ("event", id). */
  at: Spot;
  /** The event whose place stands in the picture; empty where none does. */
  shown: string;
}

export function createEventsNow(wanted: string | null | undefined): EventsNow {
  return shallowReactive({ open: wanted != null, at: readSpot(wanted), shown: "" });
}
