import { computed, shallowReactive, watch, type ComputedRef } from "vue";
import { follow } from "../api/stream";
import { hasToken, setToken } from "../api/client";
import { planApi, ServerProblem, type Entry, type Me, type FindingsAnswer, type PlanObject, type PlanOp, type Presence, type ScenarioHead } from "../api/plan";
import type { ObjectAnswer } from "../api/types";
import type { Clock } from "./clock";
import { planeFrame, type PlaneFrame } from "./frame";
import { deeds, fold, inForce, isNew, standing, steps, takenBack, type Deed } from "./scenario-journal";
import {
  areaOf, block, crossing, footprintArea, heightOf, HIGHEST_M, middleOf, mm, movedBy, newId, rectangle, signedArea, STOREY_M, turnedBy,
  type Part, type Ring, type Solid, type XY,
} from "./scenario-shape";
import { flyTo, type State } from "./store";
import type { Held } from "./object";
import type { Sunlight } from "./sunlight";

/** A footprint that is being drawn. */
export interface Draft {
  points: Ring;
  cursor: XY | null;
  closed: boolean;
  height_m: number;
  storey_m: number;
  /** Where it crosses itself, or leaves the city's data. */
  trouble: XY | null;
  outside: boolean;
  /** What it would be, once closed. */
  solid: Solid | null;
}

/** A building in the hand: what it was, what it is, and what was done to it. */
export interface Hand { id: string; from: Solid; solid: Solid; move: [number, number]; turn_deg: number; height_m: number; changed: boolean }

/** One place with comments. */
export interface Pin { key: string; lon: number; lat: number; object: string; count: number }
export interface Person { client: string; name: string; verified: boolean; object: string; mine: boolean }
/** Somebody wrote the same object since we looked: both states, and a choice. */
export interface Conflict { object: string; mine: PlanOp; theirs: Entry[]; revision: number }
/** A line of the list of edits. */
export interface Line { entry: Entry; deed: Deed[]; op: PlanOp | null; before: PlanOp | undefined; takenBack: boolean }
/** A file that waits for its place. */
export interface Import { file: File; lon: number | null; lat: number | null; heading_deg: number; busy: boolean; problem: string }
export type ToolName = "choose" | "draw" | "pin" | "place";
export interface Comment { seq: number; text: string; author: { name: string; verified: boolean }; at: string; object: string; lon: number | null; lat: number | null }

export interface PlanningNow {
  list: ScenarioHead[];
  listed: boolean;
  busy: boolean;
  me: Me | null;
  signedIn: boolean;
  /** The name that somebody without a token goes by. */
  author: string;
  head: ScenarioHead | null;
  entries: Entry[];
  /** Edited buildings as the server has them. */
  edited: Map<string, Solid>;
  gone: Set<string>;
  /** Outlines of what was there before. */
  ghosts: Map<string, Ring[]>;
  heights: Map<string, number>;
  findings: FindingsAnswer | null;
  comments: Comment[];
  pins: Pin[];
  people: Person[];
  live: boolean;
  tool: ToolName;
  /** Right angles without the key. */
  square: boolean;
  draft: Draft | null;
  hand: Hand | null;
  conflict: Conflict | null;
  /** A line to show when something could not be done. */
  trouble: string;
  /** What was just done, for those who listen. */
  said: { deed: string; object: string; height_m: number; count: number } | null;
  importing: Import | null;
  pinned: { lon: number; lat: number; object: string } | null;
  openPin: string | null;
  approval: { id: string; status: string; progress: number | null; message: string } | null;
  wantMiddle: number;
  wantView: number;
  view: Record<string, number> | null;
}

export interface Planning {
  readonly now: PlanningNow;
  /** What is drawn beside the city: edited and added buildings, the one in the hand as it is now. */
  readonly drawn: ComputedRef<Map<string, Solid>>;
  readonly chosen: ComputedRef<Solid | null>;
  /** Whether the caller may change the open plan. */
  readonly may: ComputedRef<boolean>;
  readonly lines: ComputedRef<Line[]>;
  readonly steps: ComputedRef<{ undo: Entry | null; redo: Entry | null }>;
  solidOf(id: string): Solid | null;
  refresh(): Promise<void>;
  open(id: string | null): Promise<void>;
  create(name: string): Promise<void>;
  branch(name: string): Promise<void>;
  rename(name: string): Promise<void>;
  withdraw(): Promise<void>;
  signIn(token: string): Promise<boolean>;
  signOut(): Promise<void>;
  setAuthor(name: string): void;
  use(tool: ToolName): void;
  choose(id: string): void;
  take(id: string): void;
  push(east: number, north: number): void;
  turn(deg: number, step: number): void;
  heighten(height_m: number, wholeStoreys: boolean): void;
  /** Lets go of what is in the hand; `true` keeps what was done. */
  let(keep: boolean): Promise<void>;
  set(fields: { height_m?: number; storey_m?: number; name?: string; function?: string; move?: [number, number]; turn_deg?: number }): Promise<void>;
  remove(): Promise<void>;
  copy(): Promise<void>;
  undo(): Promise<void>;
  redo(): Promise<void>;
  takeBack(seq: number): Promise<void>;
  corner(p: XY): void;
  point(p: XY | null): void;
  back(): void;
  close(): void;
  raise(height_m: number, wholeStoreys: boolean): void;
  draftStorey(storey_m: number): void;
  finish(): Promise<void>;
  cancel(): void;
  addRectangle(width: number, depth: number, storeys: number, storey_m: number, turn_deg: number): void;
  middle(p: XY): void;
  pinAt(at: { lon: number; lat: number; object: string }): void;
  openPin(key: string): void;
  comment(text: string): Promise<boolean>;
  findings(): Promise<void>;
  resolve(mine: boolean): Promise<void>;
  importFile(file: File | null): void;
  place(turn_deg: number): Promise<void>;
  approve(why: string): Promise<void>;
  show(id: string): void;
  key(event: KeyboardEvent): boolean;
  globalKey(event: KeyboardEvent): boolean;
}

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

const open = (ring: readonly (readonly number[])[]): Ring => {
  const out = ring.map((p): XY => [p[0]!, p[1]!]);
  const [a, b] = [out[0], out[out.length - 1]];
  return out.length > 1 && a && b && Math.hypot(a[0] - b[0], a[1] - b[1]) < 1e-6 ? out.slice(0, -1) : out;
};
const wound = (ring: Ring): Ring => (signedArea(ring) < 0 ? [...ring].reverse() : ring);

/** The building of the server's answer to a click, as the plan draws it. */
export function solidOfObject(object: ObjectAnswer): Solid | null {
  const building = object.building;
  if (!building) return null;
  return {
    id: object.id,
    height_m: building.height.value_m,
    storey_m: building.storeys.storey_m ?? STOREY_M,
    name: object.names.ko || object.names.en || "",
    function: object.function ?? "",
    parts: building.parts.flatMap((part) =>
      part.rings.map((rings): Part => ({
        outline: wound(open(rings[0] ?? [])),
        holes: rings.slice(1).map(open),
        base_m: part.base_m,
        eave_m: part.eave_m,
        top_m: part.top_m,
        roof_shape: part.roof_shape,
        roof_direction_deg: part.roof_direction_deg,
      })),
    ),
  };
}

/** A building of the plan, as the server has it. */
export function solidOfPlan({ id, properties: p }: PlanObject): Solid {
  return {
    id, height_m: p.height_m, storey_m: p.storey_m ?? STOREY_M, name: p.name ?? "", function: p.function ?? "",
    parts: p.parts.map((part) => ({ ...part, outline: wound(open(part.outline)), holes: part.holes.map(open) })),
  };
}

const all = new WeakMap<State, Planning>();

/** The planning of a page: made once. */
export function planningOf(state: State, clock: Clock, sunlight: Sunlight, held: Held): Planning {
  let one = all.get(state);
  if (!one) all.set(state, (one = createPlanning(state, clock, sunlight, held)));
  return one;
}

function createPlanning(state: State, clock: Clock, sunlight: Sunlight, held: Held): Planning {
  const client = memory.get("twintown.client") || [...crypto.getRandomValues(new Uint8Array(8))].map((b) => b.toString(16).padStart(2, "0")).join("");
  memory.set("twintown.client", client);
  const now = shallowReactive<PlanningNow>({
    list: [], listed: false, busy: false, me: null, signedIn: hasToken(), author: memory.get("twintown.author"), head: null, entries: [], edited: new Map(), gone: new Set(),
    ghosts: new Map(), heights: new Map(), findings: null, comments: [], pins: [], people: [], live: false, tool: "choose", square: false, draft: null, hand: null,
    conflict: null, trouble: "", said: null, importing: null, pinned: null, openPin: null, approval: null, wantMiddle: 0, wantView: 0, view: null,
  });
  const twin = () => state.twins.current!;
  let frame: PlaneFrame | null = null;
  let stopStream: (() => void) | null = null;
  let beat: ReturnType<typeof setInterval> | null = null;
  /** Set but not yet in what the server told: drawn meanwhile, so that nothing jumps. */
  let waiting = new Map<string, Solid>();
  let nudging: ReturnType<typeof setTimeout> | null = null;
  let spoken = 0;

  const frameOf = () => (frame ??= planeFrame(twin().frame.crs));
  const say = (deed: string, object = "", height_m = 0) => {
    now.said = { deed, object, height_m, count: ++spoken };
  };

  const drawn = computed(() => {
    const map = new Map(now.edited);
    for (const [id, solid] of waiting) map.set(id, solid);
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

  // -- what the server is asked --------------------------------------------------------------------------

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

  async function refresh(): Promise<void> {
    const id = twin().id;
    const [me, list] = await Promise.all([planApi.me(id).catch(() => null), told(() => planApi.list(id))]);
    if (!state.twins.current || twin().id !== id) return;
    now.me = me;
    if (list) {
      now.list = list;
      now.listed = true;
    }
  }

  let settled = 0;
  /** The last entry of the journal that this page has read; what it says it looks at. */
  let readTo = 0;
  const seen = () => readTo;
  /** Reads what the open plan is now. */
  async function read(): Promise<void> {
    const head = now.head;
    if (!head) return;
    const mine = ++settled;
    const [fresh, journal, objects] = await Promise.all([
      planApi.get(twin().id, head.id), planApi.journal(twin().id, head.id, readTo), planApi.objects(twin().id, head.id),
    ]);
    if (mine !== settled || now.head?.id !== head.id) return;
    takeEntries(journal.entries);
    readTo = Math.max(readTo, journal.revision);
    const edited = new Map<string, Solid>();
    for (const object of objects.features) {
      const solid = solidOfPlan(object);
      if (solid.parts.length) edited.set(solid.id, keepSame(now.edited.get(solid.id), solid));
    }
    waiting = new Map();
    now.edited = edited;
    now.gone = new Set(objects.removed);
    now.head = fresh;
    tell();
    void ghosts();
  }
  /** The same object where nothing changed, so that nothing is drawn anew. */
  const keepSame = (old: Solid | undefined, solid: Solid): Solid => (old && JSON.stringify(old) === JSON.stringify(solid) ? old : solid);

  function takeEntries(more: readonly Entry[]): void {
    const known = new Set(now.entries.map((e) => e.seq));
    const added = more.filter((e) => !known.has(e.seq) && e.seq > 0);
    if (!added.length) return;
    now.entries = [...now.entries, ...added].sort((a, b) => a.seq - b.seq);
    if (added.some((e) => e.kind === "comment")) pinComments();
  }

  /** The rest of the page hears which plan it is. */
  function tell(): void {
    const head = now.head;
    state.plan.current = head && {
      id: head.id,
      revision: head.revision,
      name: head.name,
      edits: standing(now.entries).flatMap((e) => (e.edit ? [{ revision: e.seq, edit: e.edit, author: e.author, made: e.at }] : [])),
    };
    askSun();
  }

  const objects = new Map<string, Promise<ObjectAnswer | null>>();
  const baseOf = (id: string) => {
    let asked = objects.get(id);
    if (!asked) objects.set(id, (asked = state.api.object(twin().id, id).catch(() => null)));
    return asked;
  };
  async function ghosts(): Promise<void> {
    const wanted = [...new Set([...now.gone, ...now.edited.keys()])].filter((id) => !isNew(id));
    const found = await Promise.all(wanted.map(async (id) => [id, await baseOf(id)] as const));
    const map = new Map<string, Ring[]>();
    const heights = new Map(now.heights);
    for (const [id, object] of found) {
      const solid = object && solidOfObject(object);
      if (!solid) continue;
      heights.set(id, solid.height_m);
      const present = now.edited.get(id);
      const moved = present && Math.hypot(middleOf(present)[0] - middleOf(solid)[0], middleOf(present)[1] - middleOf(solid)[1]) > 0.5;
      if (now.gone.has(id) || moved || setInForce(id)?.["turn_deg"]) map.set(id, solid.parts.filter((p) => p.base_m < 1).map((p) => p.outline));
    }
    now.ghosts = map;
    now.heights = heights;
  }

  let soon: ReturnType<typeof setTimeout> | null = null;
  const readSoon = () => {
    if (soon) clearTimeout(soon);
    soon = setTimeout(() => void read().catch(() => undefined), 120);
  };

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
          if (!known && entry.seq > readTo) readSoon();
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

  function shut(): void {
    stopStream?.();
    stopStream = null;
    if (beat) clearInterval(beat);
    beat = null;
    const head = now.head;
    if (head && state.twins.current) void planApi.here(twin().id, head.id, { client, object: "", author: author(), leaves: true }).catch(() => undefined);
    now.head = null;
    now.entries = [];
    now.edited = new Map();
    now.gone = new Set();
    now.ghosts = new Map();
    now.findings = null;
    now.comments = [];
    now.pins = [];
    now.people = [];
    now.live = false;
    now.hand = null;
    now.draft = null;
    now.tool = "choose";
    now.conflict = null;
    now.approval = null;
    waiting = new Map();
    readTo = 0;
    state.plan.current = null;
    askSun();
  }

  // -- the sun of what is planned --------------------------------------------------------------------------

  let sunFor = "[]";
  /** All edits in force, and the hand's on top. */
  function askSun(wanted = false): void {
    const ops = inForce(now.entries).map((op) => ({ ...op }));
    if (now.hand?.changed) ops.push(opOf(now.hand));
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

  // -- edits -------------------------------------------------------------------------------------------------

  const partOp = (p: Part) => ({
    outline: p.outline.map(([x, y]) => [mm(x), mm(y)]), holes: p.holes.map((h) => h.map(([x, y]) => [mm(x), mm(y)])),
    base_m: mm(p.base_m), eave_m: mm(p.eave_m), top_m: mm(p.top_m), roof_shape: p.roof_shape, roof_direction_deg: p.roof_direction_deg,
  });
  function addOp(solid: Solid, from: string): PlanOp {
    const id = isNew(solid.id) ? solid.id : "new/00000000";
    return { op: "add", object: id, parts: solid.parts.map(partOp), storey_m: mm(Math.min(20, Math.max(2, solid.storey_m))), ...(solid.name ? { name: solid.name } : {}), ...(from ? { from } : {}) };
  }
  /** What the hand did, counted from where the building stood before any `set`. */
  function opOf(hand: Hand): PlanOp {
    const had = setInForce(hand.id);
    const [e0, n0] = (had?.["move"] as [number, number] | undefined) ?? [0, 0];
    const op: PlanOp = { op: "set", object: hand.id };
    if (hand.move[0] || hand.move[1]) op["move"] = [mm(e0 + hand.move[0]), mm(n0 + hand.move[1])];
    if (hand.turn_deg) {
      const whole = (((Number(had?.["turn_deg"] ?? 0) + hand.turn_deg) % 360) + 360) % 360;
      op["turn_deg"] = Math.round((whole > 180 ? whole - 360 : whole) * 10) / 10;
    }
    if (hand.height_m !== hand.from.height_m) op["height_m"] = hand.height_m;
    return op;
  }

  /** Writes edits into the journal. `false`: they did not get there; what to do then is on the page. */
  async function write(ops: PlanOp[], undo: number[] = []): Promise<boolean> {
    const head = now.head;
    if (!head) return false;
    const done = await told(async () => {
      try {
        const answer = await planApi.edit(twin().id, head.id, { edits: ops, undo, seen: seen(), client, author: author() });
        takeEntries(answer.entries);
        return true;
      } catch (error) {
        if (error instanceof ServerProblem && error.status === 409 && ops[0]) {
          const theirs = planApi.theirs(error);
          if (theirs) {
            now.conflict = { object: theirs.entries.at(-1)?.object ?? ops[0].object, mine: ops[0], theirs: theirs.entries, revision: theirs.revision };
            return false;
          }
        }
        throw error;
      }
    });
    await read().catch(() => undefined);
    if (now.findings) void findings();
    return done ?? false;
  }

  const clamp = (h: number) => Math.round(Math.min(HIGHEST_M, Math.max(1, h)) * 10) / 10;
  const whole = (h: number, storey: number) => clamp(Math.max(1, Math.round(h / storey)) * storey);

  function change(hand: Hand): void {
    let solid = hand.from;
    if (hand.height_m !== solid.height_m) solid = heightOf(solid, hand.height_m);
    if (hand.turn_deg) solid = turnedBy(solid, hand.turn_deg);
    if (hand.move[0] || hand.move[1]) solid = movedBy(solid, ...hand.move);
    now.hand = { ...hand, solid, changed: true };
    touched();
  }
  function take(id: string): void {
    const from = solidOf(id);
    if (!from || !may.value) return;
    if (now.hand?.id === id) return;
    now.hand = { id, from, solid: from, move: [0, 0], turn_deg: 0, height_m: from.height_m, changed: false };
    hereNow();
  }
  async function letGo(keep: boolean): Promise<void> {
    const hand = now.hand;
    if (nudging) clearTimeout(nudging);
    nudging = null;
    if (!hand) return;
    if (!keep || !hand.changed) {
      now.hand = null;
      askSun();
      return;
    }
    const op = opOf(hand);
    if (Object.keys(op).length === 2) {
      now.hand = null;
      askSun();
      return;
    }
    waiting = new Map([...waiting, [hand.id, hand.solid]]);
    now.hand = null;
    const kept = await write([op]);
    if (kept) say(deeds(op, undefined)[0] ?? "set", hand.solid.name || hand.id, hand.solid.height_m);
    else {
      waiting.delete(hand.id);
      now.edited = new Map(now.edited);
      askSun();
    }
  }
  /** A key takes the building, does its step, and lets go when it rests. */
  function nudge(work: () => void): boolean {
    const id = chosen.value?.id;
    if (!id || !may.value) return false;
    take(id);
    work();
    if (nudging) clearTimeout(nudging);
    nudging = setTimeout(() => void letGo(true), 700);
    return true;
  }

  async function add(solid: Solid, from = ""): Promise<boolean> {
    waiting = new Map([...waiting, [solid.id, solid]]);
    now.edited = new Map(now.edited);
    choose(solid.id);
    const kept = await write([addOp(solid, from)]);
    if (kept) say(from ? "copy" : "add", solid.name || solid.id, solid.height_m);
    else {
      waiting.delete(solid.id);
      now.edited = new Map(now.edited);
      state.pick.selection = null;
    }
    return kept;
  }

  function choose(id: string): void {
    const solid = solidOf(id);
    const [x, y] = solid ? middleOf(solid) : [0, 0];
    const [lon, lat] = solid ? frameOf().toLonLat(x, y) : [twin().home.lon, twin().home.lat];
    state.pick.selection = { id, layer: isNew(id) ? "plan" : "buildings", lon, lat, feature: null };
  }

  // -- drawing ---------------------------------------------------------------------------------------------------

  const draftOf = (points: Ring, cursor: XY | null, closed = false, height = 0, storey = STOREY_M): Draft => {
    const ring = cursor && !closed ? [...points, cursor] : points;
    const b = twin().bounds;
    const out = ring.find((p) => p[0] < b.xmin || p[0] > b.xmax || p[1] < b.ymin || p[1] > b.ymax);
    const trouble = out ?? (ring.length > 3 ? crossing(ring, closed) : null);
    const solid = closed ? { ...block(newDraft, points, height, storey), id: newDraft } : null;
    return { points, cursor, closed, height_m: height, storey_m: storey, trouble, outside: !!out, solid };
  };
  let newDraft = newId();

  function use(tool: ToolName): void {
    if (tool === now.tool) return;
    now.tool = tool;
    now.pinned = null;
    if (tool === "draw") {
      state.pick.selection = null;
      newDraft = newId();
      now.draft = draftOf([], null);
    } else if (now.draft) {
      now.draft = null;
      askSun();
    }
  }
  function close(): void {
    const draft = now.draft;
    if (!draft || draft.points.length < 3 || draft.closed) return;
    const { outside, trouble: at } = draftOf(draft.points, null);
    const trouble = crossing(draft.points) ?? (outside ? at : null);
    if (trouble || areaOf(draft.points) < 1) {
      now.draft = { ...draft, trouble, outside };
      return;
    }
    now.draft = draftOf(draft.points, null, true, 5 * draft.storey_m, draft.storey_m);
    touched();
  }

  // -- comments ----------------------------------------------------------------------------------------------------

  function pinComments(): void {
    const comments = now.entries.filter((e) => e.kind === "comment").map((e): Comment => ({
      seq: e.seq, text: e.text ?? "", author: e.author, at: e.at, object: e.object, lon: e.lon ?? null, lat: e.lat ?? null,
    }));
    now.comments = comments;
    const pins = new Map<string, Pin>();
    for (const c of comments) {
      if (c.lon === null || c.lat === null) continue;
      const key = c.object || `${c.lon.toFixed(5)},${c.lat.toFixed(5)}`;
      const pin = pins.get(key);
      if (pin) pin.count++;
      else pins.set(key, { key, lon: c.lon, lat: c.lat, object: c.object, count: 1 });
    }
    now.pins = [...pins.values()];
  }

  async function findings(): Promise<void> {
    const head = now.head;
    if (!head) return;
    const found = await planApi.findings(twin().id, head.id).catch(() => null);
    if (now.head?.id === head.id && found) now.findings = found;
  }

  const planning: Planning = {
    now, drawn, chosen, may, lines, steps: step, solidOf, refresh, take, choose, use, close, findings,
    let: letGo,
    async open(id) {
      if (now.head && now.head.id === id) return;
      shut();
      state.plan.wanted = id;
      if (!id) return;
      const head = await told(() => planApi.get(twin().id, id));
      if (!head) return;
      now.head = head;
      await told(async () => {
        const [, comments] = await Promise.all([read(), planApi.comments(twin().id, id)]);
        takeEntries(comments);
        pinComments();
      });
      if (now.head?.id !== id) return;
      listen(id);
      void findings();
    },
    async create(name) {
      const head = await told(() => planApi.create(twin().id, { name, author: author() }));
      if (!head) return;
      now.list = [head, ...now.list];
      await planning.open(head.id);
      say("created", head.name);
    },
    async branch(name) {
      const from = now.head;
      if (!from) return;
      const head = await told(() => planApi.branch(twin().id, from.id, { name, author: author() }));
      if (!head) return;
      now.list = [head, ...now.list];
      await planning.open(head.id);
      say("branched", head.name);
    },
    async rename(name) {
      const head = now.head;
      if (!head || !name.trim() || name === head.name) return;
      await told(() => planApi.change(twin().id, head.id, { name: name.trim(), author: author() }));
      await read().catch(() => undefined);
      now.list = now.list.map((one) => (one.id === head.id && now.head ? now.head : one));
    },
    async withdraw() {
      const head = now.head;
      if (!head) return;
      const done = await told(async () => {
        await planApi.withdraw(twin().id, head.id, author());
        return true;
      });
      if (!done) return;
      shut();
      await refresh();
    },
    async signIn(token) {
      setToken(token.trim());
      const me = await planApi.me(twin().id).catch(() => null);
      if (!me || me.kind === "anyone") {
        setToken(null);
        now.signedIn = false;
        return false;
      }
      now.me = me;
      now.signedIn = true;
      hereNow();
      return true;
    },
    async signOut() {
      setToken(null);
      now.signedIn = false;
      now.me = await planApi.me(twin().id).catch(() => null);
      hereNow();
    },
    setAuthor(name) {
      now.author = name;
      memory.set("twintown.author", name);
      hereNow();
    },
    push(east, north) {
      const hand = now.hand;
      if (hand) change({ ...hand, move: [mm(east), mm(north)] });
    },
    turn(deg, by) {
      const hand = now.hand;
      if (!hand) return;
      let d = ((deg % 360) + 540) % 360 - 180;
      d = by ? Math.round(d / by) * by : Math.round(d * 10) / 10;
      change({ ...hand, turn_deg: d });
    },
    heighten(height_m, wholeStoreys) {
      const hand = now.hand;
      if (hand && Number.isFinite(height_m)) change({ ...hand, height_m: wholeStoreys ? whole(height_m, hand.from.storey_m) : clamp(height_m) });
    },
    async set(fields) {
      const solid = chosen.value;
      if (!solid || !may.value) return;
      const had = setInForce(solid.id);
      const op: PlanOp = { op: "set", object: solid.id };
      if (fields.height_m !== undefined && Number.isFinite(fields.height_m)) op["height_m"] = clamp(fields.height_m);
      if (fields.storey_m !== undefined && Number.isFinite(fields.storey_m)) op["storey_m"] = Math.min(20, Math.max(2, mm(fields.storey_m)));
      if (fields.name !== undefined) op["name"] = fields.name;
      if (fields.function) op["function"] = fields.function;
      if (fields.move) {
        const [e0, n0] = (had?.["move"] as [number, number] | undefined) ?? [0, 0];
        op["move"] = [mm(e0 + fields.move[0]), mm(n0 + fields.move[1])];
      }
      if (fields.turn_deg) op["turn_deg"] = ((Number(had?.["turn_deg"] ?? 0) + fields.turn_deg + 540) % 360) - 180;
      if (Object.keys(op).length === 2) return;
      if (state.looks.mode === "shadow" && !("name" in op)) touched();
      if (await write([op])) say(deeds(op, had)[0] ?? "set", solid.name || solid.id, Number(op["height_m"] ?? solid.height_m));
    },
    async remove() {
      const solid = chosen.value;
      if (!solid || !may.value) return;
      if (await write([{ op: "remove", object: solid.id }])) {
        if (isNew(solid.id)) state.pick.selection = null;
        touched();
        say("remove", solid.name || solid.id);
      }
    },
    async copy() {
      const solid = chosen.value;
      if (!solid || !may.value) return;
      // Beside itself, along its own breadth: seen at once, and rarely on top of something.
      const xs = solid.parts.flatMap((p) => p.outline.map((c) => c[0]));
      const step = Math.max(...xs) - Math.min(...xs) + 8;
      touched();
      await add({ ...movedBy(solid, step, 0), id: newId(), name: solid.name ? `${solid.name}′` : "" }, solid.id);
    },
    async undo() {
      const entry = step.value.undo;
      if (entry && may.value && (await write([], [entry.seq]))) say("undo", entry.object);
    },
    async redo() {
      const entry = step.value.redo;
      if (entry && may.value && (await write([], [entry.seq]))) say("redo", entry.object);
    },
    async takeBack(seq) {
      if (may.value && (await write([], [seq]))) say("undo");
    },
    corner(p) {
      const draft = now.draft;
      if (!draft || draft.closed) return;
      const last = draft.points.at(-1);
      // The second press of a double click says that this was the last corner.
      if (last && Math.hypot(p[0] - last[0], p[1] - last[1]) < 0.3) {
        close();
        return;
      }
      const points = [...draft.points, p];
      const next = draftOf(points, null, false, 0, draft.storey_m);
      const trouble = next.outside ? next.trouble : crossing(points, false);
      now.draft = trouble ? { ...draft, trouble, outside: next.outside } : next;
    },
    point(p) {
      const draft = now.draft;
      if (draft && !draft.closed) now.draft = draftOf(draft.points, p, false, 0, draft.storey_m);
    },
    back() {
      const draft = now.draft;
      if (!draft) return;
      if (draft.closed) {
        now.draft = draftOf(draft.points, null, false, 0, draft.storey_m);
        askSun();
      } else now.draft = draftOf(draft.points.slice(0, -1), draft.cursor, false, 0, draft.storey_m);
    },
    raise(height_m, wholeStoreys) {
      const draft = now.draft;
      if (!draft?.closed || !Number.isFinite(height_m)) return;
      now.draft = draftOf(draft.points, null, true, wholeStoreys ? whole(height_m, draft.storey_m) : clamp(height_m), draft.storey_m);
      touched();
    },
    draftStorey(storey_m) {
      if (now.draft && storey_m >= 2 && storey_m <= 20) now.draft = { ...now.draft, storey_m };
    },
    async finish() {
      const draft = now.draft;
      if (!draft?.solid) return;
      now.draft = null;
      now.tool = "choose";
      if (await add(draft.solid)) return;
      // Nothing that was drawn is lost because it was refused.
      now.tool = "draw";
      newDraft = draft.solid.id;
      now.draft = draft;
      askSun();
    },
    cancel() {
      now.draft = null;
      now.tool = "choose";
      now.pinned = null;
      askSun();
    },
    addRectangle(width, depth, storeys, storey_m, turn_deg) {
      wantedBlock = { width, depth, storeys, storey_m, turn_deg };
      now.wantMiddle++;
    },
    middle(p) {
      const wish = wantedBlock;
      wantedBlock = null;
      if (!wish || !may.value) return;
      const height = clamp(wish.storeys * wish.storey_m);
      const solid = block(newId(), rectangle(p, wish.width, wish.depth, wish.turn_deg), height, wish.storey_m);
      touched();
      void add(solid);
    },
    pinAt(at) {
      if (now.tool === "place" && now.importing) {
        now.importing = { ...now.importing, lon: at.lon, lat: at.lat };
        return;
      }
      now.pinned = at;
    },
    openPin(key) {
      now.openPin = key;
    },
    async comment(text) {
      const head = now.head;
      if (!head || !text.trim()) return false;
      const selection = state.pick.selection;
      const at = now.pinned ?? (chosen.value && selection ? { lon: selection.lon, lat: selection.lat, object: selection.id } : null);
      const done = await told(async () => {
        const entry = await planApi.comment(twin().id, head.id, { text: text.trim(), author: author(), ...(at ? { lon: at.lon, lat: at.lat, ...(at.object ? { object: at.object } : {}) } : {}) });
        takeEntries([entry]);
        return true;
      });
      if (!done) return false;
      now.pinned = null;
      if (now.tool === "pin") now.tool = "choose";
      await read().catch(() => undefined);
      pinComments();
      return true;
    },
    async resolve(mine) {
      const conflict = now.conflict;
      now.conflict = null;
      if (!conflict) return;
      await read().catch(() => undefined);
      if (mine && (await write([conflict.mine]))) say("kept", conflict.object);
    },
    importFile(file) {
      now.importing = file && { file, lon: null, lat: null, heading_deg: 0, busy: false, problem: "" };
      now.tool = file ? "place" : "choose";
    },
    async place(heading_deg) {
      const [head, what] = [now.head, now.importing];
      if (!head || !what) return;
      now.importing = { ...what, busy: true, problem: "" };
      try {
        const answer = await planApi.importFile(twin().id, head.id, what.file, { lon: what.lon, lat: what.lat, heading_deg, seen: seen(), client, author: author() });
        takeEntries(answer.entries);
        now.importing = null;
        now.tool = "choose";
        await read();
        const first = answer.entries.find((e) => e.kind === "edit");
        if (first) {
          planning.show(first.object);
          say("import", what.file.name);
        }
        touched();
      } catch (error) {
        now.importing = { ...what, busy: false, problem: String((error as Error).message) };
      }
    },
    async approve(why) {
      const head = now.head;
      if (!head) return;
      await told(async () => {
        const job = await planApi.approve(twin().id, head.id, { why, revision: seen() });
        now.approval = { id: job.jobID, status: "accepted", progress: 0, message: "" };
        for (let i = 0; i < 2000 && now.approval?.id === job.jobID; i++) {
          const status = await planApi.job(twin().id, job.jobID);
          if (now.approval?.id !== job.jobID) return;
          now.approval = { id: job.jobID, status: status.status, progress: status.progress ?? null, message: status.message ?? "" };
          if (["successful", "failed", "dismissed"].includes(status.status)) break;
          await new Promise((done) => setTimeout(done, 500));
        }
        await read().catch(() => undefined);
        await refresh();
      });
    },
    show(id) {
      const solid = solidOf(id);
      if (solid) {
        const [lon, lat] = frameOf().toLonLat(...(middleOf(solid) as [number, number]));
        flyTo(state, lon, lat, solid.height_m, Math.max(320, solid.height_m * 3, Math.sqrt(footprintArea(solid)) * 6));
        choose(id);
        return;
      }
      void baseOf(id).then((object) => {
        if (object?.lon == null || object.lat == null) return;
        flyTo(state, object.lon, object.lat, object.building?.height.value_m ?? 0, 420);
        state.pick.selection = { id, layer: "buildings", lon: object.lon, lat: object.lat, feature: null };
      });
    },
    key(event) {
      const { draft } = now;
      const by = event.shiftKey ? 10 : 1;
      if (event.key === "Escape") {
        if (draft || now.tool !== "choose") planning.cancel();
        else if (now.hand) void letGo(false);
        else if (state.pick.selection) state.pick.selection = null;
        else return false;
        return true;
      }
      if (draft) {
        if (event.key === "Enter") draft.closed ? void planning.finish() : close();
        else if (event.key === "Backspace" || event.key === "Delete") planning.back();
        else if (draft.closed && event.key === "ArrowUp") planning.raise(draft.height_m + draft.storey_m * (event.shiftKey ? 5 : 1), false);
        else if (draft.closed && event.key === "ArrowDown") planning.raise(draft.height_m - draft.storey_m * (event.shiftKey ? 5 : 1), false);
        else return planning.globalKey(event);
        return true;
      }
      const solid = chosen.value;
      if (!solid) return planning.globalKey(event);
      const arrows: Record<string, [number, number]> = { ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
      const arrow = arrows[event.key];
      if (arrow && event.altKey) return nudge(() => planning.push(now.hand!.move[0] + arrow[0] * by, now.hand!.move[1] + arrow[1] * by));
      if (event.key === "ArrowUp" || event.key === "ArrowDown") return nudge(() => planning.heighten(now.hand!.height_m + arrow![1] * by, false));
      if (event.key === "ArrowLeft" || event.key === "ArrowRight") return nudge(() => planning.turn(now.hand!.turn_deg + arrow![0] * (event.shiftKey ? 1 : 5), 0));
      if (event.key === "Delete" || event.key === "Backspace") {
        void planning.remove();
        return true;
      }
      return planning.globalKey(event);
    },
    globalKey(event) {
      if (!now.head || !(event.ctrlKey || event.metaKey)) return false;
      const key = event.key.toLowerCase();
      if (key === "z" && !event.shiftKey) void planning.undo();
      else if (key === "y" || (key === "z" && event.shiftKey)) void planning.redo();
      else if (key === "d" && chosen.value) void planning.copy();
      else return false;
      return true;
    },
  };
  let wantedBlock: { width: number; depth: number; storeys: number; storey_m: number; turn_deg: number } | null = null;

  watch(
    () => state.pick.selection?.id,
    () => {
      if (now.hand && now.hand.id !== state.pick.selection?.id) void letGo(true);
      if (now.head) hereNow();
    },
  );
  watch(
    () => state.twins.current,
    () => {
      shut();
      state.plan.wanted = null;
      frame = null;
      objects.clear();
      now.list = [];
      now.listed = false;
    },
    { flush: "sync" },
  );
  // The column that is put away puts the plan away with it; opened again, it is there again.
  watch(
    () => state.plan.open,
    (on) => {
      if (on) return;
      state.plan.wanted = now.head?.id ?? null;
      shut();
    },
  );
  addEventListener("pagehide", () => {
    if (now.head && state.twins.current) planApi.farewell(twin().id, now.head.id, client);
  });
  return planning;
}
