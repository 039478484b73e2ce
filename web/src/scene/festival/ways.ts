import { Cartesian3, Color, Material, PolylineCollection, type Scene } from "@cesium/engine";
import type { Way } from "../../state/events-lay";
import type { Place } from "../place";

/** Shades of the lines, from few people to many; their width tells the number. */
const SHADES = ["#7fb3c4", "#5a9bb2", "#3b7f9c", "#1e5a78", "#143f55"] as const;
const WIDEST = 15;

/** People an hour to pixels: by the root, so that twice the width is four times the people. */
export const widthOf = (people: number, most: number): number => (people <= 0 || most <= 0 ? 0 : Math.max(1, WIDEST * Math.sqrt(Math.min(1, people / most))));

export interface Ways {
  set(ways: readonly Way[], streets: readonly [number, number][][], hour: number): void;
  destroy(): void;
}

/** Streets of the place: quiet lines, and how many walk along each at the hour of the clock. */
export function createWays(scene: Scene, place: Place): Ways {
  const lines = new PolylineCollection();
  scene.primitives.add(lines);
  // A line takes its material with it when it goes: each has its own.
  const material = (c: string, alpha: number) => Material.fromType("Color", { color: Color.fromCssColorString(c).withAlpha(alpha) });
  const up = (path: readonly [number, number][], z: number) => path.map(([lon, lat]) => Cartesian3.fromDegrees(lon, lat, place.ground + z));
  return {
    set(ways, streets, hour) {
      lines.removeAll();
      for (const path of streets) lines.add({ positions: up(path, 0.1), width: 2, material: material("#b9b6bd", 0.9) });
      // The widest line is the busiest street of the day, so that hours can be compared.
      const most = ways.reduce((m, w) => Math.max(m, ...Object.values(w.hours)), 0);
      const drawn = ways.map((way) => ({ way, people: way.hours[hour] ?? 0 })).filter((d) => d.people >= 1).sort((a, b) => a.people - b.people);
      for (const { way, people } of drawn) {
        const share = Math.sqrt(Math.min(1, people / (most || 1)));
        lines.add({ positions: up(way.path, 0.3), width: widthOf(people, most), material: material(SHADES[Math.min(SHADES.length - 1, Math.floor(share * SHADES.length))]!, 0.82) });
      }
    },
    destroy: () => void scene.primitives.remove(lines),
  };
}
