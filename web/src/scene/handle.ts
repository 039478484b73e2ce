import {
  BillboardCollection, Cartesian2, Cartesian3, Color, Material, PolylineCollection, SceneTransforms, VerticalOrigin, type Scene,
} from "@cesium/engine";
import type { Place } from "./place";

/** Pixels at the top of the screen that the page keeps for itself. */
const TOP = 92;

function grip(active: boolean): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 88;
  const pen = canvas.getContext("2d")!;
  pen.scale(2, 2);
  pen.shadowColor = "rgba(28,35,41,.35)";
  pen.shadowBlur = 5;
  pen.shadowOffsetY = 1;
  pen.beginPath();
  pen.arc(22, 22, 15, 0, 7);
  pen.fillStyle = active ? "#c77d0a" : "#1e3a4c";
  pen.fill();
  pen.shadowColor = "transparent";
  pen.lineWidth = 2;
  pen.strokeStyle = "#fff";
  pen.stroke();
  pen.lineJoin = pen.lineCap = "round";
  for (const s of [-1, 1]) {
    pen.beginPath();
    pen.moveTo(17.5, 22 + s * 4.5);
    pen.lineTo(22, 22 + s * 9);
    pen.lineTo(26.5, 22 + s * 4.5);
    pen.stroke();
  }
  return canvas;
}

export interface Handle {
  /** Stands over a place of the ground at a height, or goes away. */
  set(at: { foot: Cartesian3; height: number } | null): void;
  active(on: boolean): void;
  hit(screen: Cartesian2): boolean;
  /** Height above the ground that a screen point asks for: where its ray passes nearest to the upright. */
  heightAt(screen: Cartesian2): number | null;
  /** Screen distance from the grip to where the hand took it, so that the building does not jump. */
  destroy(): void;
}

/** The grip on top of the selected building. */
export function createHandle(scene: Scene, place: Place): Handle {
  const lines = new PolylineCollection();
  const line = lines.add({
    positions: [place.middle, place.middle],
    width: 1.5,
    material: Material.fromType("PolylineDash", { color: Color.fromCssColorString("#1e3a4c").withAlpha(0.75), dashLength: 8 }),
    show: false,
  });
  const grips = new BillboardCollection({ scene });
  const billboard = grips.add({
    position: place.middle, width: 44, height: 44, verticalOrigin: VerticalOrigin.CENTER,
    disableDepthTestDistance: Number.POSITIVE_INFINITY, show: false,
  });
  billboard.setImage("grip", grip(false));
  scene.primitives.add(lines);
  scene.primitives.add(grips);
  let now: { foot: Cartesian3; height: number } | null = null;
  const over = (height: number) => Cartesian3.add(now!.foot, Cartesian3.multiplyByScalar(place.up, height, new Cartesian3()), new Cartesian3());
  const lift = () => {
    // The grip floats a little above the roof, the same few pixels at any distance.
    const distance = Cartesian3.distance(scene.camera.positionWC, over(now!.height));
    const floating = now!.height + Math.max(3, distance * 0.028);
    // It never hides behind the bar at the top: then it comes down along its line.
    const low = (height: number) => (SceneTransforms.worldToWindowCoordinates(scene, over(height), new Cartesian2())?.y ?? 0) >= TOP;
    if (low(floating) || !low(0)) return floating;
    let [below, above] = [0, floating];
    for (let i = 0; i < 12; i++) {
      const middle = (below + above) / 2;
      if (low(middle)) below = middle;
      else above = middle;
    }
    return below;
  };
  return {
    set(at) {
      now = at;
      line.show = billboard.show = at !== null;
      if (!at) return;
      billboard.position = over(lift());
      line.positions = [over(0), billboard.position];
    },
    active(on) {
      billboard.setImage(on ? "grip-on" : "grip", grip(on));
    },
    hit(screen) {
      if (!now) return false;
      const p = SceneTransforms.worldToWindowCoordinates(scene, billboard.position, new Cartesian2());
      return !!p && Math.hypot(p.x - screen.x, p.y - screen.y) < 24;
    },
    heightAt(screen) {
      const ray = now && scene.camera.getPickRay(screen);
      if (!now || !ray) return null;
      const w = Cartesian3.subtract(ray.origin, now.foot, new Cartesian3());
      const b = Cartesian3.dot(ray.direction, place.up);
      const d = Cartesian3.dot(ray.direction, w);
      const e = Cartesian3.dot(place.up, w);
      const away = 1 - b * b;
      return away < 1e-6 ? null : (e - b * d) / away;
    },
    destroy() {
      scene.primitives.remove(lines);
      scene.primitives.remove(grips);
    },
  };
}
