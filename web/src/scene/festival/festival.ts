import { BoundingSphere, Cartesian2, Cartesian3, HeadingPitchRange, Math as M, SceneTransforms } from "@cesium/engine";
import { watch } from "vue";
import type { StageOf, Stand } from "../../api/events";
import type { EventsDesk } from "../../state/events-desk";
import { audienceOf, facing, footprint, platformOf, stance, tentOf } from "../../state/events-shape";
import { rankColour } from "../../state/events-score";
import { bearing, distance, turned, type Ring, type Solid, type XY } from "../../state/scenario-shape";
import type { State } from "../../state/store";
import type { Stage, Tool } from "../city";
import { groundUnder } from "../place";
import { createLines, type DotLook, type LineLook } from "../plan/lines";
import { createTags, type Tag } from "../plan/tags";
import { createVolumes } from "../plan/volumes";
import { buildingAt } from "../pointer";
import { createPaint, type Area } from "./paint";
import { createWays } from "./ways";
import "./festival.css";

const RING_STEPS = 48;
/** A hand that moved less than this only pressed, pixels. */
const STILL = 4;
/** From how far the place is looked at first, m. */
const RANGE = 200;

/** Words of what is drawn, in the language of the page. */
export type FestivalWords = (key: "stage" | "step" | "turn" | "score" | "audience", values?: Record<string, unknown>) => string;
type Grip = { kind: "turn"; from: number; heading: number } | { kind: "move"; from: XY; at: { lon: number; lat: number } };

const idOf = (building: string | null): string => (building === "stage" ? "stage" : building?.startsWith("stand:") ? building.slice(6) : "");

/** A stage, stands and who walks by them, drawn on the ground and moved by the hand. Lives until `destroy`; follows the desk. */
export function createFestival(stage: Stage, state: State, desk: EventsDesk, words: FestivalWords, away: boolean): { destroy(): void } {
  const { scene, place } = stage;
  const { lay } = desk;
  const now = lay.now;
  const { frame } = place;
  const volumes = createVolumes(scene, stage);
  const paint = createPaint(scene, place, 0.12);
  const ways = createWays(scene, place);
  const lines = createLines(scene);
  const tags = createTags(scene, () => undefined);
  scene.primitives.add(paint);
  scene.primitives.add(volumes);
  let grip: Grip | null = null;
  let gripStart = new Cartesian2();
  let stirred = false;
  let knobTurned: number | null = null;

  const at = (p: XY, z: number) => place.at(p[0], p[1], z);
  const groundAt = (screen: Cartesian2): { xy: XY; lon: number; lat: number } | null => {
    const under = groundUnder(scene, place, screen);
    return under ? { xy: frame.fromLonLat(under.lon, under.lat), lon: under.lon, lat: under.lat } : null;
  };
  const found = (id: string): Stand | StageOf | null => (id === "stage" ? (desk.now.draft?.stage ?? null) : (desk.now.draft?.stands.find((s) => s.id === id) ?? null));
  const chosen = () => found(now.chosen);
  const may = () => desk.may.value;
  /** Of the ring for turning: clear of the thing itself, and never so small that the knob lies on it. */
  const reach = (one: Stand | StageOf) => {
    const middle = stance(frame, one).middle;
    const pixel = Math.max(0.02, Cartesian3.distance(scene.camera.positionWC, at(middle, 0)) * 0.0011);
    return Math.max(Math.hypot(one.width_m, one.depth_m) / 2 + 1.6, 58 * pixel);
  };

  /** Solids as they were drawn, so that what has not changed is not made anew. */
  let made = new Map<string, { of: string; solid: Solid }>();
  function solids(): Solid[] {
    const draft = desk.now.draft;
    if (!draft) return [];
    const next = new Map<string, { of: string; solid: Solid }>();
    const keep = (key: string, of: unknown, make: () => Solid) => {
      const text = JSON.stringify(of);
      const had = made.get(key);
      next.set(key, had?.of === text ? had : { of: text, solid: make() });
    };
    if (draft.stage) keep("stage", draft.stage, () => platformOf(frame, draft.stage!));
    for (const stand of draft.stands) keep(stand.id, [stand.lon, stand.lat, stand.heading_deg, stand.width_m, stand.depth_m], () => tentOf(frame, stand));
    made = next;
    return [...next.values()].map((m) => m.solid);
  }

  function areas(): Area[] {
    const draft = desk.now.draft;
    const out: Area[] = [];
    if (now.show.candidates) for (const c of now.candidates) out.push({ ring: c.ring.map(([lon, lat]) => frame.fromLonLat(lon, lat)), colour: [...rankColour(c.score), c.chosen ? 0.92 : 0.55] });
    if (draft?.stage) out.push({ ring: audienceOf(frame, draft.stage), colour: [0.12, 0.35, 0.47, 0.16] });
    return out;
  }

  function arrange(): void {
    const draft = desk.now.draft;
    const list: { look: LineLook; positions: Cartesian3[] }[] = [];
    const dots: { key: string; look: DotLook; at: Cartesian3 }[] = [];
    const marks: Tag[] = [];
    const lang = state.looks.lang;
    const loop = (ring: Ring, z = 0.35) => [...ring, ring[0]!].map((p) => at(p, z));
    if (draft) {
      for (const one of [...(draft.stage ? [draft.stage] : []), ...draft.stands]) {
        const [from, tip, left, right] = facing(frame, one, "height_m" in one ? 4 : 2);
        list.push({ look: "ring", positions: [at(from, 0.4), at(tip, 0.4)] }, { look: "ring", positions: [at(left, 0.4), at(tip, 0.4), at(right, 0.4)] });
      }
      if (draft.stage) {
        list.push({ look: "ghost", positions: loop(audienceOf(frame, draft.stage), 0.25) });
        const score = now.stage?.score;
        marks.push({ key: "stage", at: at(stance(frame, draft.stage).middle, draft.stage.height_m + 4), text: score == null ? words("stage") : `${words("stage")} ${Math.round(score)}`, look: now.chosen === "stage" ? "hand" : "stand", lift: 14 });
      }
      for (const stand of draft.stands) {
        const score = now.scores[stand.id]?.score;
        const name = stand.name[lang] || stand.name.ko;
        marks.push({ key: stand.id, at: at(stance(frame, stand).middle, 3.1), text: score == null ? name : `${name} ${Math.round(score)}`, look: now.chosen === stand.id ? "hand" : "stand", lift: 16 });
      }
      const one = chosen();
      if (one) {
        list.push({ look: "band", positions: loop(footprint(frame, one)) });
        if (may()) {
          const { middle } = stance(frame, one);
          const r = reach(one);
          list.push({ look: "ring", positions: Array.from({ length: RING_STEPS + 1 }, (_, i) => at(turned([middle[0], middle[1] + r], middle, (i / RING_STEPS) * 360), 0.4)) });
          dots.push({ key: "turn", look: "turn", at: at(knobAt(one), 0.5) });
          if (grip && stirred) marks.push({ key: "by", at: at(middle, 0), text: grip.kind === "turn" ? words("turn", { n: Math.round(one.heading_deg) }) : words("step", { n: distance(grip.from, handXY ?? grip.from).toFixed(1) }), look: "length", lift: -22 });
        }
      }
    }
    if (now.show.candidates) for (const c of now.candidates) if (c.chosen) marks.push({ key: `place ${c.id}`, at: at(frame.fromLonLat(c.lon, c.lat), 0.3), text: `${c.chosen}`, look: "rank" });
    lines.set(list, dots);
    tags.set(marks);
    stage.render();
  }
  /** The knob stands where its thing faces. */
  function knobAt(one: Stand | StageOf): XY {
    const { middle, turn } = stance(frame, one);
    return turned([middle[0], middle[1] + reach(one)], middle, knobTurned ?? turn);
  }
  let handXY: XY | null = null;

  function draw(): void {
    volumes.set(solids(), (id) => (idOf(id) === now.chosen ? "chosen" : "planned"));
    paint.set(areas());
    arrange();
  }
  const walk = () => {
    ways.set(now.show.ways ? now.ways : [], now.streets, Math.floor(now.hour));
    stage.render();
  };

  const tool: Tool = {
    grab(screen, touch) {
      if (!may() || now.adding) return false;
      const one = chosen();
      gripStart = Cartesian2.clone(screen);
      stirred = false;
      if (one && lines.at(screen, touch ? 32 : 22) === "turn") {
        const p = groundAt(screen);
        if (!p) return false;
        const { middle, turn } = stance(frame, one);
        grip = { kind: "turn", from: bearing(middle, p.xy) - turn, heading: one.heading_deg - turn };
        return true;
      }
      const id = idOf(buildingAt(scene, screen)) || near(screen);
      const thing = found(id);
      const p = thing && groundAt(screen);
      if (!thing || !p) return false;
      if (now.chosen !== id) lay.choose(id);
      grip = { kind: "move", from: p.xy, at: { lon: thing.lon, lat: thing.lat } };
      handXY = p.xy;
      return true;
    },
    pull(screen, keys) {
      const one = chosen();
      if (!grip || !one || (!stirred && Cartesian2.distance(screen, gripStart) < STILL)) return;
      stirred = true;
      const p = groundAt(screen);
      if (!p) return;
      if (grip.kind === "turn") {
        const { middle } = stance(frame, one);
        knobTurned = bearing(middle, p.xy) - grip.from;
        const heading = knobTurned + grip.heading;
        lay.turn(now.chosen, keys.shift ? Math.round(heading / 15) * 15 : Math.round(heading));
        return;
      }
      handXY = p.xy;
      const start = frame.fromLonLat(grip.at.lon, grip.at.lat);
      const [lon, lat] = frame.toLonLat(start[0] + p.xy[0] - grip.from[0], start[1] + p.xy[1] - grip.from[1]);
      lay.put(now.chosen, lon, lat);
    },
    release() {
      const was = stirred;
      grip = knobTurned = handXY = null;
      stirred = false;
      if (was) lay.rests();
      arrange();
    },
    move: () => undefined,
    click(screen, building) {
      const p = groundAt(screen);
      if (now.adding && p) {
        const what = now.adding;
        now.adding = "";
        if (what === "stage") lay.addStage(p.lon, p.lat);
        else lay.addStand(p.lon, p.lat);
        return true;
      }
      const id = idOf(building) || near(screen);
      if (id) {
        lay.choose(id);
        return true;
      }
      if (now.chosen) {
        lay.choose("");
        return true;
      }
      return away;
    },
    hover(screen, building) {
      if (now.adding) return "crosshair";
      if (!screen) return null;
      if (may() && chosen() && lines.at(screen, 22) === "turn") return "grab";
      return idOf(building) ? (may() ? "move" : "pointer") : null;
    },
    key: (event) => keyed(event),
    arrange,
  };
  /** A tent from afar is a few pixels: what lies near the hand counts. */
  function near(screen: Cartesian2): string {
    const draft = desk.now.draft;
    let [best, least] = ["", 14];
    for (const one of [...(draft?.stage ? [{ ...draft.stage, id: "stage" }] : []), ...(draft?.stands ?? [])]) {
      const p = SceneTransforms.worldToWindowCoordinates(scene, at(stance(frame, one).middle, 1.2), new Cartesian2());
      const d = p ? Math.hypot(p.x - screen.x, p.y - screen.y) : Infinity;
      if (d < least) [best, least] = [one.id, d];
    }
    return best;
  }

  let resting: ReturnType<typeof setTimeout> | null = null;
  /** Arrows move by a metre, with Shift by five; square brackets turn by five degrees, with Shift (braces) by fifteen. */
  function keyed(event: KeyboardEvent): boolean {
    if (event.key === "Escape" && (now.adding || now.chosen)) {
      if (now.adding) now.adding = "";
      else lay.choose("");
      return true;
    }
    const one = chosen();
    if (!one || !may() || event.ctrlKey || event.metaKey || event.altKey) return false;
    const steps: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const turns: Record<string, number> = { "[": -5, "]": 5, "{": -15, "}": 15 };
    const step = steps[event.key];
    const turn = turns[event.key];
    if (!step && !turn && event.key !== "Delete") return false;
    const k = event.shiftKey ? 5 : 1;
    if (step) lay.push(now.chosen, step[0] * k, step[1] * k);
    else if (turn) lay.turn(now.chosen, one.heading_deg + turn);
    else lay.remove(now.chosen);
    if (resting) clearTimeout(resting);
    resting = setTimeout(() => lay.rests(), 400);
    return true;
  }
  // Keys work from the column's own card of what is chosen as well as from the picture.
  const onKey = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement | null;
    if (!target || target === stage.canvas || !target.closest("[data-moves]") || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return;
    if (keyed(event)) event.preventDefault();
  };
  addEventListener("keydown", onKey);

  stage.tool = tool;
  stage.refresh();
  /** To the place, or to what is chosen there, in the middle of what no column covers. */
  function look(): void {
    const draft = desk.now.draft;
    if (!draft) return;
    const { lon, lat } = chosen() ?? draft.place;
    const above = now.view === "above";
    const dock = document.getElementById("events-dock")?.getBoundingClientRect();
    const canvas = stage.canvas.getBoundingClientRect();
    const range = RANGE * (above ? 1.5 : 1) * (canvas.width < canvas.height ? 1.4 : 1);
    const metres = (2 * range * Math.tan(((scene.camera.frustum as { fovy?: number }).fovy ?? 1) / 2)) / Math.max(1, Math.max(canvas.width, canvas.height));
    scene.camera.flyToBoundingSphere(new BoundingSphere(Cartesian3.fromDegrees(lon, lat, place.ground), 1), { duration: 0, offset: new HeadingPitchRange(above ? 0 : M.toRadians(20), M.toRadians(above ? -89.9 : -55), range) });
    if (dock && dock.width < canvas.width * 0.8) scene.camera.moveRight(-((dock.right - canvas.left) / 2) * metres);
    else if (dock) {
      const top = document.querySelector("[data-theirs]")?.getBoundingClientRect().bottom ?? 110;
      scene.camera.moveUp(-((canvas.top + canvas.bottom) / 2 - (Math.min(top, dock.top) + dock.top) / 2) * metres);
    }
    stage.moving();
    stage.render();
  }
  look();
  const ends = [
    watch(() => [desk.now.draft, now.chosen, now.candidates, now.show], () => {
      if (grip) stage.moving();
      draw();
    }, { immediate: true }),
    watch(() => [now.scores, now.stage, state.looks.lang, desk.may.value], arrange),
    watch(() => [now.ways, now.streets, now.hour, now.show], walk, { immediate: true }),
    watch(() => now.looks, look),
    watch(() => now.adding, (adding) => {
      stage.canvas.style.cursor = adding ? "crosshair" : "";
    }),
  ];
  return {
    destroy() {
      removeEventListener("keydown", onKey);
      if (resting) clearTimeout(resting);
      for (const end of ends) end();
      if (stage.tool === tool) stage.tool = null;
      stage.refresh();
      scene.primitives.remove(volumes);
      scene.primitives.remove(paint);
      ways.destroy();
      lines.destroy();
      tags.destroy();
      stage.canvas.style.cursor = "";
      stage.render();
    },
  };
}
