import { BoundingSphere, Cartesian3, Color, DirectionalLight, HeadingPitchRange, Math as M, Matrix4, type CesiumWidget } from "@cesium/engine";
import { watch } from "vue";
import type { State } from "../state/store";
import "./away.css";
import { flatGround } from "./ground";
import { createGroundLayer } from "./ground-layer";
import { placeOfPlane, createTheirs } from "./theirs";

/** Where the light comes from there: no clock runs, and no shadow is claimed for an hour. */
const LIGHT = { azimuth: 214, altitude: 46 };

/**
 * The picture of a partner's place, where that is not in our city: a plain ground with nothing of ours on it, what the agreement lets us
 * see, and its edge. It borrows the page's one viewer.
 */
export function createAway(viewer: CesiumWidget, state: State): { destroy(): void } {
  const { scene } = viewer;
  const away = state.exchange.away!;
  const place = placeOfPlane(`EPSG:${32600 + Math.floor(((away.box[0] + away.box[2]) / 2 + 180) / 6) + 1}`, 0, away.box);
  const host = (viewer.container as HTMLElement).closest(".scene") ?? (viewer.container as HTMLElement);
  const atlas = state.twins.current?.kind === "atlas";
  host.classList.add("away");
  host.classList.toggle("atlas", atlas);
  const canvas = viewer.canvas;
  const label = canvas.getAttribute("aria-label");
  viewer.resize();
  scene.terrainProvider = flatGround(0);
  if (scene.globe) scene.globe.show = true;
  const base = Color.clone(scene.globe.baseColor);
  scene.globe.baseColor = Color.fromCssColorString("#e7e5e8");
  const [w, s, e, n] = away.box;
  const target = Cartesian3.fromDegrees((w + e) / 2, (s + n) / 2, 0);
  const reach = Cartesian3.distance(Cartesian3.fromDegrees(w, s, 0), Cartesian3.fromDegrees(e, n, 0));
  /** The middle of the picture that no column covers, CSS pixels from its own. */
  const shift = () => {
    const dock = document.getElementById("exchange-dock")?.getBoundingClientRect();
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
  const az = M.toRadians(LIGHT.azimuth);
  const al = M.toRadians(LIGHT.altitude);
  const toward = Matrix4.multiplyByPointAsVector(place.enu, new Cartesian3(Math.sin(az) * Math.cos(al), Math.cos(az) * Math.cos(al), Math.sin(al)), new Cartesian3());
  const light = scene.light;
  scene.light = new DirectionalLight({ direction: Cartesian3.negate(toward, new Cartesian3()) });

  const ground = createGroundLayer(scene);
  const theirs = createTheirs(scene, { place, sun: () => null }, state);
  const stops = [
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
    destroy() {
      alive = false;
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
