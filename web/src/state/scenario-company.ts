// Who else is at the open plan, and what they do, as it happens.
import { follow } from "../api/stream";
import { planApi, type Entry, type Presence } from "../api/plan";
import type { Desk } from "./scenario-desk";
import type { PlanRecord } from "./scenario-record";

export interface Company {
  /** Listens to what is done to a plan, and says that this page looks at it. */
  listen(id: string): void;
  /** Says again what this page looks at: the hand moved on. */
  hereNow(): void;
  leave(): void;
  farewell(): void;
}

export function createCompany(desk: Desk, record: PlanRecord): Company {
  const { state, client, now, twin, author, say } = desk;
  const { seen, takeEntries, readSoon } = record;
  let stopStream: (() => void) | null = null;
  let beat: ReturnType<typeof setInterval> | null = null;

  function listen(id: string): void {
    stopStream?.();
    now.live = false;
    stopStream = follow(
      planApi.eventsPath(twin().id, id, seen()),
      ({ event, data }) => {
        if (now.head?.id !== id) return;
        let value: unknown;
        try {
          value = JSON.parse(data);
        } catch {
          return;
        }
        if (event === "presence") takePeople((value as { present: Presence[] }).present);
        else if (event === "entry") {
          const entry = value as Entry;
          const known = now.entries.some((e) => e.seq === entry.seq);
          takeEntries([entry]);
          if (!known && entry.client !== client && (entry.kind === "edit" || entry.kind === "undo")) say("other", entry.object);
          // What this page wrote itself it has read.
          if (!known && entry.seq > seen()) readSoon();
        }
      },
      (alive) => {
        now.live = alive;
        // What was missed while the line was down is read.
        if (alive) readSoon();
      },
    );
    const here = () =>
      void planApi
        .here(twin().id, id, { client, author: author(), object: now.hand?.id ?? (state.pick.selection?.layer === "buildings" || state.pick.selection?.layer === "plan" ? state.pick.selection.id : "") })
        .then((people) => people && now.head?.id === id && takePeople(people))
        .catch(() => undefined);
    if (beat) clearInterval(beat);
    beat = setInterval(here, 8000);
    here();
    hereNow = here;
  }
  let hereNow: () => void = () => undefined;
  function takePeople(people: Presence[]): void {
    now.people = people.map((p) => ({ client: p.client, name: p.author.name, verified: p.author.verified, object: p.object ?? "", mine: p.client === client }));
  }

  return {
    listen,
    hereNow: () => hereNow(),
    leave() {
      stopStream?.();
      stopStream = null;
      if (beat) clearInterval(beat);
      beat = null;
      const head = now.head;
      if (head && state.twins.current) void planApi.here(twin().id, head.id, { client, object: "", author: author(), leaves: true }).catch(() => undefined);
    },
    farewell() {
      if (now.head && state.twins.current) planApi.farewell(twin().id, now.head.id, client);
    },
  };
}
