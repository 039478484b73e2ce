/** People by five-year age group and sex. Pure. */

export type Sex = "male" | "female";

export interface AgeCount {
  town: string;
  /** First year of the group: 0, 5, … 100. */
  from: number;
  sex: Sex;
  people: number;
}

export interface AgeBand {
  from: number;
  /** Last year of the group; null for the open one. */
  to: number | null;
  male: number;
  female: number;
}

/**
 * First year of a group as the file writes it: "05-09" → 5, "100+" → 100.
 * "01-04" is 0–4: the groups add up to each town's whole population, so the children under one are in it.
 */
export function ageFrom(group: string): number {
  const first = Number.parseInt(group, 10);
  return first === 1 ? 0 : first;
}

/** The bands from the youngest, summed over the towns wanted (all where null). */
export function pyramid(counts: readonly AgeCount[], towns: ReadonlySet<string> | null = null): AgeBand[] {
  const bands = new Map<number, AgeBand>();
  for (const c of counts) {
    if (towns !== null && !towns.has(c.town)) continue;
    const band = bands.get(c.from) ?? { from: c.from, to: null, male: 0, female: 0 };
    band[c.sex] += c.people;
    bands.set(c.from, band);
  }
  const sorted = [...bands.values()].sort((a, b) => a.from - b.from);
  sorted.forEach((band, i) => {
    const next = sorted[i + 1];
    band.to = next ? next.from - 1 : null;
  });
  return sorted;
}

export function people(bands: readonly AgeBand[]): number {
  return bands.reduce((n, b) => n + b.male + b.female, 0);
}

/** People of an age from `from` to below `below`, which must be limits of bands. */
export function aged(bands: readonly AgeBand[], from: number, below = Infinity): number {
  return people(bands.filter((b) => b.from >= from && b.from < below));
}

/** Each band as a share (per cent) of all people of both sexes. */
export function shares(bands: readonly AgeBand[]): AgeBand[] {
  const all = people(bands) || 1;
  return bands.map((b) => ({ ...b, male: (b.male / all) * 100, female: (b.female / all) * 100 }));
}
