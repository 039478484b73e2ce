/** A typical year by the hour, summed up for the eye. Pure. */

export interface Hours {
  /** Month 1–12 and day of each hour, from the source's own calendar: the year is typical, not one year. */
  month: number[];
  day: number[];
  /** °C */
  temperature: (number | null)[];
  /** Wh/m² in the hour on a horizontal plane */
  sun: (number | null)[];
  /** mm in the hour; empty where the source has none */
  rain: (number | null)[];
  /** Degrees from which the wind blows, 0 and 360 are north; meaningless where the speed is 0 */
  direction: (number | null)[];
  /** m/s */
  speed: (number | null)[];
  /** The year each month was taken from, 12 numbers; empty where unknown. */
  years: number[];
}

export interface Day {
  month: number;
  day: number;
  least: number;
  mean: number;
  most: number;
}

/** Least, mean and greatest hourly temperature of each day. */
export function days(hours: Hours): Day[] {
  const found = new Map<number, number[]>();
  hours.temperature.forEach((t, i) => {
    if (t === null) return;
    const key = hours.month[i]! * 100 + hours.day[i]!;
    const list = found.get(key);
    if (list) list.push(t);
    else found.set(key, [t]);
  });
  return [...found].sort(([a], [b]) => a - b).map(([key, list]) => ({
    month: Math.floor(key / 100),
    day: key % 100,
    least: Math.min(...list),
    mean: list.reduce((a, b) => a + b, 0) / list.length,
    most: Math.max(...list),
  }));
}

export interface Month {
  month: number;
  /** Year the month was taken from; null where unknown. */
  year: number | null;
  least: number;
  mean: number;
  most: number;
  /** kWh/m² in the month, on a horizontal plane */
  sun: number;
  /** mm in the month; null where the source has none */
  rain: number | null;
}

export function months(hours: Hours): Month[] {
  return Array.from({ length: 12 }, (_, k) => k + 1).flatMap((month) => {
    const at = hours.month.flatMap((m, i) => (m === month ? [i] : []));
    const known = (column: (number | null)[]): number[] => at.map((i) => column[i] ?? null).filter((v): v is number => v !== null);
    const t = known(hours.temperature);
    if (t.length === 0) return [];
    const sum = (list: number[]): number => list.reduce((a, b) => a + b, 0);
    const rain = known(hours.rain);
    return [
      {
        month,
        year: hours.years[month - 1] ?? null,
        least: Math.min(...t),
        mean: sum(t) / t.length,
        most: Math.max(...t),
        sun: sum(known(hours.sun)) / 1000,
        rain: rain.length ? sum(rain) : null,
      },
    ];
  });
}

export interface Rose {
  /** Hours by sector (0 is north, clockwise) and class of speed. */
  hours: number[][];
  calm: number;
  all: number;
}

/** Lower limits of the classes of wind speed after the first, m/s; below 0.3 m/s it is calm (Beaufort 0). */
export const SPEED_LIMITS = [1, 2, 3, 4] as const;
export const CALM_BELOW = 0.3;

export function rose(hours: Hours, sectors = 16, limits: readonly number[] = SPEED_LIMITS): Rose {
  const counts = Array.from({ length: sectors }, () => new Array<number>(limits.length + 1).fill(0));
  let calm = 0;
  let all = 0;
  hours.speed.forEach((speed, i) => {
    const from = hours.direction[i] ?? null;
    if (speed === null || from === null) return;
    all++;
    if (speed < CALM_BELOW) {
      calm++;
      return;
    }
    const sector = Math.round(from / (360 / sectors)) % sectors;
    let k = 0;
    while (k < limits.length && speed >= limits[k]!) k++;
    counts[sector]![k]!++;
  });
  return { hours: counts, calm, all };
}
