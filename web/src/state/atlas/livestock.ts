/** Livestock by village, kind and town. Pure. */

export interface Herd {
  /** Code of the legal village or dong. */
  code: string;
  village: string;
  /** Id of the town the village belongs to; null where the source names none. */
  town: string | null;
  kind: string;
  heads: number;
  farms: number;
}

export interface Kind {
  kind: string;
  heads: number;
  farms: number;
  byTown: Map<string, number>;
}

/** Kinds with their heads in all and by town, the most numerous first. */
export function kinds(herds: readonly Herd[]): Kind[] {
  const found = new Map<string, Kind>();
  for (const herd of herds) {
    const kind = found.get(herd.kind) ?? { kind: herd.kind, heads: 0, farms: 0, byTown: new Map() };
    kind.heads += herd.heads;
    kind.farms += herd.farms;
    if (herd.town !== null) kind.byTown.set(herd.town, (kind.byTown.get(herd.town) ?? 0) + herd.heads);
    found.set(herd.kind, kind);
  }
  return [...found.values()].sort((a, b) => b.heads - a.heads);
}

export interface Village {
  village: string;
  town: string | null;
  heads: number;
  farms: number;
}

/** The villages that keep a kind, the most heads first; of one town where one is given. */
export function villages(herds: readonly Herd[], kind: string, town: string | null = null): Village[] {
  const found = new Map<string, Village>();
  for (const h of herds) {
    if (h.kind !== kind || (town !== null && h.town !== town)) continue;
    const key = `${h.town ?? ""}/${h.village}`;
    const village = found.get(key) ?? { village: h.village, town: h.town, heads: 0, farms: 0 };
    village.heads += h.heads;
    village.farms += h.farms;
    found.set(key, village);
  }
  return [...found.values()].sort((a, b) => b.heads - a.heads || a.village.localeCompare(b.village, "ko"));
}
