import { BillboardCollection, Cartesian2, Cartesian3, SceneTransforms, VerticalOrigin, type Billboard, type Scene } from "@cesium/engine";
import type { Api } from "../api/client";
import type { Feature } from "../api/types";

/** Colours of point layers; anything else is slate. */
const COLOURS: Record<string, string> = {
  carparks: "#3b6ea5", hospitals: "#b3404a", pharmacies: "#3f8f5f", schools: "#8a6a2f", events: "#8b4d97",
  "cool-shelters": "#2f8b96", stations: "#1e5a78", sensors: "#6b6f3a",
};
const LETTERS: Record<string, string> = {
  carparks: "P", hospitals: "H", pharmacies: "✚", schools: "S", events: "★", "cool-shelters": "❄", stations: "M", sensors: "•",
};

function pin(layer: string): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 48;
  const pen = canvas.getContext("2d")!;
  pen.scale(2, 2);
  pen.beginPath();
  pen.arc(12, 12, 9, 0, 7);
  pen.fillStyle = COLOURS[layer] ?? "#4c565f";
  pen.fill();
  pen.lineWidth = 2;
  pen.strokeStyle = "#fff";
  pen.stroke();
  pen.fillStyle = "#fff";
  pen.font = "600 11px Pretendard, sans-serif";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(LETTERS[layer] ?? "•", 12, 12.5);
  return canvas;
}

export interface Marks {
  /** Shows exactly these point layers. */
  show(layers: string[]): Promise<void>;
  at(screen: Cartesian2): { layer: string; feature: Feature; lon: number; lat: number } | null;
  destroy(): void;
}

/** Point layers that the reader switches on. */
export function createMarks(scene: Scene, api: Api, twin: string, ground_m: number): Marks {
  const shown = new Map<string, { collection: BillboardCollection; points: { billboard: Billboard; feature: Feature; lon: number; lat: number }[] }>();
  let wanted: string[] = [];
  return {
    async show(layers) {
      wanted = layers;
      for (const [layer, { collection }] of shown)
        if (!layers.includes(layer)) {
          scene.primitives.remove(collection);
          shown.delete(layer);
        }
      for (const layer of layers) {
        if (shown.has(layer)) continue;
        const { features } = await api.items(twin, layer, { limit: 2000 });
        if (!wanted.includes(layer) || shown.has(layer)) continue;
        const collection = new BillboardCollection({ scene });
        const image = pin(layer);
        const points = features.flatMap((feature) => {
          if (feature.geometry?.type !== "Point") return [];
          const [lon, lat] = feature.geometry.coordinates as [number, number];
          const billboard = collection.add({
            position: Cartesian3.fromDegrees(lon, lat, ground_m + 1),
            width: 24,
            height: 24,
            verticalOrigin: VerticalOrigin.CENTER,
            disableDepthTestDistance: Number.POSITIVE_INFINITY,
          });
          billboard.setImage(`pin-${layer}`, image);
          return [{ billboard, feature, lon, lat }];
        });
        scene.primitives.add(collection);
        shown.set(layer, { collection, points });
      }
      scene.requestRender();
    },
    at(screen) {
      let best: { d: number; layer: string; feature: Feature; lon: number; lat: number } | null = null;
      for (const [layer, { points }] of shown)
        for (const { billboard, feature, lon, lat } of points) {
          const p = SceneTransforms.worldToWindowCoordinates(scene, billboard.position, new Cartesian2());
          const d = p ? Math.hypot(p.x - screen.x, p.y - screen.y) : 99;
          if (d < 13 && (!best || d < best.d)) best = { d, layer, feature, lon, lat };
        }
      return best;
    },
    destroy() {
      for (const { collection } of shown.values()) scene.primitives.remove(collection);
    },
  };
}
