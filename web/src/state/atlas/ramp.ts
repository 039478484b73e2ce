/** The colours of the classes: one hue from the paper to the page's accent, so that lightness alone carries the order. */

const RAMP = ["#d9e1e2", "#aec6d0", "#7aa3b7", "#457c98", "#1e5a78"] as const;

/** A count of none is not a small count. */
export const NONE = "#eeece6";

export const NO_VALUE = "#e4e1da";

/** The colour of class k of n. */
export function classColour(k: number, n: number): string {
  if (n <= 1) return RAMP[2];
  return RAMP[Math.round((k * (RAMP.length - 1)) / (n - 1))] ?? NO_VALUE;
}

/** Points on the map; the sun's colour of the page, which no class has. */
export const POINT = "#c77d0a";
