// Colours of numbers. Both ramps rise in lightness only, so that they read in grey and to colour-blind eyes.

export type Rgb = [number, number, number];

/** Sun hours, few to many: after cividis (Nuñez, Anderton & Renslow 2018, PLoS ONE 13, e0199239), its dark end lifted. */
const SUN: Rgb[] = [
  [38, 52, 92], [55, 69, 108], [79, 87, 112], [101, 105, 117], [124, 123, 120],
  [150, 143, 118], [178, 165, 110], [208, 189, 98], [236, 214, 96], [255, 236, 140],
];
/** Hours lost, none to many: paper to deep red-purple. */
const LOST: Rgb[] = [
  [250, 240, 232], [247, 211, 188], [238, 167, 142], [218, 118, 116], [178, 74, 104], [122, 40, 92],
];
/** Hours gained: paper to deep teal. */
const GAINED: Rgb[] = [[236, 244, 244], [183, 219, 221], [110, 181, 189], [42, 135, 150], [10, 84, 102]];

function along(stops: Rgb[], t: number): Rgb {
  const x = Math.min(1, Math.max(0, t)) * (stops.length - 1);
  const i = Math.min(stops.length - 2, Math.floor(x));
  const w = x - i;
  return [0, 1, 2].map((c) => Math.round(stops[i]![c]! * (1 - w) + stops[i + 1]![c]! * w)) as Rgb;
}

/** Colour of a share (0–1) of the window in the sun. */
export const sunColour = (share: number): Rgb => along(SUN, share);
/** Colour of a change in hours as a share (−1…1) of the scale: negative is lost. */
export const changeColour = (share: number): Rgb => (share < 0 ? along(LOST, -share) : along(GAINED, share));
/** The change that fills the scale, hours. */
export const CHANGE_HOURS = 4;

/** The colours a facade point can take, in the order of `facadeClass`. */
export const FACADE_CLASSES = ["pass", "fail", "newly_fail", "newly_pass", "near", "cannot"] as const;
export type FacadeClass = (typeof FACADE_CLASSES)[number];
export const FACADE_COLOURS: Record<FacadeClass, Rgb> = {
  pass: [59, 131, 184],
  fail: [104, 98, 108],
  newly_fail: [213, 94, 0],
  newly_pass: [0, 158, 115],
  near: [227, 178, 16],
  cannot: [189, 186, 180],
};

/** Which class a point's bits fall in, or -1 when the point is gone. Near the threshold is told before the verdict, a change before both. */
export function facadeClass(bits: number): number {
  if (bits & 16) return -1;
  const passes = (bits & 1) !== 0;
  const passed = (bits & 2) !== 0;
  if (passed && !passes) return 2;
  if (passes && !passed) return 3;
  if (bits & 4) return 4;
  if (bits & 8) return 5;
  return passes ? 0 : 1;
}

export const css = (c: Rgb): string => `rgb(${c[0]} ${c[1]} ${c[2]})`;
