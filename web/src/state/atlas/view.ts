/**
 * How the atlas is looked at: a parallel projection of the city's plane (x east, y north, z up, metres from the middle of the city).
 * Pure; the scene draws by it, and labels and hits are found by it.
 */

export type Point = readonly [x: number, y: number, z: number];

export interface View {
  /** Point of the plane in the middle of the picture. */
  x: number;
  y: number;
  /** Metres of the plane for one CSS pixel. */
  scale: number;
  /** Degrees clockwise from north of the picture's upward direction. */
  heading: number;
  /** Degrees below the horizon: 90 looks straight down. */
  pitch: number;
}

export interface Size {
  width: number;
  height: number;
}

export interface Basis {
  right: Point;
  up: Point;
  /** Where the eye looks. */
  forward: Point;
}

const RAD = Math.PI / 180;

export function dot(a: Point, b: Point): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

export function basis(view: Pick<View, "heading" | "pitch">): Basis {
  const [sh, ch] = [Math.sin(view.heading * RAD), Math.cos(view.heading * RAD)];
  const [sp, cp] = [Math.sin(view.pitch * RAD), Math.cos(view.pitch * RAD)];
  return { right: [ch, -sh, 0], up: [sh * sp, ch * sp, cp], forward: [sh * cp, ch * cp, -sp] };
}

/** Where a point stands in the picture, CSS pixels from its upper left corner. */
export function project(p: Point, view: View, size: Size): [number, number] {
  const { right, up } = basis(view);
  const d: Point = [p[0] - view.x, p[1] - view.y, p[2]];
  return [size.width / 2 + dot(d, right) / view.scale, size.height / 2 - dot(d, up) / view.scale];
}

/** The point at height `z` that stands at a place of the picture. Pitch must not be 0. */
export function unproject(px: number, py: number, view: View, size: Size, z = 0): [number, number] {
  const { right, up } = basis(view);
  const a = (px - size.width / 2) * view.scale;
  // b is the way along the ground that moves the picture up as far as the pixel asks, once the height is taken off.
  const b = ((size.height / 2 - py) * view.scale - z * up[2]) / Math.sin(view.pitch * RAD);
  const [sh, ch] = [Math.sin(view.heading * RAD), Math.cos(view.heading * RAD)];
  return [view.x + a * right[0] + b * sh, view.y + a * right[1] + b * ch];
}

export interface Inset {
  top: number;
  right: number;
  bottom: number;
  left: number;
}

/** The view, of the given heading and pitch, in which all points stand inside the insets. */
export function fit(points: readonly Point[], facing: Pick<View, "heading" | "pitch">, size: Size, inset: Inset): View {
  const { right, up } = basis(facing);
  const xs = points.map((p) => dot(p, right));
  const ys = points.map((p) => dot(p, up));
  const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const free = {
    width: Math.max(40, size.width - inset.left - inset.right),
    height: Math.max(40, size.height - inset.top - inset.bottom),
  };
  const scale = Math.max((x1 - x0) / free.width, (y1 - y0) / free.height);
  // Middle of the points, moved by half the difference of the insets, then laid back on the plane.
  const a = (x0 + x1) / 2 - ((inset.left - inset.right) / 2) * scale;
  const b = (y0 + y1) / 2 + ((inset.top - inset.bottom) / 2) * scale;
  const [sh, ch] = [Math.sin(facing.heading * RAD), Math.cos(facing.heading * RAD)];
  const along = b / Math.sin(facing.pitch * RAD);
  return { ...facing, scale, x: a * ch + along * sh, y: -a * sh + along * ch };
}

/** A round length for a scale bar of at most `pixels`: 1, 2 or 5 times a power of ten, in metres. */
export function scaleBar(scale: number, pixels: number): { metres: number; pixels: number } {
  const most = scale * pixels;
  const power = 10 ** Math.floor(Math.log10(most));
  const metres = [5, 2, 1].map((k) => k * power).find((m) => m <= most) ?? power;
  return { metres, pixels: metres / scale };
}
