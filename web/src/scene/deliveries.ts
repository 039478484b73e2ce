/**
 * A delivery plan on the atlas: lines from where lots grow to where they are needed, as wide as their kilograms, with an arrow; the towns
 * beneath are a quiet ground. Follows `state/produce-map.ts`; lives until `destroy`.
 */
import "./deliveries.css";

import { Cartesian3, type CesiumWidget, Color, Material, Matrix4, PointPrimitiveCollection, PolylineCollection, Transforms } from "@cesium/engine";
import { watch } from "vue";
import { atlasOf } from "../state/atlas/store";
import { project } from "../state/atlas/view";
import { onMap, type MapLine, type MapPlace } from "../state/produce-map";
import { place } from "./atlas-labels";
import { bend, gathered, joined, type Way2 } from "../state/produce-ways";
import type { State } from "../state/store";

const COLOURS: Record<MapLine["look"], string> = { kept: "#b86a00", new: "#1d6b4f", gone: "#b3261e", load: "#1e3a4c" };
const ABOVE_M = 260;
/** Arrows lie over every line: the picture is looked at from above. */
const ARROW_M = 1800;
const width = (kg: number, most: number): number => 1.6 + 7.4 * Math.sqrt(Math.max(0, kg) / Math.max(1, most));

export function createDeliveries(viewer: CesiumWidget, state: State): { destroy(): void } {
  const twin = state.twins.current!;
  const atlas = atlasOf(state, twin.id);
  const { scene } = viewer;
  const [west, south, east, north] = twin.bounds_lonlat;
  const plane = Transforms.eastNorthUpToFixedFrame(Cartesian3.fromDegrees((west + east) / 2, (south + north) / 2, twin.ground.ellipsoidal_m));
  const back = Matrix4.inverseTransformation(plane, new Matrix4());
  const flat = (lon: number, lat: number): [number, number] => {
    const p = Matrix4.multiplyByPoint(back, Cartesian3.fromDegrees(lon, lat, twin.ground.ellipsoidal_m), new Cartesian3());
    return [p.x, p.y];
  };
  const lines = scene.primitives.add(new PolylineCollection({ modelMatrix: plane })) as PolylineCollection;
  const dots = scene.primitives.add(new PointPrimitiveCollection({ modelMatrix: plane })) as PointPrimitiveCollection;
  const sheet = document.createElement("div");
  sheet.className = "delivery-tags";
  sheet.setAttribute("aria-hidden", "true"); // the column says it as well
  const stage = document.querySelector(".atlas-stage");
  stage?.append(sheet);
  stage?.classList.add("beneath");
  let tags: { at: [number, number]; weight: number; element: HTMLElement; width: number; height: number }[] = [];

  function put(): void {
    const size = { width: sheet.clientWidth || 1, height: sheet.clientHeight || 1 };
    // Each stands beside its dot, where nothing else stands yet and no column lies over it.
    const [dock, frame] = [document.getElementById("events-dock")?.getBoundingClientRect(), sheet.getBoundingClientRect()];
    const left = dock && dock.width < frame.width * 0.8 ? Math.max(0, dock.right - frame.left) : 0;
    const wanted = tags.map((t) => {
      const [x, y] = project([t.at[0], t.at[1], ABOVE_M], atlas.view, size);
      return { x: x + t.width / 2 + 9 - left, y, width: t.width, height: t.height, weight: t.weight };
    });
    place(wanted, { width: size.width - left, height: size.height }).forEach((at, i) => {
      const { element, width: w, height: h } = tags[i]!;
      element.hidden = !at;
      if (at) element.style.transform = `translate(${(at[0] + left - w / 2).toFixed(1)}px, ${(at[1] - h / 2).toFixed(1)}px)`;
    });
  }

  function stroke(way: Way2, kg: number, most: number, look: MapLine["look"], strong: boolean): void {
    const colour = Color.fromCssColorString(COLOURS[look]);
    const wide = width(kg, most) * (strong ? 1.5 : 1);
    const points = way.map(([x, y]) => new Cartesian3(x, y, ABOVE_M + (strong ? 60 : 0)));
    lines.add({
      positions: points, width: look === "gone" ? 2 : wide + 2,
      material: look === "gone" ? Material.fromType("PolylineDash", { color: colour.withAlpha(0.8), dashLength: 9 }) : Material.fromType("PolylineOutline", { color: colour.withAlpha(strong ? 1 : 0.86), outlineColor: Color.fromCssColorString("#fdfcf9"), outlineWidth: 1.2 }),
    });
    if (look === "gone") return;
    // The arrow stands where lines are still apart.
    const i = Math.floor(points.length * 0.42);
    lines.add({ positions: points.slice(i, i + 3).map((p) => new Cartesian3(p.x, p.y, ARROW_M)), width: wide * 2 + 9, material: Material.fromType("PolylineArrow", { color: colour }) });
  }

  function tag(text: string, at: [number, number], weight: number, look: string): void {
    const element = document.createElement("span");
    element.className = `delivery-tag ${look}`;
    element.textContent = text;
    sheet.append(element);
    tags.push({ at, weight, element, width: element.offsetWidth, height: element.offsetHeight });
  }

  /** The town alone: the city is what the map shows. */
  const short = (name: string): string => (state.looks.lang === "ko" ? name.replace(/^이천시\s+/, "") : name.replace(/,\s*Icheon$/, ""));
  const kilograms = (kg: number): string => `${Math.round(kg).toLocaleString(state.looks.lang === "ko" ? "ko-KR" : "en-GB")} kg`;
  function draw(): void {
    lines.removeAll();
    dots.removeAll();
    sheet.replaceChildren();
    tags = [];
    const lang = state.looks.lang;
    const places: (MapPlace & { at: [number, number] })[] = onMap.places.map((p) => ({ ...p, at: flat(p.lon, p.lat) }));
    // Stands beside each other are one place at this scale.
    const groups = gathered(places.filter((p) => p.kind === "place"), 1500);
    const ends = joined(onMap.lines.map((l) => ({ ...l, from: flat(...l.way[0]!), to: flat(...l.way.at(-1)!) })), groups.map((g) => g.at));
    const most = Math.max(...ends.map((e) => e.kg), 1);
    for (const one of [...ends].sort((a, b) => Number(a.strong) - Number(b.strong) || b.kg - a.kg)) stroke(bend(one.from, one.to), one.kg, most, one.look, one.strong);
    for (const p of places.filter((one) => one.kind === "origin")) {
      dots.add({ position: new Cartesian3(...p.at, ARROW_M), color: Color.fromCssColorString(COLOURS.kept), outlineColor: Color.WHITE, outlineWidth: 1.6, pixelSize: 8, disableDepthTestDistance: Number.POSITIVE_INFINITY });
      if (p.kg > 0) tag(`${short(p.name[lang])} ${kilograms(p.kg)}`, p.at, p.kg, "origin");
    }
    for (const g of groups) {
      dots.add({ position: new Cartesian3(...g.at, ARROW_M), color: Color.fromCssColorString("#1e3a4c"), outlineColor: Color.WHITE, outlineWidth: 2, pixelSize: 12, disableDepthTestDistance: Number.POSITIVE_INFINITY });
      const names = g.members.map((m) => m.name[lang]);
      const first = names[0]!.length > 17 ? `${names[0]!.slice(0, 16).trim()}…` : names[0]!;
      const more = names.length > 1 ? ` +${names.length - 1}` : "";
      tag(`${first}${more} · ${kilograms(g.members.reduce((a, m) => a + m.kg, 0))}`, g.at, 1e9, "place");
    }
    put();
    scene.requestRender();
  }

  const stops = [
    // Only other places move the picture.
    watch(() => JSON.stringify(onMap.places.map((p) => [p.lon, p.lat])), (all) => (atlas.beneath = JSON.parse(all) as [number, number][]), { immediate: true }),
    watch(() => [onMap.lines, onMap.places, state.looks.lang], draw, { immediate: true }),
    watch(() => atlas.view, put),
  ];
  const resized = new ResizeObserver(put);
  resized.observe(sheet);
  return {
    destroy() {
      for (const stop of stops) stop();
      resized.disconnect();
      sheet.remove();
      stage?.classList.remove("beneath");
      scene.primitives.remove(lines);
      scene.primitives.remove(dots);
      atlas.beneath = null;
      scene.requestRender();
    },
  };
}
