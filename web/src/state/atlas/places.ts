/** What stands at a point of the city: schools, pharmacies, hospitals, stations. Pure. */

export type PlaceKind = "schools" | "pharmacies" | "hospitals" | "stations";

export interface Place {
  id: string;
  kind: PlaceKind;
  /** Its type in the source's own word ("초등학교", "요양병원"); empty where it has one type only. */
  type: string;
  ko: string;
  en: string;
  /** Id of its town; null where none is stated and its point is in none. */
  town: string | null;
  /** Null where the source has no coordinates. */
  at: [lon: number, lat: number] | null;
  /** A date of the source (founded, opened), "" where none. */
  since: string;
}

export interface TypeCount {
  type: string;
  count: number;
}

/** How many of each type, the most first. */
export function types(places: readonly Place[]): TypeCount[] {
  const found = new Map<string, number>();
  for (const p of places) found.set(p.type, (found.get(p.type) ?? 0) + 1);
  return [...found].map(([type, count]) => ({ type, count })).sort((a, b) => b.count - a.count || a.type.localeCompare(b.type, "ko"));
}

/** How many of each type in each town: town id → type → count. */
export function byTown(places: readonly Place[]): Map<string, Map<string, number>> {
  const found = new Map<string, Map<string, number>>();
  for (const p of places) {
    if (p.town === null) continue;
    const inTown = found.get(p.town) ?? new Map<string, number>();
    inTown.set(p.type, (inTown.get(p.type) ?? 0) + 1);
    found.set(p.town, inTown);
  }
  return found;
}

/** The town whose rings hold a point, by the even–odd rule. */
export function townAt(lon: number, lat: number, towns: readonly { id: string; polygons: [number, number][][][] }[]): string | null {
  for (const town of towns) {
    let odd = false;
    for (const ring of town.polygons.flat())
      for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
        const [xi, yi] = ring[i]!;
        const [xj, yj] = ring[j]!;
        if (yi > lat !== yj > lat && lon < ((xj - xi) * (lat - yi)) / (yj - yi) + xi) odd = !odd;
      }
    if (odd) return town.id;
  }
  return null;
}
