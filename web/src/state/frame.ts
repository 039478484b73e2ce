// The twin's frame in the page: transverse Mercator by Krüger's series (Karney 2011, J. Geodesy 85, eqs. 7–11 and 35–36,
// to n⁴: far below a millimetre within a zone). The server stays the authority; this only places what it sends.

interface Zone { lon0: number; lat0: number; k: number; east: number; north: number; a: number; f: number }

const korea = (lon0: number): Zone => ({ lon0, lat0: 38, k: 1, east: 200_000, north: 600_000, a: 6_378_137, f: 1 / 298.257222101 });
const zones: Record<string, Zone> = {
  "EPSG:5185": korea(125),
  "EPSG:5186": korea(127),
  "EPSG:5187": korea(129),
  "EPSG:5188": korea(131),
};
for (let zone = 1; zone <= 60; zone++) {
  const utm = { lon0: zone * 6 - 183, lat0: 0, k: 0.9996, east: 500_000, a: 6_378_137, f: 1 / 298.257223563 };
  zones[`EPSG:${32600 + zone}`] = { ...utm, north: 0 };
  zones[`EPSG:${32700 + zone}`] = { ...utm, north: 10_000_000 };
}

const rad = Math.PI / 180;

export interface PlaneFrame {
  /** Degrees to metres. */
  fromLonLat(lon: number, lat: number): [number, number];
  /** Metres to degrees. */
  toLonLat(x: number, y: number): [number, number];
  /** Degrees from true north to grid north, clockwise, at a place in metres. */
  convergence(x: number, y: number): number;
}

/** The frame of a projected CRS that this page can draw; throws `RangeError` for any other. */
export function planeFrame(crs: string): PlaneFrame {
  const zone = zones[crs];
  if (!zone) throw new RangeError(`frame: this page cannot draw ${crs}`);
  const { lon0, lat0, k, east, north, a, f } = zone;
  const n = f / (2 - f);
  const e = Math.sqrt(f * (2 - f));
  const A = (a / (1 + n)) * (1 + n ** 2 / 4 + n ** 4 / 64);
  const alpha = [
    n / 2 - (2 / 3) * n ** 2 + (5 / 16) * n ** 3 + (41 / 180) * n ** 4,
    (13 / 48) * n ** 2 - (3 / 5) * n ** 3 + (557 / 1440) * n ** 4,
    (61 / 240) * n ** 3 - (103 / 140) * n ** 4,
    (49561 / 161280) * n ** 4,
  ];
  const beta = [
    n / 2 - (2 / 3) * n ** 2 + (37 / 96) * n ** 3 - (1 / 360) * n ** 4,
    (1 / 48) * n ** 2 + (1 / 15) * n ** 3 - (437 / 1440) * n ** 4,
    (17 / 480) * n ** 3 - (37 / 840) * n ** 4,
    (4397 / 161280) * n ** 4,
  ];
  const conformal = (lat: number) => Math.sinh(Math.asinh(Math.tan(lat)) - e * Math.atanh(e * Math.sin(lat)));
  const forward = (lon: number, lat: number): [number, number] => {
    const t = conformal(lat * rad);
    const d = (lon - lon0) * rad;
    const xi = Math.atan2(t, Math.cos(d));
    const eta = Math.asinh(Math.sin(d) / Math.hypot(t, Math.cos(d)));
    let x = eta;
    let y = xi;
    alpha.forEach((c, i) => {
      const j = 2 * (i + 1);
      y += c * Math.sin(j * xi) * Math.cosh(j * eta);
      x += c * Math.cos(j * xi) * Math.sinh(j * eta);
    });
    return [k * A * x, k * A * y];
  };
  const y0 = forward(lon0, lat0)[1];
  const toLonLat = (px: number, py: number): [number, number] => {
    const xi = (py - north + y0) / (k * A);
    const eta = (px - east) / (k * A);
    let u = xi;
    let v = eta;
    beta.forEach((c, i) => {
      const j = 2 * (i + 1);
      u -= c * Math.sin(j * xi) * Math.cosh(j * eta);
      v -= c * Math.cos(j * xi) * Math.sinh(j * eta);
    });
    const t = Math.sin(u) / Math.hypot(Math.sinh(v), Math.cos(u));
    // Newton on the conformal latitude, started from the sphere.
    let lat = Math.atan(t);
    for (let i = 0; i < 6; i++) {
      const miss = t - conformal(lat);
      const slope = ((1 - e * e) / (1 - (e * Math.sin(lat)) ** 2)) * (Math.sqrt(1 + conformal(lat) ** 2) / Math.cos(lat));
      lat += miss / slope;
    }
    return [lon0 + Math.atan2(Math.sinh(v), Math.cos(u)) / rad, lat / rad];
  };
  return {
    fromLonLat: (lon, lat) => {
      const [x, y] = forward(lon, lat);
      return [x + east, y - y0 + north];
    },
    toLonLat,
    convergence: (x, y) => {
      // Grid north seen from true north: the bearing of a step of ten metres up the grid.
      const [lon1, lat1] = toLonLat(x, y - 10);
      const [lon2, lat2] = toLonLat(x, y + 10);
      return Math.atan2((lon2 - lon1) * Math.cos(((lat1 + lat2) / 2) * rad), lat2 - lat1) / rad;
    },
  };
}
