// What is placed on an event's ground: a stage and stands in the hand, how each does there, who walks by, where a stand would do well.
import { computed, shallowReactive, watch, type ComputedRef } from "vue";
import {
  eventsApi, type EventText, type StageOf, type StageScore, type Stand, type StandPlace, type StandScore, type When,
} from "../api/events";
import { json, part, root } from "../api/client";
import type { Both } from "../api/events";
import type { EventsDesk } from "./events-desk";
import { apart, degrees, fine, stepped } from "./events-shape";
import { besideOf, newStage, newStand, whenOf } from "./events-text";
import { lay as layTheirs, refusalOf, takeAway, type Refusal, type Told } from "./exchange-view";
import { roomOf } from "./exchange-room";
import { latest } from "./latest";
import { describe, openRuns, problemOf, run, runsOf, type Run } from "./runs";
import { sunOver } from "./solar";
import type { State } from "./store";

/** A street with how many walk there, people an hour by hour, both ways. */
export interface Way { path: [number, number][]; hours: Record<number, number>; low: number; high: number; name: string }
/** A place where a stand would do, with its score and, of the best, its rank. */
export interface Candidate { id: string; ring: [number, number][]; lon: number; lat: number; heading_deg: number; width_m: number; depth_m: number; score: number | null; chosen: number | null; parts: Record<string, number> }

export interface LayNow {
  /** Whether the place stands in the picture. */
  shown: boolean;
  chosen: string;
  /** What a click adds: a stand, the stage, or nothing. */
  adding: "" | "stand" | "stage";
  /** What is in the hand is drawn from here. */
  hour: number;
  scores: Record<string, StandScore>;
  stage: StageScore | null;
  /** Why what was asked last was refused. */
  refusal: (Refusal & { of: string }) | null;
  ways: Way[];
  candidates: Candidate[];
  streets: [number, number][][];
  /** Which of them are in the picture. */
  show: { ways: boolean; candidates: boolean };
  /** How the place is looked at; `looks` counts how often that was asked for. */
  view: "slant" | "above";
  looks: number;
  busy: "" | "ground" | "footfall" | "stands";
  trouble: string;
  /** Milliseconds of the last answer about a place, as the page waited for it. */
  answer_ms: number | null;
}

export interface Lay {
  readonly now: LayNow;
  readonly when: ComputedRef<When>;
  readonly stand: ComputedRef<Stand | null>;
  /** The place comes into the picture. */
  showGround(): Promise<void>;
  clear(): void;
  choose(id: string): void;
  addStand(lon?: number, lat?: number): void;
  addStage(lon?: number, lat?: number): void;
  remove(id: string): void;
  /** A hand moves it: degrees. `rests` when it lets go. */
  put(id: string, lon: number, lat: number): void;
  push(id: string, east: number, north: number): void;
  turn(id: string, heading_deg: number): void;
  set(id: string, fields: Partial<Stand> & Partial<StageOf>): void;
  rests(): void;
  /** Every stand and the stage are looked at anew. */
  scoreAll(): void;
  setHour(hour: number): void;
  /** The camera goes to the place, or to what is chosen there. */
  look(view: "slant" | "above"): void;
  /** Asks the process and shows what it answers. */
  compute(process: "footfall" | "stands", lang: string): Promise<void>;
  /** The stands go to the places that were chosen by optimisation. */
  takeChosen(): void;
}

const placeOf = ({ id, name, lon, lat, heading_deg, width_m, depth_m, power, water }: Stand): StandPlace => ({ id, name, lon, lat, heading_deg, width_m, depth_m, power, water });
const number = (v: unknown): number | null => (typeof v === "number" && Number.isFinite(v) ? v : null);

export function createLay(state: State, desk: EventsDesk): Lay {
  const now: LayNow = shallowReactive({
    shown: false, chosen: "", adding: "", hour: 12, scores: {}, stage: null, refusal: null, ways: [], candidates: [], streets: [], show: { ways: true, candidates: true }, view: "slant", looks: 0,
    busy: "", trouble: "", answer_ms: null,
  });
  const draft = () => desk.now.draft;
  const when = computed<When>(() => (desk.now.draft ? whenOf(desk.now.draft) : { day: "", from_h: 11, to_h: 19, day_type: "saturday" }));
  const stand = computed(() => desk.now.draft?.stands.find((s) => s.id === now.chosen) ?? null);

  // -- how a place does: one question at a time, the latest wins
  type Question = { of: string; at: number };
  const asked = latest<Question, StandScore | StageScore>(
    async ({ of }, signal) => {
      const event = draft();
      if (!event) throw new DOMException("", "AbortError");
      const door = desk.ground.value.door;
      const { day_type: _, ...hours } = when.value;
      if (of === "stage") return eventsApi.stage(door, { ...hours, stage: event.stage! }, signal);
      const one = event.stands.find((s) => s.id === of)!;
      return eventsApi.stand(door, { ...when.value, stand: placeOf(one), others: event.stands.filter((s) => s.id !== of && covered(s)).map(placeOf), stage: event.stage && covered(event.stage) ? event.stage : null }, signal);
    },
    (answer, { of, at }) => {
      now.answer_ms = performance.now() - at;
      now.refusal = now.refusal?.of === of ? null : now.refusal;
      if (of === "stage") now.stage = answer as StageScore;
      else now.scores = { ...now.scores, [of]: answer as StandScore };
      next();
    },
    (error, { of }) => {
      now.refusal = { ...refusalOf(error), of };
      const { [of]: _, ...rest } = now.scores;
      now.scores = rest;
      if (of === "stage") now.stage = null;
      next();
    },
  );
  let waiting: string[] = [];
  const there = (of: string) => (of === "stage" ? !!draft()?.stage : !!draft()?.stands.some((s) => s.id === of));
  function next(): void {
    const of = waiting.shift();
    if (of === undefined) return;
    if (there(of) && !outside(of)) asked.ask({ of, at: performance.now() });
    else next();
  }
  /** Whether the agreement covers a place; in our own city every place is ours. */
  function covered(one: { lon: number; lat: number }): boolean {
    const { kind, agreement } = desk.ground.value;
    const area = kind === "theirs" ? agreement?.terms.area : null;
    return !area || (one.lon >= area[0] && one.lat >= area[1] && one.lon <= area[2] && one.lat <= area[3]);
  }
  /** What lies outside is refused without asking: the partner would say the same. */
  function outside(of: string): boolean {
    const one = find(draft()!, of);
    if (!one || covered(one)) return false;
    now.refusal = { code: "outside-area", text: "", status: 403, of };
    const { [of]: _, ...rest } = now.scores;
    now.scores = rest;
    if (of === "stage") now.stage = null;
    return true;
  }
  function score(of: string): void {
    if (desk.ground.value.kind === "none" || !there(of) || outside(of)) return;
    asked.ask({ of, at: performance.now() });
  }

  function change(work: (event: EventText) => void, of: string): void {
    const event = draft();
    if (!event) return;
    work(event);
    // The scene looks at the whole: a new one says that something has moved.
    desk.now.draft = { ...event };
    score(of);
  }
  const find = (event: EventText, id: string): Stand | StageOf | null => (id === "stage" ? event.stage : (event.stands.find((s) => s.id === id) ?? null));

  const lay: Lay = {
    now, when, stand,
    async showGround() {
      const event = draft();
      const ground = desk.ground.value;
      if (!event || ground.kind === "none") return;
      now.busy = "ground";
      now.trouble = "";
      now.hour = Math.max(when.value.from_h, Math.min(when.value.to_h - 1, Math.round((when.value.from_h + when.value.to_h) / 2) - 1));
      if (ground.kind === "own") {
        if (state.looks.mode !== "shadow") state.looks.mode = "shadow";
      } else {
        const peer = ground.agreement!.peer;
        const tail = decodeURIComponent(peer.split(":").pop() ?? peer);
        const whose = state.twins.list.find((t) => t.id === tail)?.names ?? { ko: tail, en: tail };
        state.events.shown = desk.now.event!.id;
        try {
          const told = await json<Told>(`${ground.door}/collections/buildings`);
          await layTheirs(state, { agreement: ground.agreement!, door: ground.door, told, whose });
        } catch (error) {
          now.refusal = { ...refusalOf(error), of: "ground" };
        }
      }
      now.shown = !now.refusal || now.refusal.of !== "ground";
      state.events.shown = now.shown ? desk.now.event!.id : "";
      now.busy = "";
      if (!now.shown) return;
      sunThere();
      void readStreets();
      void openRuns(runsOf(ground.door), state.looks.lang).then(() => {
        void readWays();
        void readCandidates();
      });
      lay.scoreAll();
    },
    clear() {
      if (state.exchange.away && desk.ground.value.kind === "theirs") takeAway(state);
      asked.forget();
      waiting = [];
      state.events.shown = "";
      state.events.sun = null;
      Object.assign(now, { shown: false, chosen: "", adding: "", scores: {}, stage: null, refusal: null, ways: [], candidates: [], streets: [], busy: "", trouble: "" });
    },
    choose(id) {
      now.chosen = id;
      now.adding = "";
    },
    addStand(lon, lat) {
      const event = draft();
      if (!event) return;
      const free = now.candidates.filter((c) => !event.stands.some((s) => Math.hypot(...(apart(s, c) as [number, number])) < 5)).sort((a, b) => (b.score ?? 0) - (a.score ?? 0))[0];
      const at = lon === undefined || lat === undefined ? (free ?? besideOf(event)) : { lon, lat, heading_deg: towardStage(event, lon, lat) };
      const made = newStand(event, at.lon, at.lat, at.heading_deg);
      lay.choose(made.id);
      change((e) => e.stands.push(made), made.id);
      lay.rests();
    },
    addStage(lon, lat) {
      const event = draft();
      if (!event) return;
      const { place } = event;
      const stage = newStage(lon ?? place.lon, lat ?? place.lat, 0);
      lay.choose("stage");
      change((e) => (e.stage = stage), "stage");
      lay.rests();
    },
    remove(id) {
      change((e) => {
        if (id === "stage") e.stage = null;
        else e.stands = e.stands.filter((s) => s.id !== id);
      }, "");
      if (now.chosen === id) now.chosen = "";
      const { [id]: _, ...rest } = now.scores;
      now.scores = rest;
      if (id === "stage") now.stage = null;
      lay.rests();
    },
    put(id, lon, lat) {
      change((e) => {
        const one = find(e, id);
        if (one) [one.lon, one.lat] = [fine(lon), fine(lat)];
      }, id);
    },
    push(id, east, north) {
      const one = draft() && find(draft()!, id);
      if (one) lay.put(id, ...stepped(one.lon, one.lat, east, north));
    },
    turn(id, heading_deg) {
      change((e) => {
        const one = find(e, id);
        if (one) one.heading_deg = degrees(heading_deg);
      }, id);
    },
    set(id, fields) {
      change((e) => {
        const one = find(e, id);
        if (one) Object.assign(one, fields);
      }, id);
      lay.rests();
    },
    rests() {
      desk.touched();
      // A place changes what its neighbours are worth.
      queue();
    },
    scoreAll() {
      queue(true);
    },
    look(view) {
      now.view = view;
      now.looks++;
    },
    setHour(hour) {
      now.hour = Math.max(when.value.from_h, Math.min(when.value.to_h, hour));
      sunThere();
    },
    async compute(process, lang) {
      const { door } = desk.ground.value;
      const runs = runsOf(door);
      now.busy = process;
      now.trouble = "";
      try {
        if (!runs.processes) await openRuns(runs, lang);
        const about = await describe(runs, process, lang);
        const known = about?.inputs ?? {};
        const event = draft()!;
        const offered: Record<string, unknown> = {
          day: when.value.day, date: when.value.day, day_type: when.value.day_type, from_h: when.value.from_h, to_h: when.value.to_h,
          centre: [event.place.lon, event.place.lat], radius_m: 80, lattice_m: 8, count: Math.max(3, event.stands.length), people: desk.now.visitors?.peak?.expected ?? 0,
          stages: event.stage && covered(event.stage) ? [{ lon: event.stage.lon, lat: event.stage.lat, heading_deg: event.stage.heading_deg, width_m: event.stage.width_m, depth_m: event.stage.depth_m, height_m: event.stage.height_m }] : [],
        };
        const inputs = Object.fromEntries(Object.entries(offered).filter(([name, value]) => name in known && value !== null));
        const one = await run(runs, process, null, inputs);
        await settled(one);
        if (one.job.status.status !== "successful") throw new Error(problemOf(one.job.status) || one.job.status.status);
        if (process === "footfall") await readWays(one);
        else await readCandidates(one);
      } catch (error) {
        now.trouble = refusalOf(error).text;
      }
      now.busy = "";
    },
    takeChosen() {
      const chosen = now.candidates.filter((c) => c.chosen !== null).sort((a, b) => a.chosen! - b.chosen!);
      if (!chosen.length) return;
      change((e) => {
        chosen.forEach((c, i) => {
          const had = e.stands[i] ?? newStand(e, c.lon, c.lat, c.heading_deg);
          Object.assign(had, { lon: fine(c.lon), lat: fine(c.lat), heading_deg: degrees(c.heading_deg) });
          if (!e.stands[i]) e.stands.push(had);
        });
      }, "");
      lay.choose(draft()!.stands[0]?.id ?? "");
      lay.rests();
    },
  };

  /** Counters look towards who watches the stage, or else west. */
  function towardStage(event: EventText, lon: number, lat: number): number {
    const to = event.stage ?? event.place;
    const [east, north] = apart({ lon, lat }, to);
    return Math.round((((Math.atan2(east, north) * 180) / Math.PI + 360) % 360) / 5) * 5;
  }
  function queue(all = false): void {
    const event = draft();
    if (!event || !now.shown) return;
    const every = [...(event.stage ? ["stage"] : []), ...event.stands.map((s) => s.id)];
    const chosen = now.chosen && there(now.chosen) ? [now.chosen] : [];
    waiting = [...chosen, ...every.filter((of) => of !== now.chosen)].slice(0, all ? undefined : 24);
    if (!asked.busy) next();
  }
  /** In a partner's place no clock of ours runs: the sun stands there as the hour says. */
  function sunThere(): void {
    const event = draft();
    if (!event || desk.ground.value.kind !== "theirs") return;
    const offset = /([+-]\d{2}:\d{2}|Z)$/.exec(event.start)?.[1] ?? "Z";
    const minutes = Math.round(now.hour * 60);
    const at = Date.parse(`${when.value.day}T${String(Math.floor(minutes / 60) % 24).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}:00${offset}`);
    state.events.sun = Number.isNaN(at) ? null : sunOver(at, event.place.lon, event.place.lat);
  }

  // -- layers of the place
  type Row = { id?: string | number; geometry: { type: string; coordinates: unknown } | null; properties: Record<string, unknown> };
  async function rowsAt(layer: string, around_m: number | null): Promise<Row[]> {
    const event = draft()!;
    const { door } = desk.ground.value;
    const box = around_m === null ? null : [...stepped(event.place.lon, event.place.lat, -around_m, -around_m), ...stepped(event.place.lon, event.place.lat, around_m, around_m)];
    const area = desk.ground.value.agreement?.role === "consumer" ? desk.ground.value.agreement.terms.area : null;
    const inside = box && area ? [Math.max(box[0]!, area[0]), Math.max(box[1]!, area[1]), Math.min(box[2]!, area[2]), Math.min(box[3]!, area[3])] : box;
    const query = new URLSearchParams({ limit: "2000", ...(inside ? { bbox: inside.join(",") } : {}) });
    return (await json<{ features: Row[] }>(`${root(door)}/collections/${part(layer)}/items?${query}`)).features;
  }
  const pathsOf = (row: Row): [number, number][][] => {
    const { type, coordinates } = row.geometry ?? { type: "", coordinates: null };
    const all = type === "LineString" ? [coordinates] : type === "MultiLineString" ? (coordinates as unknown[]) : [];
    return (all as [number, number][][]).map((way) => way.map(([lon, lat]) => [lon, lat]));
  };
  async function readStreets(): Promise<void> {
    // In our own city the ground's map has them.
    if (desk.ground.value.kind !== "theirs") return;
    now.streets = (await rowsAt("roads", 600).catch(() => [])).flatMap(pathsOf);
  }
  function newest(process: string): Run | null {
    return runsOf(desk.ground.value.door).list.find((r) => r.process === process && r.job.status.status === "successful" && (process !== "footfall" || !r.parameters?.["day_type"] || r.parameters["day_type"] === when.value.day_type)) ?? null;
  }
  async function layerOf(one: Run | null, output: string): Promise<string> {
    if (!one) return "";
    for (let i = 0; i < 100 && !one.outputs?.length && !one.trouble; i++) await new Promise((go) => setTimeout(go, 100));
    return one.outputs?.find((o) => o.output === output)?.layer ?? "";
  }
  async function readWays(one: Run | null = newest("footfall")): Promise<void> {
    const layer = await layerOf(one, "footfall");
    if (!layer) return;
    const rows = await rowsAt(layer, 500).catch(() => []);
    now.ways = rows.flatMap((row) =>
      pathsOf(row).map((path) => ({
        path,
        hours: Object.fromEntries(Array.from({ length: 24 }, (_, i) => i + 1).flatMap((h) => { const v = number(row.properties[`h${String(h).padStart(2, "0")}`]); return v === null ? [] : [[h, v]]; })),
        low: number(row.properties["low_factor"]) ?? 1, high: number(row.properties["high_factor"]) ?? 1,
        name: String(row.properties["name"] ?? row.properties["name_ko"] ?? ""),
      })),
    );
  }
  async function readCandidates(one: Run | null = newest("stands")): Promise<void> {
    const layer = await layerOf(one, "stand-places");
    if (!layer) return;
    const rows = await rowsAt(layer, null).catch(() => []);
    now.candidates = rows.flatMap((row, i) => {
      const rings = row.geometry?.type === "Polygon" ? (row.geometry.coordinates as [number, number][][]) : [];
      const ring = rings[0]?.slice(0, -1).map(([lon, lat]) => [lon, lat] as [number, number]);
      if (!ring?.length) return [];
      const p = row.properties;
      const mean = (k: 0 | 1) => ring.reduce((a, c) => a + c[k], 0) / ring.length;
      return [{
        id: String(row.id ?? i), ring, lon: number(p["lon"]) ?? mean(0), lat: number(p["lat"]) ?? mean(1), heading_deg: number(p["heading_deg"]) ?? 0, width_m: number(p["width_m"]) ?? 3, depth_m: number(p["depth_m"]) ?? 3,
        score: number(p["score"]), chosen: number(p["chosen"]) || null, parts: {},
      }];
    });
  }
  async function settled(one: Run): Promise<void> {
    for (;;) {
      const { status } = one.job.status;
      if (status === "failed" || status === "dismissed") return;
      if (status === "successful" && (one.outputs?.length || one.trouble)) return;
      await new Promise((go) => setTimeout(go, 150));
    }
  }

  // Another day or other hours: every place is looked at anew.
  watch(
    () => JSON.stringify(when.value),
    () => {
      if (!now.shown) return;
      lay.setHour(now.hour);
      lay.scoreAll();
    },
  );
  watch(
    () => roomOf(desk.twin).agreements.find((a) => a.id === desk.now.draft?.agreement)?.state,
    (stands, before) => before === "active" && stands !== "active" && desk.ground.value.kind === "theirs" && lay.clear(),
  );
  return lay;
}
/** What a refusal names, for the page. */
export type { Refusal, Both };
