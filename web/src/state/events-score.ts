// How a place's score is told: its parts in their order, its colour, its verdict. Pure.
import type { Found, ScorePart } from "../api/events";

/** Sand to teal: light is low, dark is high, and nobody needs red and green for it. */
const STOPS: readonly [number, [number, number, number]][] = [[0, [0.93, 0.84, 0.62]], [45, [0.66, 0.82, 0.72]], [70, [0.25, 0.63, 0.62]], [100, [0.03, 0.36, 0.42]]];
/** The colour of a score from 0 to 100, each part from 0 to 1; grey where it is not known. */
export function rankColour(score: number | null): [number, number, number] {
  if (score === null || !Number.isFinite(score)) return [0.72, 0.71, 0.7];
  const s = Math.max(0, Math.min(100, score));
  const i = Math.max(1, STOPS.findIndex(([at]) => at >= s));
  const [[a, p], [b, q]] = [STOPS[i - 1]!, STOPS[i]!];
  const w = (s - a) / (b - a);
  return p.map((v, k) => v + (q[k]! - v) * w) as [number, number, number];
}
export const cssColour = (score: number | null): string => `rgb(${rankColour(score).map((v) => Math.round(v * 255)).join(" ")})`;

/** What weighs most first; what nobody knows last. */
export const inOrder = (parts: readonly ScorePart[]): ScorePart[] => [...parts].sort((a, b) => Number(b.known) - Number(a.known) || b.weight - a.weight);

const RANK: Record<Found["level"], number> = { bad: 0, warn: 1, info: 2 };
export const worstFirst = (found: readonly Found[]): Found[] => [...found].sort((a, b) => RANK[a.level] - RANK[b.level]);

/** "bad" under 40, "fair" under 65, "good" from there. */
export const verdict = (score: number | null): "unknown" | "bad" | "fair" | "good" => (score === null ? "unknown" : score < 40 ? "bad" : score < 65 ? "fair" : "good");
