// Where the sun stands, for a place that no server of ours keeps a clock of. The server's own answer is used wherever there is one.

const rad = Math.PI / 180;

/**
 * Degrees from north clockwise and above the horizon, without refraction: the low-precision formulas of the Astronomical Almanac
 * (Michalsky 1988, Solar Energy 40, 227–235; to about 0.01° between 1950 and 2050).
 */
export function sunOver(at: number, lon: number, lat: number): { azimuth: number; altitude: number } {
  const n = at / 86_400_000 - 10_957.5;
  const wrap = (v: number) => ((v % 360) + 360) % 360;
  const mean = wrap(280.46 + 0.9856474 * n);
  const anomaly = wrap(357.528 + 0.9856003 * n) * rad;
  const ecliptic = (mean + 1.915 * Math.sin(anomaly) + 0.02 * Math.sin(2 * anomaly)) * rad;
  const obliquity = (23.439 - 0.0000004 * n) * rad;
  const right = Math.atan2(Math.cos(obliquity) * Math.sin(ecliptic), Math.cos(ecliptic));
  const declination = Math.asin(Math.sin(obliquity) * Math.sin(ecliptic));
  const hours = (at / 3_600_000) % 24;
  const sidereal = wrap((6.697375 + 0.0657098242 * n + hours) * 15 + lon) * rad;
  const angle = sidereal - right;
  const [s, c] = [Math.sin(lat * rad), Math.cos(lat * rad)];
  const altitude = Math.asin(Math.sin(declination) * s + Math.cos(declination) * c * Math.cos(angle));
  const azimuth = Math.atan2(-Math.cos(declination) * Math.sin(angle), Math.sin(declination) * c - Math.cos(declination) * s * Math.cos(angle));
  return { azimuth: wrap(azimuth / rad), altitude: altitude / rad };
}
