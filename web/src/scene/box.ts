import { type Cartesian2, Cartesian3, Color, Material, PolylineCollection } from "@cesium/engine";
import { watch, watchEffect } from "vue";
import type { Degrees } from "../state/exchange";
import type { State } from "../state/store";
import type { Stage, Tool } from "./city";
import { groundUnder } from "./place";

/** The box that terms are being written about: shown on the ground, and drawn by the hand where the column asks for it. */
export function createBox(stage: Stage, state: State): { destroy(): void } {
  const { scene, place } = stage;
  const lines = new PolylineCollection();
  scene.primitives.add(lines);
  let from: [number, number] | null = null;
  let last: Degrees | null = null;
  const at = (screen: Cartesian2): [number, number] | null => {
    const under = groundUnder(scene, place, screen);
    return under ? [under.lon, under.lat] : null;
  };
  const tool: Tool = {
    grab(screen) {
      from = at(screen);
      return !!from;
    },
    pull(screen) {
      const to = at(screen);
      if (!from || !to) return;
      last = [Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.max(from[0], to[0]), Math.max(from[1], to[1])];
      state.exchange.box = last;
      stage.render();
    },
    release() {
      if (last) state.exchange.drawn = last;
      from = last = null;
      state.exchange.drawing = false;
    },
    move: () => undefined,
    click: () => true,
    hover: () => "crosshair",
    key(event) {
      if (event.key !== "Escape") return false;
      state.exchange.drawing = false;
      return true;
    },
    arrange: () => undefined,
  };
  const stops = [
    watch(
      () => state.exchange.drawing,
      (drawing) => {
        if (drawing) stage.tool = tool;
        else if (stage.tool === tool) stage.tool = null;
        stage.canvas.style.cursor = drawing ? "crosshair" : "";
        stage.refresh();
      },
      { immediate: true },
    ),
    watchEffect(() => {
      lines.removeAll();
      const box = state.exchange.box;
      if (box) {
        const [w, s, e, n] = box;
        lines.add({
          positions: [[w, s], [e, s], [e, n], [w, n], [w, s]].map(([lon, lat]) => Cartesian3.fromDegrees(lon!, lat!, place.ground + 0.5)),
          width: 3.5, material: Material.fromType("Color", { color: Color.fromCssColorString("#5d3a9b") }),
        });
      }
      stage.render();
    }),
  ];
  return {
    destroy() {
      for (const stop of stops) stop();
      if (stage.tool === tool) stage.tool = null;
      scene.primitives.remove(lines);
      stage.render();
    },
  };
}
