// What of the ground the picture shows, as a box: good enough to begin terms with.
import type { Box } from "../api/exchange";
import { atlasOf } from "./atlas/store";
import type { State } from "./store";

const NORTH_M = 111_195;
const rad = Math.PI / 180;

/** West, south, east, north, degrees, of what is looked at; `null` where nothing is known of that. `size`: CSS pixels of an atlas' picture. */
export function viewBox(state: State, size: { width: number; height: number } | null): Box | null {
  const twin = state.twins.current;
  if (!twin) return null;
  if (twin.kind === "atlas") {
    if (!size) return null;
    const { view } = atlasOf(state, twin.id);
    const [w, s, e, n] = twin.bounds_lonlat as Box;
    return around((w + e) / 2, (s + n) / 2, view.x, view.y, (size.width / 2) * view.scale, ((size.height / 2) * view.scale) / Math.max(0.3, Math.sin(view.pitch * rad)));
  }
  const camera = state.place.camera;
  if (!camera) return null;
  const above = Math.max(30, camera.height - twin.ground.ellipsoidal_m);
  const down = Math.min(89, Math.max(12, -camera.pitch)) * rad;
  const away = Math.min(above / Math.tan(down), above * 4);
  const reach = (above / Math.sin(down)) * 0.5;
  const heading = camera.heading * rad;
  return around(camera.lon, camera.lat, Math.sin(heading) * away, Math.cos(heading) * away, reach, reach);
}

/** A box about a place that lies so many metres east and north of another. */
function around(lon: number, lat: number, east: number, north: number, wide: number, high: number): Box {
  const EAST_M = NORTH_M * Math.cos(lat * rad);
  const [x, y] = [lon + east / EAST_M, lat + north / NORTH_M];
  return [x - wide / EAST_M, y - high / NORTH_M, x + wide / EAST_M, y + high / NORTH_M];
}
