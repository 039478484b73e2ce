// How a plan's lines lie on a plane sheet: bent a little so that they can be told apart, joined where they run together. Pure; metres.
import type { MapLine } from "./produce-map";

export type Point2 = [x: number, y: number];
export type Way2 = Point2[];

/** A line bent to its left by a tenth of its length: a curve of twenty-four pieces (a quadratic Bézier). */
export function bend(from: Point2, to: Point2, by = 0.1, pieces = 24): Way2 {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const middle: Point2 = [(from[0] + to[0]) / 2 - dy * by, (from[1] + to[1]) / 2 + dx * by];
  return Array.from({ length: pieces + 1 }, (_, i) => {
    const t = i / pieces;
    const [a, b, c] = [(1 - t) ** 2, 2 * t * (1 - t), t ** 2];
    return [a * from[0] + b * middle[0] + c * to[0], a * from[1] + b * middle[1] + c * to[1]];
  });
}

export interface Group<T> { at: Point2; members: T[] }
const far = (a: Point2, b: Point2): number => Math.hypot(a[0] - b[0], a[1] - b[1]);
/** Places nearer to each other than `reach` as one, at their middle. */
export function gathered<T extends { at: Point2 }>(all: readonly T[], reach: number): Group<T>[] {
  const groups: Group<T>[] = [];
  for (const one of all) {
    const near = groups.find((g) => far(g.at, one.at) <= reach);
    if (!near) {
      groups.push({ at: one.at, members: [one] });
      continue;
    }
    near.members.push(one);
    near.at = [near.members.reduce((a, m) => a + m.at[0], 0) / near.members.length, near.members.reduce((a, m) => a + m.at[1], 0) / near.members.length];
  }
  return groups;
}

export interface Joined { from: Point2; to: Point2; kg: number; look: MapLine["look"]; strong: boolean }
/** Lines from one place to one group are one line of their kilograms; what is new or gone stays apart. */
export function joined(lines: readonly { from: Point2; to: Point2; kg: number; look: MapLine["look"]; strong: boolean }[], ends: readonly Point2[]): Joined[] {
  const found = new Map<string, Joined>();
  for (const one of lines) {
    const to = ends.reduce<Point2>((best, e) => (far(e, one.to) < far(best, one.to) ? e : best), ends[0] ?? one.to);
    const key = `${one.from.map(Math.round)}/${to.map(Math.round)}/${one.look}`;
    const old = found.get(key);
    if (old) {
      old.kg += one.kg;
      old.strong ||= one.strong;
    } else found.set(key, { from: one.from, to, kg: one.kg, look: one.look, strong: one.strong });
  }
  return [...found.values()];
}
