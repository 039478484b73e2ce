// The record of the open plan: what the server has of it, read and written.
import { planApi, ServerProblem, type Entry, type PlanOp } from "../api/plan";
import type { ObjectAnswer } from "../api/types";
import type { Desk } from "./scenario-desk";
import { isNew, standing } from "./scenario-journal";
import { solidOfObject, solidOfPlan } from "./scenario-ops";
import { middleOf, type Ring, type Solid } from "./scenario-shape";
import type { Comment, Pin } from "./scenario-types";

export interface PlanRecord {
  /** The last entry of the journal that this page has read; what it says it looks at. */
  seen(): number;
  /** Reads what the open plan is now. */
  read(): Promise<void>;
  readSoon(): void;
  takeEntries(more: readonly Entry[]): void;
  /** Writes edits into the journal. `false`: they did not get there; what to do then is on the page. */
  write(ops: PlanOp[], undo?: number[]): Promise<boolean>;
  /** A building as the city has it. */
  baseOf(id: string): Promise<ObjectAnswer | null>;
  pinComments(): void;
  findings(): Promise<void>;
  /** The plan is put away; with `city`, the city too. */
  forget(city?: boolean): void;
}

export function createRecord(desk: Desk): PlanRecord {
  const { state, client, now, waiting, twin, author, told, setInForce, askSun } = desk;
  let settled = 0;
  let readTo = 0;
  const seen = () => readTo;
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
    waiting.solids = new Map();
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
    soon = setTimeout(() => void read().then(() => (now.findings ? findings() : undefined)).catch(() => undefined), 120);
  };

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

  return {
    seen, read, readSoon, takeEntries, write, baseOf, pinComments, findings,
    forget(city) {
      waiting.solids = new Map();
      readTo = 0;
      if (city) objects.clear();
    },
  };
}
