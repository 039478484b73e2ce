// A small map of a city's towns as SVG paths, drawn from their outlines.
import type { Town } from "./load";

export interface Drawn { id: string; name: string; path: string; centre: [number, number] }
export interface Outline { towns: Drawn[]; width: number; height: number; place: (lon: number, lat: number) => [number, number] }

/** The towns in a box of this width; degrees are shrunk by the cosine of the latitude. Points nearer than a third of a unit are left out. */
export function outline(towns: Town[], width = 320, margin = 6): Outline | null {
  const points = towns.flatMap((town) => town.rings.flat());
  if (!points.length) return null;
  const [west, east] = [Math.min(...points.map((p) => p[0])), Math.max(...points.map((p) => p[0]))];
  const [south, north] = [Math.min(...points.map((p) => p[1])), Math.max(...points.map((p) => p[1]))];
  const shrink = Math.cos((((south + north) / 2) * Math.PI) / 180);
  const scale = (width - 2 * margin) / ((east - west) * shrink || 1);
  const height = Math.round((north - south) * scale + 2 * margin);
  const place = (lon: number, lat: number): [number, number] => [margin + (lon - west) * shrink * scale, margin + (north - lat) * scale];
  const drawn = towns.map((town) => {
    let sum: [number, number] = [0, 0];
    let count = 0;
    const path = town.rings.map((ring) => {
      let last: [number, number] | null = null;
      const kept = ring.map(([lon, lat]) => place(lon, lat)).filter((p) => {
        if (last && Math.hypot(p[0] - last[0], p[1] - last[1]) < 0.34) return false;
        last = p;
        return true;
      });
      for (const p of kept) {
        sum = [sum[0] + p[0], sum[1] + p[1]];
        count++;
      }
      return `M${kept.map((p) => `${p[0].toFixed(1)} ${p[1].toFixed(1)}`).join("L")}Z`;
    }).join("");
    return { id: town.id, name: town.name, path, centre: [sum[0] / (count || 1), sum[1] / (count || 1)] as [number, number] };
  });
  return { towns: drawn, width, height, place };
}

/** The town that a place lies in; null: none. */
export function townAt(towns: Town[], lon: number, lat: number): Town | null {
  const inside = (ring: [number, number][]): boolean => {
    let found = false;
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const [[xi, yi], [xj, yj]] = [ring[i]!, ring[j]!];
      if (yi > lat !== yj > lat && lon < ((xj - xi) * (lat - yi)) / (yj - yi) + xi) found = !found;
    }
    return found;
  };
  return towns.find((town) => town.rings.filter(inside).length % 2 === 1) ?? null;
}

/** The address that flies to a place in the twin. */
export function flight(twin: string, lang: string, lon: number, lat: number, town: string | undefined): string {
  const cam = [lon.toFixed(5), lat.toFixed(5), "9000", "0", "-58"].join(",");
  return `/?twin=${encodeURIComponent(twin)}&lang=${lang === "ko" ? "ko" : "en"}&cam=${cam}${town ? `&sel=${encodeURIComponent(town)}` : ""}`;
}
