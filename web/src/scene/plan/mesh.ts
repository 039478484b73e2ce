import { Cartesian2, PolygonPipeline } from "@cesium/engine";
import { centroid, type Part, type Ring, type Solid, type XY } from "../../state/scenario-shape";

/** Triangles of a building about an anchor, metres: walls and roofs, and the lines where they meet. */
export interface Mesh {
  anchor: XY;
  /** x, y, z and the height above the part's foot, of each corner. */
  corners: Float32Array;
  triangles: Uint16Array;
  /** Pairs of x, y, z. */
  lines: Float32Array;
}

/** The side of a line that a polygon keeps (Sutherland & Hodgman 1974): where n·(p − o) ≥ 0. */
function cut(ring: Ring, o: XY, n: XY): Ring {
  const side = (p: XY) => (p[0] - o[0]) * n[0] + (p[1] - o[1]) * n[1];
  const out: Ring = [];
  ring.forEach((p, i) => {
    const q = ring[(i + 1) % ring.length]!;
    const [a, b] = [side(p), side(q)];
    if (a >= 0) out.push(p);
    if (a * b < 0) {
      const t = a / (a - b);
      out.push([p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])]);
    }
  });
  return out;
}

/** Direction of a ring's longest edge: a ridge runs along it. */
function along(ring: Ring): XY {
  let best: XY = [1, 0];
  let most = 0;
  ring.forEach((p, i) => {
    const q = ring[(i + 1) % ring.length]!;
    const length = Math.hypot(q[0] - p[0], q[1] - p[1]);
    if (length > most) {
      most = length;
      best = [(q[0] - p[0]) / length, (q[1] - p[1]) / length];
    }
  });
  return best;
}

/** The roof's planes over a part, and how high each lies at a place. */
function roof(part: Part): { planes: { ring: Ring; holes: Ring[] }[]; z: (p: XY) => number; tip: XY | null } {
  const { outline, holes, eave_m, top_m } = part;
  const rise = top_m - eave_m;
  const whole = [{ ring: outline, holes }];
  if (part.roof_shape === "flat" || rise < 0.01) return { planes: whole, z: () => top_m, tip: null };
  const middle = centroid(outline);
  if (part.roof_shape === "pyramidal") return { planes: [], z: () => eave_m, tip: middle };
  const said = part.roof_direction_deg;
  const ridge = along(outline);
  // Across the ridge: down the slope.
  const down: XY = said === null ? [-ridge[1], ridge[0]] : [Math.sin((said * Math.PI) / 180), Math.cos((said * Math.PI) / 180)];
  const reach = outline.map((p) => (p[0] - middle[0]) * down[0] + (p[1] - middle[1]) * down[1]);
  const [low, high] = [Math.min(...reach), Math.max(...reach)];
  const at = (p: XY) => (p[0] - middle[0]) * down[0] + (p[1] - middle[1]) * down[1];
  if (part.roof_shape === "skillion") return { planes: whole, z: (p) => eave_m + (rise * (high - at(p))) / (high - low || 1), tip: null };
  const half = Math.max(high, -low) || 1;
  return {
    planes: [
      { ring: cut(outline, middle, down), holes: [] },
      { ring: cut(outline, middle, [-down[0], -down[1]]), holes: [] },
    ],
    z: (p) => eave_m + rise * (1 - Math.abs(at(p)) / half),
    tip: null,
  };
}

/** Draws a building as solids with plain roofs; hipped roofs are drawn as gables, until the server's tiles have them. */
export function meshOf(solid: Solid): Mesh {
  const anchor = solid.parts[0]?.outline[0] ?? [0, 0];
  const corners: number[] = [];
  const triangles: number[] = [];
  const lines: number[] = [];
  const put = (p: XY, z: number, foot: number) => {
    corners.push(p[0] - anchor[0], p[1] - anchor[1], z, z - foot);
    return corners.length / 4 - 1;
  };
  const line = (p: XY, zp: number, q: XY, zq: number) =>
    lines.push(p[0] - anchor[0], p[1] - anchor[1], zp, q[0] - anchor[0], q[1] - anchor[1], zq);
  for (const part of solid.parts) {
    const { planes, z, tip } = roof(part);
    for (const ring of [part.outline, ...part.holes])
      ring.forEach((p, i) => {
        const q = ring[(i + 1) % ring.length]!;
        const [a, b, c, d] = [put(p, part.base_m, part.base_m), put(q, part.base_m, part.base_m), put(q, z(q), part.base_m), put(p, z(p), part.base_m)];
        triangles.push(a, b, c, a, c, d);
        line(p, z(p), q, z(q));
        line(p, part.base_m, q, part.base_m);
        const before = ring[(i + ring.length - 1) % ring.length]!;
        const bend = Math.abs(Math.atan2((p[0] - before[0]) * (q[1] - p[1]) - (p[1] - before[1]) * (q[0] - p[0]), (p[0] - before[0]) * (q[0] - p[0]) + (p[1] - before[1]) * (q[1] - p[1])));
        if (bend > 0.3) line(p, part.base_m, p, z(p));
        if (tip) {
          const [e, f, g] = [put(p, z(p), part.base_m), put(q, z(q), part.base_m), put(tip, part.top_m, part.base_m)];
          triangles.push(e, f, g);
          if (bend > 0.3) line(p, z(p), tip, part.top_m);
        }
      });
    for (const { ring, holes } of planes) {
      if (ring.length < 3) continue;
      const flat = [...ring, ...holes.flat()];
      const starts: number[] = [];
      let n = ring.length;
      for (const hole of holes) {
        starts.push(n);
        n += hole.length;
      }
      const first = corners.length / 4;
      for (const p of flat) put(p, z(p), part.base_m);
      for (const i of PolygonPipeline.triangulate(flat.map((p) => new Cartesian2(p[0] - anchor[0], p[1] - anchor[1])), starts)) triangles.push(first + i);
    }
  }
  return { anchor, corners: new Float32Array(corners), triangles: new Uint16Array(triangles), lines: new Float32Array(lines) };
}
