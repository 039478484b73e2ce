import { Cartesian2, Cartesian3, Cartographic, Math as M } from "@cesium/engine";
import { watch } from "vue";
import type { Planning } from "../../state/scenario";
import { areaOf, bearing, centroid, distance, edgeLengths, middleOf, reachOf, snapRight, storeysOf, turned, type Solid, type XY } from "../../state/scenario-shape";
import type { State } from "../../state/store";
import type { Stage, Tool } from "../city";
import { createHandle } from "../handle";
import { groundUnder } from "../place";
import { buildingAt } from "../pointer";
import { createLines, type LineLook, type DotLook } from "./lines";
import { createTags, type Tag } from "./tags";
import { createVolumes } from "./volumes";

/** Pixels around the first corner that close a footprint. */
const CLOSE = 14;
/** A hand that moved less than this only pressed, pixels. */
const STILL = 4;
const RING_STEPS = 64;

type Grip = { kind: "height"; offset: number } | { kind: "turn"; from: number } | { kind: "move"; from: XY };

/** Words of the numbers beside the hand, in the language of the page. */
export type HandWords = (key: "storeys" | "area" | "turn" | "step" | "crossing" | "outside" | "removed" | "place" | "north", values?: Record<string, unknown>) => string;

/** The tools of a plan on the scene: drawing, pulling, dragging, turning; what is planned, and what others do meanwhile. */
export function createPlanStage(stage: Stage, state: State, planning: Planning, words: HandWords): { destroy(): void } {
  const { scene, place } = stage;
  const now = planning.now;
  const volumes = createVolumes(scene, stage);
  const lines = createLines(scene);
  const handle = createHandle(scene, place);
  const tags = createTags(scene, (key) => planning.openPin(key));
  scene.primitives.add(volumes);
  let grip: Grip | null = null;
  let gripStart = new Cartesian2();
  let stirred = false;
  let hovered: XY | null = null;

  const at = (p: XY, z: number) => place.at(p[0], p[1], z);
  const groundAt = (screen: Cartesian2): XY | null => {
    const under = groundUnder(scene, place, screen);
    return under ? place.frame.fromLonLat(under.lon, under.lat) : null;
  };
  /** Metres of ground that a pixel shows there. */
  const metresAPixel = (p: XY) => Math.max(0.02, Cartesian3.distance(scene.camera.positionWC, at(p, 0)) * 0.0011);
  const footOf = (solid: Solid): XY => middleOf(solid);
  const knobAt = (solid: Solid): XY => {
    const middle = middleOf(solid);
    const reach = reachOf(solid, middle) + 5;
    // On the near side of the ring, right of the middle; under the hand while it turns.
    const angle = knobTurned ?? M.toDegrees(scene.camera.heading) + 142;
    return turned([middle[0], middle[1] + reach], middle, angle);
  };
  let knobTurned: number | null = null;

  function arrange(): void {
    const chosen = planning.chosen.value;
    const { draft } = now;
    const list: { look: LineLook; positions: Cartesian3[] }[] = [];
    const dots: { key: string; look: DotLook; at: Cartesian3 }[] = [];
    const marks: Tag[] = [];
    const loop = (ring: readonly XY[], z = 0.35) => [...ring, ring[0]!].map((p) => at(p, z));

    for (const [id, rings] of now.ghosts) for (const ring of rings) if (ring.length > 2) list.push({ look: now.gone.has(id) ? "taken" : "ghost", positions: loop(ring) });
    for (const id of now.gone) {
      const ring = now.ghosts.get(id)?.[0];
      if (ring && (id === state.pick.selection?.id)) marks.push({ key: `gone ${id}`, at: at(centroid(ring), 2), text: words("removed"), look: "trouble" });
    }

    if (draft) {
      const { points, cursor, closed } = draft;
      const cross = draft.trouble;
      if (points.length) list.push({ look: cross ? "trouble" : "draft", positions: closed ? loop(points) : points.map((p) => at(p, 0.35)) });
      if (!closed && cursor && points.length) {
        list.push({ look: "band", positions: [at(points[points.length - 1]!, 0.35), at(cursor, 0.35)] });
        if (points.length > 1) list.push({ look: "band", positions: [at(cursor, 0.35), at(points[0]!, 0.35)] });
      }
      points.forEach((p, i) => dots.push({ key: `corner ${i}`, look: i === 0 && !closed && points.length > 2 ? "first" : "corner", at: at(p, 0.4) }));
      const ring = !closed && cursor ? [...points, cursor] : points;
      if (ring.length > 1) {
        const lengths = edgeLengths(ring);
        const shown = closed ? lengths.length : lengths.length - (ring.length > 2 ? 0 : 1);
        for (let i = 0; i < shown; i++) {
          if (lengths[i]! < 0.5) continue;
          const [p, q] = [ring[i]!, ring[(i + 1) % ring.length]!];
          marks.push({ key: `edge ${i}`, at: at([(p[0] + q[0]) / 2, (p[1] + q[1]) / 2], 0.5), text: `${lengths[i]!.toFixed(1)} m`, look: "length" });
        }
      }
      if (cross) {
        dots.push({ key: "cross", look: "trouble", at: at(cross, 0.6) });
        marks.push({ key: "cross", at: at(cross, 0.6), text: words(draft.outside ? "outside" : "crossing"), look: "trouble", lift: 26 });
      } else if (ring.length > 2) {
        const top = closed ? draft.height_m : 0;
        const text = closed ? `${draft.height_m.toFixed(1)} m · ${words("storeys", { n: storeysOf(draft.height_m, draft.storey_m) })} · ${words("area", { n: Math.round(areaOf(ring)).toLocaleString() })}` : words("area", { n: Math.round(areaOf(ring)).toLocaleString() });
        marks.push({ key: "area", at: at(centroid(ring), top), text, look: "area", lift: closed ? 70 : 0 });
      }
    }

    if (chosen && !draft && now.tool === "choose" && planning.may.value) {
      const middle = footOf(chosen);
      const reach = reachOf(chosen, middle) + 5;
      const knob = knobAt(chosen);
      const ring = Array.from({ length: RING_STEPS + 1 }, (_, i) => at(turned([middle[0], middle[1] + reach], middle, (i / RING_STEPS) * 360), 0.4));
      list.push({ look: "ring", positions: ring });
      dots.push({ key: "turn", look: "turn", at: at(knob, 0.5) });
      const { hand } = now;
      if (grip && hand) {
        const text =
          grip.kind === "height" ? `${chosen.height_m.toFixed(1)} m · ${words("storeys", { n: storeysOf(chosen.height_m, chosen.storey_m) })}`
          : grip.kind === "turn" ? words("turn", { n: hand.turn_deg.toFixed(1) })
          : words("step", { n: Math.hypot(...hand.move).toFixed(1) });
        marks.push({ key: "hand", at: at(middle, chosen.height_m), text, look: "hand", lift: grip.kind === "height" ? 92 : 40 });
        if (grip.kind === "move") list.push({ look: "band", positions: [at([middle[0] - hand.move[0], middle[1] - hand.move[1]], 0.5), at(middle, 0.5)] });
      }
    }
    const file = now.importing;
    if (file && file.lon !== null && file.lat !== null) {
      const foot: XY = place.frame.fromLonLat(file.lon, file.lat);
      const tip = turned([foot[0], foot[1] + Math.max(12, 60 * metresAPixel(foot))], foot, file.heading_deg);
      list.push({ look: "draft", positions: [at(foot, 0.5), at(tip, 0.5)] });
      dots.push({ key: "place", look: "first", at: at(foot, 0.5) });
      marks.push({ key: "place", at: at(foot, 0.5), text: words("place"), look: "area", lift: -26 }, { key: "north", at: at(tip, 0.5), text: words("north"), look: "length" });
    }
    handle.set(
      draft?.closed ? { foot: at(centroid(draft.points), 0), height: draft.height_m }
      : chosen && !draft && now.tool === "choose" && planning.may.value ? { foot: at(footOf(chosen), 0), height: chosen.height_m }
      : null,
    );

    for (const pin of now.pins) {
      const p: XY = place.frame.fromLonLat(pin.lon, pin.lat);
      const height = pin.object ? (planning.solidOf(pin.object)?.height_m ?? now.heights.get(pin.object) ?? 0) : 0;
      marks.push({ key: pin.key, at: at(p, height), text: String(pin.count), look: "pin", lift: 14 });
    }
    for (const person of now.people) {
      const solid = person.object && !person.mine ? planning.solidOf(person.object) : null;
      if (solid) marks.push({ key: `person ${person.client}`, at: at(middleOf(solid), solid.height_m), text: person.name, look: "person", lift: 16 });
    }

    lines.set(list, dots);
    tags.set(marks);
    stage.render();
  }

  function draw(): void {
    const chosen = planning.chosen.value;
    const solids = [...planning.drawn.value.values()];
    const { draft } = now;
    if (draft?.closed && draft.solid) solids.push(draft.solid);
    const others = new Set(now.people.filter((p) => !p.mine && p.object).map((p) => p.object));
    volumes.set(solids, (id) => (id === chosen?.id || id === draft?.solid?.id ? "chosen" : others.has(id) ? "other" : "planned"));
    stage.without(new Set([...now.gone, ...planning.drawn.value.keys()]));
    arrange();
  }

  const tool: Tool = {
    grab(screen, touch) {
      const { draft } = now;
      if (draft?.closed && handle.hit(screen)) {
        grip = { kind: "height", offset: draft.height_m - (handle.heightAt(screen) ?? 0) };
        handle.active(true);
        return true;
      }
      const chosen = planning.chosen.value;
      if (!chosen || draft || now.tool !== "choose" || !planning.may.value) return false;
      gripStart = Cartesian2.clone(screen);
      stirred = false;
      if (handle.hit(screen)) grip = { kind: "height", offset: chosen.height_m - (handle.heightAt(screen) ?? 0) };
      else if (lines.at(screen, touch ? 30 : 22) === "turn") {
        const p = groundAt(screen);
        if (!p) return false;
        grip = { kind: "turn", from: bearing(middleOf(chosen), p) };
      } else if (buildingAt(scene, screen) === chosen.id) {
        const p = groundAt(screen);
        if (!p) return false;
        grip = { kind: "move", from: p };
      } else return false;
      handle.active(grip.kind === "height");
      planning.take(chosen.id);
      return true;
    },
    pull(screen, keys) {
      if (!grip) return;
      if (!stirred && Cartesian2.distance(screen, gripStart) < STILL) return;
      stirred = true;
      if (now.draft?.closed) {
        const height = handle.heightAt(screen);
        if (height !== null && grip.kind === "height") planning.raise(height + grip.offset, keys.shift);
        return;
      }
      if (grip.kind === "height") {
        const height = handle.heightAt(screen);
        if (height !== null) planning.heighten(height + grip.offset, keys.shift);
        return;
      }
      const p = groundAt(screen);
      const hand = now.hand;
      if (!p || !hand) return;
      if (grip.kind === "turn") knobTurned = bearing(middleOf(hand.from), p);
      if (grip.kind === "turn") planning.turn(bearing(middleOf(hand.from), p) - grip.from, keys.shift ? 15 : 0);
      else {
        let step: XY = [p[0] - grip.from[0], p[1] - grip.from[1]];
        if (keys.shift) step = Math.abs(step[0]) > Math.abs(step[1]) ? [step[0], 0] : [0, step[1]];
        planning.push(...(step as [number, number]));
      }
    },
    release() {
      handle.active(false);
      const was = grip;
      grip = null;
      knobTurned = null;
      if (now.draft?.closed) return arrange();
      void planning.let(stirred);
      // A press without a pull on the building itself lets it go again.
      if (!stirred && was?.kind === "move") arrange();
    },
    move(screen, keys) {
      const { draft } = now;
      if (now.tool !== "draw" || !draft || draft.closed) return;
      hovered = groundAt(screen);
      planning.point(hovered && snapped(hovered, screen, keys.shift));
    },
    hover(screen, building) {
      if (now.tool === "draw") return "crosshair";
      if (now.tool === "pin" || now.tool === "place") return "copy";
      if (!screen) return null;
      if (handle.hit(screen)) return "ns-resize";
      if (lines.at(screen, 22) === "turn") return "grab";
      if (building && building === planning.chosen.value?.id && planning.may.value) return "move";
      return null;
    },
    click(screen, building, keys) {
      const p = groundAt(screen);
      if (now.tool === "draw") {
        if (!p) return true;
        const { draft } = now;
        if (draft?.closed) {
          void planning.finish();
          return true;
        }
        if (draft && draft.points.length > 2) {
          const first = lines.at(screen, CLOSE);
          if (first === "corner 0" || (draft.cursor && distance(draft.cursor, draft.points[0]!) < 0.01)) {
            planning.close();
            return true;
          }
        }
        planning.corner(snapped(p, screen, keys.shift));
        return true;
      }
      if (now.tool === "pin" || now.tool === "place") {
        if (p) {
          const [lon, lat] = place.frame.toLonLat(p[0], p[1]);
          planning.pinAt({ lon, lat, object: now.tool === "pin" ? (building ?? "") : "" });
        }
        return true;
      }
      if (building?.startsWith("new/")) {
        planning.choose(building);
        return true;
      }
      return false;
    },
    key(event) {
      return planning.key(event);
    },
    arrange,
  };

  /** A corner on the right angles where that is asked for, and on the first corner where it is near. */
  function snapped(p: XY, screen: Cartesian2, shift: boolean): XY {
    const { draft } = now;
    if (!draft?.points.length) return p;
    if (draft.points.length > 2 && lines.at(screen, CLOSE) === "corner 0") return draft.points[0]!;
    return shift !== now.square ? snapRight(draft.points, p, 12 * metresAPixel(p)) : p;
  }

  stage.tool = tool;
  stage.refresh();
  const ends = [
    watch(() => [planning.drawn.value, planning.chosen.value?.id, now.gone, now.people, now.draft?.solid], draw, { immediate: true }),
    watch(
      () => [now.draft, now.tool, now.importing, now.hand, now.pins, now.ghosts, planning.may.value],
      () => {
        if (now.hand) stage.moving();
        arrange();
      },
    ),
    watch(() => state.pick.selection, () => arrange()),
    watch(
      () => now.wantMiddle,
      () => {
        // Where somebody without a pointer would build: the ground in the middle of the picture.
        const { clientWidth, clientHeight } = stage.canvas;
        const wide = clientWidth > 900;
        const middle = groundAt(new Cartesian2(clientWidth * (wide ? 0.5 : 0.5), clientHeight * (wide ? 0.55 : 0.3)));
        if (middle) planning.middle(middle);
      },
    ),
    watch(
      () => now.wantView,
      () => {
        const c = Cartographic.fromCartesian(scene.camera.positionWC);
        now.view = { lon: M.toDegrees(c.longitude), lat: M.toDegrees(c.latitude), height_m: c.height - place.ground, heading_deg: M.toDegrees(scene.camera.heading), pitch_deg: M.toDegrees(scene.camera.pitch) };
      },
    ),
  ];
  const onKey = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement | null;
    if (target && (target === stage.canvas || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.isContentEditable)) return;
    if (planning.globalKey(event)) event.preventDefault();
  };
  addEventListener("keydown", onKey);

  return {
    destroy() {
      removeEventListener("keydown", onKey);
      for (const end of ends) end();
      if (stage.tool === tool) stage.tool = null;
      stage.canvas.style.cursor = "";
      stage.without(new Set());
      scene.primitives.remove(volumes);
      lines.destroy();
      handle.destroy();
      tags.destroy();
      stage.refresh();
      stage.render();
    },
  };
}
