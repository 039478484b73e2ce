/** Towns as prisms on the city's plane: their surfaces, their middles, and which one a ray meets. Pure numbers, no renderer. */

import type { Point } from "../state/atlas/view";

export type Loop = [number, number][];
/** Outer loop first, then holes; metres on the plane. No loop repeats its first point. */
export type Shape = Loop[];

export function area(loop: Loop): number {
  let twice = 0;
  loop.forEach(([x, y], i) => {
    const [u, v] = loop[(i + 1) % loop.length]!;
    twice += x * v - u * y;
  });
  return twice / 2;
}

/** GeoJSON rings close on their first point; a loop does not. Outer loops run counter-clockwise, holes clockwise. */
export function shape(rings: Loop[]): Shape {
  return rings.map((ring, i) => {
    const first = ring[0]!;
    const last = ring[ring.length - 1]!;
    const open = first[0] === last[0] && first[1] === last[1] ? ring.slice(0, -1) : ring.slice();
    return area(open) > 0 === (i === 0) ? open : open.reverse();
  });
}

export function inside(x: number, y: number, shapes: readonly Shape[]): boolean {
  let odd = false;
  for (const loops of shapes)
    for (const loop of loops)
      for (let i = 0, j = loop.length - 1; i < loop.length; j = i++) {
        const [xi, yi] = loop[i]!;
        const [xj, yj] = loop[j]!;
        if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) odd = !odd;
      }
  return odd;
}

/** Distance to the nearest side, positive inside. */
function depth(x: number, y: number, shapes: readonly Shape[]): number {
  let least = Infinity;
  for (const loops of shapes)
    for (const loop of loops)
      for (let i = 0, j = loop.length - 1; i < loop.length; j = i++) {
        const [ax, ay] = loop[j]!;
        const [bx, by] = loop[i]!;
        const [dx, dy] = [bx - ax, by - ay];
        const t = Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1)));
        least = Math.min(least, Math.hypot(x - ax - t * dx, y - ay - t * dy));
      }
  return inside(x, y, shapes) ? least : -least;
}

/** The point farthest from every side, to within a fortieth of the shape's size: where its name stands best. */
export function middle(shapes: readonly Shape[]): [number, number] {
  const points = shapes.flatMap((loops) => loops[0]!);
  const xs = points.map((p) => p[0]);
  const ys = points.map((p) => p[1]);
  const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  let best: [number, number] = [(x0 + x1) / 2, (y0 + y1) / 2];
  let most = -Infinity;
  for (let i = 0; i <= 40; i++)
    for (let j = 0; j <= 40; j++) {
      const [x, y] = [x0 + ((x1 - x0) * i) / 40, y0 + ((y1 - y0) * j) / 40];
      const d = depth(x, y, shapes);
      if (d > most) [most, best] = [d, [x, y]];
    }
  return best;
}

export interface Surface {
  positions: Float64Array;
  /** Which way each vertex faces: 0 upward, else the azimuth (degrees) of its wall's outward normal plus 1. */
  facing: Float32Array;
  indices: Uint16Array;
}

/**
 * Top and walls of a prism whose base is z = 0 and whose top is z = `height`. `triangulate` gives triangles over the loops' points
 * laid end to end.
 */
export function surface(
  shapes: readonly Shape[],
  height: number,
  triangulate: (points: Loop, holes: number[]) => number[],
): Surface {
  const positions: number[] = [];
  const facing: number[] = [];
  const indices: number[] = [];
  for (const loops of shapes) {
    const points = loops.flat();
    const holes: number[] = [];
    loops.slice(0, -1).reduce((n, loop) => (holes.push(n + loop.length), n + loop.length), 0);
    const start = positions.length / 3;
    for (const [x, y] of points) {
      positions.push(x, y, height);
      facing.push(0);
    }
    const faces = triangulate(points, holes);
    for (let i = 0; i < faces.length; i += 3) {
      const [a, b, c] = [faces[i]!, faces[i + 1]!, faces[i + 2]!];
      // Triangulators differ in the way they turn; seen from above ours run counter-clockwise.
      if (area([points[a]!, points[b]!, points[c]!]) > 0) indices.push(start + a, start + b, start + c);
      else indices.push(start + a, start + c, start + b);
    }
    for (const loop of loops)
      loop.forEach(([ax, ay], i) => {
        const [bx, by] = loop[(i + 1) % loop.length]!;
        // Outward normal of a counter-clockwise side is its direction turned right.
        const azimuth = (Math.atan2(by - ay, ax - bx) * 180) / Math.PI;
        const at = positions.length / 3;
        positions.push(ax, ay, 0, bx, by, 0, bx, by, height, ax, ay, height);
        const f = 1 + ((azimuth + 360) % 360);
        facing.push(f, f, f, f);
        indices.push(at, at + 1, at + 2, at, at + 2, at + 3);
      });
  }
  return { positions: new Float64Array(positions), facing: new Float32Array(facing), indices: new Uint16Array(indices) };
}

export interface Prism {
  id: string;
  shapes: Shape[];
  height: number;
}

/** How far along the way from a to b (0…1) it first stands inside, or null. */
function entry(ax: number, ay: number, bx: number, by: number, shapes: readonly Shape[]): number | null {
  if (inside(ax, ay, shapes)) return 0;
  let first: number | null = null;
  const [dx, dy] = [bx - ax, by - ay];
  for (const loops of shapes)
    for (const loop of loops)
      for (let i = 0, j = loop.length - 1; i < loop.length; j = i++) {
        const [px, py] = loop[j]!;
        const [qx, qy] = loop[i]!;
        const [ex, ey] = [qx - px, qy - py];
        const det = dx * ey - dy * ex;
        if (det === 0) continue;
        const t = ((px - ax) * ey - (py - ay) * ex) / det;
        const s = ((px - ax) * dy - (py - ay) * dx) / det;
        if (t >= 0 && t <= 1 && s >= 0 && s <= 1 && (first === null || t < first)) first = t;
      }
  return first;
}

/** The prism that a ray meets first: it looks along `forward` (downward) and passes the plane at `ground`. */
export function hit(prisms: readonly Prism[], ground: readonly [number, number], forward: Point): string | null {
  let found: string | null = null;
  let highest = -Infinity;
  for (const { id, shapes, height } of prisms) {
    const back = height / -forward[2];
    const t = entry(ground[0] - back * forward[0], ground[1] - back * forward[1], ground[0], ground[1], shapes);
    if (t === null) continue;
    const z = height * (1 - t);
    if (z > highest) [highest, found] = [z, id];
  }
  return found;
}
