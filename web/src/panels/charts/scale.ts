/** Round numbers for axes. Pure. */

/** Steps of 1, 2, 2.5 or 5 times a power of ten from 0 to at least `most`, about `count` of them. */
export function ticks(most: number, count = 4): number[] {
  if (!(most > 0)) return [0];
  const rough = most / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((k) => k * power).find((s) => s >= rough * 0.999)!;
  const found: number[] = [];
  for (let i = 0; i * step < most + step * 0.999; i++) found.push(Number((i * step).toPrecision(12)));
  return found;
}

/** Point on a circle, degrees clockwise from the top. */
export function polar(radius: number, degrees: number): [number, number] {
  const a = (degrees * Math.PI) / 180;
  return [radius * Math.sin(a), -radius * Math.cos(a)];
}

/** Path of a ring's piece between two radii and two directions (degrees clockwise from the top). */
export function ringPiece(inner: number, outer: number, from: number, to: number): string {
  const point = (r: number, d: number): string => polar(r, d).map((v) => v.toFixed(2)).join(" ");
  const large = to - from > 180 ? 1 : 0;
  return `M${point(inner, from)}L${point(outer, from)}A${outer} ${outer} 0 ${large} 1 ${point(outer, to)}L${point(inner, to)}A${inner} ${inner} 0 ${large} 0 ${point(inner, from)}Z`;
}
