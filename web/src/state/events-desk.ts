// The desk of events: what the server says of them, read while the column is open, and what is done there. One desk a twin.
import { computed, reactive, type ComputedRef } from "vue";
import { eventsApi, ServerProblem, type Duty, type EventBrief, type EventText, type EventWhole, type ListedFrom, type VisitorsAnswer } from "../api/events";
import { exchangeApi, type Agreement } from "../api/exchange";
import { knowApi, type JointWhole } from "../api/know";
import { line, readMe, readPart, roomOf } from "./exchange-room";
import { createLay, type Lay } from "./events-lay";
import { bothWays, sameText, textOf } from "./events-text";
import type { State } from "./store";

/** Whose ground an event is on, and where questions about it are asked. */
export interface Ground {
  kind: "own" | "theirs" | "none";
  /** Our own twin, or the address of what a partner lets us use. */
  door: string;
  agreement: Agreement | null;
}
export type Saving = "" | "dirty" | "saving" | "saved" | "conflict" | "refused";

export interface DeskNow {
  events: EventBrief[];
  sources: ListedFrom[];
  condition: "wait" | "here" | "lost";
  busy: string;
  trouble: string;
  /** The event that is looked at, as the server has it, and as it is on the page. */
  event: EventWhole | null;
  draft: EventText | null;
  saving: Saving;
  /** Why it could not be kept, in the server's words. */
  refused: string;
  visitors: VisitorsAnswer | null;
  duties: Duty[] | null;
  joint: JointWhole | null;
  author: string;
}

export interface EventsDesk {
  readonly twin: string;
  readonly now: DeskNow;
  readonly ground: ComputedRef<Ground>;
  /** Whether the event that is looked at may be written here and now. */
  readonly may: ComputedRef<boolean>;
  /** What is placed and how it does. */
  readonly lay: Lay;
  /** The column was opened: who we are, our partners, the events. */
  begin(): Promise<void>;
  read(): Promise<void>;
  /** An event is looked at. */
  open(id: string): Promise<void>;
  /** What follows from it is read anew: visitors, duties, the document that both sign. */
  follow(): Promise<void>;
  /** The document that both sign may have moved; where it has, the event is read anew. */
  hear(): Promise<void>;
  /** The page has changed the draft; what is a draft there too is kept by and by. */
  touched(): void;
  save(): Promise<boolean>;
  /** What is on the page goes, and the server's comes. */
  drop(): Promise<void>;
  /** Does something that the server may refuse; the refusal stands on the page until the next act. */
  act<T>(name: string, work: () => Promise<T>): Promise<T | undefined>;
}

const REST_MS = 700;
const kept = new Map<string, EventsDesk>();

export function deskOf(state: State): EventsDesk {
  const twin = state.twins.current!.id;
  let desk = kept.get(twin);
  if (!desk) kept.set(twin, (desk = createDesk(state, twin)));
  return desk;
}

function createDesk(state: State, twin: string): EventsDesk {
  const room = roomOf(twin);
  const now: DeskNow = reactive({
    events: [], sources: [], condition: "wait", busy: "", trouble: "", event: null, draft: null, saving: "", refused: "", visitors: null, duties: null, joint: null, author: "",
  });
  let timer: ReturnType<typeof setTimeout> | null = null;

  const ground = computed<Ground>(() => {
    const draft = now.draft;
    const here = state.twins.list.length ? state.twins.current : null;
    if (!draft || here?.id !== twin) return { kind: "none", door: twin, agreement: null };
    const agreement = draft.agreement ? (room.agreements.find((a) => a.id === draft.agreement) ?? null) : null;
    if (agreement?.role === "consumer") return { kind: "theirs", door: exchangeApi.door(twin, agreement.id), agreement };
    const [w, s, e, n] = here.bounds_lonlat;
    const { lon, lat } = draft.place;
    const inside = lon != null && lat != null && lon >= w! && lon <= e! && lat >= s! && lat <= n!;
    return { kind: inside && here.kind === "city3d" ? "own" : "none", door: twin, agreement };
  });
  const may = computed(() => now.event?.origin === "own" && ["draft", "declined", "agreed"].includes(now.event.state));

  const desk: EventsDesk = {
    twin, now, ground, may,
    lay: null as unknown as Lay,
    async begin() {
      await Promise.all([readMe(room), readPart(room, "peers"), readPart(room, "agreements"), desk.read()]);
      try {
        now.author ||= localStorage.getItem("twintown.author") ?? "";
      } catch {
        // a strict browser remembers nothing
      }
    },
    async read() {
      try {
        const answer = await eventsApi.all(twin);
        now.events = answer.events;
        now.sources = answer.sources ?? [];
        now.condition = "here";
      } catch (error) {
        now.condition = "lost";
        now.trouble = line(error);
      }
    },
    async open(id) {
      if (now.event?.id !== id) {
        forget();
        desk.lay.clear();
      }
      const event = await desk.act("open", () => eventsApi.get(twin, id));
      if (!event) return;
      take(event);
      await desk.follow();
    },
    async follow() {
      const event = now.event;
      if (!event) return;
      const still = () => now.event?.id === event.id;
      await Promise.all([
        event.origin === "listing" ? null : eventsApi.visitors(twin, event.id).then((v) => still() && (now.visitors = v), () => still() && (now.visitors = null)),
        event.origin === "listing" ? null : eventsApi.duties(twin, event.id).then((d) => still() && (now.duties = d), () => still() && (now.duties = null)),
        event.joint ? knowApi.joint(twin, event.joint).then((j) => still() && (now.joint = j), () => undefined) : null,
      ]);
    },
    async hear() {
      const event = now.event;
      if (!event?.joint || now.busy || now.saving === "saving") return;
      const joint = await knowApi.joint(twin, event.joint).catch(() => null);
      if (!joint || now.event?.id !== event.id) return;
      const moved = joint.state !== now.joint?.state || joint.turn !== now.joint?.turn;
      now.joint = joint;
      if (!moved || now.saving) return;
      const next = await eventsApi.get(twin, event.id).catch(() => null);
      if (next && now.event?.id === event.id && !now.saving) {
        take(next);
        void desk.read();
      }
    },
    touched() {
      if (!now.draft || !now.event) return;
      now.saving = sameText(now.draft, now.event) ? "" : "dirty";
      now.refused = "";
      if (timer) clearTimeout(timer);
      timer = null;
      // What both cities have signed changes only when somebody says so.
      if (now.saving === "dirty" && may.value && now.event.state !== "agreed") timer = setTimeout(() => void desk.save(), REST_MS);
    },
    async save() {
      if (timer) clearTimeout(timer);
      timer = null;
      const [event, draft] = [now.event, now.draft];
      if (!event || !draft) return false;
      const sent = bothWays(draft);
      now.saving = "saving";
      now.refused = "";
      try {
        const next = await eventsApi.put(twin, event.id, sent, event.revision, now.author);
        if (now.event?.id !== event.id) return true;
        now.event = next;
        // A hand may have gone on meanwhile: then its newer draft stands.
        if (now.draft && sameText(bothWays(now.draft), sent)) {
          now.draft = textOf(next);
          now.saving = "saved";
        } else desk.touched();
        void desk.follow();
        return true;
      } catch (error) {
        const status = error instanceof ServerProblem ? error.status : 0;
        now.saving = status === 412 ? "conflict" : "refused";
        now.refused = line(error);
        return false;
      }
    },
    async drop() {
      forget();
      const id = now.event?.id;
      if (id) take(await eventsApi.get(twin, id));
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
  function take(event: EventWhole): void {
    now.event = event;
    now.draft = textOf(event);
    now.saving = "";
    now.refused = "";
  }
  function forget(): void {
    if (timer) clearTimeout(timer);
    timer = null;
    now.visitors = now.duties = now.joint = null;
    now.saving = "";
  }
  (desk as { lay: Lay }).lay = createLay(state, desk);
  return desk;
}
