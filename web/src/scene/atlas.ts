/**
 * The scene of an atlas twin: towns as blocks on a plain sheet, seen in parallel projection. No globe, no sky, nothing asked of anyone.
 * It borrows the page's one viewer and gives it back as it was.
 */

import "./atlas.css";

import { Cartesian3, type CesiumWidget, Color, Matrix4, OrthographicFrustum, Transforms } from "@cesium/engine";
import { watch } from "vue";

import { drawn } from "../state/atlas/map";
import { POINT } from "../state/atlas/ramp";
import { atlasOf, PITCH, type Atlas } from "../state/atlas/store";
import { measure } from "../state/atlas/towns";
import { basis, fit, project, unproject, type Inset, type Point, type Size, type View } from "../state/atlas/view";
import type { State } from "../state/store";
import { takeHands } from "./atlas-hands";
import { Labels, NARROW } from "./atlas-labels";
import { area, hit, middle, shape, type Prism, type Shape } from "./atlas-prism";
import { Relief } from "./atlas-relief";

/** Metres of the tallest block: high enough to be read, low enough to hide no other town wholly. */
const TALLEST = 5200;
const EYE = 120_000;
/** Of towns that are the ground of something else. */
const QUIET = "#dfe4e5";
const TURN_MS = 420;
/** Where a label of the usual size ends, CSS pixels from its middle. */
const CORNERS = [[-30, -18], [30, -18], [-30, 18], [30, 18]] as const;

interface Standing extends Prism {
  ko: string;
  en: string;
  middle: [number, number];
  /** Area of its shapes, m²: who has room for a name keeps it in its place. */
  room: number;
}

export function createAtlas(viewer: CesiumWidget, state: State): { destroy(): void } {
  const twin = state.twins.current!;
  const atlas: Atlas = atlasOf(state, twin.id);
  const { scene } = viewer;
  const { camera } = scene;
  const host = viewer.container as HTMLElement;
  const skyBox = scene.skyBox as { show: boolean } | undefined; // left out of the engine's types

  const before = {
    globe: scene.globe?.show, frustum: camera.frustum, background: Color.clone(scene.backgroundColor),
    inputs: scene.screenSpaceCameraController.enableInputs, samples: scene.msaaSamples, request: scene.requestRenderMode,
    skyBox: skyBox?.show, sky: scene.skyAtmosphere?.show, fog: scene.fog.enabled,
    resolution: viewer.resolutionScale,
  }; // prettier-ignore
  if (scene.globe) scene.globe.show = false;
  if (skyBox) skyBox.show = false;
  if (scene.skyAtmosphere) scene.skyAtmosphere.show = false;
  scene.fog.enabled = false;
  scene.requestRenderMode = true;
  // Fourteen blocks are cheap even in software: smooth edges are affordable here.
  scene.msaaSamples = 4;
  viewer.resolutionScale = 1;
  // A place in another city says nothing here.
  state.place.camera = null;
  scene.screenSpaceCameraController.enableInputs = false;
  scene.backgroundColor = Color.fromCssColorString(getComputedStyle(document.documentElement).getPropertyValue("--paper").trim() || "#f3f1ec");
  host.closest(".scene")?.classList.add("atlas");

  const stage = document.createElement("div");
  stage.className = "atlas-stage";
  stage.tabIndex = 0;
  stage.setAttribute("role", "region");
  host.append(stage);
  // The stage takes the keys; the canvas under it is a picture only.
  viewer.canvas.tabIndex = -1;
  viewer.canvas.setAttribute("aria-hidden", "true");
  const labels = new Labels(stage);
  const tip = document.createElement("div");
  tip.className = "atlas-tip";
  tip.hidden = true;
  stage.append(tip);

  const [west, south, east, north] = twin.bounds_lonlat;
  const origin = Cartesian3.fromDegrees((west + east) / 2, (south + north) / 2, twin.ground.ellipsoidal_m);
  const plane = Transforms.eastNorthUpToFixedFrame(origin);
  const back = Matrix4.inverseTransformation(plane, new Matrix4());
  const flat = (lon: number, lat: number): [number, number] => {
    const p = Matrix4.multiplyByPoint(back, Cartesian3.fromDegrees(lon, lat, twin.ground.ellipsoidal_m), new Cartesian3());
    return [p.x, p.y]; // The earth's curve over half the city is 20 m downward; the sheet is plane.
  };
  const relief = new Relief(scene, plane);
  const frustum = new OrthographicFrustum();
  frustum.near = 1;
  frustum.far = EYE * 3;
  camera.frustum = frustum;

  let standing: Standing[] = [];
  let reached: number[] = [];
  let wanted: number[] = [];
  let moving = 0;
  const size = (): Size => ({ width: stage.clientWidth || 1, height: stage.clientHeight || 1 });
  const inset = (): Inset => {
    const narrow = stage.clientWidth < NARROW;
    const usual = narrow ? { top: 168, right: 14, bottom: 44, left: 14 } : { top: 132, right: 44, bottom: 72, left: 44 };
    if (!atlas.beneath) return usual;
    // What a column covers is no room for what is told.
    const [dock, frame] = [document.getElementById("events-dock")?.getBoundingClientRect(), stage.getBoundingClientRect()];
    if (!dock) return usual;
    return narrow || dock.width > frame.width * 0.8 ? { ...usual, top: 120, bottom: Math.max(16, frame.bottom - dock.top + 12) } : { top: 104, right: 96, bottom: 96, left: dock.right - frame.left + 36 };
  };
  const raised = (): boolean => atlas.raised && !atlas.beneath;
  const still = (): boolean => state.looks.lite || state.looks.reducedMotion;

  function look(view: View): void {
    const b = basis(view);
    const vector = (p: Point): Cartesian3 => Matrix4.multiplyByPointAsVector(plane, new Cartesian3(...p), new Cartesian3());
    const middle: Point = [view.x - b.forward[0] * EYE, view.y - b.forward[1] * EYE, -b.forward[2] * EYE];
    camera.position = Matrix4.multiplyByPoint(plane, new Cartesian3(...middle), new Cartesian3());
    camera.direction = vector(b.forward);
    camera.up = vector(b.up);
    camera.right = vector(b.right);
    const { width, height } = size();
    frustum.aspectRatio = width / height;
    frustum.width = width * view.scale;
    scene.requestRender();
  }

  /** North is up; where there is far more height than width, what lies outside of the city is. */
  function heading(): number {
    const { width, height } = size();
    const { left, right, top, bottom } = inset();
    if (!atlas.beneath?.length || height - top - bottom < 1.4 * (width - left - right)) return 0;
    const away = atlas.beneath.map(([lon, lat]) => flat(lon, lat)).sort((a, b) => Math.hypot(...b) - Math.hypot(...a))[0]!;
    const [x, y] = standing.reduce((m, s) => [m[0] + s.middle[0] / standing.length, m[1] + s.middle[1] / standing.length] as [number, number], [0, 0] as [number, number]);
    return (Math.atan2(away[0] - x, away[1] - y) * 180) / Math.PI;
  }

  function home(): View {
    const heights = raised() ? drawn(atlas.towns, atlas.measure).towns.map((d) => d.rise * TALLEST) : [];
    const points = standing.flatMap((s, i) =>
      s.shapes.flatMap((loops) => loops[0]!.flatMap(([x, y]): Point[] => [[x, y, 0], [x, y, heights[i] ?? 0]])),
    ); // prettier-ignore
    for (const [lon, lat] of atlas.beneath ?? []) points.push([...flat(lon, lat), 0]);
    const facing = { heading: heading(), pitch: raised() ? PITCH.raised : PITCH.flat };
    return points.length ? fit(points, facing, size(), inset()) : { ...atlas.view, ...facing };
  }

  const untouched = (): boolean => (Object.keys(atlas.home) as (keyof View)[]).every((k) => Math.abs(atlas.view[k] - atlas.home[k]) < 1e-6);

  function heightOf(town: string | null): number {
    const i = standing.findIndex((s) => s.id === town);
    return i < 0 ? 0 : reached[i]!;
  }

  function paint(): void {
    if (!standing.length) return;
    const colours = new Map(drawn(atlas.towns, atlas.measure).towns.map((d) => [d.id, d.colour]));
    relief.draw(
      standing.map((s, i) => ({
        ...s, height: Math.max(1, reached[i]!), colour: atlas.beneath ? QUIET : (colours.get(s.id) ?? "#ddd"),
        hovered: s.id === atlas.hovered, selected: s.id === atlas.selected,
      })),
    ); // prettier-ignore
    const shown = atlas.beneath ? [] : atlas.places.filter((p) => p.kind === atlas.points && p.at);
    const at = (p: (typeof shown)[number]): [number, number, number] => [...flat(p.at![0], p.at![1]), heightOf(p.town)];
    if (atlas.points === "stations") relief.way(shown.map(at).sort((a, b) => a[0] - b[0]), POINT);
    relief.points(
      shown.map((p) => ({
        id: p.id, position: at(p), colour: p.id === atlas.hoveredPlace ? "#1c2329" : POINT,
        size: p.kind === "stations" || p.kind === "hospitals" ? 10 : 7.5,
      })),
    ); // prettier-ignore
    name();
    scene.requestRender();
  }

  function name(): void {
    const { towns } = drawn(atlas.towns, atlas.measure);
    const m = measure(atlas.measure);
    const format = new Intl.NumberFormat(state.looks.lang, { minimumFractionDigits: m.digits, maximumFractionDigits: m.digits });
    labels.draw(
      standing.map((s, i) => {
        const [x, y] = project([...s.middle, reached[i]!], atlas.view, size());
        const strong = s.id === atlas.hovered || s.id === atlas.selected;
        const value = towns[i]?.value ?? null;
        const over = CORNERS.some(([dx, dy]) => {
          const under = pick(x + dx, y + dy);
          return under !== null && under !== s.id;
        });
        return {
          id: s.id, ko: s.ko, en: s.en, value: atlas.beneath ? "" : value === null ? "–" : format.format(value), x, y, strong,
          weight: (strong ? 1e12 : 0) + s.room, over, light: !atlas.beneath && luminance(towns[i]?.colour ?? "#fff") < 0.3,
        };
      }),
    ); // prettier-ignore
    const place = atlas.places.find((p) => p.id === atlas.hoveredPlace && p.at);
    tip.hidden = !place;
    if (place?.at) {
      const [x, y] = project([...flat(place.at[0], place.at[1]), heightOf(place.town)], atlas.view, size());
      tip.textContent = [place.ko, place.en].filter(Boolean).join(" · ");
      const left = Math.min(x + 10, size().width - tip.offsetWidth - 8);
      tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(y - tip.offsetHeight - 8)}px)`;
    }
  }

  /** Takes heights and view to where they are wanted: at once where nothing may move, else in TURN_MS. */
  function go(view: View | null): void {
    if (!standing.length) return;
    cancelAnimationFrame(moving);
    wanted = drawn(atlas.towns, atlas.measure).towns.map((d) => (raised() ? d.rise * TALLEST : 0));
    const [from, seen] = [reached.slice(), atlas.view];
    const start = performance.now();
    const step = (now: number): void => {
      const t = still() ? 1 : Math.min(1, (now - start) / TURN_MS);
      const k = 1 - (1 - t) ** 3;
      reached = wanted.map((h, i) => (from[i] ?? 0) + (h - (from[i] ?? 0)) * k);
      if (view) {
        const mixed = (key: keyof View): number => seen[key] + (view[key] - seen[key]) * k;
        atlas.view = { x: mixed("x"), y: mixed("y"), scale: mixed("scale"), heading: mixed("heading"), pitch: mixed("pitch") };
      }
      paint();
      if (t < 1) moving = requestAnimationFrame(step);
    };
    step(start);
  }

  function homeward(): void {
    atlas.home = home();
    go(atlas.home);
  }

  const pick = (px: number, py: number): string | null =>
    hit(standing.map((s, i) => ({ ...s, height: Math.max(1, reached[i]!) })), unproject(px, py, atlas.view, size()), basis(atlas.view).forward);
  const pickPlace = (px: number, py: number): string | null => {
    let [best, found]: [number, string | null] = [9, null];
    for (const p of atlas.places) {
      if (p.kind !== atlas.points || !p.at) continue;
      const [x, y] = project([...flat(p.at[0], p.at[1]), heightOf(p.town)], atlas.view, size());
      const d = Math.hypot(x - px, y - py);
      if (d < best) [best, found] = [d, p.id];
    }
    return found;
  };
  const bounds = (): [number, number, number, number] => {
    const all = standing.flatMap((s) => s.shapes.flatMap((loops) => loops[0]!));
    const [xs, ys] = [all.map((p) => p[0]), all.map((p) => p[1])];
    return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
  };
  const release = takeHands(stage, atlas, { size, town: pick, place: pickPlace, bounds });

  const resized = new ResizeObserver(() => {
    viewer.resize();
    const was = untouched();
    atlas.home = home();
    if (was) atlas.view = { ...atlas.home };
    look(atlas.view);
    name();
  });
  resized.observe(stage);

  const stops = [
    watch(() => atlas.towns, (towns) => {
      const first = standing.length === 0;
      standing = towns.map((t) => {
        const shapes: Shape[] = t.polygons.map((rings) => shape(rings.map((ring) => ring.map(([lon, lat]) => flat(lon, lat)))));
        return { id: t.id, ko: t.ko, en: t.en, shapes, height: 0, middle: middle(shapes), room: shapes.reduce((sum, loops) => sum + area(loops[0]!), 0) };
      });
      if (!standing.length) return;
      const was = first || untouched();
      if (first) reached = standing.map(() => 0);
      if (was) {
        atlas.home = home();
        atlas.view = { ...atlas.home };
      }
      go(null);
      // A link that names a place in this city leads to it: from the whole, so that one sees where it lies.
      const spot = first ? state.place.wanted : null;
      if (!spot || spot.lon < west || spot.lon > east || spot.lat < south || spot.lat > north) return;
      state.place.wanted = null;
      const [x, y] = flat(spot.lon, spot.lat);
      go({ ...atlas.home, x, y, scale: atlas.home.scale * 0.42 });
    }, { immediate: true }),
    watch(() => atlas.view, (view) => (look(view), name())),
    watch(() => state.place.flight, (flight) => {
      if (!flight) return;
      const [x, y] = flat(flight.lon, flight.lat);
      go({ ...atlas.home, x, y, scale: atlas.home.scale * 0.45 });
    }),
    watch(() => [atlas.raised, atlas.beneath], homeward),
    watch(() => atlas.measure, () => {
      // Who has not moved the map sees all of it again, however tall it has become.
      if (untouched()) homeward();
      else go(null);
    }),
    watch(() => [atlas.hovered, atlas.selected, atlas.points, atlas.places, atlas.hoveredPlace, state.looks.lang], paint),
  ]; // prettier-ignore
  look(atlas.view);

  return {
    destroy() {
      cancelAnimationFrame(moving);
      for (const stop of stops) stop();
      release();
      resized.disconnect();
      relief.destroy();
      labels.destroy();
      stage.remove();
      viewer.canvas.tabIndex = 0;
      viewer.canvas.removeAttribute("aria-hidden");
      host.closest(".scene")?.classList.remove("atlas");
      if (scene.globe) scene.globe.show = before.globe ?? true;
      if (skyBox) skyBox.show = before.skyBox ?? false;
      if (scene.skyAtmosphere) scene.skyAtmosphere.show = before.sky ?? false;
      scene.fog.enabled = before.fog;
      scene.requestRenderMode = before.request;
      scene.msaaSamples = before.samples;
      viewer.resolutionScale = before.resolution;
      scene.backgroundColor = before.background;
      scene.screenSpaceCameraController.enableInputs = before.inputs;
      camera.frustum = before.frustum;
      scene.requestRender();
    },
  };
}

/** Relative luminance of "#rrggbb" (WCAG), to choose ink or paper for words on it. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const c = Number.parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}
