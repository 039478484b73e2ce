import { BoundingSphere, Cartesian3, Color, DirectionalLight, HeadingPitchRange, Math as M, Matrix4, type CesiumWidget } from "@cesium/engine";
import { watch } from "vue";
import type { State } from "../state/store";
import "./away.css";
import type { Stage } from "./city";
import { flatGround } from "./ground";
import { createGroundLayer } from "./ground-layer";
import { createPointer } from "./pointer";
import { placeOfPlane, createTheirs } from "./theirs";

/** Where the light comes from there while nobody says an hour: no clock runs, and no shadow is claimed for one. */
const LIGHT = { azimuth: 214, altitude: 46 };

/**
 * The picture of a partner's place, where that is not in our city: a plain ground with nothing of ours on it, what the agreement lets us
 * see, and its edge. It borrows the page's one viewer; what is planned there is a guest of its stage.
 */
export function createAway(viewer: CesiumWidget, state: State): { destroy(): void; stage: Stage } {
  const { scene } = viewer;
  const away = state.exchange.away!;
  const place = placeOfPlane(`EPSG:${32600 + Math.floor(((away.box[0] + away.box[2]) / 2 + 180) / 6) + 1}`, 0, away.box);
  const host = (viewer.container as HTMLElement).closest(".scene") ?? (viewer.container as HTMLElement);
  const atlas = state.twins.current?.kind === "atlas";
  host.classList.add("away");
  // Where something is planned there, the picture is the whole page's.
  const fit = () => {
    host.classList.toggle("atlas", atlas && !state.events.shown);
    viewer.resize();
    scene.requestRender();
  };
  const canvas = viewer.canvas;
  const label = canvas.getAttribute("aria-label");
  fit();
  scene.terrainProvider = flatGround(0);
  if (scene.globe) scene.globe.show = true;
  const base = Color.clone(scene.globe.baseColor);
  scene.globe.baseColor = Color.fromCssColorString("#e7e5e8");
  const [w, s, e, n] = away.box;
  const target = Cartesian3.fromDegrees((w + e) / 2, (s + n) / 2, 0);
  const reach = Cartesian3.distance(Cartesian3.fromDegrees(w, s, 0), Cartesian3.fromDegrees(e, n, 0));
  /** The middle of the picture that no column covers, CSS pixels from its own. */
  const shift = () => {
    const dock = (document.getElementById("exchange-dock") ?? document.getElementById("events-dock"))?.getBoundingClientRect();
    const frame = canvas.getBoundingClientRect();
    if (!dock) return [0, 0] as const;
    if (dock.width < frame.width * 0.8) return [(dock.right - frame.left) / 2 + 14, 0] as const;
    return [0, -(frame.bottom - Math.max(dock.top, frame.top + 60)) / 2 + 40] as const;
  };
  const [right, down] = shift();
  const room = Math.max(1, canvas.clientWidth / Math.max(1, canvas.clientWidth - 2 * right), canvas.clientHeight / Math.max(1, canvas.clientHeight + 2 * down));
  const home = () => scene.camera.flyToBoundingSphere(new BoundingSphere(target, 1), { duration: 0, offset: new HeadingPitchRange(0, M.toRadians(-42), Math.max(260, reach * 1.2 * Math.min(2.2, room))) });
  home();
  const frustum = scene.camera.frustum as { fovy?: number };
  const metres = (2 * Cartesian3.distance(scene.camera.positionWC, target) * Math.tan((frustum.fovy ?? 1) / 2)) / Math.max(1, canvas.clientHeight);
  scene.camera.moveRight(-right * metres);
  scene.camera.moveUp(down * metres);
  const light = scene.light;
  /** East, north, up: where the sun stands at the hour that is looked at, or where the light comes from. */
  const sun = new Cartesian3();
  const shine = () => {
    const { azimuth, altitude } = state.events.sun ?? LIGHT;
    const [az, al] = [M.toRadians(azimuth), M.toRadians(altitude)];
    Cartesian3.fromElements(Math.sin(az) * Math.cos(al), Math.cos(az) * Math.cos(al), Math.sin(al), sun);
    const toward = Matrix4.multiplyByPointAsVector(place.enu, sun, new Cartesian3());
    scene.light = new DirectionalLight({ direction: Cartesian3.negate(toward, new Cartesian3()) });
    scene.requestRender();
  };
  const stage: Stage = {
    scene, canvas, place,
    lite: state.looks.lite,
    sun: () => (state.events.sun && sun.z > 0.02 ? sun : null),
    tool: null,
    without: () => undefined,
    moving: () => undefined,
    render: () => scene.requestRender(),
    refresh: () => undefined,
  };

  const ground = createGroundLayer(scene);
  const theirs = createTheirs(scene, stage, state);
  // What is planned there is moved by the hand.
  const pointer = createPointer(
    scene,
    {
      grab: (at, touch) => stage.tool?.grab(at, touch) ?? false,
      pull: (at, keys) => stage.tool?.pull(at, keys),
      release: () => stage.tool?.release(),
      move: (at, keys) => stage.tool?.move(at, keys),
      hover(at, building) {
        canvas.style.cursor = stage.tool?.hover(at, building) ?? "";
      },
      click: (at, building, keys) => void stage.tool?.click(at, building, keys),
    },
    stage.lite ? 140 : 40,
  );
  const onKey = (event: KeyboardEvent) => {
    if (stage.tool?.key(event)) event.preventDefault();
  };
  canvas.addEventListener("keydown", onKey);
  const off = scene.camera.moveEnd.addEventListener(() => stage.tool?.arrange());
  const stops = [
    watch(() => state.events.shown, fit),
    watch(() => state.events.sun, shine, { immediate: true }),
    watch(() => state.exchange.theirs.find((t) => t.grid)?.grid ?? null, (grid) => ground.showGrid(grid), { immediate: true }),
    watch(() => state.looks.lang, (lang) => canvas.setAttribute("aria-label", away.whose[lang]), { immediate: true }),
  ];
  let alive = true;
  const loop = () => {
    if (!alive) return;
    requestAnimationFrame(loop);
    if (!scene.globe.tilesLoaded) scene.requestRender();
  };
  requestAnimationFrame(loop);
  const resized = new ResizeObserver(() => {
    viewer.resize();
    scene.requestRender();
  });
  resized.observe(viewer.container);

  return {
    stage,
    destroy() {
      alive = false;
      off();
      canvas.removeEventListener("keydown", onKey);
      pointer.destroy();
      resized.disconnect();
      for (const stop of stops) stop();
      theirs.destroy();
      ground.destroy();
      host.classList.remove("away", "atlas");
      if (label) canvas.setAttribute("aria-label", label);
      scene.light = light;
      scene.globe.baseColor = base;
      viewer.resize();
      scene.requestRender();
    },
  };
}
