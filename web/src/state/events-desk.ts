// The desk of events: what the server says of them, read while the column is open, and what is done there. One desk a twin.
import { reactive } from "vue";
import { eventsApi, type EventBrief } from "../api/events";
import { line, readMe, readPart, roomOf } from "./exchange-room";
import type { State } from "./store";

export interface DeskNow {
  events: EventBrief[];
  condition: "wait" | "here" | "lost";
  busy: string;
  trouble: string;
}
export interface EventsDesk {
  readonly twin: string;
  readonly now: DeskNow;
  /** The column was opened: who we are, our partners, the events. */
  begin(): Promise<void>;
  read(): Promise<void>;
  /** Does something that the server may refuse; the refusal stands on the page until the next act. */
  act<T>(name: string, work: () => Promise<T>): Promise<T | undefined>;
}

const kept = new Map<string, EventsDesk>();

export function deskOf(state: State): EventsDesk {
  const twin = state.twins.current!.id;
  const had = kept.get(twin);
  if (had) return had;
  const now: DeskNow = reactive({ events: [], condition: "wait", busy: "", trouble: "" });
  const desk: EventsDesk = {
    twin,
    now,
    async begin() {
      const room = roomOf(twin);
      await Promise.all([readMe(room), readPart(room, "peers"), readPart(room, "agreements"), desk.read()]);
    },
    async read() {
      try {
        now.events = await eventsApi.list(twin);
        now.condition = "here";
      } catch (error) {
        now.condition = "lost";
        now.trouble = line(error);
      }
    },
    async act(name, work) {
      now.busy = name;
      now.trouble = "";
      try {
        return await work();
      } catch (error) {
        now.trouble = line(error);
        return undefined;
      } finally {
        now.busy = "";
      }
    },
  };
  kept.set(twin, desk);
  return desk;
}
