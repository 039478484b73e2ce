// Stages and stands on the ground: how they are moved and turned, and the solids that they are drawn as. Pure.
import type { StageOf, Stand, StandPlace } from "../api/events";
import type { PlaneFrame } from "./frame";
import { rectangle, signedArea, turned, type Part, type Ring, type Solid, type XY } from "./scenario-shape";

const rad = Math.PI / 180;
/** WGS 84: half the greater axis, m, and the square of the first eccentricity. */
const [A, E2] = [6_378_137, 0.00669437999014];

/** A place so many metres east and north of another; to millimetres over a few hundred metres (radii of curvature of the ellipsoid). */
export function stepped(lon: number, lat: number, east: number, north: number): [number, number] {
  const w = 1 - E2 * Math.sin(lat * rad) ** 2;
  const along = (A * (1 - E2)) / w ** 1.5;
  const across = (A / Math.sqrt(w)) * Math.cos(lat * rad);
  return [lon + east / across / rad, lat + north / along / rad];
}

/** Metres east and north from one place to another. */
export function apart(from: { lon: number; lat: number }, to: { lon: number; lat: number }): XY {
  const [lon1, lat1] = stepped(from.lon, from.lat, 1, 1);
  return [(to.lon - from.lon) / (lon1 - from.lon), (to.lat - from.lat) / (lat1 - from.lat)];
}

export const degrees = (deg: number): number => Math.round((((deg % 360) + 360) % 360) * 10) / 10;
/** As it is written: a hundred-millionth of a degree is a millimetre. */
export const fine = (deg: number): number => Math.round(deg * 1e8) / 1e8;

type Placed = { lon: number; lat: number; heading_deg: number };
/** Its middle in a frame, and how far its heading turns from the frame's north. */
export function stance(frame: PlaneFrame, one: Placed): { middle: XY; turn: number } {
  const middle = frame.fromLonLat(one.lon, one.lat);
  return { middle, turn: one.heading_deg - frame.convergence(...(middle as [number, number])) };
}

const wound = (ring: Ring): Ring => (signedArea(ring) < 0 ? [...ring].reverse() : ring);
const slab = (outline: Ring, base_m: number, top_m: number, more: Partial<Part> = {}): Part => ({
  outline: wound(outline), holes: [], base_m, eave_m: top_m, top_m, roof_shape: "flat", roof_direction_deg: null, ...more,
});
/** Corners of a rectangle that lies off a middle by metres to its right and to its front. */
function boxed(middle: XY, turn: number, right: number, front: number, width: number, depth: number): Ring {
  return rectangle([middle[0] + right, middle[1] + front], width, depth).map((p) => turned(p, middle, turn));
}

/** Height of a stand's eaves and of its tip, m: those of a common folding tent. */
const [EAVE, TIP] = [2.2, 3.1];
/** A stand as a tent: four posts, a counter at its front, a roof to a point. */
export function tentOf(frame: PlaneFrame, stand: StandPlace & { id: string; name?: Stand["name"] }): Solid {
  const { middle, turn } = stance(frame, stand);
  const { width_m: w, depth_m: d } = stand;
  const posts = [[-1, -1], [1, -1], [1, 1], [-1, 1]].map(([x, y]) => slab(boxed(middle, turn, x! * (w / 2 - 0.06), y! * (d / 2 - 0.06), 0.12, 0.12), 0, EAVE));
  return {
    id: `stand:${stand.id}`, height_m: TIP, storey_m: 1000, name: stand.name?.ko ?? "", function: "",
    parts: [
      ...posts,
      slab(boxed(middle, turn, 0, d / 2 - 0.3, w - 0.3, 0.6), 0, 0.95),
      slab(boxed(middle, turn, 0, 0, w, d), EAVE - 0.25, TIP, { eave_m: EAVE, roof_shape: "pyramidal" }),
    ],
  };
}

/** A stage as its platform, with the wall that closes its back. */
export function platformOf(frame: PlaneFrame, stage: StageOf): Solid {
  const { middle, turn } = stance(frame, stage);
  const { width_m: w, depth_m: d, height_m: h } = stage;
  return {
    id: "stage", height_m: h + 4, storey_m: 1000, name: "", function: "",
    parts: [slab(boxed(middle, turn, 0, 0, w, d), 0, Math.max(0.1, h)), slab(boxed(middle, turn, 0, -d / 2 + 0.15, w, 0.3), Math.max(0.1, h), h + 4)],
  };
}

/** Outline of a stand or a stage on the ground. */
export const footprint = (frame: PlaneFrame, one: Placed & { width_m: number; depth_m: number }): Ring => {
  const { middle, turn } = stance(frame, one);
  return boxed(middle, turn, 0, 0, one.width_m, one.depth_m);
};

/** The tip of an arrow that shows where a stand's counter or a stage faces. */
export function facing(frame: PlaneFrame, one: Placed & { depth_m: number }, ahead_m: number): [XY, XY, XY, XY] {
  const { middle, turn } = stance(frame, one);
  const at = (right: number, front: number) => turned([middle[0] + right, middle[1] + front], middle, turn);
  const tip = one.depth_m / 2 + ahead_m;
  return [at(0, one.depth_m / 2 + 0.2), at(0, tip), at(-0.7, tip - 1), at(0.7, tip - 1)];
}

/** A place that is given by where it lies within a stand or a stage: metres to its right and to its front. */
export function inFront(frame: PlaneFrame, one: Placed, right: number, front: number): XY {
  const { middle, turn } = stance(frame, one);
  return turned([middle[0] + right, middle[1] + front], middle, turn);
}

/** Where a stage's audience stands: before it, as deep as is said and as wide as the stage and a third of the depth to each side. */
export function audienceOf(frame: PlaneFrame, stage: StageOf): Ring {
  const { middle, turn } = stance(frame, stage);
  const { width_m: w, depth_m: d, audience_m: a } = stage;
  const corners: XY[] = [[-w / 2, d / 2 + 1], [w / 2, d / 2 + 1], [w / 2 + a / 3, d / 2 + 1 + a], [-w / 2 - a / 3, d / 2 + 1 + a]];
  return corners.map((c) => turned([middle[0] + c[0], middle[1] + c[1]], middle, turn));
}
