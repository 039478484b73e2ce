// What every part of the planning works on: what is now, who asks, what is drawn of it, and the sun of what is planned.
import { computed, shallowReactive, type ComputedRef } from "vue";
import { hasToken } from "../api/client";
import { ServerProblem, type PlanOp } from "../api/plan";
import type { Twin } from "../api/types";
import type { Clock } from "./clock";
import { planeFrame, type PlaneFrame } from "./frame";
import type { Held } from "./object";
import { deeds, fold, inForce, steps, takenBack } from "./scenario-journal";
import { addOp, opOf, solidOfObject } from "./scenario-ops";
import type { Solid } from "./scenario-shape";
import type { Line, Planning, PlanningNow } from "./scenario-types";
import type { State } from "./store";
import type { Sunlight } from "./sunlight";

const memory = {
  get(key: string): string {
    try {
      return sessionStorage.getItem(key) ?? "";
    } catch {
      return "";
    }
  },
  set(key: string, value: string): void {
    try {
      sessionStorage.setItem(key, value);
    } catch {
      // it is kept for this page alone
    }
  },
};

export interface Desk {
  readonly state: State;
  /** This page among those that edit the plan. */
  readonly client: string;
  readonly now: PlanningNow;
  /** Set but not yet in what the server told: drawn meanwhile, so that nothing jumps. */
  readonly waiting: { solids: Map<string, Solid> };
  readonly drawn: Planning["drawn"];
  readonly chosen: Planning["chosen"];
  readonly may: Planning["may"];
  readonly lines: Planning["lines"];
  readonly step: ComputedRef<ReturnType<typeof steps>>;
  twin(): Twin;
  frameOf(): PlaneFrame;
  /** Another twin has another frame. */
  forgetFrame(): void;
  solidOf(id: string): Solid | null;
  setInForce(id: string): PlanOp | undefined;
  say(deed: string, object?: string, height_m?: number): void;
  /** Does what the server is asked for; what went wrong is on the page. */
  told<T>(work: () => Promise<T>): Promise<T | undefined>;
  /** The name to go by: a token says it better. */
  author(): string;
  remember(author: string): void;
  /** Asks for the sun of all edits in force, with the hand's on top. */
  askSun(wanted?: boolean): void;
  /** A hand on a building asks whose sun it takes. */
  touched(): void;
}

export function createDesk(state: State, clock: Clock, sunlight: Sunlight, held: Held): Desk {
  const client = memory.get("twintown.client") || [...crypto.getRandomValues(new Uint8Array(8))].map((b) => b.toString(16).padStart(2, "0")).join("");
  memory.set("twintown.client", client);
  const now = shallowReactive<PlanningNow>({
    list: [], listed: false, busy: false, me: null, signedIn: hasToken(), author: memory.get("twintown.author"), head: null, entries: [], edited: new Map(), gone: new Set(),
    ghosts: new Map(), heights: new Map(), findings: null, comments: [], pins: [], people: [], live: false, tool: "choose", square: false, draft: null, hand: null,
    conflict: null, trouble: "", said: null, importing: null, imported: null, pinned: null, openPin: null, approval: null, wantMiddle: 0, wantView: 0, view: null,
  });
  const twin = () => state.twins.current!;
  let frame: PlaneFrame | null = null;
  const waiting = { solids: new Map<string, Solid>() };
  let spoken = 0;

  const frameOf = () => (frame ??= planeFrame(twin().frame.crs));
  const say = (deed: string, object = "", height_m = 0) => {
    now.said = { deed, object, height_m, count: ++spoken };
  };

  const drawn = computed(() => {
    const map = new Map(now.edited);
    for (const [id, solid] of waiting.solids) map.set(id, solid);
    if (now.hand && (now.hand.changed || map.has(now.hand.id))) map.set(now.hand.id, now.hand.solid);
    return map;
  });
  const solidOf = (id: string): Solid | null => {
    if (now.hand?.id === id) return now.hand.solid;
    const edited = drawn.value.get(id);
    if (edited) return edited;
    if (now.gone.has(id)) return null;
    const object = held.now.object;
    return object && held.now.id === id ? solidOfObject(object) : null;
  };
  const chosen = computed(() => {
    void [drawn.value, held.now.object, now.gone, now.hand];
    const selection = state.pick.selection;
    return selection && now.head && (selection.layer === "buildings" || selection.layer === "plan") ? solidOf(selection.id) : null;
  });
  const may = computed(() => !!now.head && now.head.state === "draft" && (now.me?.may.includes("plan") ?? false));
  const setInForce = (id: string): PlanOp | undefined => inForce(now.entries).find((op) => op.object === id && op.op === "set");

  const lines = computed((): Line[] => {
    const gone = takenBack(now.entries);
    const before = new Map<string, PlanOp>();
    const found: Line[] = [];
    for (const entry of now.entries) {
      if (entry.kind !== "edit" || !entry.edit) continue;
      const op = entry.edit!;
      const had = before.get(op.object);
      found.push({ entry, op, before: had, deed: deeds(op, had), takenBack: gone.has(entry.seq) });
      if (!gone.has(entry.seq)) before.set(op.object, op.op === "set" ? { ...had, ...op } : op);
    }
    return found.reverse();
  });
  const step = computed(() => steps(now.entries, client));

  async function told<T>(work: () => Promise<T>): Promise<T | undefined> {
    now.busy = true;
    now.trouble = "";
    try {
      return await work();
    } catch (error) {
      now.trouble = error instanceof ServerProblem && error.status === 0 ? "unreachable" : String((error as Error).message);
      return undefined;
    } finally {
      now.busy = false;
    }
  }

  /** The name to go by: a token says it better. */
  const author = () => (now.signedIn ? "" : now.author.trim().slice(0, 80));

  let sunFor = "[]";
  /** All edits in force, and the hand's on top. */
  function askSun(wanted = false): void {
    const ops = inForce(now.entries).map((op) => ({ ...op }));
    if (now.hand?.changed) ops.push(opOf(now.hand, setInForce(now.hand.id)));
    if (now.draft?.solid) ops.push(addOp(now.draft.solid, ""));
    const all = fold(ops);
    const text = JSON.stringify(all);
    if (text === sunFor && !wanted) return;
    sunFor = text;
    sunlight.ask(all.length ? all : null);
  }
  function touched(): void {
    // A hand on a building asks whose sun it takes: the ground answers, and the day stands still for it.
    if (state.looks.mode === "shadow") state.looks.mode = "hours";
    clock.at.playing = false;
    askSun();
  }

  return {
    state, client, now, waiting, drawn, chosen, may, lines, step, twin, frameOf, solidOf, setInForce, say, told, author, askSun, touched,
    forgetFrame: () => void (frame = null),
    remember: (name) => memory.set("twintown.author", name),
  };
}
