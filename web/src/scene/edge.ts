import { Cartesian3, Color, Material, PolylineCollection, type Scene } from "@cesium/engine";
import type { Twin } from "../api/types";
import type { Label } from "./labels";

/** The line where the data ends, and the words that say so, one in the middle of each side. */
export function createEdge(scene: Scene, twin: Twin, words: { ko: string; en: string }): { labels: Label[]; destroy(): void } {
  const ring = twin.edge.coordinates[0] ?? [];
  const height = twin.ground.ellipsoidal_m;
  const positions = ring.map(([lon, lat]) => Cartesian3.fromDegrees(lon!, lat!, height + 0.2));
  const lines = new PolylineCollection();
  lines.add({
    positions,
    width: 2,
    material: Material.fromType("PolylineDash", { color: Color.fromCssColorString("#a8721c").withAlpha(0.85), dashLength: 14 }),
  });
  scene.primitives.add(lines);
  const [west, south, east, north] = twin.bounds_lonlat;
  const middle = [(west + east) / 2, (south + north) / 2] as const;
  const sides: [number, number][] = [
    [middle[0], north], [middle[0], south], [west, middle[1]], [east, middle[1]],
  ];
  return {
    labels: sides.map(([lon, lat], i) => ({
      id: `edge-${i}`,
      layer: "edge",
      names: words,
      position: Cartesian3.fromDegrees(lon, lat, height),
      rank: 0,
      look: "edge",
      reach: 12_000,
    })),
    destroy: () => void scene.primitives.remove(lines),
  };
}
