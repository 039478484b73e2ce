// The geometry of a plan on the page, in metres of the twin's frame: what a hand draws, moves and turns. The server stays the
// authority; these are the same rules, so that the numbers beside the hand are those of the answer.

export type XY = readonly [number, number];
/** A ring without its closing point, anticlockwise for outlines. */
export type Ring = XY[];

/** One solid of a building; heights are metres above the declared ground. */
export interface Part {
  outline: Ring;
  holes: Ring[];
  base_m: number;
  eave_m: number;
  top_m: number;
  roof_shape: string;
  roof_direction_deg: number | null;
}

/** A building as the page draws it. */
export interface Solid {
  id: string;
  parts: Part[];
  height_m: number;
  storey_m: number;
  name: string;
  function: string;
}

/** Storeys lie this far apart unless somebody says otherwise. */
export const STOREY_M = 3;
/** No building here is taken to be higher; the server refuses it too. */
export const HIGHEST_M = 1000;

export const mm = (v: number): number => Math.round(v * 1000) / 1000;

/** Twice-signed area: positive where the ring runs anticlockwise. */
export function signedArea(ring: readonly XY[]): number {
  let sum = 0;
  const [ox, oy] = ring[0] ?? [0, 0];
  for (let i = 0; i < ring.length; i++) {
    const [x1, y1] = ring[i]!;
    const [x2, y2] = ring[(i + 1) % ring.length]!;
    sum += (x1 - ox) * (y2 - oy) - (x2 - ox) * (y1 - oy);
  }
  return sum / 2;
}

export const areaOf = (ring: readonly XY[]): number => Math.abs(signedArea(ring));

/** Ground that a building covers, m²: the widest of what stands on the ground; parts that share it are counted once where they are the same. */
export function footprintArea(solid: Solid): number {
  const seen = new Set<string>();
  let sum = 0;
  for (const part of solid.parts) {
    if (part.base_m > 0.5) continue;
    const key = part.outline.map((p) => `${p[0].toFixed(1)},${p[1].toFixed(1)}`).join(" ");
    if (seen.has(key)) continue;
    seen.add(key);
    sum += areaOf(part.outline) - part.holes.reduce((a, hole) => a + areaOf(hole), 0);
  }
  return sum;
}

/** Middle of a ring by area. */
export function centroid(ring: readonly XY[]): XY {
  const [ox, oy] = ring[0]!;
  let [sum, cx, cy] = [0, 0, 0];
  for (let i = 0; i < ring.length; i++) {
    const [x1, y1] = [ring[i]![0] - ox, ring[i]![1] - oy];
    const [x2, y2] = [ring[(i + 1) % ring.length]![0] - ox, ring[(i + 1) % ring.length]![1] - oy];
    const cross = x1 * y2 - x2 * y1;
    sum += cross;
    cx += (x1 + x2) * cross;
    cy += (y1 + y2) * cross;
  }
  if (Math.abs(sum) < 1e-9) return [ring.reduce((a, p) => a + p[0], 0) / ring.length, ring.reduce((a, p) => a + p[1], 0) / ring.length];
  return [ox + cx / (3 * sum), oy + cy / (3 * sum)];
}

/** Middle of a building: of its parts' outlines by area. */
export function middleOf(solid: Solid): XY {
  let [sum, x, y] = [0, 0, 0];
  for (const part of solid.parts) {
    const a = areaOf(part.outline);
    const c = centroid(part.outline);
    sum += a;
    x += c[0] * a;
    y += c[1] * a;
  }
  return sum > 0 ? [x / sum, y / sum] : (solid.parts[0]?.outline[0] ?? [0, 0]);
}

const cross = (o: XY, a: XY, b: XY) => (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]);

/** Where a ring crosses itself; `null` where it does not. Neighbouring edges may touch at their corner only. */
export function crossing(ring: readonly XY[], closed = true): XY | null {
  const n = ring.length;
  const edges = closed ? n : n - 1;
  for (let i = 0; i < edges; i++)
    for (let j = i + 2; j < edges; j++) {
      if (closed && i === 0 && j === n - 1) continue;
      const [a, b, c, d] = [ring[i]!, ring[(i + 1) % n]!, ring[j]!, ring[(j + 1) % n]!];
      const [d1, d2, d3, d4] = [cross(a, b, c), cross(a, b, d), cross(c, d, a), cross(c, d, b)];
      if (d1 * d2 < 0 && d3 * d4 < 0) {
        const t = d1 / (d1 - d2);
        return [c[0] + t * (d[0] - c[0]), c[1] + t * (d[1] - c[1])];
      }
    }
  return null;
}

export const distance = (a: XY, b: XY): number => Math.hypot(b[0] - a[0], b[1] - a[1]);

/** Lengths of a ring's edges, m. */
export const edgeLengths = (ring: readonly XY[]): number[] => ring.map((p, i) => distance(p, ring[(i + 1) % ring.length]!));

/**
 * The next corner that a hand asks for, turned on to the right angles of what is drawn: along the first edge or across it. With one
 * point only, along and across the grid. Where it comes level with the first corner it takes its line, so that the last angle is right too.
 */
export function snapRight(points: readonly XY[], to: XY, reach_m: number): XY {
  const last = points[points.length - 1];
  if (!last) return to;
  const along: XY = points.length > 1 ? [points[1]![0] - points[0]![0], points[1]![1] - points[0]![1]] : [1, 0];
  const length = Math.hypot(...along) || 1;
  const u: XY = [along[0] / length, along[1] / length];
  const v: XY = [-u[1], u[0]];
  const w: XY = [to[0] - last[0], to[1] - last[1]];
  const [a, b] = [w[0] * u[0] + w[1] * u[1], w[0] * v[0] + w[1] * v[1]];
  const [axis, first]: [XY, number] = Math.abs(a) >= Math.abs(b) ? [u, a] : [v, b];
  let step = first;
  if (points.length > 2) {
    const f = points[0]!;
    const level = (f[0] - last[0]) * axis[0] + (f[1] - last[1]) * axis[1];
    if (Math.abs(level - step) < reach_m) step = level;
  }
  return [last[0] + axis[0] * step, last[1] + axis[1] * step];
}

/** A rectangle about a middle: `width` along `heading` degrees clockwise from grid north turned by 90° (so 0° lies east–west). */
export function rectangle(middle: XY, width: number, depth: number, turn_deg = 0): Ring {
  const corners: XY[] = [
    [-width / 2, -depth / 2], [width / 2, -depth / 2], [width / 2, depth / 2], [-width / 2, depth / 2],
  ];
  return corners.map((c) => turned([c[0] + middle[0], c[1] + middle[1]], middle, turn_deg));
}

/** A point turned clockwise about another, degrees. */
export function turned(p: XY, about: XY, deg: number): XY {
  const r = (-deg * Math.PI) / 180;
  const [x, y] = [p[0] - about[0], p[1] - about[1]];
  return [about[0] + x * Math.cos(r) - y * Math.sin(r), about[1] + x * Math.sin(r) + y * Math.cos(r)];
}

const mapRings = (solid: Solid, change: (p: XY) => XY): Solid => ({
  ...solid,
  parts: solid.parts.map((part) => ({ ...part, outline: part.outline.map(change), holes: part.holes.map((h) => h.map(change)) })),
});

/** The building pushed over the ground, metres east and north of the grid. */
export const movedBy = (solid: Solid, east: number, north: number): Solid => mapRings(solid, (p) => [p[0] + east, p[1] + north]);

/** The building turned clockwise about a point, degrees. */
export function turnedBy(solid: Solid, deg: number, about: XY = middleOf(solid)): Solid {
  const out = mapRings(solid, (p) => turned(p, about, deg));
  for (const part of out.parts) if (part.roof_direction_deg !== null) part.roof_direction_deg = (part.roof_direction_deg + deg + 360) % 360;
  return out;
}

/** The building at another height: its parts follow in proportion, as in the sun's answer. */
export function heightOf(solid: Solid, height_m: number): Solid {
  const top = Math.max(...solid.parts.map((p) => p.top_m), 0.001);
  const s = height_m / top;
  return {
    ...solid,
    height_m,
    parts: solid.parts.map((p) => ({ ...p, base_m: p.base_m * s, eave_m: p.eave_m * s, top_m: p.top_m * s })),
  };
}

/** A building of one flat-roofed part. */
export function block(id: string, outline: Ring, height_m: number, storey_m = STOREY_M): Solid {
  const ring = signedArea(outline) < 0 ? [...outline].reverse() : [...outline];
  return {
    id, height_m, storey_m, name: "", function: "",
    parts: [{ outline: ring, holes: [], base_m: 0, eave_m: height_m, top_m: height_m, roof_shape: "flat", roof_direction_deg: null }],
  };
}

/** Whole storeys that fit a height; as the server counts them for floor areas. */
export const storeysOf = (height_m: number, storey_m: number): number => Math.max(1, Math.floor(height_m / Math.max(0.1, storey_m) + 0.05));

/** Floor area, m²: of each part its area times its storeys. An estimate, as long as nobody draws floors. */
export const floorArea = (solid: Solid): number =>
  solid.parts.reduce((sum, p) => sum + (areaOf(p.outline) - p.holes.reduce((a, h) => a + areaOf(h), 0)) * storeysOf(p.top_m - p.base_m, solid.storey_m), 0);

/** An id for what is new: eight hexadecimal digits. */
export function newId(random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array = (b) => crypto.getRandomValues(b)): string {
  return `new/${[...random(new Uint8Array(4))].map((b) => b.toString(16).padStart(2, "0")).join("")}`;
}

/** Angle of a hand about a middle, degrees clockwise from grid north. */
export const bearing = (middle: XY, p: XY): number => ((Math.atan2(p[0] - middle[0], p[1] - middle[1]) * 180) / Math.PI + 360) % 360;

/** The farthest corner from the middle, m: where a ring for turning lies. */
export const reachOf = (solid: Solid, middle: XY = middleOf(solid)): number =>
  Math.max(3, ...solid.parts.flatMap((p) => p.outline.map((c) => distance(c, middle))));
